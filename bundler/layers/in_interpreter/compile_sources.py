"""Compiles sources to unchecked-hash bytecode. Run by the interpreter whose bytecode it shall be.

Standard input is a sequence of pairs of frames, a source's path in the image and its text; a frame is its length
(four bytes, the highest first) and its bytes. Standard output is a sequence of such pairs for those that compile: the
path of the bytecode in the image, and the bytecode. The path is what tracebacks show; no other of this machine gets in.

Started with PYTHONHASHSEED=0 and in a process of its own for each sequence, it gives the same bytes each time: how
constants are marshalled depends on what the interpreter met before.
"""

import importlib.util
import marshal
import struct
import sys
import warnings

UNCHECKED = 0b01


def main() -> None:
    """Read everything, compile, write everything."""
    warnings.simplefilter("ignore")
    sys.pycache_prefix = None
    data = sys.stdin.buffer.read()
    out = sys.stdout.buffer
    frames = read_frames(data)  # type: ignore[no-untyped-call]
    for path, source in zip(frames, frames, strict=True):
        place = path.decode()
        try:
            code = compile(source, place, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            continue  # a template, or a file for another Python: whoever imports it gets the error
        head = importlib.util.MAGIC_NUMBER + struct.pack("<L", UNCHECKED) + importlib.util.source_hash(source)
        for frame in (importlib.util.cache_from_source(place, optimization="").encode(), head + marshal.dumps(code)):
            out.write(struct.pack(">L", len(frame)) + frame)


def read_frames(data):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - typing would have to be imported
    """Yield the frames in ``data``."""
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">L", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


main()
