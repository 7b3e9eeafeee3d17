"""What a registry refuses, and why.

Error tree; each has the HTTP status, and the code of the distribution protocol, that go with it::

    RegistryRefused
    ├── CredentialMissing      401 UNAUTHORIZED           registry-credential-missing
    ├── AccessDenied           403 DENIED                 registry-access-denied
    ├── QuotaExceeded          403 DENIED                 registry-quota-exceeded
    ├── NameInvalid            400 NAME_INVALID           repository-name-invalid
    ├── RepositoryUnknown      404 NAME_UNKNOWN           repository-not-found
    ├── BlobUnknown            404 BLOB_UNKNOWN           blob-not-found
    ├── RangeUnsatisfiable     416 RANGE_INVALID          blob-range-invalid
    ├── UploadUnknown          404 BLOB_UPLOAD_UNKNOWN    upload-not-found
    ├── UploadInvalid          400 BLOB_UPLOAD_INVALID    upload-invalid
    ├── UploadOutOfOrder       416 BLOB_UPLOAD_INVALID    upload-out-of-order
    ├── UploadSuperseded       409 BLOB_UPLOAD_INVALID    upload-superseded
    ├── UploadStalled          408 BLOB_UPLOAD_INVALID    upload-stalled
    ├── UploadsTooMany         429 TOOMANYREQUESTS        uploads-too-many
    ├── SizeInvalid            400 SIZE_INVALID           content-size-invalid
    ├── ContentTooLarge        413 SIZE_INVALID           content-too-large
    ├── DigestInvalid          400 DIGEST_INVALID         digest-invalid
    ├── ManifestUnknown        404 MANIFEST_UNKNOWN       manifest-not-found
    ├── ManifestInvalid        400 MANIFEST_INVALID       manifest-invalid
    ├── ManifestIncomplete     400 MANIFEST_BLOB_UNKNOWN  manifest-incomplete
    ├── StillReferred          405 UNSUPPORTED            still-referred
    ├── RequestUnsupported     400 UNSUPPORTED            registry-request-invalid
    ├── RegistryMethodRefused  405 UNSUPPORTED            registry-method-not-allowed
    ├── RegistryPathUnknown    404 UNSUPPORTED            registry-path-not-found
    ├── DiskFull               507 UNAVAILABLE            registry-disk-full
    ├── StoreFailed            503 UNAVAILABLE            registry-store-failed
    ├── RegistryStopping       503 UNAVAILABLE            registry-stopping
    └── RegistryFailed         500 UNKNOWN                registry-failed
    RegistryInUse              registry-in-use: the folder is another process's
    RegistryUnreadable         registry-unreadable: the folder is none of a registry, or of a newer release
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from executor.errors import ExecutorError


class RegistryInUse(ExecutorError):
    """Another process keeps its images in the folder."""

    code = "registry-in-use"
    hint = "Stop the other server, or give this one a folder of its own."


class RegistryUnreadable(ExecutorError):
    """The folder of the images cannot be used: it holds something else, or was written by a newer release."""

    code = "registry-unreadable"


class RegistryRefused(ExecutorError):
    """The root of what the registry refuses.

    ``status`` is the answer's, ``word`` the protocol's code; ``headers`` go with the answer.
    """

    code = "registry-request-refused"
    status: ClassVar[int] = 400
    word: ClassVar[str] = "UNSUPPORTED"

    def __init__(
        self, message: str, *, detail: str = "", hint: str = "", where: str = "",
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:  # fmt: skip
        super().__init__(message, detail=detail, hint=hint, where=where)
        self.headers = headers


# --- who may do what ----------------------------------------------------------------------------------------------


class CredentialMissing(RegistryRefused):
    """The request has no key, or one that is not known."""

    code = "registry-credential-missing"
    hint = "Log in with an API key as the password: `docker login -u trigger <host>`."
    status, word = 401, "UNAUTHORIZED"


class AccessDenied(RegistryRefused):
    """The key is known, and may not do this in this repository."""

    code = "registry-access-denied"
    hint = "Use a key of the repository's environment, with the purpose `deploy` to push and delete."
    status, word = 403, "DENIED"


class QuotaExceeded(RegistryRefused):
    """A repository or an environment would keep more bytes than it may."""

    code = "registry-quota-exceeded"
    hint = "Delete images that nothing needs, or raise the limit in the server's settings."
    status, word = 403, "DENIED"


# --- blobs and uploads --------------------------------------------------------------------------------------------


class NameInvalid(RegistryRefused):
    """A repository's name is none."""

    code = "repository-name-invalid"
    hint = "Names are small letters, digits, and single '.', '_', '-' or '/' between them; up to 200 characters."
    status, word = 400, "NAME_INVALID"


class RepositoryUnknown(RegistryRefused):
    """Nothing was ever pushed to the repository, or all of it is gone."""

    code = "repository-not-found"
    status, word = 404, "NAME_UNKNOWN"


