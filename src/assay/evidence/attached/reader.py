"""Evidence reader: signatures and attestations that are kept beside an image, in its registry or in
the same layout.

Each candidate is read as what it is, whatever it is called: Sigstore bundles, cosign's signatures
of before (a payload with annotations), envelopes. One that is damaged, or about another image, is
a finding; it never hides the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from assay import limits, plugins, strict_json
from assay.evidence.annotations import as_labels
from assay.evidence.attached import legacy
from assay.evidence.attached.notary import PAYLOAD_TYPE, noted_in, target_claims
from assay.evidence.attached.places import Attached, Search
from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.evidence.statement import Attachment, read_attached
from assay.model.claim import Claim, DigestIs
from assay.model.codes import attached as codes
from assay.model.component import Component, Stored
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.model.reading import BlobStore
from assay.model.signature import InlineSigned, Signature, SignatureScheme
from assay.model.verdict import NotChecked
from assay.sources.blobs import MemoryBlob, read_document
from assay.sources.registry.names import name_in_registry

if TYPE_CHECKING:
    from assay.sources.registry.repository import Repository

_EMPTY = "application/vnd.oci.empty.v1+json"


class AttachedReader:
    name = "attached"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        stores: list[BlobStore] = _stores(context) if context.look_around else []
        for store in stores:
            _read_all(context, store, "", evidence)
        known = [getattr(store, "shown", "") for store in stores]
        for name in context.open.signature_repositories:
            try:
                repository = _opened(name, context)
            except AssayError as error:
                evidence.reading.findings.append(error.finding)
                continue
            if repository.shown not in known:  # it was looked into already
                _read_all(context, repository, repository.shown, evidence)
        return evidence


def _stores(context: Context) -> list[BlobStore]:
    """Where to look: where the image is, and in the store beside it. That takes a registry's place,
    and is no second one where the image comes from it."""
    image, companions = context.image.store, context.companions
    if image is None or companions is None:
        return [store for store in (image, companions) if store is not None]
    if not getattr(image, "near", False) or isinstance(image, type(companions)):
        return [companions]
    return [image, companions]


def _opened(name: str, context: Context) -> Repository:
    """A repository that holds signatures of other images. Raises AssayError, UsageError."""
    from assay.sources.registry.names import repository_named
    from assay.sources.registry.source import open_repository

    return open_repository(repository_named(name), context.open)


def _read_all(context: Context, store: BlobStore, place: str, evidence: Evidence) -> None:
    for component, digest in context.digests.items():
        search = Search(store, digest, place)
        for attached in search.run():
            _Candidate(context, store, component, digest, evidence).read(attached)
        evidence.reading.findings += [
            finding if finding.component else replace(finding, component=component)
            for finding in search.findings
        ]


class _Candidate:
    """Reads one attached manifest."""

    def __init__(
        self,
        context: Context,
        store: BlobStore,
        component: str,
        digest: Digest,
        evidence: Evidence,
    ) -> None:
        self._context, self._store = context, store
        self._component, self._digest = component, digest
        self._evidence = evidence

    def read(self, attached: Attached) -> None:
        try:
            self._manifest(attached)
        except AssayError as error:
            self._unreadable(attached.where, error.finding)

    def _unreadable(self, where: str, finding: Finding) -> None:
        if finding.question.value == "checked":
            self._find(replace(finding, detail=f"{where}: {finding.detail}"))
        else:
            self._find(
                Finding.of(
                    codes.ATTACHED_UNREADABLE,
                    detail=f"{where}: {finding.detail}",
                    offset=finding.offset,
                )
            )

    def _find(self, finding: Finding) -> None:
        self._evidence.reading.findings.append(replace(finding, component=self._component))

    def _manifest(self, attached: Attached) -> None:
        value = strict_json.parse_object(attached.content, "")
        subject = value.get("subject")
        about = subject.get("digest") if isinstance(subject, dict) else None
        if attached.related and about != str(self._digest):
            if about is not None:
                self._find(
                    Finding.of(
                        codes.ATTACHED_ABOUT_ANOTHER,
                        detail=f"{attached.where}: it refers to another image",
                        expected=self._digest,
                        actual=str(about)[:140],
                    )
                )
            return  # another image of the same layout, say
        layers = value.get("layers")
        if not isinstance(layers, list):
            layers = value.get("blobs")
        if not isinstance(layers, list):
            if isinstance(value.get("manifests"), list):
                self._leave(attached.where, "an index, which signs nothing itself")
                return
            raise AssayError(Finding.of(codes.ATTACHED_UNREADABLE, detail="it has no layers"))
        for number, layer in enumerate(layers[: limits.ATTACHED_LAYERS]):
            where = f"{attached.where}/layer[{number}]"
            try:
                self._layer(layer, where)
            except AssayError as error:
                self._unreadable(where, error.finding)
        if len(layers) > limits.ATTACHED_LAYERS:
            self._find(
                Finding.of(codes.ATTACHED_TOO_MANY, detail=f"{attached.where}: {len(layers)}")
            )

    def _layer(self, layer: Any, where: str) -> None:
        if not isinstance(layer, dict):
            raise AssayError(Finding.of(codes.ATTACHED_UNREADABLE, detail="not a descriptor"))
        media_type = str(layer.get("mediaType") or "")
        if media_type == _EMPTY:
            return
        content = self._content(layer, where)
        given = layer.get("annotations")
        annotations: dict[str, Any] = given if isinstance(given, dict) else {}
        if media_type == legacy.SIMPLE_SIGNING:
            self._payload(content, annotations, where)
            return
        name = self._context.name(where)
        if media_type == legacy.DSSE and legacy.is_annotated(annotations):
            self._legacy_envelope(content, annotations, name)
            return
        for _, plugin in plugins.each("assay.signatures"):
            scheme: SignatureScheme = plugin
            signed = scheme.inline(content, f"{name}/signed", name)
            if signed is not None:
                self._statement(signed, name)
                return
            if not scheme.last_resort_for and scheme.recognise(content):
                # a signature over the manifest's own bytes
                self._evidence.reading.signatures += scheme.prepare(
                    content, self._component, name, ""
                )
                return
        self._leave(f"{where} ({media_type[:80]})", "no kind of signature", len(content))

    def _leave(self, where: str, why: str, size: int | None = None) -> None:
        self._evidence.reading.not_checked.append(NotChecked(where, why, size))

    def _content(self, layer: dict[str, Any], where: str) -> bytes:
        size = layer.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise AssayError(Finding.of(codes.ATTACHED_UNREADABLE, detail="its size is no number"))
        if size > limits.ATTACHED_SIZE:
            raise AssayError(
                Finding.of(
                    codes.ATTACHED_UNREADABLE,
                    detail=f"its {size} bytes are more than {limits.ATTACHED_SIZE}",
                )
            )
        try:
            digest = Digest.parse(str(layer.get("digest")))
        except ValueError as error:
            raise AssayError(
                Finding.of(codes.ATTACHED_UNREADABLE, detail=f"its digest: {error}")
            ) from None
        from assay.measure.hashing import hash_bytes

        usual = self._usual_payload() if layer.get("mediaType") == legacy.SIMPLE_SIGNING else b""
        if len(usual) == size and hash_bytes(digest.algorithm, usual) == digest.value:
            return usual  # the same bytes, whoever hands them out
        blob = self._store.blob(str(digest), size=size)
        if blob is None:
            raise AssayError(
                Finding.of(codes.ATTACHED_UNREADABLE, detail=f"there is no blob {digest}")
            )
        content = read_document(blob, limits.ATTACHED_SIZE, where)
        if hash_bytes(digest.algorithm, content) != digest.value or len(content) != size:
            raise AssayError(
                Finding.of(
                    codes.ATTACHED_UNREADABLE,
                    detail="the bytes are not those that its manifest names",
                    expected=digest,
                )
            )
        return content

    def _usual_payload(self) -> bytes:
        reference = name_in_registry(self._context.image.resolved)
        return legacy.usual_payload(self._digest, reference.name) if reference else b""

    def _document(self, name: str, kind: str, content: bytes, labels: dict[str, str]) -> None:
        key = f"document:{name}"
        self._evidence.reading.components.append(
            Component(
                name,
                kind,
                Stored(key),
                size=len(content),
                external=True,
                labels={label: value for label, value in labels.items() if value},
            )
        )
        self._evidence.reading.blobs[key] = MemoryBlob(content)

    def _payload(self, content: bytes, annotations: dict[str, Any], where: str) -> None:
        """A signature of cosign 1 or 2: over a payload that names the image's digest."""
        from assay.signatures.sigstore.signature import SigstoreSignature

        bundle = legacy.bundle_of(annotations, content, envelope=False)
        payload = legacy.parse_payload(content)
        name = self._context.name(where)
        document = f"{name}/payload"
        self._document(
            document,
            "simple-signing",
            content,
            {
                "docker-reference": payload.reference[: limits.REFERENCE],
                **as_labels(payload.optional),
            },
        )
        if payload.digest != self._digest:
            self._find(legacy.about_another(where, payload.digest, self._digest))
        else:
            self._evidence.reading.claims.append(
                Claim(
                    self._component,
                    document,
                    DigestIs(payload.digest),
                    "critical.image.docker-manifest-digest",
                )
            )
        self._evidence.reading.signatures.append(
            SigstoreSignature(bundle, Signature(name, "cosign", document))
        )

    def _legacy_envelope(self, content: bytes, annotations: dict[str, Any], name: str) -> None:
        """An attestation of cosign 1 or 2: an envelope, with the certificate in annotations."""
        from assay.signatures.sigstore.signature import SigstoreSignature
        from assay.sigstore.bundle import Envelope

        bundle = legacy.bundle_of(annotations, content, envelope=True)
        assert isinstance(bundle.content, Envelope)
        prepared = SigstoreSignature(bundle, Signature(name, "cosign", f"{name}/signed"))
        envelope = bundle.content
        self._statement(
            InlineSigned(envelope.untrusted_payload, (prepared,), 0, envelope.payload_type),
            name,
        )

    def _statement(self, signed: InlineSigned, name: str) -> None:
        """Whatever is signed within the attached document: a statement about the image."""
        document = f"{name}/signed"
        labels = {"type": signed.media_type[:100]}
        self._evidence.reading.signatures += signed.signatures
        if signed.media_type == PAYLOAD_TYPE:
            claims, findings = self._target(signed.content, document, name)
            read = Attachment(tuple(claims), tuple(findings))
            labels |= as_labels(noted_in(signed.content))
        else:
            read = read_attached(signed.content, document, self._component, self._digest)
        self._document(document, "statement", signed.content, labels)
        reading = self._evidence.reading
        reading.claims += read.claims
        reading.findings += read.findings
        if read.statement is not None:
            reading.statements.append(read.statement)

    def _target(
        self, content: bytes, document: str, where: str
    ) -> tuple[list[Claim], list[Finding]]:
        """What the payload of a Notary signature claims about the image."""
        component = self._context.components.get(self._component)
        return target_claims(
            content,
            document,
            where,
            self._component,
            self._digest,
            component.size if component else None,
            component.media_type if component else "",
        )


READER: EvidenceReader = AttachedReader()
