"""What is signed: a file, by its bytes, or a container image, by the digest of its manifest."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay import limits
from assay.formats.oci import FORMAT as OCI
from assay.measure.engine import Progress, measure
from assay.measure.hashing import hash_bytes
from assay.model.codes.content import DIGEST_MISMATCH
from assay.model.component import Component, Stored
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.measurement import HashRequest, Request
from assay.model.reading import Options, Site
from assay.produce.formats.model import Answers
from assay.sources.model import OpenedImage, OpenOptions
from assay.sources.open import open_images

_ID = "file"


class Subject(Struct, frozen=True):
    """What a name was resolved to. ``digest`` is that of an image's manifest or index, None for a
    file; ``label`` is a name for people, ``reference`` the name that an image is used by, without
    tag and digest, where it has one."""

    opened: OpenedImage
    label: str
    digest: Digest | None = None
    reference: str = ""

    def measure(self, requests: Sequence[Request], progress: Progress | None = None) -> Answers:
        """Answers about the bytes, which are read once. Raises AssayError."""
        component = Component(_ID, "file", Stored(_ID))
        facts = measure(
            {_ID: component},
            {_ID: self.opened.root},
            [(_ID, request) for request in requests],
            progress=progress,
        )
        for faults in facts.faults.values():
            raise AssayError(faults[0])
        return {request: facts.answers[_ID, request] for request in requests}

    def digests(self, progress: Progress | None = None) -> dict[str, str]:
        """The digests by which a statement names the subject: algorithm -> hexadecimal."""
        if self.digest is not None:
            return {self.digest.algorithm: self.digest.value.hex()}
        request = HashRequest("sha256")
        return {"sha256": self.measure([request], progress)[request].hex()}


def find_subject(name: str, options: OpenOptions) -> Subject:
    """Open what is to be signed; a tag is resolved once. Raises AssayError when it cannot be had,
    or is not what its name says it is, UsageError when the name stands for several things."""
    found = open_images(name, options)
    if len(found) != 1:
        raise UsageError(f"{name} stands for {len(found)} images; name one of them")
    [opened] = found
    if opened.selection.name or opened.selection.digest or opened.forced_type:
        raise UsageError(
            f"{name}: an image in an archive has no digest that signatures are about; sign the"
            " archive as a file, or the image in a registry or a layout"
        )
    try:
        digest = Digest.parse(opened.root_key)
    except ValueError:
        return Subject(opened, opened.label or "stdin")
    _check_image(opened, digest)
    reference = ""
    if opened.resolved.startswith("docker://"):
        reference = opened.resolved.removeprefix("docker://").partition("@")[0]
    return Subject(opened, opened.label, digest, reference)


def _check_image(opened: OpenedImage, digest: Digest) -> None:
    """Sign nothing but a manifest or an index that has the digest it is stored by."""
    content = opened.root.read_at(0, limits.MANIFEST_SIZE)
    actual = Digest(digest.algorithm, hash_bytes(digest.algorithm, content))
    if actual != digest:
        raise AssayError(Finding.of(DIGEST_MISMATCH, "manifest", expected=digest, actual=actual))
    component = Component("manifest", "file", Stored(opened.root_key))
    site = Site(component, opened.root, opened.store, Options(), media_type=opened.media_type)
    if not OCI.recognise(site):
        raise UsageError(f"{opened.name}: what is stored there is no image manifest or index")
