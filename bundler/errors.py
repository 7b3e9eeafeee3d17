"""What can go wrong in a build; locks and wheels have an ``errors`` of their own.

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
        ├── SeveralProblems
        │   ├── FilesRefused        files-refused             project files that cannot go into an image
        │   ├── ImportsUnresolved   imports-unresolved        imports that would fail in the image
        │   └── IndexFailed         index-failed              jobs that cannot be imported
        ├── IndexCrashed      index-crashed      the import of the jobs ended the process
        ├── IndexTimedOut     index-timed-out    the import of the jobs takes too long
        ├── IndexUnavailable  index-unavailable  no interpreter that is like the image's
        ├── ReferenceInvalid  reference-invalid  no name of an image
        ├── CredentialsUnusable   credentials-unusable    configured credentials that cannot be read
        ├── RegistryUnauthorized  registry-unauthorized   a registry that wants other credentials, or none would do
        ├── RegistryUnreachable   registry-unreachable    no answer, or only failures
        ├── RegistryUntrusted     registry-untrusted      a certificate that nobody here vouches for
        ├── RegistryInsecure      registry-insecure       plain HTTP without being allowed
        ├── RegistryNotFound      registry-not-found      no such manifest or blob
        ├── RegistryRefused       registry-refused        a request that a registry does not accept
        ├── RegistryUnusable      registry-unusable       answers that break the protocol
        ├── BaseUnreadable    base-unreadable    a base image that is not there or cannot be read
        ├── BaseInvalid       base-invalid       a base image that contradicts itself, or is not safe to use
        ├── BaseUnsuitable    base-unsuitable    a base image on which jobs of this project cannot run
        ├── SourceDateInvalid source-date-invalid    SOURCE_DATE_EPOCH is no time
        ├── OutputInvalid     output-invalid     no place that an image can be written to
        └── OutputFailed      output-failed      the place cannot be written
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


# registry


class ReferenceInvalid(BundlerError):
    """A text names no image: its host, name, tag or digest breaks the rules of registries."""

    code: ClassVar[str] = "reference-invalid"
    hint: ClassVar[str] = "Write it as 'host/name:tag', 'host/name@sha256:...', or 'name:tag' for Docker Hub."


class CredentialsUnusable(BundlerError):
    """Credentials are configured for a registry, and cannot be read: a helper is missing or fails, a file is broken."""

    code: ClassVar[str] = "credentials-unusable"
    hint: ClassVar[str] = "Install the helper, or take it out of the configuration and log in again."


class RegistryUnauthorized(BundlerError):
    """A registry does not let us do it: there are no credentials for it, they are wrong, or they are not enough."""

    code: ClassVar[str] = "registry-unauthorized"
    hint: ClassVar[str] = "Log in with `docker login`, as somebody who may do this."


class RegistryUnreachable(BundlerError):
    """A registry gives no answer, or again and again one that says that it cannot now."""

    code: ClassVar[str] = "registry-unreachable"
    hint: ClassVar[str] = "Check the name of the host and the network, and try again later."


class RegistryUntrusted(BundlerError):
    """A registry's certificate is not signed by an authority that is trusted here, or is for another host."""

    code: ClassVar[str] = "registry-untrusted"
    hint: ClassVar[str] = "Set SSL_CERT_FILE, or put its authority's certificate into /etc/docker/certs.d/HOST/ca.crt."


class RegistryInsecure(BundlerError):
    """A registry, or an address that it sends us to, is plain HTTP and not on this machine."""

    code: ClassVar[str] = "registry-insecure"
    hint: ClassVar[str] = "Use HTTPS, or allow plain HTTP to this host explicitly."


class RegistryNotFound(BundlerError):
    """A registry has no such manifest or blob, or does not show it to us."""

    code: ClassVar[str] = "registry-not-found"
    hint: ClassVar[str] = "Check the name, the tag and the digest; a private image is also 'not found' without a login."


class RegistryRefused(BundlerError):
    """A registry does not accept a request, whoever makes it and however often."""

    code: ClassVar[str] = "registry-refused"
    hint: ClassVar[str] = "The registry's own words are in the detail; ask who runs it."


class RegistryUnusable(BundlerError):
    """A registry's answers break the distribution protocol, so that nothing can be concluded from them."""

    code: ClassVar[str] = "registry-unusable"
    hint: ClassVar[str] = "Check that the host is a container registry, and what stands between it and here."


# image


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


# docker


class EngineMissing(BundlerError):
    """No Docker engine answers where the ``docker`` command would look for one."""

    code: ClassVar[str] = "engine-missing"
    hint: ClassVar[str] = "Start Docker, or say with DOCKER_HOST or `docker context use` where it is."


class EngineForbidden(BundlerError):
    """A Docker engine is there, and this user may not ask it."""

    code: ClassVar[str] = "engine-forbidden"
    hint: ClassVar[str] = "Add yourself to the group that owns its socket, and log in again; or use a rootless engine."


class EngineUnusable(BundlerError):
    """A Docker engine is too old, runs no Linux containers, or is none."""

    code: ClassVar[str] = "engine-unusable"
    hint: ClassVar[str] = "Use Docker 19.03 or later with Linux containers."


class EngineFailed(BundlerError):
    """A Docker engine does not do what it was asked for; its own words are in the message."""

    code: ClassVar[str] = "engine-failed"
    hint: ClassVar[str] = "Try the same with `docker`; what it writes to its log says more."


class EngineLost(BundlerError):
    """A Docker engine went away in the middle of its work. Nothing of it is used."""

    code: ClassVar[str] = "engine-lost"
    hint: ClassVar[str] = "See whether the engine runs, and build again: it goes on from the last finished step."


class ImageBuildFailed(BundlerError):
    """A command that builds the image ended with an error; its last output is in the detail."""

    code: ClassVar[str] = "image-build-failed"
    hint: ClassVar[str] = "Correct the command, or what it needs; `trigger build --dockerfile` prints the whole."


class PresetUnusable(BundlerError):
    """A preset needs a distribution that is not locked."""

    code: ClassVar[str] = "preset-unusable"
    hint: ClassVar[str] = "Lock the distribution, or take the preset out of the bundle's settings."


class SystemPlanInvalid(BundlerError):
    """A name, a version or a path cannot be written into a Dockerfile so that it means itself."""

    code: ClassVar[str] = "system-plan-invalid"
    hint: ClassVar[str] = "Correct it in the bundle's settings."


# indexing


class IndexFailed(SeveralProblems):
    """The project's jobs cannot be imported as they will be in the image: nothing is shipped that cannot start."""

    code: ClassVar[str] = "index-failed"


class IndexCrashed(BundlerError):
    """The process that imports the project's jobs was ended by them, or by the system."""

    code: ClassVar[str] = "index-crashed"


class IndexTimedOut(BundlerError):
    """The project's jobs are not imported in the time that was given."""

    code: ClassVar[str] = "index-timed-out"
    hint: ClassVar[str] = "A module should only declare while it is imported; move what waits or computes into a task."


class IndexUnavailable(BundlerError):
    """The interpreter that should import the jobs cannot, or its trigger-sdk or Python is not the image's."""

    code: ClassVar[str] = "index-unavailable"
