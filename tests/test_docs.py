"""The documents say what the code does: links, decisions, codes, settings and dependencies are compared with it."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from cockpit.alerts.keys import GROUPING_KEYS, INHIBIT_KEYS, MUTE_KEYS, RECEIVER_KEYS, RULE_KEYS, Key
from cockpit.alerts.metrics import ALERT_METRICS, OF_ATTEMPTS, OF_EVENTS, PAGES, infos
from cockpit.alerts.rule_file import read_rules
from cockpit.alerts.rules import LABELS, Grouping, Inhibit, Known, Mute, Receiver, Rule
from cockpit.config import ROOT, Config
from cockpit.events.codes import MEANINGS, Code

DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
DECISIONS = sorted((DOCS / "adr").glob("[0-9]*.md"))

FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users|opt|tmp)/\w")
REGISTRY = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|--(?:extra-)?index-url|https?://\S+/simple\b")


def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """The names GitHub gives to headings."""
    headings = (re.sub(r"[^\w\- ]", "", title.lower()).strip() for title in HEADING.findall(prose(path)))
    return {heading.replace(" ", "-") for heading in headings}


def rows(path: Path, heading: str) -> Iterator[list[str]]:
    """Cells of the rows under a heading whose first cell is code."""
    section = path.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def files_of_the_project() -> list[str]:
    """Tracked files, and new ones that are not ignored."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed, so nobody can say which files belong to the project")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if listed.returncode != 0:
        pytest.skip(f"not a git checkout: {listed.stderr.strip()}")
    return listed.stdout.splitlines()


