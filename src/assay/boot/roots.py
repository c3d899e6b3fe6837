"""The verified file systems that a unified kernel image names, where their partitions are in the
same disk image: block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from assay.formats.disk.pairs import find_pair
from assay.formats.verity.parameters import Given
from assay.model.boot import Link, Outcome, Role
from assay.model.component import Component
from assay.model.finding import Finding, Severity
from assay.model.verdict import Decision
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust


def check_roots(
    name: str,
    links: Sequence[Link],
    components: Sequence[Component],
    options: VerifyOptions,
    findings: list[Finding],
) -> Iterator[Link]:
    """The links, those to root file systems with what became of these. ``components`` are what the
    image consists of; ``options`` are those of `verify` but for whom to trust."""
    checked: dict[str, tuple[Outcome, str]] = {}
    for link in links:
        if link.role is not Role.ROOT or link.outcome is not Outcome.ALLOWED:
            yield link
            continue
        if link.digest not in checked:
            checked[link.digest] = _check(name, link.digest, components, options, findings)
        outcome, detail = checked[link.digest]
        yield replace(link, outcome=outcome, detail=f"{link.detail}; {detail}")


def _check(
    name: str,
    digest: str,
    components: Sequence[Component],
    options: VerifyOptions,
    findings: list[Finding],
) -> tuple[Outcome, str]:
    root = bytes.fromhex(digest)
    pair = find_pair(components, root)
    if pair is None:
        return Outcome.ALLOWED, "the partitions that it names are not in the image"
    [verdict] = verify(name, replace(options, trust=Trust().add_verity_root(Given(root))))
    part = verdict.coverage
    if verdict.decision is Decision.ALLOWED:
        return Outcome.ALLOWED, f"{pair[0].id} agrees with it, block by block"
    errors = [each for each in verdict.findings if each.severity is Severity.ERROR]
    findings += errors
    refused = verdict.decision is Decision.REFUSED
    said = f"{part.broken} bytes do not agree" if part.broken else "it does not agree"
    return (Outcome.REFUSED if refused else Outcome.UNCHECKED), f"{pair[0].id}: {said}"
