"""Alerts as HTML: whatever is shown in it escaped."""

from html import escape

from cockpit.ui.palette import Palette
from cockpit.views.alert_words import Cell, Entry, Fact, Table

RULES = """
.ck-alerts { color: var(--text); font-variant-numeric: tabular-nums; line-height: 1.4; }
.ck-alerts h3 { font-size: 1rem; font-weight: 600; margin: 0 0 0.375rem; padding: 0; overflow-wrap: anywhere; }
.ck-alerts .state { font-size: 0.8125rem; font-weight: 600; color: var(--tone); margin: 0; }
.ck-alerts .state span { color: var(--soft); font-weight: 400; }
.ck-alerts .entry { border-left: 4px solid var(--tone); padding: 0 0 0 0.75rem; }
.ck-alerts dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); gap: 0.5rem 1rem;
  margin: 0; padding: 0; }
.ck-alerts dt, .ck-alerts dd { margin: 0; padding: 0; overflow-wrap: anywhere; }
.ck-alerts dt { color: var(--soft); font-size: 0.75rem; font-weight: 600; }
.ck-alerts dd { font-size: 0.9375rem; font-weight: 600; }
.ck-alerts small { display: block; color: var(--soft); font-size: 0.75rem; font-weight: 400; }
.ck-alerts .mark { display: inline-block; border: 1px solid var(--soft); border-radius: 8px; padding: 0 0.5rem;
  font-size: 0.75rem; margin: 0.375rem 0.375rem 0 0; overflow-wrap: anywhere; }
.ck-alerts .notes { color: var(--soft); font-size: 0.8125rem; margin: 0.375rem 0 0; padding: 0; list-style: none; }
.ck-alerts .notes li { margin: 0; }
.ck-alerts .scroll { overflow-x: auto; }
.ck-alerts table { border-collapse: collapse; width: 100%; font-size: 0.875rem; margin: 0; }
.ck-alerts th, .ck-alerts td { border: 0; border-bottom: 1px solid var(--border); padding: 0.4rem 0.6rem;
  text-align: left; vertical-align: top; }
.ck-alerts th { color: var(--soft); font-size: 0.75rem; font-weight: 600; white-space: nowrap; }
.ck-alerts td { min-width: 6rem; }
.ck-alerts td:first-child { min-width: 10rem; }
.ck-alerts td a { color: inherit; text-decoration: underline; }
.ck-alerts td.good { color: var(--good); }
.ck-alerts td.bad { color: var(--bad); font-weight: 600; }
.ck-alerts td.warn { color: var(--warn); font-weight: 600; }
.ck-alerts td.soft { color: var(--soft); }
.ck-alerts .duty { color: var(--soft); font-size: 0.8125rem; margin: 0; }
.ck-alerts .duty b { color: var(--good); font-weight: 600; }
"""


def style(palette: Palette) -> str:
    """The rules, with their colours for one palette."""
    names = ("text", "soft", "border", "good", "warn", "bad")
    variables = " ".join(f"--{name}: {getattr(palette, name)};" for name in names)
    return f"<style>.ck-alerts {{ {variables} }}{RULES}</style>"


def entry(shown: Entry) -> str:
    severity = f" <span>· {escape(shown.severity)}</span>" if shown.severity else ""
    marks = "".join(f'<span class="mark">{escape(mark)}</span>' for mark in shown.marks)
    return _section(
        f'<div class="entry" style="--tone: var(--{shown.tone})">'
        f'<p class="state">{shown.glyph} {escape(shown.state)}{severity}</p><h3>{escape(shown.title)}</h3>'
        f"<dl>{''.join(map(_fact, shown.facts))}</dl>{marks}{_notes(shown.notes)}</div>"
    )


def table(found: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in found.head)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in found.rows)
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _section(f'<div class="scroll">{body}</div>{_notes(found.notes)}')


def duty(text: str) -> str:
    """That the engine is there."""
    return _section(f'<p class="duty"><b>✓</b> {escape(text)}</p>')


def _section(inside: str) -> str:
    return f'<div class="ck-alerts">{inside}</div>'


def _fact(fact: Fact) -> str:
    more = f"<small>{escape(fact.more)}</small>" if fact.more else ""
    return f"<div><dt>{escape(fact.label)}</dt><dd>{escape(fact.value)}{more}</dd></div>"


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.href:
        text = f'<a href="{escape(cell.href)}" target="_blank" rel="noopener noreferrer">{text}</a>'
    return f'<td class="{cell.tone}">{text}{"".join(f"<small>{escape(line)}</small>" for line in cell.lines)}</td>'


def _notes(lines: tuple[str, ...]) -> str:
    return f'<ul class="notes">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>' if lines else ""
