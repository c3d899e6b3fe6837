"""Signs files and images: from names and keys to signatures that are where they belong.

Of a file that is bytes to put beside it; of an image something that is attached to it, in its
registry or layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from assay.attach import Attachment, Layer, Place, attach, subject_of
from assay.attach.notary import notary_attachment
from assay.measure.engine import Progress
from assay.model.digest import Digest
from assay.model.finding import UsageError
from assay.model.measurement import HashRequest
from assay.produce import notary_cose, notary_jws
from assay.produce.formats.model import FORMATS, Wishes, format_named
from assay.produce.formats.sigstore import MEDIA_TYPE as BUNDLE
from assay.produce.notary import Artifact, NotaryForm, NotaryWishes, Terms, signer_of
from assay.produce.sign import sign_file, wrapped
from assay.produce.signing_key import SigningKey
from assay.produce.simple_signing import MEDIA_TYPE as PAYLOAD
from assay.produce.simple_signing import SIGNATURE, sign_payload
from assay.produce.statement import (
    IMAGE_SIGNATURE,
    TYPES,
    image_statement,
    predicate_type,
    statement,
)
from assay.produce.subject import Subject, find_subject
from assay.sources.model import OpenOptions
from assay.sources.registry.names import repository_named

SIMPLE_SIGNING = "simple-signing"
"""The format of signatures that are never files: cosign's before its version 3."""

NOTARY: dict[str, NotaryForm] = {notary_jws.NAME: notary_jws, notary_cose.NAME: notary_cose}
"""The forms of the Notary Project."""

SIGN_FORMATS = (*FORMATS, SIMPLE_SIGNING, *NOTARY)
ATTEST_FORMATS = ("sigstore", "dsse")

_FILE = "application/octet-stream"
"""The media type of a file that is signed for notation."""
_ENVELOPE = "application/vnd.dsse.envelope.v1+json"


class Signed(Struct, frozen=True):
    """A signature or an attestation: as bytes, and for images as what can be attached. ``suffix``
    is what a file with it is called after what is signed, empty where it is no file."""

    subject: Subject
    format: str
    data: bytes
    suffix: str
    attachment: Attachment | None = None
    place: Place = "referrers"

    def attach(self, options: OpenOptions, repository: str = "") -> Digest:
        """Attach it to the image that it is about, or keep it in another repository; the digest of
        the manifest that holds it. Raises AssayError, UsageError."""
        if self.attachment is None:
            raise UsageError(
                f"{self.subject.label}: nothing of this form is attached; write a file"
            )
        image = self.subject.opened
        destination = image.name
        if repository:
            destination = f"docker://{repository_named(repository)}"
        return attach(
            destination, subject_of(image), self.attachment, place=self.place, options=options
        )


def usual_format(subject: Subject, key: SigningKey) -> str:
    """The form that users expect of such a key, and for such a subject."""
    return "minisign" if key.of_minisign and subject.digest is None else "sigstore"


def suffix_of(form: str) -> str:
    """What a file with a signature of this form is called after what is signed; empty for one that
    is never a file. Raises UsageError for a form that does not exist."""
    if form in NOTARY:
        return NOTARY[form].SUFFIX
    return "" if form == SIMPLE_SIGNING else format_named(form).suffix


def attestation_suffix(kind: str, form: str) -> str:
    """The same for a statement of type ``kind``."""
    short = kind if kind in TYPES else "attestation"
    return f".{short}.dsse.json" if form == "dsse" else f".{short}.sigstore.json"