def test_every_decision_is_listed_under_its_own_title() -> None:
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| ([^|]+?) \|", index, re.MULTILINE)
    titles = [re.match(r"# (\d{4})\. (.+)", path.read_text(encoding="utf-8")) for path in DECISIONS]
    assert listed == [(title[1], path.name, title[2]) for path, title in zip(DECISIONS, titles, strict=True) if title]
    assert len(listed) == len(DECISIONS)


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers[0] == 1
    assert {b - a for a, b in pairwise(numbers)} == {1}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_says_what_was_refused_and_what_follows(path: Path) -> None:
    assert HEADING.findall(path.read_text(encoding="utf-8"))[1:] == ["Context", "Decision", "Refused", "Consequences"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_resolve(path: Path) -> None:
    broken = []
    for target in LINK.findall(prose(path)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            broken.append(target)
    assert broken == []


def test_the_table_of_refusal_codes_is_that_of_the_code() -> None:
    table = rows(DOCS / "wire.md", "Refusal codes")
    documented = {code.strip("`"): (level, is_temporary == "yes", text) for code, level, is_temporary, text in table}
    assert documented == {str(code): tuple(MEANINGS[code]) for code in Code}


def test_examples_name_only_refusal_codes_that_exist() -> None:
    named = {code for path in DOCUMENTS for code in re.findall(r'"code": ?"(\w+)"', path.read_text(encoding="utf-8"))}
    assert named
    assert named <= {str(code) for code in Code}


def test_the_tables_of_properties_are_those_of_the_catalogue() -> None:
    catalogue = tomllib.loads((ROOT / "data" / "reference" / "events.toml").read_text(encoding="utf-8"))
    table = rows(DOCS / "wire.md", "Properties")
    documented = [(name.strip("`"), re.findall(r"`(\w+)`", read_from)) for name, read_from, _ in table]
    assert documented == [*catalogue["properties"].items(), *catalogue["items"].items()]


def test_every_setting_is_in_the_documents_with_its_default() -> None:
    config = Config()
    defaults = {name: getattr(config, name) for name in Config.__struct_fields__}
    for path in ("run_dir", "alert_rules"):
        defaults[path] = defaults[path].relative_to(ROOT)
    table = rows(DOCS / "operations.md", "Settings")
    documented = {variable.strip("`"): default.strip("`").split(" ")[0] for variable, default, _ in table}
    assert documented == {f"COCKPIT_{name.upper()}": str(default) for name, default in defaults.items()}


ALERTS = DOCS / "alerts.md"
KEYS: Mapping[str, tuple[Mapping[str, Key], type[msgspec.Struct]]] = {
    "key": (RULE_KEYS, Rule),
    "receiver": (RECEIVER_KEYS, Receiver),
    "mute": (MUTE_KEYS, Mute),
    "inhibit": (INHIBIT_KEYS, Inhibit),
    "grouping": (GROUPING_KEYS, Grouping),
}
AS_DURATION = ((timedelta(hours=1), "h"), (timedelta(minutes=1), "m"), (timedelta(seconds=1), "s"))


def table_under(path: Path, head: str) -> dict[str, list[str]]:
    """Cells after the first, by the first, of the table whose head begins with this word; code without its marks."""
    after = path.read_text(encoding="utf-8").partition(f"\n| {head} |")[2]
    lines = after.partition("\n\n")[0].splitlines()[2:]
    split = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {first.strip("`"): rest for first, *rest in split}


def as_toml(value: object) -> str:
    """As the table of keys writes a default; empty: there is none, or nothing."""
    if isinstance(value, timedelta):
        return next(f"{value // unit}{name}" for unit, name in AS_DURATION if value >= unit or name == "s")
    if isinstance(value, tuple):
        return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
    if isinstance(value, bool | dict):
        return msgspec.json.encode(value).decode()
    return "" if value is None else str(value)


@pytest.mark.parametrize("head", KEYS)
def test_the_tables_of_keys_are_those_of_the_rule_file_with_their_defaults(head: str) -> None:
    keys, kind = KEYS[head]
    fields = {field.name: field for field in msgspec.structs.fields(kind)}

    def default(name: str, key: Key) -> str:
        field = fields[key.field or name]
        made = field.default_factory() if callable(field.default_factory) else field.default
        return "" if key.is_required or field.required else as_toml(made)

    documented = {name: cells[0].strip("`") for name, cells in table_under(ALERTS, head).items()}
    assert documented == {name: default(name, key) for name, key in keys.items()}


def test_the_table_of_metrics_is_that_of_the_registry_with_its_labels() -> None:
    short = {OF_EVENTS: "events", OF_ATTEMPTS: "attempts"}
    labels = {name: short.get(metric.labels) or ", ".join(metric.labels) for name, metric in ALERT_METRICS.items()}
    assert {name: cells[0] for name, cells in table_under(ALERTS, "metric").items()} == labels


def test_every_label_that_an_alert_may_carry_is_named() -> None:
    sentence = re.search(r"^Labels are (.+?)\. None", ALERTS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert sentence is not None
    assert set(re.findall(r"`(\w+)`", sentence[1])) == set(LABELS)


def test_the_example_of_a_rule_file_is_one() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```", ALERTS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    file = read_rules(example, "alerts.md", Known(infos(), PAGES))
    assert [receiver.name for receiver in file.receivers] == ["oncall", "lead"]


def test_each_of_the_22_edge_cases_names_tests_that_exist_and_say_its_number() -> None:
    table = re.findall(r"^\| (\d+) \| .+ \| ([^|]+) \|$", ALERTS.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in table] == list(range(1, 23))
    missing = []
    for number, cell in table:
        named = [name.split("::") for name in re.findall(r"`([^`]+)`", cell)]
        texts = {path: (ROOT / path).read_text(encoding="utf-8") for path, _ in named}
        missing += [f"{path}::{name}" for path, name in named if f"def {name}(" not in texts[path]]
        if not any(re.search(rf"\b[Ee]dge {number}\b", text) for text in texts.values()):
            missing.append(f"edge {number}")
    assert missing == []


@pytest.mark.parametrize("part", ["requirements.in", "requirements-dev.in"])
def test_every_dependency_has_its_reason(part: str) -> None:
    lines = (ROOT / part).read_text(encoding="utf-8").splitlines()
    wanted = {re.split(r"[=<>;\s]", line)[0] for line in lines if line and not line.startswith(("#", "-r"))}
    reasons = (DOCS / "adr" / "0010-dependencies.md").read_text(encoding="utf-8")
    assert {package for package in wanted if f"\n| {package} | " not in reasons} == set()


def test_a_term_has_one_place_in_the_glossary() -> None:
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = [term for term in re.findall(r"^\| ([^|]+) \|", glossary, re.MULTILINE) if term != "term"]
    assert terms
    assert sorted(terms) == sorted(set(terms))


def test_no_file_names_a_path_of_somebodys_machine_or_a_package_registry() -> None:
    found = []
    for name in files_of_the_project():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        found += [f"{name}: {match[0]}" for pattern in (MACHINE_PATH, REGISTRY) if (match := pattern.search(text))]
    assert found == []


def test_what_a_run_leaves_behind_is_not_part_of_the_project() -> None:
    assert [name for name in files_of_the_project() if name.startswith(("data/run/", ".venv/"))] == []
