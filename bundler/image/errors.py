"""What is wrong with base images, and with the places that images are written to."""

from __future__ import annotations

from typing import ClassVar

from bundler.errors import BundlerError


class BaseUnreadable(BundlerError):
    """The image to build upon is not where it should be, or cannot be read."""

    code: ClassVar[str] = "base-unreadable"
    hint: ClassVar[str] = "Check `base`: 'host/name:tag', 'oci:DIR', 'tar:FILE' or 'docker:NAME'."


class BaseInvalid(BundlerError):
    """The image to build upon is no image, contradicts itself, or holds what no honest one does; it is not used."""

    code: ClassVar[str] = "base-invalid"
    hint: ClassVar[str] = "Make it anew with the program that wrote it, or choose another."


class BaseUnsuitable(BundlerError):
    """Jobs of this project cannot run on the image: another platform, no such Python, another C library."""

    code: ClassVar[str] = "base-unsuitable"
    hint: ClassVar[str] = "Choose another image with `base`, such as the slim one of the project's Python."


class SourceDateInvalid(BundlerError):
    """The environment variable SOURCE_DATE_EPOCH is no number of seconds since 1970."""

    code: ClassVar[str] = "source-date-invalid"
    hint: ClassVar[str] = "Set it to whole seconds, such as $(git log -1 --format=%ct), or unset it."


class OutputInvalid(BundlerError):
    """A text or a path is no place that an image can be written to."""

    code: ClassVar[str] = "output-invalid"
    hint: ClassVar[str] = "Write it as 'registry', 'oci:DIR', 'docker' or 'tar:FILE'."


class OutputFailed(BundlerError):
    """The place that an image is written to does not take it: no space, no permission."""

    code: ClassVar[str] = "output-failed"
    hint: ClassVar[str] = "Make space or the folder writable, and build again: what is there is used."
