"""Facts and tables as HTML: whatever is shown in them escaped. One look on the page and in the file."""

from collections.abc import Iterable
from html import escape

from cockpit.ui.palette import Palette
from cockpit.views.experiment_tables import Cell, Fact, Table

RULES = """
.ck-exp { color: var(--text); font-variant-numeric: tabular-nums; line-height: 1.4; }
.ck-exp .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12.5rem), 1fr)); gap: 0.5rem;
  margin: 0 0 0.5rem; padding: 0; }
.ck-exp .facts > div { border: 1px solid var(--border); border-radius: 8px; background: var(--panel);
  padding: 0.5rem 0.75rem; min-width: 0; }
.ck-exp dt, .ck-exp dd { margin: 0; padding: 0; overflow-wrap: anywhere; }
.ck-exp dt { color: var(--soft); font-size: 0.75rem; font-weight: 600; }
.ck-exp dd.value { font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
.ck-exp dd.value.long { font-size: 1rem; }
.ck-exp small { display: block; color: var(--soft); font-size: 0.75rem; font-weight: 400; }
.ck-exp .plain { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: 0.25rem 1rem; margin: 0;
  padding: 0; }
.ck-exp .plain dt { font-weight: 400; font-size: 0.8125rem; }
.ck-exp .plain dd { font-size: 0.875rem; }
.ck-exp .scroll { overflow-x: auto; }
.ck-exp table { border-collapse: collapse; width: 100%; font-size: 0.875rem; margin: 0; }
.ck-exp th, .ck-exp td { border: 0; border-bottom: 1px solid var(--border); padding: 0.4rem 0.6rem; text-align: left;
  vertical-align: top; white-space: nowrap; }
.ck-exp th { color: var(--soft); font-size: 0.75rem; font-weight: 600; }
.ck-exp td:first-child, .ck-exp td:last-child { white-space: normal; min-width: 9rem; }
.ck-exp .soft, .ck-exp .notes { color: var(--soft); }
.ck-exp .good { color: var(--good); }
.ck-exp .bad { color: var(--bad); }
.ck-exp .warn { color: var(--warn); }
.ck-exp td.good, .ck-exp td.bad, .ck-exp td.warn { font-weight: 600; }
.ck-exp .notes { font-size: 0.75rem; margin: 0.4rem 0 0; padding: 0; list-style: none; }
.ck-exp .headline { border-left: 4px solid var(--tone); padding: 0.25rem 0 0.25rem 0.875rem; margin: 0 0 0.5rem;
  font-size: 1.0625rem; max-width: 80ch; }
.ck-exp .headline strong { display: block; color: var(--tone); font-size: 0.875rem; }
.ck-exp .bar { height: 6px; border-radius: 3px; background: var(--border); overflow: hidden; margin: 0.25rem 0 0.5rem;
  max-width: 24rem; }
.ck-exp .bar > span { display: block; height: 100%; background: var(--soft); }
"""
JOINED = "\u2060"  # a word joiner: no line ends here
LONG = 14  # letters of a value; longer ones are written smaller


def style(palette: Palette) -> str:
    """The variables of the rules, for one palette."""
    names = ("text", "soft", "border", "panel", "good", "warn", "bad")
    return ".ck-exp { " + " ".join(f"--{name}: {getattr(palette, name)};" for name in names) + " }"


def facts(found: Iterable[Fact]) -> str:
    """As tiles."""
    return f'<dl class="facts">{"".join(map(_tile, found))}</dl>'


def plain(found: Iterable[Fact]) -> str:
    """As lines."""
    return f'<dl class="plain">{"".join(f"<dt>{escape(f.label)}</dt><dd>{escape(f.value)}</dd>" for f in found)}</dl>'


def table(found: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in found.head)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in found.rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in found.notes)
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="scroll">{body}</div>' + (f'<ul class="notes">{notes}</ul>' if notes else "")


def headline(word: str, tone: str, sentence: str, more: str = "") -> str:
    """A verdict, and what is known, in a sentence."""
    colour = f"var(--{tone})" if tone else "var(--soft)"
    note = f"<small>{escape(more)}</small>" if more else ""
    return f'<p class="headline" style="--tone: {colour}"><strong>{escape(word)}</strong>{escape(sentence)}{note}</p>'


def progress(label: str, share: float) -> str:
    """How far the sample is, at most full."""
    width = round(min(share, 1.0) * 100, 1)
    return f'<small>{escape(label)}</small><div class="bar"><span style="width: {width}%"></span></div>'


def section(*parts: str) -> str:
    return f'<div class="ck-exp">{"".join(parts)}</div>'


def _tile(fact: Fact) -> str:
    more = "".join(f"<dd><small>{_whole(line)}</small></dd>" for line in fact.more.splitlines())
    size = " long" if len(fact.value) > LONG else ""
    value = f'<dd class="value {fact.tone}{size}">{_whole(fact.value)}</dd>'
    return f"<div><dt>{escape(fact.label)}</dt>{value}{more}</div>"


def _cell(cell: Cell) -> str:
    more = f"<small>{escape(cell.more)}</small>" if cell.more else ""
    return f'<td class="{cell.tone}">{escape(cell.text)}{more}</td>'


def _whole(text: str) -> str:
    """Escaped; a minus stays on the line of its number."""
    return escape(text).replace("-R$", f"-{JOINED}R$")
