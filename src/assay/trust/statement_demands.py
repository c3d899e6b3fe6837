"""From what the user asks of statements, as text, to demands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from assay.model.finding import UsageError
from assay.model.identity import NamePattern
from assay.model.statement import Rating
from assay.model.statement_demands import (
    ProvenanceDemand,
    Roles,
    ScanDemand,
    StatementDemands,
    SummaryDemand,
)

_AGE = re.compile(r"([0-9]{1,6})(s|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LEVELS = 4


def require(
    *statements: str,
    provenance: bool = False,
    builders: Iterable[str] = (),
    sources: Iterable[str] = (),
    source_refs: Iterable[str] = (),
    build_types: Iterable[str] = (),
    parameters: Mapping[str, str] | None = None,
    only_parameters: bool = False,
    slsa_level: int = 0,
    roles: str | os.PathLike[str] = "",
    summary: bool = False,
    verifiers: Iterable[str] = (),
    summary_resources: Iterable[str] = (),
    summary_policies: Iterable[str] = (),
    summary_levels: Iterable[str] = (),
    summary_age: str = "",
    max_severity: str = "",
    scan_age: str = "",
    vex_products: Iterable[str] = (),
) -> StatementDemands:
    """What trusted statements about an image have to say.

    ``statements`` are kinds (``slsa-provenance``) or predicate types that have to be there. The
    other parameters are the options of `assay verify` of the same name: lists are of names or
    patterns (``glob:``, ``regex:``), ages are like ``36h`` or ``7d``, and ``roles`` is a file.
    Whatever is asked of provenance, a summary or a scan asks for one. Raises UsageError for what
    makes no sense.
    """
    table = _roles(roles)
    asked = ProvenanceDemand(
        builders=_patterns(builders, "--builder"),
        sources=_patterns(sources, "--source"),
        refs=_patterns(source_refs, "--source-ref"),
        build_types=_patterns(build_types, "--build-type"),
        parameters=tuple(
            (path, _pattern(text, f"--parameter {path}"))
            for path, text in (parameters or {}).items()
        ),
        only_parameters=only_parameters,
        level=slsa_level,
    )
    if not 0 <= slsa_level <= _LEVELS:
        raise UsageError(f"--slsa-level: not a level from 1 to {_LEVELS}")
    if slsa_level and not table.builders:
        raise UsageError(
            "--slsa-level: which builder has which level is for you to say: name builders and"
            " their signers in a table (--roles FILE)"
        )
    summed = SummaryDemand(
        verifiers=_patterns(verifiers, "--verifier"),
        resources=_patterns(summary_resources, "--summary-resource"),
        policies=_patterns(summary_policies, "--summary-policy"),
        levels=tuple(summary_levels),
        max_age=_age(summary_age, "--summary-age"),
    )
    scan = ScanDemand(
        worst=_rating(max_severity),
        max_age=_age(scan_age, "--scan-age"),
        products=_patterns(vex_products, "--vex-product"),
    )
    if scan.products and scan.worst is None:
        raise UsageError(
            "--vex-product says what VEX statements call the image, which matters"
            " only with --max-severity; give that"
        )
    demands = StatementDemands(
        types=_patterns(statements, "--require-statement"),
        provenance=asked if provenance or asked != ProvenanceDemand() else None,
        summary=summed if summary or summed != SummaryDemand() else None,
        scan=scan if scan != ScanDemand() else None,
        roles=table,
    )
    _check_roles(demands)
    return demands


def _check_roles(demands: StatementDemands) -> None:
    """Raises UsageError for a table of roles that no requirement looks at."""
    table = demands.roles
    used = (
        (table.builders, demands.provenance, "builders", "--require-provenance"),
        (table.verifiers, demands.summary, "verifiers", "--require-summary"),
        (table.scanners, demands.scan, "scanners", "--max-severity or --scan-age"),
        (table.vex_authors, demands.scan, "vex-authors", "--max-severity"),
    )
    if any(role is not None and demand is not None for role, demand, _, _ in used):
        return
    for role, _, name, option in used:
        if role is not None:
            raise UsageError(f"--roles: it names {name}, and no statement is asked for: {option}")


def _roles(path: str | os.PathLike[str]) -> Roles:
    if not path:
        return Roles()
    from assay.trust.roles import read_roles

    return read_roles(path)


def _pattern(text: str, option: str) -> NamePattern:
    try:
        return NamePattern.parse(text)
    except ValueError as error:
        raise UsageError(f"{option} {text}: {error}") from error


def _patterns(texts: Iterable[str], option: str) -> tuple[NamePattern, ...]:
    if isinstance(texts, str):
        raise UsageError(f"{option}: give a list of names")
    return tuple(_pattern(text, option) for text in texts)


def _age(text: str, option: str) -> float | None:
    if not text:
        return None
    match = _AGE.fullmatch(text)
    if match is None or not int(match[1]):
        raise UsageError(f"{option} {text}: not an age such as 90m, 36h, 7d or 2w")
    return float(int(match[1]) * _UNITS[match[2]])


def _rating(text: str) -> Rating | None:
    if not text:
        return None
    known = [rating.value for rating in Rating if rating is not Rating.UNKNOWN]
    if text not in known:
        raise UsageError(f"--max-severity {text}: not one of {', '.join(known)}")
    return Rating(text)
