"""What can go wrong in a build; locks, registries, images, engines and indexing have an ``errors`` of their own.

::

    TriggerError
    └── BundlerError
        ├── DigestMismatch    digest-mismatch    bytes that are not what their digest says
        ├── WheelInvalid      wheel-invalid      no wheel that can be installed
        ├── WheelUnsafe       wheel-unsafe       a wheel that would write outside its place, or is ambiguous
        ├── WheelDamaged      wheel-damaged      a file in a wheel is not what the wheel says
        ├── WheelTooLarge     wheel-too-large    a zip bomb
        ├── TooManyLayers     too-many-layers    more than engines can stack
        ├── FileChanged       file-changed       a project file changed while it was read
        ├── BytecodeFailed    bytecode-failed    the compiling interpreter failed
        ├── InterpreterUnusable     interpreter-unusable      the project's interpreter cannot be run
        ├── SdkNotFound       sdk-not-found      no trigger-sdk to put into the image
        ├── CacheFull         cache-full         no space for the build cache
        ├── CacheUnusable     cache-unusable     the build cache cannot be read or written
        ├── BundleSettingsInvalid   bundle-settings-invalid   the table ``bundle`` of the project's configuration
        └── SeveralProblems
            ├── FilesRefused        files-refused             project files that cannot go into an image
            └── ImportsUnresolved   imports-unresolved        imports that would fail in the image
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from trigger_sdk.protocol.problem import Problem, TriggerError

if TYPE_CHECKING:
    from collections.abc import Sequence


class BundlerError(TriggerError):
    """The root of the bundler's errors."""

    code: ClassVar[str] = "bundler-error"


class DigestMismatch(BundlerError):
    """Bytes are not what their digest says: they are damaged, or somebody else's."""

    code: ClassVar[str] = "digest-mismatch"
    hint: ClassVar[str] = "Try again; if it comes back, whoever serves the bytes cannot be trusted."


# layers and cache


class WheelInvalid(BundlerError):
    """A file is no wheel that can be installed: no zip archive, no metadata, an unknown version of the format."""

    code: ClassVar[str] = "wheel-invalid"
    hint: ClassVar[str] = "Lock another version of the distribution, or tell its author."


class WheelUnsafe(BundlerError):
    """A wheel would write outside its place, or says different things to different readers; it is not used."""

    code: ClassVar[str] = "wheel-unsafe"
    hint: ClassVar[str] = "Do not install it. Look where it comes from, and lock another version."


class WheelDamaged(BundlerError):
    """A file in a wheel is not what the wheel's own directory or RECORD says it is."""

    code: ClassVar[str] = "wheel-damaged"
    hint: ClassVar[str] = "Fetch the wheel again; if it comes back, its author built it wrong: lock another version."


class WheelTooLarge(BundlerError):
    """A wheel unpacks to more than any honest one does."""

    code: ClassVar[str] = "wheel-too-large"
    hint: ClassVar[str] = "Do not install it. Look where it comes from, and lock another version."


class TooManyLayers(BundlerError):
    """The image would have more layers than engines can stack."""

    code: ClassVar[str] = "too-many-layers"
    hint: ClassVar[str] = "Choose a base image with fewer layers, or squash it."


class FileChanged(BundlerError):
    """A file of the project changed, or went away, while it was read."""

    code: ClassVar[str] = "file-changed"
    hint: ClassVar[str] = "Build again when nothing writes to the project's files."


class BytecodeFailed(BundlerError):
    """The interpreter that compiles ahead of time could not be run, or did not answer as it should."""

    code: ClassVar[str] = "bytecode-failed"
    hint: ClassVar[str] = "Set `bytecode = false` in the bundle's settings, or repair the interpreter."


class InterpreterUnusable(BundlerError):
    """The project's interpreter cannot be run."""

    code: ClassVar[str] = "interpreter-unusable"
    hint: ClassVar[str] = "Name one that works: --python, or `python` in the project's configuration."


class SdkNotFound(BundlerError):
    """The installed trigger-sdk, which goes into the image, cannot be found or read."""

    code: ClassVar[str] = "sdk-not-found"
    hint: ClassVar[str] = "Install trigger-sdk beside the command line."


class CacheFull(BundlerError):
    """The disk that holds the build cache is full."""

    code: ClassVar[str] = "cache-full"
    hint: ClassVar[str] = "Free some space, or remove the folder of the cache: the next build makes it anew."


class CacheUnusable(BundlerError):
    """The folder of the build cache cannot be read or written."""

    code: ClassVar[str] = "cache-unusable"
    hint: ClassVar[str] = "Make the folder writable for yourself, or choose another."


# settings and files


class BundleSettingsInvalid(BundlerError):
    """The table ``bundle`` of the project's configuration has an unknown key or a value that does not fit."""

    code: ClassVar[str] = "bundle-settings-invalid"
    hint: ClassVar[str] = "Correct the table `bundle` of the project's configuration."


class SeveralProblems(BundlerError):
    """More than one thing is wrong at once.

    Attributes:
        problems: all of them; the first is the error's own problem, the others are in its detail too.
    """

    def __init__(self, message: str, *, detail: str = "", hint: str = "", where: str = "") -> None:
        super().__init__(message, detail=detail, hint=hint, where=where)
        self.problems: tuple[Problem, ...] = (self.problem,)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Self:
        """Return the error for one or more problems."""
        first, *others = problems
        lines = [first.detail] if first.detail else []
        lines += [f"{each.where}: {each.message} ({each.hint})" for each in others]
        error = cls(first.message, detail="\n".join(lines), hint=first.hint, where=first.where)
        error.problems = (error.problem, *others)
        return error


class FilesRefused(SeveralProblems):
    """Files of the project cannot go into an image: links to outside, pipes, unreadable or too large ones."""

    code: ClassVar[str] = "files-refused"
    hint: ClassVar[str] = "Exclude them in the bundle's settings, or put ordinary files in their place."


class ImportsUnresolved(SeveralProblems):
    """The project imports what the image will not have: a distribution that is not locked, a file that is excluded."""

    code: ClassVar[str] = "imports-unresolved"
    hint: ClassVar[str] = "Lock the distribution that has the module, or correct the import."
