"""Grouping: few layers, and small changes of a lock change few of them."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import TooManyLayers
from bundler.layers.grouping import group
from bundler.model import Wheel

MIB = 1 << 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for sparse files."""
    return tmp_path_factory.mktemp("wheels")


def sized(folder: Path, name: str, size: int) -> Wheel:
    """Return a wheel of a size."""
    path = folder / f"{name}-{size}"
    with path.open("wb") as file:
        file.truncate(size)
    return Wheel(name=name, version="1", filename=f"{name}-1-py3-none-any.whl", sha256=f"{name}{size}", path=path)


def names(groups: list[tuple[Wheel, ...]]) -> list[list[str]]:
    """Return the names in each group."""
    return [[wheel.name for wheel in wheels] for wheels in groups]


def test_large_ones_have_their_own(folder: Path) -> None:
    """By name, and the rest is last."""
    wheels = [
        sized(folder, "small", 9),
        sized(folder, "z", 5 * MIB),
        sized(folder, "b", 2 * MIB),
        sized(folder, "a", 9),
    ]
    assert names(group(wheels)) == [["b"], ["z"], ["a", "small"]]
    assert names(group(wheels, 2)) == [["z"], ["a", "b", "small"]]
    assert names(group(wheels, 1)) == [["a", "b", "small", "z"]]


def test_no_rest_when_all_are_large(folder: Path) -> None:
    """As many as the budget; one more, and two share."""
    wheels = [sized(folder, name, (9 - number) * MIB) for number, name in enumerate("abc")]
    assert names(group(wheels, 3)) == [["a"], ["b"], ["c"]]
    assert names(group(wheels, 2)) == [["a"], ["b", "c"]]
    assert group([]) == []


def test_small_addition_changes_the_rest_alone(folder: Path) -> None:
    """The layers of the large ones stay."""
    wheels = [sized(folder, f"w{number}", (number + 1) * 300_000) for number in range(8)]
    before, after = group(wheels), group([*wheels, sized(folder, "new", 900_000)])
    assert before[:-1] == after[:-1]
    assert len(before[-1]) + 1 == len(after[-1])


def test_limit_of_engines_is_kept(folder: Path) -> None:
    """Whatever the budget and the base."""
    wheels = [sized(folder, f"w{number:03}", 2 * MIB + number) for number in range(140)]
    assert len(group(wheels, 1000, taken=20)) == 107
    assert len(group(wheels, 1000, taken=126)) == 1
    with pytest.raises(TooManyLayers, match="127 layers without"):
        group(wheels, taken=127)


@given(
    sizes=st.lists(st.integers(1, 4 * MIB), max_size=20), budget=st.integers(-1, 12),
    order=st.randoms(use_true_random=False)
)  # fmt: skip
def test_each_wheel_is_in_one_group(folder: Path, sizes: list[int], budget: int, order: Random) -> None:
    """Within the budget, and independent of the order."""
    wheels = [sized(folder, f"w{number}", size) for number, size in enumerate(sizes)]
    shuffled = list(wheels)
    order.shuffle(shuffled)
    groups = group(wheels, budget)
    assert groups == group(shuffled, budget)
    assert sorted(wheel.name for wheels in groups for wheel in wheels) == sorted(wheel.name for wheel in wheels)
    assert len(groups) <= max(1, budget)
