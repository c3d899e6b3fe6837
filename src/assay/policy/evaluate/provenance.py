"""``provenance``: how the image was built."""

from __future__ import annotations

from assay.appraisal.requirement import ruling
from assay.appraisal.statement_rule import provenance_wanted
from assay.model.policy_result import RequirementResult
from assay.model.statement_demands import ProvenanceDemand, Role, Roles
from assay.policy.evaluate.model import Check, Context, Scene
from assay.policy.evaluate.statements import from_ruling, hearing, judged
from assay.policy.model import ProvenanceRequirement, Purpose

KIND = "provenance"


def compiled(wanted: ProvenanceRequirement, context: Context) -> Check:
    """The check of provenance. Who may speak as which builder, and the level that this is worth,
    is by the policy's table of builders."""
    hears = hearing(wanted.signers, context, Purpose.PROVENANCE)
    builders = tuple(
        Role(id=builder.id, operator=anchor, level=builder.level)
        for builder in context.policy.builders
        for anchor in builder.signers
    )
    asked = provenance_wanted(
        ProvenanceDemand(
            builders=wanted.builder,
            sources=wanted.source,
            refs=wanted.ref,
            build_types=wanted.build_type,
            parameters=tuple(wanted.parameters.items()),
            only_parameters=wanted.only_these_parameters,
            level=wanted.level,
        ),
        Roles(builders=builders or None),
    )

    def check(scene: Scene) -> RequirementResult:
        found = ruling(scene.known.whole, judged(scene, hears), asked)
        return from_ruling(KIND, found, scene, context, Purpose.PROVENANCE)

    return check
