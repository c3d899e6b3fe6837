"""Files of in-toto statements, and what the statements claim of an image."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from assay import limits, strict_json
from assay.evidence.document import Opened, add_part, open_signed, take_up
from assay.evidence.intoto import PAYLOAD_TYPE, Statement, Subject, parse_statement
from assay.evidence.model import Context, Evidence, GivenFile
from assay.evidence.statement import found_in
from assay.model.claim import Claim, DigestIs
from assay.model.codes import content as content_codes
from assay.model.codes import statement as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding
from assay.printable import printable

KIND = "attestation"


def read_file(context: Context, file: GivenFile) -> Evidence:
    """The statements of a file, with what they claim of the image. Raises UsageError when it
    cannot be read."""
    data = file.read(limits.DOCUMENT_SIZE)
    outer, evidence = take_up(context, file, KIND, data)
    parts = list(_lines(data))
    if len(parts) > limits.ATTESTATIONS:
        evidence.reading.findings.append(
            Finding.of(
                content_codes.LIMIT_EXCEEDED,
                outer,
                f"{len(parts)} statements",
                expected=f"at most {limits.ATTESTATIONS}",
            )
        )
        return evidence
    for number, (start, end) in parts:
        name = outer
        if len(parts) > 1:
            name = context.name(f"{outer}/line[{number}]")
            add_part(evidence, name, KIND, outer, (start, end))
        opened = open_signed(context, evidence, name, KIND, data[start:end])
        if opened.readable:
            try:
                _read_statement(context, opened, name)
            except AssayError as error:
                evidence.reading.findings.append(error.finding)
    return evidence


def _lines(data: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    """The statements in a file, each with its line's number and byte range: one a line where the
    first line is JSON of its own, else the whole."""
    found = []
    at = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            found.append((number, (at, at + len(line))))
        at += len(line) + 1
    if len(found) > 1 and _is_json(data[slice(*found[0][1])]):
        yield from found
    else:
        yield 1, (0, len(data))


def _is_json(data: bytes) -> bool:
    try:
        strict_json.parse(data, "")
    except AssayError:
        return False
    return True


def _read_statement(context: Context, opened: Opened, outer: str) -> None:
    reading = opened.evidence.reading
    if opened.media_type not in ("", PAYLOAD_TYPE):
        shown = printable(opened.media_type, 200)
        raise AssayError(
            Finding.of(
                codes.STATEMENT_UNSUPPORTED,
                opened.component,
                f"the envelope calls its payload {shown}",
                expected=PAYLOAD_TYPE,
                actual=shown,
            )
        )
    statement = parse_statement(opened.content, opened.component)
    kind = printable(statement.predicate_type, 300)
    found, vouches = found_in(statement, opened.component)
    reading.statements.append(found)
    reading.components[-1] = replace(
        reading.components[-1], description=f"in-toto statement, {kind}"
    )
    if opened.component == outer:
        reading.findings.append(
            Finding.of(codes.STATEMENT_UNSIGNED, outer, f"a bare statement, {kind}")
        )
    reading.claims += _claims(context, statement, opened.component, vouches)


def _claims(context: Context, statement: Statement, origin: str, vouches: bool) -> list[Claim]:
    """One claim for each subject and each component that may be it; they are alternatives."""
    places = list(dict.fromkeys([context.root, *context.targets]))
    subjects = {
        digest: f"subject[{number}], {printable(statement.predicate_type, 200)}"
        for number, subject in reversed(list(enumerate(statement.subjects)))
        if (digest := _best(subject)) is not None
    }
    if not subjects:
        raise AssayError(
            Finding.of(
                codes.STATEMENT_SUBJECT_MISMATCH,
                origin,
                "no subject has a digest that could be compared with the image",
                expected="a subject with a sha256 digest",
                actual=printable(
                    ", ".join(sorted({n for s in statement.subjects for n in s.unknown_digests})),
                    200,
                ),
            )
        )
    if len(subjects) * len(places) > limits.STATEMENT_CLAIMS:
        raise AssayError(
            Finding.of(
                content_codes.LIMIT_EXCEEDED,
                origin,
                f"{len(subjects)} subjects for {len(places)} parts of the image",
            )
        )
    return [
        Claim(place, origin, DigestIs(digest), field, origin, vouches)
        for digest, field in reversed(subjects.items())
        for place in places
    ]


def _best(subject: Subject) -> Digest | None:
    """The digest of a subject that proves most: SHA-256 before others, as it is measured anyway,
    and what can be forged last."""
    order = {"sha256": 0, "sha512": 1}
    ranked = sorted(
        subject.digests, key=lambda digest: (not digest.binding, order.get(digest.algorithm, 2))
    )
    return ranked[0] if ranked else None
