"""The Python in a base."""

import pytest

from bundler.image.bases.interpreter import found_interpreter, stated_interpreter
from bundler.image.bases.layer_contents import LayerContents
from bundler.image.errors import BaseUnsuitable
from bundler.model import Platform
from tests.fakes.images import OFFICIAL, PATH

AMD64 = Platform(architecture="amd64")


def layer(*interpreters: str, **fields: object) -> LayerContents:
    """Return what a layer holds."""
    return LayerContents(diff_id="", size=0, interpreters=interpreters, **fields)  # type: ignore[arg-type]  # the test's own fields


def found(*layers: LayerContents, path: str = "/usr/local/bin:/usr/bin:/bin") -> str:
    """Return where Python 3.11 is found."""
    config = {"config": {"Env": [f"PATH={path}"]}}
    return found_interpreter(config, layers, python=(3, 11), platform=AMD64, where="base").path


@pytest.mark.parametrize(
    ("interpreters", "path", "expected"),
    [
        (["usr/bin/python3.11"], "/usr/bin", "/usr/bin/python3.11"),
        (["usr/bin/python3.11", "usr/local/bin/python3.11"], "/usr/local/bin:/usr/bin", "/usr/local/bin/python3.11"),
        (["usr/bin/python3.11", "usr/local/bin/python3.11"], "/usr/bin:/usr/local/bin", "/usr/bin/python3.11"),
        (["opt/conda/bin/python3.11", "usr/bin/python3.11"], "/opt/conda/bin:/usr/bin", "/opt/conda/bin/python3.11"),
        (["opt/python/3.11/bin/python3.11"], "/usr/bin", "/opt/python/3.11/bin/python3.11"),
        (["usr/bin/python3.11"], "", "/usr/bin/python3.11"),
        (["usr/bin/python3.11"], "/opt/bin/:/usr/bin/", "/usr/bin/python3.11"),
    ],
)
def test_the_first_on_path_is_taken(interpreters: list[str], path: str, expected: str) -> None:
    """As a shell in the image would; then those in the usual places."""
    assert found(layer(*interpreters), path=path) == expected


@pytest.mark.parametrize(
    "above",
    [
        {"removed": ("usr/local/bin/python3.11",)},
        {"removed": ("usr/local",)},
        {"emptied": ("usr/local/bin",)},
    ],
)
def test_what_an_upper_layer_takes_away_is_gone(above: dict[str, tuple[str, ...]]) -> None:
    """Files and folders, and the contents of folders; what the same layer brings stays."""
    lower = layer("usr/local/bin/python3.11", "usr/bin/python3.11")
    assert found(lower, layer(**above)) == "/usr/bin/python3.11"
    assert found(lower, layer("usr/local/bin/python3.11", **above)) == "/usr/local/bin/python3.11"


def test_everything_may_be_taken_away() -> None:
    """An opaque root."""
    with pytest.raises(BaseUnsuitable, match=r"no Python 3\.11$"):
        found(layer("usr/bin/python3.11"), layer(emptied=("",)))


def test_names_that_begin_alike_are_not_the_same() -> None:
    """``usr/lo`` is not above ``usr/local``."""
    assert found(layer("usr/local/bin/python3.11"), layer(removed=("usr/lo",))) == "/usr/local/bin/python3.11"


def test_homes_of_users_are_not_looked_into() -> None:
    """What lies in root's home is not for the user that jobs run as."""
    with pytest.raises(BaseUnsuitable, match=r"no Python 3\.11; it has 3\.11"):
        found(layer("root/.local/bin/python3.11"))


def test_path_of_the_user_is_held_against_the_machine() -> None:
    """Also an interpreter that the user names must be for the platform."""
    contents = layer("opt/bin/python3.11", architectures={"opt/bin/python3.11": "arm64"})
    with pytest.raises(BaseUnsuitable, match=r"/opt/bin/python3\.11 in base is not for linux/amd64"):
        found_interpreter({}, [contents], python=(3, 11), platform=AMD64, where="base", path="/opt/bin/python3.11")


def test_musl_without_glibc_is_refused() -> None:
    """Wheels are chosen for GNU's C library."""
    with pytest.raises(BaseUnsuitable, match="musl"):
        found(layer("usr/bin/python3.11", has_musl=True))
    assert found(layer("usr/bin/python3.11", has_musl=True, glibc=(2, 36)))


@pytest.mark.parametrize(
    "env",
    [
        (PATH,),
        (PATH, "PYTHON_VERSION=3.11.9"),
        ("PATH=/usr/bin", "PYTHON_VERSION=3.11.9", "GPG_KEY=1"),
        (PATH, "PYTHON_VERSION=latest", "GPG_KEY=1"),
    ],
)
def test_images_that_do_not_say_enough_must_be_looked_into(env: tuple[str, ...]) -> None:
    """A version alone is also set by images that have Python elsewhere."""
    assert stated_interpreter({"config": {"Env": list(env)}}, (3, 11), "base") is None


@pytest.mark.parametrize("version", ["3.11.9", "3.11.0rc1", "3.11"])
def test_official_images_are_believed(version: str) -> None:
    """They have it where they always had."""
    env = [PATH, f"PYTHON_VERSION={version}", *OFFICIAL[2:]]
    stated = stated_interpreter({"config": {"Env": env}}, (3, 11), "base")
    assert stated is not None
    assert stated.path == "/usr/local/bin/python3.11"


@pytest.mark.parametrize(
    ("step", "name", "glibc"),
    [
        ("# debian.sh --arch 'amd64' out/ 'bullseye' '@1731283200'", "docker.io/library/python:3.11", (2, 31)),
        ("# debian.sh --arch 'amd64' out/ 'trixie' '@1731283200'", "docker.io/library/python:3.11-slim", (2, 41)),
        ("/bin/sh -c #(nop) ADD file:1 in /", "docker.io/library/python:3.11-slim-buster", (2, 28)),
        ("/bin/sh -c #(nop) ADD file:1 in /", "docker.io/library/python:3.11-slim", None),
    ],
)
def test_official_images_tell_their_c_library(step: str, name: str, glibc: tuple[int, int] | None) -> None:
    """By the release of Debian that they are made of, in their history or their name."""
    config = {"config": {"Env": list(OFFICIAL)}, "history": [{"created_by": step}, {"created_by": "RUN true"}]}
    stated = stated_interpreter(config, (3, 11), name)
    assert stated is not None
    assert stated.glibc == glibc


@pytest.mark.parametrize("config", [{}, {"config": None}, {"config": {"Env": None}}, {"config": {"Env": [1, "x"]}}])
def test_config_without_an_environment_says_nothing(config: dict[str, object]) -> None:
    """Whatever stands there."""
    assert stated_interpreter(config, (3, 11), "base") is None
