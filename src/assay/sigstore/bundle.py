"""Sigstore bundles, versions 0.1 to 0.3 (sigstore protobuf-specs, sigstore_bundle.proto).

Reading believes nothing: what a bundle says is checked in `assay.sigstore.verification`.
"""

from __future__ import annotations

import re

from msgspec import Struct

from assay import limits, strict_json
from assay.model.codes.trust import SIGNATURE_MALFORMED
from assay.model.finding import AssayError, Finding
from assay.sigstore.fields import Fields

_OLD_TYPE = re.compile(r"application/vnd\.dev\.sigstore\.bundle\+json;version=(0\.[123])")
_NEW_TYPE = re.compile(r"application/vnd\.dev\.sigstore\.bundle\.v(0\.3(?:\.\d{1,3})?)\+json")
_DIGESTS = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


class InclusionProof(Struct, frozen=True):
    """That an entry is in a log's tree, with the log's signed word for the tree."""

    log_index: int
    root: bytes
    tree_size: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes


class LogEntry(Struct, frozen=True):
    """What a transparency log says of a signature. ``integrated_time`` is in seconds since 1970,
    0 where there is none."""

    log_index: int
    log_id: bytes
    kind: str
    version: str
    integrated_time: int
    promise: bytes
    proof: InclusionProof | None
    untrusted_body: bytes


class MessageSignature(Struct, frozen=True):
    """A signature over the bytes of an artifact. The digest is only a hint of what they are."""

    algorithm: str
    untrusted_digest: bytes
    signature: bytes


class Envelope(Struct, frozen=True):
    """A DSSE envelope with its one signature."""

    untrusted_payload: bytes
    payload_type: str
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes that are signed (DSSE, "Signature Definition": PAE)."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %s %d %s" % (
            len(kind),
            kind,
            len(self.untrusted_payload),
            self.untrusted_payload,
        )


class Bundle(Struct, frozen=True):
    """A signature with what is needed to check it. Either ``certificates`` (the signer's first)
    or nothing but ``key_hint`` says whose key made it."""

    version: str
    certificates: tuple[bytes, ...]
    key_hint: str
    entries: tuple[LogEntry, ...]
    timestamps: tuple[bytes, ...]
    content: MessageSignature | Envelope

    @property
    def signature(self) -> bytes:
        return self.content.signature


def _malformed(detail: str) -> AssayError:
    return AssayError(Finding.of(SIGNATURE_MALFORMED, detail=detail))


def looks_like(data: bytes) -> bool:
    """Whether these bytes may be a bundle: JSON that names its type. Cheap."""
    return data.lstrip()[:1] == b"{" and b"vnd.dev.sigstore.bundle" in data


def parse_bundle(data: bytes) -> Bundle:
    """Read a bundle. Raises AssayError (signature-malformed, limit-exceeded)."""
    if len(data) > limits.SIGSTORE_BUNDLE_SIZE:
        raise _malformed(f"a bundle of {len(data)} bytes")
    try:
        top = Fields(strict_json.parse(data, ""), "", SIGNATURE_MALFORMED)
    except AssayError as error:
        raise _malformed(f"the bundle: {error.finding.detail}") from error
    version = _version(top.text("mediaType"))
    material = top.object("verificationMaterial")
    certificates, hint = _verifier(material, version)
    timestamps: tuple[bytes, ...] = ()
    if material.has("timestampVerificationData"):
        stamps = material.object("timestampVerificationData")
        timestamps = tuple(
            stamp.some_data("signedTimestamp")
            for stamp in stamps.objects("rfc3161Timestamps", limits.SIGSTORE_TIMESTAMPS)
        )
    entries = tuple(
        _entry(entry, version)
        for entry in material.objects("tlogEntries", limits.SIGSTORE_LOG_ENTRIES)
    )
    if top.only_one_of("messageSignature", "dsseEnvelope") == "messageSignature":
        content: MessageSignature | Envelope = _message(top.object("messageSignature"))
    else:
        content = _envelope(top.object("dsseEnvelope"))
    return Bundle(version, certificates, hint, entries, timestamps, content)


def _version(media_type: str) -> str:
    found = _OLD_TYPE.fullmatch(media_type) or _NEW_TYPE.fullmatch(media_type)
    if found is None:
        raise _malformed(
            f"a bundle of an unknown type: {media_type[:100]!r} (versions 0.1 to 0.3 are known)"
        )
    return found.group(1)


def _verifier(material: Fields, version: str) -> tuple[tuple[bytes, ...], str]:
    which = material.only_one_of("certificate", "x509CertificateChain", "publicKey")
    if which == "publicKey":
        return (), material.object("publicKey").text("hint")
    if which == "certificate":
        return (material.object("certificate").some_data("rawBytes"),), ""
    if version not in ("0.1", "0.2"):
        raise material.fail(which, f"has no place in a bundle of version {version}")
    chain = material.object("x509CertificateChain")
    found = tuple(
        one.some_data("rawBytes") for one in chain.objects("certificates", limits.PATH_LENGTH)
    )
    if not found:
        raise material.fail(which, "is empty")
    return found, ""


def _entry(entry: Fields, version: str) -> LogEntry:
    kind = entry.object("kindVersion")
    promise = b""
    if entry.has("inclusionPromise"):
        promise = entry.object("inclusionPromise").some_data("signedEntryTimestamp")
    proof = None
    if entry.has("inclusionProof"):
        proof = _proof(entry.object("inclusionProof"), version)
    if proof is None and (version != "0.1" or not promise):
        raise entry.fail("inclusionProof", "is missing")
    return LogEntry(
        log_index=entry.count("logIndex"),
        log_id=entry.object("logId").some_data("keyId"),
        kind=kind.text("kind"),
        version=kind.text("version"),
        integrated_time=entry.count("integratedTime"),
        promise=promise,
        proof=proof,
        untrusted_body=entry.some_data("canonicalizedBody"),
    )


def _proof(proof: Fields, version: str) -> InclusionProof | None:
    checkpoint = b""
    if proof.has("checkpoint"):
        checkpoint = proof.object("checkpoint").text("envelope").encode()
    if not checkpoint:
        if version == "0.1":
            # a proof without the log's signature proves nothing: such a bundle rests on its promise
            return None
        raise proof.fail("checkpoint", "is missing")
    return InclusionProof(
        log_index=proof.count("logIndex"),
        root=proof.some_data("rootHash"),
        tree_size=proof.count("treeSize"),
        hashes=tuple(proof.data_list("hashes", limits.MERKLE_PROOF_HASHES)),
        checkpoint=checkpoint,
    )


def _message(message: Fields) -> MessageSignature:
    algorithm, digest = "", b""
    if message.has("messageDigest"):
        hint = message.object("messageDigest")
        named = hint.text("algorithm")
        algorithm, digest = _DIGESTS.get(named, ""), hint.data("digest")
        if not algorithm:
            raise hint.fail("algorithm", f"is {named[:40]!r}, which is not known")
    return MessageSignature(algorithm, digest, message.some_data("signature"))


def _envelope(envelope: Fields) -> Envelope:
    signatures = list(envelope.objects("signatures", limits.SIGNATURES))
    if len(signatures) != 1:
        raise envelope.fail("signatures", f"are {len(signatures)}; a bundle has exactly one")
    return Envelope(
        envelope.data("payload"), envelope.text("payloadType"), signatures[0].some_data("sig")
    )
