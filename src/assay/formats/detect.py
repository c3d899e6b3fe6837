"""Which format are these bytes? By content, never by name."""

from __future__ import annotations

from assay import plugins
from assay.model.codes import content as codes
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.reading import Format, Site


def detect(site: Site) -> tuple[Format, list[Finding]]:
    """The format that recognises the bytes (or the one forced), and what is ambiguous about it."""
    forced = site.options.forced_type
    if forced:
        try:
            return plugins.load("assay.formats", forced), []
        except KeyError:
            known = ", ".join(sorted(plugins.names("assay.formats")))
            raise UsageError(f"--type {forced}: no such format; known: {known}") from None
    matches = [
        (name, candidate)
        for name, candidate in plugins.each("assay.formats")
        if name != "raw" and candidate.recognise(site)
    ]
    if not matches:
        return plugins.load("assay.formats", "raw"), []
    findings: list[Finding] = []
    if len(matches) > 1:
        findings.append(
            Finding.of(
                codes.AMBIGUOUS_FORMAT,
                site.component.id,
                f"the bytes can be read as {' and as '.join(name for name, _ in matches)}",
                actual=", ".join(name for name, _ in matches),
            )
        )
    return matches[0][1], findings


def head_of(site: Site, length: int = 4096) -> bytes:
    """The first bytes, or none at all where they cannot be read."""
    try:
        return site.blob.read_at(0, length)
    except AssayError:
        return b""
