"""What can go wrong with registries, and with the names of images."""

from __future__ import annotations

from typing import ClassVar

from bundler.errors import BundlerError


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
