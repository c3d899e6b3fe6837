"""Evidence reader: baselines (``--baseline``)."""

from __future__ import annotations

from assay.evidence import baseline_document
from assay.evidence.baseline_document import Baseline, Part
from assay.evidence.document import Opened, open_document
from assay.evidence.intoto import PAYLOAD_TYPE
from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.model.claim import ChunksAre, Claim, DigestIs, Expectation, SizeIs
from assay.model.codes import content as codes
from assay.model.component import BASELINE
from assay.model.finding import AssayError, Finding


class BaselineReader:
    """Every reference value is a claim; the baseline is what vouches, or is signed."""

    name = "baseline"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        for file in context.given_for("baseline"):
            opened = open_document(context, file, BASELINE)
            if opened.readable:
                try:
                    _read_one(context, opened)
                except AssayError as error:
                    opened.evidence.reading.findings.append(error.finding)
            evidence.absorb(opened.evidence)
        return evidence


def _read_one(context: Context, opened: Opened) -> None:
    if opened.media_type not in ("", PAYLOAD_TYPE):
        raise AssayError(
            Finding.of(
                codes.MALFORMED,
                opened.component,
                "the signature says that it is something else than an in-toto statement",
                expected=PAYLOAD_TYPE,
                actual=opened.media_type,
            )
        )
    baseline = baseline_document.parse(opened.content, opened.component)
    claims = opened.evidence.reading.claims
    missing: list[Part] = []
    for part in baseline.parts:
        subject = _subject(context, baseline, part)
        if subject in context.components:
            claims += [
                Claim(subject, opened.component, expected, field)
                for field, expected in _expectations(part)
            ]
        elif not _skipped(context, subject):
            missing.append(part)
    if missing:
        # one claim that fails stands for all
        others = f", and {len(missing) - 1} more components" if len(missing) > 1 else ""
        size = SizeIs(missing[0].size)
        claims.append(Claim(missing[0].id, opened.component, size, f"size{others}"))


def _subject(context: Context, baseline: Baseline, part: Part) -> str:
    """The component that a part speaks of. The image as a whole is that, by whatever name: damage
    may have made another kind of image of it."""
    return context.root if part.id == baseline.root else part.id


def _expectations(part: Part) -> list[tuple[str, Expectation]]:
    found: list[tuple[str, Expectation]] = [("size", SizeIs(part.size))]
    found += [("digest", DigestIs(digest)) for digest in part.digests]
    if part.chunks is not None:
        found.append(("chunks", ChunksAre(part.chunks.request, part.chunks.values)))
    return found


def _skipped(context: Context, component: str) -> bool:
    """Whether it was not looked at on purpose (another platform), which is said elsewhere."""
    return any(
        component == skipped.component or component.startswith(f"{skipped.component}/")
        for skipped in context.skipped
    )


READER: EvidenceReader = BaselineReader()
