"""A source file as it is on disk: its bytes as text and back, without a change of encoding or line ends."""

from __future__ import annotations

import codecs
import io
import os
import tempfile
import tokenize
from dataclasses import dataclass
from pathlib import Path

from trigger_cli.errors import FileNotWritten

_MAY_WRITE = 0o222


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A source file.

    Attributes:
        path: where it lies.
        text: its text, with the line ends and the byte order mark (as U+FEFF) that it has.
        encoding: of the bytes, by its byte order mark or coding comment.
    """

    path: Path
    text: str
    encoding: str

    @classmethod
    def read(cls, path: Path) -> SourceFile:
        """Read a file. Raises OSError, SyntaxError (unknown encoding) or UnicodeDecodeError."""
        return cls.of(path, path.read_bytes())

    @classmethod
    def of(cls, path: Path, content: bytes) -> SourceFile:
        """Return the file with this content. Raises as :meth:`read` does."""
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        # The mark stays in the text, so that it is written again.
        encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        return cls(path=path, text=content.decode(encoding), encoding=encoding)

    def write(self, text: str) -> None:
        """Put another text into the file: whole or not at all, with the mode that it has.

        Raises:
            FileNotWritten: it is read-only, or the new text does not fit its encoding.
        """
        try:
            content = codecs.encode(text, self.encoding)
        except UnicodeEncodeError as error:
            character = text[error.start]
            raise FileNotWritten(
                f"{self.path} is {self.encoding} text, which has no character {character!r}", where=str(self.path)
            ) from error
        try:
            # The exchange below asks the folder, not the file; and root may write what nobody is meant to.
            if not (self.path.stat().st_mode & _MAY_WRITE and os.access(self.path, os.W_OK)):
                raise FileNotWritten(f"{self.path} is read-only", where=str(self.path))
            self._exchange(content)
        except OSError as error:
            raise FileNotWritten(
                f"{self.path} cannot be written: {error.strerror or error}", where=str(self.path)
            ) from error

    def _exchange(self, content: bytes) -> None:
        state = self.path.stat()
        handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), state.st_mode & 0o7777)
                if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()) and os.geteuid() == 0:
                    os.fchown(file.fileno(), state.st_uid, state.st_gid)
            temporary.replace(self.path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
