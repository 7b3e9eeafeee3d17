"""What can go wrong in a build.

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
        ├── SdkNotFound       sdk-not-found      no trigger-sdk to put into the image
        ├── CacheFull         cache-full         no space for the build cache
        ├── CacheUnusable     cache-unusable     the build cache cannot be read or written
        ├── ReferenceInvalid  reference-invalid  no name of an image
        ├── CredentialsUnusable   credentials-unusable    configured credentials that cannot be read
        ├── RegistryUnauthorized  registry-unauthorized   a registry that wants other credentials, or none would do
        ├── RegistryUnreachable   registry-unreachable    no answer, or only failures
        ├── RegistryUntrusted     registry-untrusted      a certificate that nobody here vouches for
        ├── RegistryInsecure      registry-insecure       plain HTTP without being allowed
        ├── RegistryNotFound      registry-not-found      no such manifest or blob
        ├── RegistryRefused       registry-refused        a request that a registry does not accept
        └── RegistryUnusable      registry-unusable       answers that break the protocol
"""

from __future__ import annotations

from typing import ClassVar

from trigger_sdk.protocol.problem import TriggerError


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
