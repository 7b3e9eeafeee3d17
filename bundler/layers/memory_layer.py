"""A layer of a few small files that are in memory: the index of a project's jobs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from bundler.layers.layer_writer import MEDIA_TYPE, LayerWriter
from bundler.layers.project_layer import APP_UID
from bundler.layers.reasons import reason
from bundler.model import Blob, Layer, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.cache import Cache


def memory_layer(
    files: Mapping[str, bytes],
    *,
    name: str,
    root: str = "/app",
    uid: int = APP_UID,
    gid: int = APP_UID,
    cache: Cache | None = None,
    history: str = "",
) -> Layer:
    """Return a layer of files in memory. It is made anew each time: that is quicker than to look for it.

    Args:
        files: contents by their places below ``root``.
        name: of the layer.
        root: absolute path in the image; another layer has the folder.
        uid: number of the owner.
        gid: number of the owner's group.
        cache: remembers what was in it, to say why it differs; None for no reason.
        history: names the project, for the reason.
    """
    above = root.strip("/")
    parts = above.split("/")
    output = io.BytesIO()
    existing = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    writer = LayerWriter(output, uid=uid, gid=gid, existing=existing)
    for place in sorted(files):
        if place.startswith("/") or ".." in place.split("/"):
            raise ValueError(place)
        writer.file(f"{above}/{place}".lstrip("/"), files[place])
    diff_id = writer.finish()
    why = ""
    if cache is not None:
        contents = {place: digest_of(content) for place, content in files.items()}
        made_of = {"root": root, "owner": f"{uid}:{gid}", **contents}
        is_same = bool(history) and cache.recall("parts", f"{history}\0{name}") == made_of
        why = reason(cache, history, name, made_of, is_found=is_same)
    return Layer(blob=Blob.of(output.getvalue(), MEDIA_TYPE), diff_id=diff_id, name=name, reason=why)
