"""Evidence reader: simple signing, in a directory with the image, in lookaside storage, and in
files that the user names. Each payload becomes a document that claims the image's digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from assay import limits
from assay.evidence.annotations import as_labels
from assay.evidence.attached.legacy import about_another
from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.evidence.simple_signing import files, places
from assay.model.claim import Claim, DigestIs
from assay.model.codes import attached as codes
from assay.model.component import Component, Stored
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Question, UsageError
from assay.model.verdict import NotChecked
from assay.sources.blobs import MemoryBlob
from assay.sources.registry.names import name_in_registry

LABEL = "docker-reference"


class SimpleSigningReader:
    name = "simple-signing"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        for where, data, about in _found(context):
            if isinstance(data, AssayError):
                _unreadable(evidence, where, data.finding)
                continue
            try:
                _add(context, evidence, where, data, about)
            except AssayError as error:
                _unreadable(evidence, where, error.finding)
        return evidence


def _found(context: Context) -> Iterator[tuple[str, bytes | AssayError, dict[str, Digest]]]:
    """Each signature: where it is, its bytes, and the components that it may be about."""
    for file in context.given_for("signature"):
        data = file.read(limits.SIGNATURE_SIZE)
        if files.is_one(data):
            yield file.path.name, data, dict(context.digests)
    store = context.image.store
    if context.look_around and isinstance(store, places.SignatureFolder):
        for name, content in places.all_of(places.in_folder(store.folder)):
            yield name, content, dict(context.digests)
    yield from _kept_apart(context)


def _kept_apart(context: Context) -> Iterator[tuple[str, bytes | AssayError, dict[str, Digest]]]:
    """Those in lookaside storage."""
    given = context.open
    if not given.lookaside and not given.registries_d:
        return
    reference = name_in_registry(given.known_as or context.image.name)
    if reference is None and given.lookaside:
        raise UsageError(
            f"--lookaside: {context.image.name} has no name in a registry, by which signatures"
            " are found; say with --known-as which it is to have"
        )
    if reference is None:
        return  # the configuration is for images in registries
    bases = list(given.lookaside)
    if given.registries_d:
        from assay.evidence.simple_signing.registries_d import read_directory

        found = read_directory(Path(given.registries_d)).lookaside_for(reference)
        if found and places.may_be_there(found):
            bases.append(found)
    for base in dict.fromkeys(bases):
        for component, digest in context.digests.items():
            numbered = places.lookaside(base, reference.repository, digest, context.open)
            for name, content in places.all_of(numbered):
                yield f"lookaside/{name}", content, {component: digest}


def _add(
    context: Context, evidence: Evidence, where: str, data: bytes, about: dict[str, Digest]
) -> None:
    name = context.name(where)
    document = f"{name}/payload"
    signed = files.read_signature(data, document, name)
    if signed is None:
        evidence.reading.not_checked.append(NotChecked(where, "no kind of signature", len(data)))
        return
    key = f"document:{document}"
    labels = {
        LABEL: signed.payload.reference[: limits.REFERENCE],
        **as_labels(signed.payload.optional),
    }
    evidence.reading.components.append(
        Component(
            document,
            "simple-signing",
            Stored(key),
            size=len(signed.content),
            external=True,
            labels={label: value for label, value in labels.items() if value},
        )
    )
    evidence.reading.blobs[key] = MemoryBlob(signed.content)
    evidence.reading.signatures += signed.signatures
    digest = signed.payload.digest
    meant = [component for component, known in about.items() if known == digest]
    if not meant:
        wanted = next(iter(about.values()), digest)
        evidence.reading.findings.append(about_another(where, digest, wanted))
    for component in meant:
        evidence.reading.claims.append(
            Claim(component, document, DigestIs(digest), "critical.image.docker-manifest-digest")
        )


def _unreadable(evidence: Evidence, where: str, finding: Finding) -> None:
    """A signature that cannot be had or read; others may still count."""
    detail = f"{where}: {finding.detail}"
    if finding.question is Question.CHECKED:
        found = replace(finding, detail=detail)
    else:
        found = Finding.of(codes.ATTACHED_UNREADABLE, detail=detail, offset=finding.offset)
    evidence.reading.findings.append(found)


READER: EvidenceReader = SimpleSigningReader()
