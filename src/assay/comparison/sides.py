"""Opens the two sides of a comparison."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from assay.comparison.parts import Part, open_baseline, parts_of_baseline, parts_of_image
from assay.evidence.baseline_document import Baseline
from assay.model.comparison import Side
from assay.model.component import Stored
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.model.measurement import Facts
from assay.model.verdict import Verdict
from assay.pipeline import Examined, Gathered, VerifyOptions, discover


class Opened(Struct):
    """One side: an image, a baseline, or the finding that says why it is neither. ``facts`` and
    ``verdict`` (on the image alone) come once it is measured."""

    name: str
    gathered: Gathered | None = None
    baseline: Baseline | None = None
    unreadable: Finding | None = None
    facts: Facts | None = None
    verdict: Verdict | None = None

    def parts(self) -> dict[str, Part]:
        """Its components, with as much as is known of them by now."""
        if self.baseline is not None:
            return parts_of_baseline(self.baseline)
        return parts_of_image(self.gathered, self.facts) if self.gathered is not None else {}

    def plain_part(self) -> str:
        """The id of the only component, where the image is a mere run of bytes; else empty."""
        if self.gathered is None:
            return ""
        parts = [part for part in self.gathered.components.values() if not part.external]
        plain = len(parts) == 1 and isinstance(parts[0].extent, Stored)
        return parts[0].id if plain and self.gathered.format == "raw" else ""

    def report(self) -> Side:
        """The side, for the answer."""
        if self.baseline is not None:
            root = next(part for part in self.baseline.parts if part.id == self.baseline.root)
            return Side(
                self.name, self.name, self.baseline.format, True, str(root.digests[0]), root.size
            )
        if self.gathered is None:
            findings = (self.unreadable,) if self.unreadable is not None else ()
            return Side(self.name, self.name, "not readable", False, findings=findings)
        digest = self.facts.hash(self.gathered.root, "sha256") if self.facts is not None else None
        errors: list[Finding] = []
        if self.verdict is not None:
            errors = [f for f in self.verdict.findings if f.severity is Severity.ERROR]
        return Side(
            name=self.name,
            resolved=self.gathered.image.resolved,
            format=self.gathered.format,
            baseline=False,
            digest=f"sha256:{digest.hex()}" if digest is not None else "",
            size=self.verdict.coverage.total
            if self.verdict is not None
            else self.gathered.image.root.size,
            findings=tuple(errors),
        )


def open_sides(a: str, b: str, request: VerifyOptions) -> tuple[Opened, Opened]:
    """Open both. Files within layers are only looked at where both are images. Raises
    UsageError."""
    baselines = [None if request.formats.forced_type else _baseline(name) for name in (a, b)]
    if any(side is not None for side in baselines):
        request = replace(request, formats=replace(request.formats, files=False))
    left, right = (
        side if side is not None else _image(name, request)
        for name, side in zip((a, b), baselines, strict=True)
    )
    return left, right


def _baseline(name: str) -> Opened | None:
    try:
        baseline = open_baseline(name)
    except AssayError as error:
        return Opened(name, unreadable=error.finding)
    return Opened(name, baseline=baseline) if baseline is not None else None


def _image(name: str, request: VerifyOptions) -> Opened:
    found = list(discover(name, request))
    if len(found) != 1:
        raise UsageError(f"{name} stands for {len(found)} images; name one of them")
    if isinstance(found[0], Examined):
        return Opened(name, unreadable=found[0].verdict.findings[0])
    gathered = found[0]
    if not gathered.reading.components:
        return Opened(name, unreadable=gathered.reading.findings[0])
    return Opened(name, gathered=gathered)
