"""A rule, made ready to be judged: one check for each of its requirements."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay.policy.evaluate import (
    algorithms,
    coverage,
    findings,
    freshness,
    identities,
    name,
    provenance,
    sbom,
    signers,
    statements,
    version,
    vulnerabilities,
)
from assay.policy.evaluate.model import Admits, Check, Context
from assay.policy.model import Purpose, Require, Rule, anchors_in


class CompiledCheck(Struct, frozen=True):
    """The check of one requirement. Checks of equal ``same`` come to the same result."""

    kind: str
    check: Check
    same: str


class CompiledRule(Struct, frozen=True):
    """A rule with its checks. ``anchors`` are those whose word on the image counts for it,
    ``admits`` is what it asks of algorithms."""

    rule: Rule
    checks: tuple[CompiledCheck, ...]
    anchors: frozenset[str]
    admits: Admits | None


def compile_rule(rule: Rule, context: Context) -> CompiledRule:
    """Compile a rule. Raises ValueError for a condition that is none, and UsageError where nothing
    is installed that evaluates it."""
    wanted = rule.require
    serving = context.serving(Purpose.IMAGE)
    asked = frozenset(anchors_in(wanted.signers)) if wanted.signers is not None else serving
    heard = serving & asked
    # large policies ask for the same again and again, which is looked into once for each image
    same = f"{sorted(heard)} {wanted.algorithms!r}"
    checks = [
        CompiledCheck(kind, check, f"{kind} {getattr(wanted, kind)!r} {same}")
        for kind, check in _checks(wanted, context)
    ]
    return CompiledRule(
        rule,
        tuple(checks),
        heard,
        algorithms.admitting(wanted.algorithms) if wanted.algorithms is not None else None,
    )


def _checks(wanted: Require, context: Context) -> Iterator[tuple[str, Check]]:
    if wanted.signers is not None:
        yield signers.KIND, signers.compiled(wanted.signers, context)
    if wanted.identities:
        yield identities.KIND, identities.compiled(wanted.identities, context)
    if wanted.coverage is not None:
        yield coverage.KIND, coverage.compiled(wanted.coverage, context)
    if wanted.algorithms is not None:
        yield algorithms.KIND, algorithms.compiled(wanted.algorithms, context)
    if wanted.freshness is not None:
        yield freshness.KIND, freshness.compiled(wanted.freshness, context)
    if wanted.version is not None:
        yield version.KIND, version.compiled(wanted.version, context)
    if wanted.name is not None:
        yield name.KIND, name.compiled(wanted.name, context)
    if wanted.provenance is not None:
        yield provenance.KIND, provenance.compiled(wanted.provenance, context)
    if wanted.sbom is not None:
        yield sbom.KIND, sbom.compiled(wanted.sbom, context)
    if wanted.vulnerabilities is not None:
        yield vulnerabilities.KIND, vulnerabilities.compiled(wanted.vulnerabilities, context)
    if wanted.summary is not None:
        yield "summary", statements.compiled_summary(wanted.summary, context)
    if wanted.statements:
        yield statements.KIND, statements.compiled(wanted.statements, context)
    if wanted.findings is not None:
        yield findings.KIND, findings.compiled(wanted.findings, context)
    if wanted.expressions:
        from assay.policy.evaluate import expressions

        yield expressions.KIND, expressions.compiled(wanted.expressions, context)
