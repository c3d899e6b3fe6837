"""Whether the signer of a Notary signature is one whom a policy trusts, and at what time that has
to be so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from assay.cms.given import Given
from assay.model.codes import notary as codes
from assay.model.codes import trust as trust_codes
from assay.model.codes import x509 as x509_codes
from assay.model.finding import Finding, Severity
from assay.printable import printable
from assay.signatures.cms.moment import CLOCK_SKEW, Moment, moment_of, shown
from assay.signatures.notary.certificates import chain_faults, tells_of_revocation
from assay.signatures.notary.envelope import X509_SIGNING_AUTHORITY, Envelope
from assay.signatures.notary.policy import Action, Policy, Stamp
from assay.x509 import oids
from assay.x509.certificate import Certificate
from assay.x509.path import find_path
from assay.x509.requirements import Asking, PathResult, Requirements

_VALIDITY = {
    trust_codes.KEY_EXPIRED.name,
    x509_codes.CERTIFICATE_NOT_YET_VALID.name,
    codes.TIMESTAMP_REQUIRED.name,
}
_REVOCATION = {
    trust_codes.KEY_REVOKED.name,
    x509_codes.REVOCATION_UNKNOWN.name,
    x509_codes.REVOCATION_UNREACHABLE.name,
}
_EXPIRY = {trust_codes.SIGNATURE_EXPIRED.name}


class Judgement(Struct, frozen=True):
    """What was found. ``stranger`` is set when no path leads to an authority of the policy: then
    nothing else is known. ``faults`` refuse, ``notices`` do not."""

    path: tuple[Certificate, ...] = ()
    moment: Moment = Moment(())
    faults: tuple[Finding, ...] = ()
    notices: tuple[Finding, ...] = ()
    stranger: Finding | None = None


def judge(
    envelope: Envelope,
    chain: Sequence[Certificate],
    policy: Policy,
    given: Given,
    at: datetime,
) -> Judgement:
    """Judge the signer of an envelope at the effective time ``at``. Raises nothing."""
    anchors = policy.authorities.get(envelope.scheme, ())
    if not anchors:
        trusted = ", ".join(scheme for scheme, found in policy.authorities.items() if found)
        return Judgement(
            stranger=Finding.of(
                codes.SIGNING_SCHEME_MISMATCH,
                detail=f"the signing scheme is {envelope.scheme}",
                expected=trusted or "none",
                actual=envelope.scheme,
            )
        )
    if policy.time_authorities is not None:
        given = replace(given, time_authorities=policy.time_authorities)
    if policy.rules.revocation is Action.SKIP:
        given = replace(given, lists=(), asking=None)
    elif policy.rules.must_ask and given.source is not None:
        # a certificate that does not say where to ask is as the policy wants it
        logged = policy.rules.revocation is Action.LOG
        unknown = Severity.WARNING if logged else Severity.ERROR
        given = replace(given, asking=Asking(given.source, unknown, silent=True))
    moment, faults = _moment(envelope, chain, policy, given, at)
    result = _path(chain, anchors, given, moment, at, policy)
    if not result.path and result.faults[0].code == x509_codes.UNKNOWN_ISSUER.name:
        return Judgement(stranger=result.faults[0])
    faults += result.faults
    faults += chain_faults(chain)
    faults += _time_faults(envelope, at)
    if policy.subjects and not any(each.matches(chain[0].subject) for each in policy.subjects):
        faults.append(_wrong_name(chain[0], policy))
    if policy.rules.must_ask and not given.lists and given.asking is None:
        faults += _unasked(chain)
    return _sorted_out(result, moment, faults, policy)


def _moment(
    envelope: Envelope,
    chain: Sequence[Certificate],
    policy: Policy,
    given: Given,
    at: datetime,
) -> tuple[Moment, list[Finding]]:
    """When the certificates have to be valid, and what is wrong with the time stamp."""
    if envelope.scheme == X509_SIGNING_AUTHORITY and policy.believe_time:
        assert envelope.authentic_time is not None
        return Moment((envelope.authentic_time,)), []
    stamp = policy.rules.stamp
    if stamp is Stamp.AFTER_EXPIRY and all(at <= each.not_after for each in chain):
        return Moment((at,)), []
    tokens = (envelope.timestamp,) if envelope.timestamp else ()
    moment = moment_of(tokens, envelope.signature, given, at)
    if moment.proven is None and stamp is Stamp.ALWAYS:
        why = moment.notices[0].detail if moment.notices else "there is none"
        return moment, [Finding.of(codes.TIMESTAMP_REQUIRED, detail=f"a time stamp: {why}")]
    return moment, []


def _path(
    chain: Sequence[Certificate],
    anchors: Sequence[Certificate],
    given: Given,
    moment: Moment,
    at: datetime,
    policy: Policy,
) -> PathResult:
    """A path that is right at all times asked for. Where faults are only to be logged, it is
    looked for again without what they are about, and the faults are kept beside the path."""
    between = (*chain[1:], *given.intermediates)
    result, logged, told = PathResult(), dict[Finding, None](), dict[Finding, None]()
    for time in moment.times:
        asked = Requirements(
            at=time,
            now=at,
            purposes=frozenset({oids.CODE_SIGNING}),
            lists=given.lists,
            asking=given.asking,
        )
        result = find_path(chain[0], between, anchors, asked)
        for _ in range(2):
            if result.path or not all(_relaxed(each, policy) for each in result.faults):
                break
            logged |= dict.fromkeys(result.faults)
            found = {each.code for each in result.faults}
            if found & _VALIDITY:
                asked = replace(asked, timeless=True)
            if found & _REVOCATION:
                asked = replace(asked, lists=(), asking=None)
            result = find_path(chain[0], between, anchors, asked)
        if not result.path:
            return result
        told |= dict.fromkeys(result.notices)
    return PathResult(result.path, tuple(logged), tuple(told))


def _time_faults(envelope: Envelope, at: datetime) -> list[Finding]:
    faults: list[Finding] = []
    if envelope.expiry is not None and at > envelope.expiry:
        faults.append(
            Finding.of(
                trust_codes.SIGNATURE_EXPIRED,
                detail=f"it expired on {shown(envelope.expiry)}",
                expected=f"valid at {shown(at)}",
                actual=f"valid until {shown(envelope.expiry)}",
                cause="expiry",
            )
        )
    made = envelope.authentic_time or envelope.signing_time
    if made is not None and made > at + CLOCK_SKEW:
        faults.append(
            Finding.of(
                trust_codes.SIGNATURE_IN_FUTURE,
                detail=f"it says that it was made at {shown(made)}",
                expected=f"made at {shown(at)} or before",
                actual=shown(made),
            )
        )
    return faults


def _wrong_name(leaf: Certificate, policy: Policy) -> Finding:
    return Finding.of(
        trust_codes.WRONG_IDENTITY,
        detail=f"signed by {printable(str(leaf), 300)}",
        expected=" or ".join(str(each) for each in policy.subjects),
        actual=printable(str(leaf.subject), 300),
        severity=Severity.WARNING,
    )


def _unasked(chain: Sequence[Certificate]) -> list[Finding]:
    return [
        Finding.of(
            x509_codes.REVOCATION_UNKNOWN,
            detail=f"{certificate} says where to ask whether it was revoked, and no revocation"
            " list was given",
        )
        for certificate in chain
        if not certificate.self_issued and tells_of_revocation(certificate)
    ]


def _action(finding: Finding, policy: Policy) -> Action:
    rules = policy.rules
    for found, action in (
        (_VALIDITY, rules.validity),
        (_REVOCATION, rules.revocation),
        (_EXPIRY, rules.expiry),
    ):
        if finding.code in found:
            return action
    return Action.ENFORCE


def _relaxed(finding: Finding, policy: Policy) -> bool:
    return _action(finding, policy) is not Action.ENFORCE


def _sorted_out(
    result: PathResult, moment: Moment, faults: Sequence[Finding], policy: Policy
) -> Judgement:
    refusing: list[Finding] = []
    notices = [*moment.notices, *result.notices]
    for fault in dict.fromkeys(faults):
        action = _action(fault, policy)
        if action is Action.ENFORCE:
            refusing.append(fault)
        elif action is Action.LOG:
            notices.append(replace(fault, severity=Severity.WARNING))
    return Judgement(result.path, moment, tuple(refusing), tuple(notices))