def sign(
    subject: Subject,
    key: SigningKey,
    form: str = "",
    wishes: Wishes | None = None,
    annotations: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    notary: NotaryWishes | None = None,
) -> Signed:
    """Sign a file or an image. ``annotations`` are signed with an image, ``notary`` is for forms of
    the Notary Project. Raises AssayError where it cannot be read, UsageError for what makes no
    sense together."""
    form = form or usual_format(subject, key)
    wishes = wishes or Wishes()
    if form in NOTARY:
        if wishes != Wishes():
            raise UsageError("a Notary signature has no comment, type or algorithm to choose")
        if notary is None or not notary.certificates:
            raise UsageError(f"--format {form}: give the certificates of the key (--certificate)")
        return _sign_notary(subject, key, form, notary, annotations or {}, progress)
    if notary is not None:
        raise UsageError(
            f"--format {form}: only Notary signatures have certificates, expiry and time stamps"
        )
    if subject.digest is not None:
        if wishes != Wishes():
            raise UsageError("a signature of an image has no comment, type or algorithm to choose")
        return _sign_image(subject, key, form, dict(annotations or {}))
    if annotations:
        raise UsageError("only signatures of images have annotations")
    if form == SIMPLE_SIGNING:
        raise UsageError(f"--format {form}: a file is no image; this is for images alone")
    data = sign_file(subject, key, format_named(form), wishes, progress)
    return Signed(subject, form, data, suffix_of(form))


def attest(
    subject: Subject,
    key: SigningKey,
    kind: str,
    predicate: bytes,
    form: str = "sigstore",
    progress: Progress | None = None,
) -> Signed:
    """Sign a statement of type ``kind`` (a short name or a URI) about a file or an image, with
    ``predicate`` (JSON) as it stands. Raises AssayError, UsageError."""
    what = predicate_type(kind)
    statement({}, what, predicate)  # before the file is read: it may be large
    name = subject.reference or subject.label
    content = statement(subject.digests(progress), what, predicate, name=name)
    data = wrapped(content, key, form)
    suffix = attestation_suffix(kind, form)
    if subject.digest is None:
        return Signed(subject, form, data, suffix)
    if form == "sigstore":
        return Signed(subject, form, data, suffix, _bundle(data, what.uri))
    layer = Layer(_ENVELOPE, data, {SIGNATURE: "", "predicateType": what.uri})
    return Signed(subject, form, data, suffix, Attachment("", (layer,)), "tag")


def _sign_image(
    subject: Subject, key: SigningKey, form: str, annotations: dict[str, str]
) -> Signed:
    assert subject.digest is not None
    if form == SIMPLE_SIGNING:
        signed = sign_payload(key, subject.digest, subject.reference, annotations)
        layer = Layer(PAYLOAD, signed.payload, signed.annotations)
        return Signed(subject, form, signed.payload, "", Attachment("", (layer,)), "tag")
    content = image_statement(subject.digests(), annotations)
    data = wrapped(content, key, form)
    if form == "dsse":
        return Signed(subject, form, data, suffix_of(form))
    return Signed(subject, form, data, suffix_of(form), _bundle(data, IMAGE_SIGNATURE))


def _sign_notary(
    subject: Subject,
    key: SigningKey,
    form: str,
    wishes: NotaryWishes,
    annotations: Mapping[str, str],
    progress: Progress | None,
) -> Signed:
    """An envelope as notation makes it: of an image, or of a file (``notation blob``)."""
    now = datetime.now(UTC)
    terms = Terms(now, wishes.expiry)
    signer = signer_of(key, wishes.certificates, now)
    terms.check()
    if subject.digest is not None:
        image = subject_of(subject.opened)
        artifact = Artifact(image.media_type, image.digest, image.size, annotations)
    else:
        count = [0]

        def counted(size: int) -> None:
            count[0] += size
            if progress is not None:
                progress(size)

        request = HashRequest(signer.digest)
        value = subject.measure([request], counted)[request]
        artifact = Artifact(_FILE, Digest(signer.digest, value), count[0], annotations)
    module = NOTARY[form]
    data = module.sign(signer, artifact, terms, wishes.stamp)
    attachment = None
    if subject.digest is not None:
        attachment = notary_attachment(data, module.MEDIA_TYPE, signer.thumbprints, now)
    return Signed(subject, form, data, module.SUFFIX, attachment)


def _bundle(data: bytes, kind: str) -> Attachment:
    """A bundle as an artifact (cosign's BUNDLE_SPEC.md)."""
    now = datetime.now(UTC).replace(microsecond=0)
    annotations = {
        "org.opencontainers.image.created": now.isoformat().replace("+00:00", "Z"),
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": kind,
    }
    return Attachment(BUNDLE, (Layer(BUNDLE, data),), annotations=annotations)


__all__ = ["ATTEST_FORMATS", "SIGN_FORMATS", "Signed", "attest", "find_subject", "sign"]
