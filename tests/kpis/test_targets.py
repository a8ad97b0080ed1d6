from pathlib import Path

import pytest

from cockpit.errors import BadSetting
from cockpit.kpis.targets import PATH, Target, load, target_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "targets.toml"


def written(file: Path, *targets: str) -> tuple[Target, ...]:
    file.write_text("".join(f"[[target]]\n{target}\n" for target in targets))
    return load(file)


def test_targets_are_read_in_the_units_of_their_kpis(file: Path) -> None:
    targets = written(
        file,
        'kpi = "conversion_rate_profile"\nvalue = 0.03',
        'kpi = "aov"\nvalue = 149.9\nsegment = "vip"',
        'kpi = "nps"\nvalue = -5',
    )
    assert targets == (
        Target("conversion_rate_profile", 0.03),
        Target("aov", 14_990, "vip"),  # reais become cents
        Target("nps", -5),
    )


def test_a_segment_has_its_own_target_or_that_of_all(file: Path) -> None:
    targets = written(file, 'kpi = "aov"\nvalue = 100', 'kpi = "aov"\nvalue = 200\nsegment = "vip"')
    assert target_of(targets, "aov", "vip") == 20_000
    assert target_of(targets, "aov", "new") == 10_000
    assert target_of(targets, "aov") == 10_000
    assert target_of(targets, "ctr") is None


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ('kpi = "conversions"\nvalue = 0.1', "conversions"),
        ('kpi = "ctr"\nvalue = 5', "0.05"),
        ('kpi = "ctr"\nvalue = nan', "nan"),
        ('kpi = "aov"\nvalue = inf', "inf"),
        ('kpi = "aov"\nvalue = "much"', "value"),
        ('kpi = "aov"', "value"),
        ('kpi = "aov"\nvalue = 1\nsegmnet = "vip"', "segmnet"),
        ('kpi = "rfm_class"\nvalue = 1', "no number"),
    ],
)
def test_a_wrong_target_is_refused_and_named(file: Path, target: str, said: str) -> None:
    with pytest.raises(BadSetting, match="target 1") as refused:
        written(file, target)
    assert said in str(refused.value)


def test_two_targets_for_the_same_are_refused(file: Path) -> None:
    with pytest.raises(BadSetting, match="two targets for all segments"):
        written(file, 'kpi = "aov"\nvalue = 1', 'kpi = "aov"\nvalue = 2')


@pytest.mark.parametrize("text", ["[[target]\n", "[[targets]]\nkpi = 'aov'\n", "target = 5\n"])
def test_a_file_of_another_shape_is_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(BadSetting):
        load(file)


def test_without_a_file_there_are_no_targets(file: Path) -> None:
    assert load(file) == ()


def test_the_file_of_the_project_is_valid() -> None:
    assert PATH.exists()
    assert all(target.value == target.value for target in load())
