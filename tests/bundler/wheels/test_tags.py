"""The wheel that an installer on the target would take."""

from pathlib import Path

import pytest
from packaging.tags import sys_tags

from bundler.locks.errors import LockInvalid, WheelMissing
from bundler.locks.model import Distribution, Folder, SourceFile, WheelFile
from bundler.model import Architecture, Platform, Target
from bundler.wheels.tags import best_wheel, own_target, plan_wheels, platforms_of, tags_of

SDIST = SourceFile(filename="pkg-1.0.tar.gz", url="https://i.example/pkg-1.0.tar.gz")


def on(architecture: Architecture = "amd64", python: tuple[int, int] = (3, 11), glibc: int = 36) -> Target:
    """Return a target."""
    return Target(python=python, platform=Platform(architecture=architecture), glibc=(2, glibc))


def package(*tags: str, sdist: SourceFile | None = None) -> Distribution:
    """Return a distribution with wheels of these tags."""
    wheels = tuple(WheelFile(filename=f"pkg-1.0-{tag}.whl") for tag in tags)
    return Distribution(name="pkg", version="1.0", wheels=wheels, sdist=sdist)


CASES = [
    (on(), ["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64", "cp310-cp310-manylinux_2_17_x86_64"], 1),
    (on(), ["cp311-abi3-manylinux2014_x86_64", "cp311-cp311-manylinux2014_x86_64"], 1),
    (on(python=(3, 13)), ["cp311-abi3-manylinux2014_x86_64", "cp312-cp312-manylinux2014_x86_64"], 0),
    (on(python=(3, 13)), ["cp38-abi3-manylinux2014_x86_64", "cp311-abi3-manylinux2014_x86_64"], 1),
    (on(), ["cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp311-cp311-manylinux_2_28_x86_64"], 1),
    (on(glibc=27), ["cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp311-cp311-manylinux_2_28_x86_64"], 0),
    (on("arm64"), ["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_17_aarch64"], 1),
    (on("arm64"), ["cp311-cp311-macosx_11_0_arm64", "py3-none-any"], 1),
    (on(), ["cp311-cp311-musllinux_1_2_x86_64", "cp311-cp311-win_amd64"], None),
    (on(python=(3, 13)), ["cp313-cp313t-manylinux_2_17_x86_64"], None),
    (on(), ["cp311-cp311-manylinux1_x86_64"], 0),
    (on("arm64"), ["cp311-cp311-manylinux_2_5_aarch64"], None),
    (on(), ["py2.py3-none-any", "py2-none-any"], 0),
    (on(), ["1-py3-none-any", "2a-py3-none-any", "10-py3-none-any"], 2),
    (on(), ["cp311-cp311-linux_x86_64", "cp312-none-any"], 0),
]


@pytest.mark.parametrize(("target", "tags", "best"), CASES)
def test_best_wheel_is_the_most_specific(target: Target, tags: list[str], best: int | None) -> None:
    """The interpreter's own ABI, then abi3, then none; the newest glibc that is there; the highest build."""
    for order in (tags, tags[::-1]):
        found = best_wheel(package(*order), target)
        assert (found.filename if found else None) == (f"pkg-1.0-{tags[best]}.whl" if best is not None else None)


def test_tags_are_those_of_this_machine_for_itself() -> None:
    """For this machine the list is what its own installer has."""
    own = own_target()
    if own is None:
        pytest.skip("only Linux with glibc has a list to compare with")
    assert list(dict.fromkeys(tags_of(own))) == list(dict.fromkeys(sys_tags()))


def test_target_without_glibc_has_no_manylinux() -> None:
    """Another C library than glibc 2 takes no manylinux wheels."""
    target = Target(python=(3, 11), platform=Platform(architecture="amd64"), glibc=(0, 0))
    assert platforms_of(target) == ("linux_x86_64",)


def test_sources_are_built_for_the_own_platform_only() -> None:
    """A distribution without a fitting wheel is built here, or refused with what there is."""
    entry = package("cp310-cp310-manylinux_2_17_x86_64", sdist=SDIST)
    assert plan_wheels([entry], on(), on()).builds == (entry,)
    with pytest.raises(WheelMissing, match=r"pkg 1\.0 has no wheel for Python 3\.11 on linux/arm64") as caught:
        plan_wheels([entry], on("arm64"), on())
    assert caught.value.problem.detail == "pkg 1.0: sources, and wheels only for cp310-cp310-manylinux_2_17_x86_64"
    with pytest.raises(WheelMissing, match="nothing can be built on this system"):
        plan_wheels([package(sdist=SDIST)], on(), None)


def test_all_that_is_missing_is_told_at_once() -> None:
    """Two distributions without a wheel are one problem with two lines."""
    with pytest.raises(WheelMissing, match="and 1 more have no wheel") as caught:
        plan_wheels([package("cp310-cp310-win_amd64"), package()], on(), on())
    assert len(caught.value.problem.detail.splitlines()) == 2


def test_folders_are_built_wherever(tmp_path: Path) -> None:
    """A project of the workspace is sources by nature."""
    entry = Distribution(name="part", source=Folder(path=tmp_path))
    assert plan_wheels([entry], on("arm64"), on()).builds == (entry,)


@pytest.mark.parametrize(
    "filename", ["evil-1.0-py3-none-any.whl", "pkg-2.0-py3-none-any.whl", "pkg.whl", "pkg-1.0.zip"]
)
def test_wheel_of_another_name_is_refused(filename: str) -> None:
    """A lock that gives a distribution the wheel of another one contradicts itself."""
    entry = Distribution(name="pkg", version="1.0", wheels=(WheelFile(filename=filename),))
    with pytest.raises(LockInvalid, match="the lock names"):
        best_wheel(entry, on())
