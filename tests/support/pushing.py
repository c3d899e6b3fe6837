"""The write side of the registry in memory: uploads, manifests, conditions, and what goes wrong."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.registry import Registry

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Writing:
    """Mixed into the handler of requests. ``body`` is what came with the request."""

    registry: Registry
    body: bytes
    headers: Any
    path: str
    query: dict[str, list[str]]

    def write(self, method: str, path: str) -> None:
        """Serve a request that writes; the caller answers 404 when none of these fits."""
        faults = self.registry.faults
        if faults.write_status == 401:
            self._challenge()
        if faults.write_status:
            self._error(faults.write_status, faults.write_code)
        if re.fullmatch(r"/v2/(.+)/blobs/uploads/?", path) and method == "POST":
            self._begin(path.rstrip("/"))
        if (match := re.fullmatch(r"/v2/.+/blobs/uploads/(\d+)", path)) and method == "PUT":
            self._end(match[1])
        if (match := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path)) and method == "PUT":
            self._put(match[1], match[2])

    def _begin(self, path: str) -> None:
        self.registry.uploads += 1
        location = f"{path}/{self.registry.uploads}?state=x"
        if self.registry.faults.upload_elsewhere:
            location = self.registry.faults.upload_elsewhere + location
        headers = {} if self.registry.faults.no_upload_location else {"Location": location}
        self._answer(202, b"", headers)

    def _end(self, number: str) -> None:
        faults = self.registry.faults
        [digest] = self.query["digest"]
        if number in self.registry.used_uploads:
            self._error(404, "BLOB_UPLOAD_UNKNOWN")
        self.registry.used_uploads.add(number)
        if digest_of(self.body) != digest:
            self._error(400, "DIGEST_INVALID")
        self.registry.blobs[digest] = self.body
        said = digest_of(b"something else") if faults.wrong_upload_digest else digest
        headers = {"Location": f"/v2/x/blobs/{said}"}
        if not faults.wrong_upload_location_only:
            headers["Docker-Content-Digest"] = said
        self._answer(201, b"", headers)

    def _put(self, repository: str, reference: str) -> None:
        registry, faults = self.registry, self.registry.faults
        if faults.before_put:
            faults.before_put.pop(0)(reference)
        data, digest = self.body, digest_of(self.body)
        value = json.loads(data)
        named = [*value.get("layers", []), *([value["config"]] if "config" in value else [])]
        if any(each["digest"] not in registry.blobs for each in named):
            self._error(400, "MANIFEST_BLOB_UNKNOWN")
        if ":" in reference and reference != digest:
            self._error(400, "DIGEST_INVALID")
        if ":" not in reference and not faults.ignore_conditions:
            pushed = registry.tags.get((repository, reference))
            current = f'"{pushed[-1]}"' if pushed else None
            if current and faults.immutable_tags:
                self._error(400, "TAG_INVALID")
            if self.headers.get("If-None-Match") == "*" and current:
                self._error(412, "PRECONDITION_FAILED")
            if self.headers.get("If-Match") not in (None, current):
                self._error(412, "PRECONDITION_FAILED")
        media_type = self.headers.get("Content-Type", OCI_MANIFEST)
        registry.manifests[repository, digest] = (media_type, data)
        if ":" not in reference:
            registry.tags[repository, reference] = [digest]
        said = digest_of(b"something else") if faults.wrong_upload_digest else digest
        headers = {"Docker-Content-Digest": said}
        subject = value.get("subject", {}).get("digest")
        if subject and not (faults.no_referrers_api or faults.no_subject_header):
            headers["OCI-Subject"] = faults.wrong_subject or subject
        self._answer(201, b"", headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        raise NotImplementedError

    def _error(self, status: int, code: str) -> None:
        raise NotImplementedError

    def _challenge(self) -> None:
        raise NotImplementedError


def form_of(body: bytes) -> dict[str, list[str]]:
    """The fields of a form; none where it is no form."""
    try:
        return urllib.parse.parse_qs(body.decode("ascii"))
    except UnicodeDecodeError:
        return {}
