"""What a policy revokes, and what it trusts only for a time, applied to facts: those of an image
that was verified just now, and those that were recorded and are judged again. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from assay.model.codes import policy as codes
from assay.model.finding import Finding
from assay.model.grounds import Endorsement
from assay.policy.facts import Facts
from assay.policy.standing import Standing


class Counting(Struct, frozen=True):
    """The facts without the endorsements that do not count. ``refusal`` says why the image is
    refused whatever rules say, empty where it is not."""

    facts: Facts
    findings: tuple[Finding, ...] = ()
    refusal: str = ""


def counting(facts: Facts, standing: Standing, at: datetime) -> Counting:
    """What of the facts counts at a time."""
    if standing.says_nothing:
        return Counting(facts)
    findings: list[Finding] = []
    kept: list[Endorsement] = []
    for each in facts.grounds.endorsements:
        fault = ""
        if standing.knows(each.anchor):  # no rule asks for those of another policy
            fault = standing.fault_of(each.anchor, at, each.signer, each.certificate)
        if not fault:
            kept.append(each)
            continue
        who = each.signer.identity if each.signer is not None else ""
        detail = f"{each.anchor}, {each.document or 'by its own word'}: {fault}"
        findings.append(
            Finding.of(codes.POLICY_ANCHOR_OUT_OF_FORCE, each.document, detail, actual=who)
        )
    refusal = ""
    digests = [digest for part in facts.components for digest in part.digests]
    digests += [digest for target in facts.grounds.targets for digest in target.digests]
    if (revoked := standing.revoked_digest(digests)) is not None:
        refusal = f"{revoked.digest} is revoked: {revoked.reason}"
        findings.append(Finding.of(codes.POLICY_DIGEST_REVOKED, facts.grounds.root, refusal))
    if len(kept) < len(facts.grounds.endorsements):
        grounds = replace(facts.grounds, endorsements=tuple(kept))
        facts = replace(facts, grounds=grounds)
    return Counting(facts, tuple(dict.fromkeys(findings)), refusal)
