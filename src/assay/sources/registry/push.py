"""Writing to a repository: blobs and manifests (distribution-spec 1.1, "Push")."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from assay import limits
from assay.measure.hashing import hash_bytes
from assay.model.codes import attach as codes
from assay.model.codes import network as network_codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.printable import printable
from assay.sources.http import retry
from assay.sources.http.faults import InterruptedTransferError, RefusedError, malformed, refused
from assay.sources.http.response import Response
from assay.sources.registry.errors import error_code
from assay.sources.registry.repository import Manifest, Repository
from assay.sources.registry.tokens import PUSH

_STATUS = {
    405: codes.REGISTRY_READ_ONLY,
    400: codes.UPLOAD_REFUSED,
    404: codes.UPLOAD_REFUSED,
    409: codes.UPLOAD_REFUSED,
    411: codes.UPLOAD_REFUSED,
    413: codes.UPLOAD_REFUSED,
    415: codes.UPLOAD_REFUSED,
    422: codes.UPLOAD_REFUSED,
}


_NO_ANSWER = {
    codes.WRITE_DENIED.name,
    network_codes.REDIRECT_REFUSED.name,
    network_codes.SERVER_ERROR.name,
}
Result = TypeVar("Result")


class StaleError(Exception):
    """The tag was moved since it was read: nothing was written."""


class Pushed(Struct, frozen=True):
    """A manifest that was written. ``subject_known`` says whether the registry lists it among the
    referrers of its subject."""

    digest: Digest
    subject_known: bool


def push_blob(repository: Repository, data: bytes) -> Digest:
    """Store a blob unless it is there; its digest. Raises AssayError.

    An upload that breaks off is begun anew: nothing says how much of it has arrived.
    """
    digest = Digest("sha256", hash_bytes("sha256", data))
    if not _is_there(repository, f"blobs/{digest}"):
        what = f"{repository.shown}: the upload of {digest}"
        _insist(lambda: _upload(repository, data, digest), what)
    return digest


def push_manifest(
    repository: Repository,
    reference: str | Digest,
    content: bytes,
    media_type: str,
    *,
    replacing: Manifest | None = None,
    subject: Digest | None = None,
) -> Pushed:
    """Store a manifest under a tag or its own digest. A tag is moved only from where it was read
    to be (``replacing``, None where it was not there), so far as the registry heeds conditions.

    Raises StaleError when the tag has been moved meanwhile, AssayError.
    """
    digest = Digest("sha256", hash_bytes("sha256", content))
    headers = {"Content-Type": media_type}
    if isinstance(reference, str):
        if replacing is None:
            headers["If-None-Match"] = "*"
        elif replacing.etag:
            headers["If-Match"] = replacing.etag
    path = f"manifests/{reference}"
    response = _insist(
        lambda: repository.connection.send(
            "PUT", repository.name, path, headers, body=content, actions=PUSH
        ),
        f"{repository.shown}: {path}",
    )
    if response.status == 412:
        response.discard()
        raise StaleError
    if response.status not in (200, 201):
        raise _refused(response)
    _check_answer(response, digest)
    listed = response.headers.get("OCI-Subject", "").strip()
    if listed and subject is not None and listed != str(subject):
        raise malformed(
            response.url,
            "OCI-Subject names another subject",
            expected=subject,
            actual=printable(listed, 140),
        )
    response.discard()
    return Pushed(digest, bool(listed))


def _insist(action: Callable[[], Result], what: str) -> Result:
    """Do something again while it breaks off or the registry fails: simple registries do, when
    several writers store the same blob at the same moment."""
    for attempt in range(limits.HTTP_ATTEMPTS):
        last = attempt == limits.HTTP_ATTEMPTS - 1
        try:
            return action()
        except InterruptedTransferError as error:
            if last:
                raise AssayError(
                    Finding.of(
                        network_codes.TRANSFER_INCOMPLETE,
                        detail=f"{what} breaks off ({error.finding.detail})",
                    )
                ) from error
        except RefusedError as error:
            if last or error.status != 500:
                raise
        retry.wait(retry.backoff(attempt))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _is_there(repository: Repository, path: str) -> bool:
    """Whether the registry says that it has something. Where it says nothing of use, that is no:
    the upload shows what is wrong."""
    try:
        response = repository.connection.send("HEAD", repository.name, path, actions=PUSH)
    except AssayError as error:
        if error.finding.code in _NO_ANSWER:
            return False
        raise
    response.discard()
    return response.status == 200


def _upload(repository: Repository, data: bytes, digest: Digest) -> None:
    """POST, then PUT ("Pushing a blob monolithically")."""
    connection = repository.connection
    begun = f"/v2/{repository.name}/blobs/uploads/"
    response = connection.send("POST", repository.name, begun, body=b"", actions=PUSH, once=True)
    if response.status != 202:
        raise _refused(response)
    location = response.headers.get("Location", "")
    response.discard()
    if not location:
        raise malformed(response.url, "the answer does not say where to upload to (Location)")
    try:
        target = connection.next_url(begun, location)
    except ValueError as error:
        raise malformed(response.url, f"Location: {error}") from error
    joint = "&" if "?" in target else "?"
    response = connection.send(
        "PUT",
        repository.name,
        f"{target}{joint}digest={digest}",
        {"Content-Type": "application/octet-stream"},
        body=data,
        actions=PUSH,
        once=True,
    )
    if response.status not in (201, 204):
        raise _refused(response)
    _check_answer(response, digest)
    response.discard()


def _check_answer(response: Response, digest: Digest) -> None:
    """The registry may say what it has stored; then it has to be what was sent."""
    said = response.headers.get("Docker-Content-Digest", "").strip()
    location = response.headers.get("Location", "").partition("?")[0].rpartition("/")[2]
    named = location.replace("%3A", ":").replace("%3a", ":")
    for text in (said, named):
        if text.startswith(f"{digest.algorithm}:") and text != str(digest):
            response.close()
            raise AssayError(
                Finding.of(
                    codes.UPLOAD_ALTERED,
                    detail=f"{response.url.shown}: the registry names another digest",
                    expected=digest,
                    actual=printable(text, 140),
                )
            )


def _refused(response: Response) -> AssayError:
    code = _STATUS.get(response.status)
    note = error_code(response)
    if code is None:
        return refused(response.status, response.url, note)
    after = f" ({note})" if note else ""
    detail = f"{response.url.shown}: the registry answers {response.status}{after}"
    return AssayError(Finding.of(code, detail=detail))
