import re

from cockpit.ui.live.component import FOLDER, MODULES, bundle


def test_every_module_is_in_the_bundle() -> None:
    assert set(MODULES) == {path.stem for path in FOLDER.glob("*.js")}


def test_the_bundle_is_one_module_with_one_export() -> None:
    assert not re.search(r"^import ", bundle(), re.MULTILINE)
    assert re.findall(r"^export .*", bundle(), re.MULTILINE) == [
        "export default function ({ data, parentElement, setStateValue, setTriggerValue }) {"
    ]


def test_a_module_imports_only_what_comes_before_it() -> None:
    for place, name in enumerate(MODULES):
        source = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
        imported = re.findall(r'^import \{.*\} from "\./(\w+)\.js"$', source, re.MULTILINE)
        assert len(imported) == len(re.findall(r"^import ", source, re.MULTILINE)), (
            f"{name}.js: an import of another form"
        )
        assert set(imported) <= set(MODULES[:place])


def test_what_a_module_imports_is_exported_there() -> None:
    exported = {
        name: set(re.findall(r"^export (?:function|const) (\w+)", (FOLDER / f"{name}.js").read_text(), re.MULTILINE))
        for name in MODULES
    }
    for name in MODULES:
        source = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
        for names, module in re.findall(r'^import \{ (.*) \} from "\./(\w+)\.js"$', source, re.MULTILINE):
            assert set(names.split(", ")) <= exported[module], f"{name}.js"


def test_modules_share_one_scope_and_no_name() -> None:
    declared = re.findall(r"^(?:function|const|let) (\w+)", bundle(), re.MULTILINE)
    assert sorted(declared) == sorted(set(declared))


def test_no_text_of_an_event_can_become_markup() -> None:
    for path in FOLDER.glob("*.js"):
        source = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", source), path.name