class BlobUnknown(RegistryRefused):
    """The repository has no blob of this digest."""

    code = "blob-not-found"
    status, word = 404, "BLOB_UNKNOWN"


class RangeUnsatisfiable(RegistryRefused):
    """The part of a blob that is asked for lies behind its end."""

    code = "blob-range-invalid"
    status, word = 416, "RANGE_INVALID"


class UploadUnknown(RegistryRefused):
    """The upload was ended, cancelled, has expired, or was never begun in this repository."""

    code = "upload-not-found"
    hint = "Begin the upload again."
    status, word = 404, "BLOB_UPLOAD_UNKNOWN"


class UploadInvalid(RegistryRefused):
    """A request of an upload is not one of the protocol."""

    code = "upload-invalid"
    status, word = 400, "BLOB_UPLOAD_INVALID"


class UploadOutOfOrder(RegistryRefused):
    """A chunk does not begin where the one before it ended; the answer's `Range` has what is there."""

    code = "upload-out-of-order"
    hint = "Ask the upload how far it is, and go on there."
    status, word = 416, "BLOB_UPLOAD_INVALID"


class UploadSuperseded(RegistryRefused):
    """A later request goes on with the upload, so this one may not."""

    code = "upload-superseded"
    status, word = 409, "BLOB_UPLOAD_INVALID"


class UploadStalled(RegistryRefused):
    """No byte came for too long. What came before is kept for a while: the upload can be continued."""

    code = "upload-stalled"
    hint = "Ask the upload how far it is, and go on there."
    status, word = 408, "BLOB_UPLOAD_INVALID"


class UploadsTooMany(RegistryRefused):
    """More uploads are open than one server keeps at once."""

    code = "uploads-too-many"
    hint = "Try again when others have ended."
    status, word = 429, "TOOMANYREQUESTS"


class SizeInvalid(RegistryRefused):
    """More or fewer bytes came than the request announced."""

    code = "content-size-invalid"
    status, word = 400, "SIZE_INVALID"


class ContentTooLarge(RegistryRefused):
    """A blob or a manifest is larger than any may be."""

    code = "content-too-large"
    status, word = 413, "SIZE_INVALID"


class DigestInvalid(RegistryRefused):
    """A digest is none of a known algorithm, or not that of the bytes that came."""

    code = "digest-invalid"
    hint = "Digests are 'sha256:' and 64 small hexadecimal digits, or 'sha512:' and 128."
    status, word = 400, "DIGEST_INVALID"


# --- manifests ----------------------------------------------------------------------------------------------------


class ManifestUnknown(RegistryRefused):
    """The repository has no manifest of this tag or digest."""

    code = "manifest-not-found"
    status, word = 404, "MANIFEST_UNKNOWN"


class ManifestInvalid(RegistryRefused):
    """What is pushed as a manifest is none, or one that can be read in two ways, or refers to other places."""

    code = "manifest-invalid"
    status, word = 400, "MANIFEST_INVALID"


class ManifestIncomplete(RegistryRefused):
    """A manifest refers to blobs or manifests that the repository does not have."""

    code = "manifest-incomplete"
    hint = "Push what it refers to first, to the same repository."
    status, word = 400, "MANIFEST_BLOB_UNKNOWN"


class StillReferred(RegistryRefused):
    """What is to be deleted is part of a manifest, or of a deployment."""

    code = "still-referred"
    hint = "Delete what refers to it first; what nothing refers to goes by itself."
    status, word = 405, "UNSUPPORTED"


# --- requests and the store ---------------------------------------------------------------------------------------


class RequestUnsupported(RegistryRefused):
    """A parameter of a request to the registry is not understood."""

    code = "registry-request-invalid"


class RegistryMethodRefused(RegistryRefused):
    """The path is there, and does not take this method."""

    code = "registry-method-not-allowed"
    status = 405


class RegistryPathUnknown(RegistryRefused):
    """The distribution protocol has no such path."""

    code = "registry-path-not-found"
    status = 404


class DiskFull(RegistryRefused):
    """The disk has no room for more images; what was sent is not kept."""

    code = "registry-disk-full"
    hint = "Delete images that nothing needs, or give the server more room; then push again."
    status, word = 507, "UNAVAILABLE"


class StoreFailed(RegistryRefused):
    """The disk that has the images refuses to read or write."""

    code = "registry-store-failed"
    hint = "The server's log has the reason."
    status, word = 503, "UNAVAILABLE"


class RegistryStopping(RegistryRefused):
    """The server is about to stop, and gave up the request."""

    code = "registry-stopping"
    hint = "Try again when the server is back; uploads go on where they were."
    status, word = 503, "UNAVAILABLE"


class RegistryFailed(RegistryRefused):
    """The registry made a mistake; the server's log has the traceback under the id in the message."""

    code = "registry-failed"
    hint = "Report this with the lines of the server's log that name the id."
    status, word = 500, "UNKNOWN"
