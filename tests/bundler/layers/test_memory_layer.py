"""The layer of files in memory."""

from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.layers.memory_layer import memory_layer
from tests.fakes.layer_reading import files_of, members_of


def test_files_lie_below_the_root() -> None:
    """Owned by the user that runs; the root is another layer's, folders below it are in this one."""
    layer = memory_layer({".trigger/manifest.json": b"{}"}, name="index", uid=7, gid=8)
    assert files_of(layer) == {"app/.trigger/manifest.json": (b"{}", False)}
    assert {name: (each.uid, each.gid) for name, each in members_of(layer).items()} == {
        "app/.trigger": (7, 8), "app/.trigger/manifest.json": (7, 8),
    }  # fmt: skip
    assert (layer.name, layer.reason) == ("index", "")


def test_same_files_same_bytes() -> None:
    """Whatever their order."""
    files = {"b": b"2", "a/c": b"1"}
    one = memory_layer(files, name="index")
    other = memory_layer(dict(reversed(files.items())), name="index")
    assert one.blob.digest == other.blob.digest
    assert list(files_of(one)) == ["app/a/c", "app/b"]


def test_reason_says_what_changed(tmp_path: Path) -> None:
    """Nothing when nothing did."""
    cache = Cache(tmp_path)

    def reason(content: bytes) -> str:
        return memory_layer({"m.json": content}, name="index", cache=cache, history="p").reason

    assert [reason(content) for content in (b"1", b"1", b"2")] == ["not in the cache", "", "m.json changed"]


@pytest.mark.parametrize("place", ["/etc/passwd", "../x", "a/../../x"])
def test_place_outside_the_root_is_a_mistake(place: str) -> None:
    """Whoever names the files makes sure of it."""
    with pytest.raises(ValueError, match=r"x|passwd"):
        memory_layer({place: b""}, name="index")
