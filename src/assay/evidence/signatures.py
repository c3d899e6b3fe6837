"""Evidence reader: detached signatures, named by the user (``--signature``) or beside what they
sign (``disk.img.minisig`` beside ``disk.img``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from assay import limits, plugins
from assay.evidence.model import Context, Evidence, EvidenceReader, GivenFile, is_beside
from assay.evidence.simple_signing import may_be_one as may_be_simple_signing
from assay.model.codes import content as content_codes
from assay.model.codes import trust as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.reading import Reading
from assay.model.signature import Key, SignatureScheme


class SignatureReader:
    name = "signatures"
    last = True  # documents that other readers found may be signed too

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        given = context.given_for("signature")
        for file in given:
            if _is_simple_signing(file.read(limits.SIGNATURE_SIZE)):
                continue  # it names the image itself, and has a reader of its own
            evidence.reading.absorb(
                _read_one(
                    context.name(file.path.name),
                    file.read(limits.SIGNATURE_SIZE),
                    _candidates(context, file.path),
                    context.keys,
                )
            )
        of_digest = context.given_for("fs-verity-signature")
        for file in of_digest:
            from assay.signatures.fs_verity import prepare

            data, name = file.read(limits.SIGNATURE_SIZE), context.name(file.path.name)
            try:
                evidence.reading.signatures += prepare(data, context.root, name, context.fs_verity)
            except AssayError as error:
                evidence.reading.findings.append(error.finding)
        if context.look_around:
            named = {file.path.absolute() for file in [*given, *of_digest]}
            for path, document in _beside(context, named):
                evidence.reading.absorb(_read_sidecar(context, path, document))
        return evidence


def _is_simple_signing(data: bytes) -> bool:
    if not may_be_simple_signing(data):
        return False
    from assay.evidence.simple_signing.files import is_one

    return is_one(data)


def _candidates(context: Context, path: Path) -> list[str]:
    """The components that a signature file may be about: the one whose name it has, or any."""
    documents = context.earlier.documents
    named = [
        document.component
        for document in documents
        if document.path is not None and document.path.name == path.stem
    ]
    if named:
        return named
    if path.stem == context.image.label:
        return [context.root]
    return [context.root, *(document.component for document in documents)]


def _beside(context: Context, known: set[Path]) -> Iterator[tuple[Path, str]]:
    """Signature files beside the image and beside outside documents, with what each is about."""
    places = [
        (str(document.path), document.component)
        for document in context.earlier.documents
        if document.path is not None
    ]
    if context.image.folder:
        places.insert(0, (f"{context.image.folder}/{context.image.label}", context.root))
    for _, scheme in plugins.each("assay.signatures"):
        for suffix in scheme.suffixes:
            for place, component in places:
                sidecar = is_beside(place, suffix)
                if sidecar is not None and (path := sidecar.absolute()) not in known:
                    known.add(path)
                    yield sidecar, component


def _read_sidecar(context: Context, path: Path, component: str) -> Reading:
    name = context.name(path.name)
    try:
        data = GivenFile("signature", path).read(limits.SIGNATURE_SIZE)
    except UsageError as error:
        return Reading(findings=[Finding.of(content_codes.UNREADABLE, name, str(error))])
    return _read_one(name, data, [component], context.keys)


def _read_one(name: str, data: bytes, candidates: Sequence[str], keys: Sequence[Key]) -> Reading:
    """The signatures in a detached signature file, over whichever of ``candidates`` fits."""
    reading = Reading()
    schemes = _schemes_for(data, keys)
    if not schemes:
        reading.findings.append(
            Finding.of(
                codes.SIGNATURE_MALFORMED,
                name,
                "no known kind of signature",
                actual=repr(data[:40]) if data else "an empty file",
            )
        )
        return reading
    alternatives = name if len(candidates) * len(schemes) > 1 else ""
    for scheme in schemes:
        for document in candidates:
            try:
                reading.signatures += scheme.prepare(data, document, name, alternatives)
            except AssayError as error:
                reading.findings.append(error.finding)
                break
    return reading


def _schemes_for(data: bytes, keys: Sequence[Key]) -> list[SignatureScheme]:
    """The one scheme whose shape these bytes have; else those without a shape of their own that
    have a key to try, or the first such scheme when none has."""
    schemes: list[SignatureScheme] = [scheme for _, scheme in plugins.each("assay.signatures")]
    for scheme in schemes:
        if not scheme.last_resort_for and scheme.recognise(data):
            return [scheme]
    takers = [scheme for scheme in schemes if scheme.last_resort_for and scheme.recognise(data)]
    given = {key.scheme for key in keys}
    return [scheme for scheme in takers if scheme.last_resort_for in given] or takers[:1]


READER: EvidenceReader = SignatureReader()
