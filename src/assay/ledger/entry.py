"""What the ledger records of a verdict.

The *leaf* is what the Merkle tree hashes: small, canonical JSON, kept for ever. The *body* is the
whole verdict, bound to the leaf by its digest; it may be pruned later without touching the tree.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from assay.model.codes import ledger as codes
from assay.model.finding import AssayError, Finding, Severity
from assay.model.verdict import Verdict
from assay.printable import encodable

LEAF_SIZE = 65_535
"""An entry of a tiled log has a 16 bit length (C2SP tlog-tiles, "Log entries")."""
FINDINGS_IN_LEAF = 64
SIGNERS_IN_LEAF = 64
VERSIONS_IN_LEAF = 16
LEAF_VERSION = 1


class Context(Struct, frozen=True):
    """What the caller says about the occasion. All of it is optional and kept as given.

    ``user`` and ``host`` are personal or could be: they are recorded only when given.
    ``policy_digest`` is that of the policy that decided, ``trust_digest`` that of all that was
    trusted: two entries with the same ones were judged by the same standards.
    """

    host: str = ""
    user: str = ""
    ticket: str = ""
    environment: str = ""
    policy_digest: str = ""
    trust_digest: str = ""


class Vouched(Struct, frozen=True):
    """Who vouched: the anchor's description, and the signer's identity where there is one."""

    anchor: str
    signer: str = ""


class Entry(Struct, frozen=True, omit_defaults=True):
    """The leaf's content. Times are RFC 3339 in UTC; ``digests`` are those of the image's root;
    ``body`` is the SHA-256 of the recorded verdict. ``used_as`` is the name that a policy took the
    image by, where it is another; ``versions`` are those that the policy looked at, with where it
    read them (``label:NAME``)."""

    version: int
    time: str
    tool: str
    image: str
    resolved: str
    format: str
    decision: str
    intact: str
    authentic: str
    allowed: str
    rule: str
    body: str
    at: str = ""
    digests: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    covered: tuple[int, int] = (0, 0)
    used_as: str = ""
    versions: tuple[tuple[str, str], ...] = ()
    findings: tuple[str, ...] = ()
    findings_left_out: int = 0
    vouched: tuple[Vouched, ...] = ()
    vouched_left_out: int = 0
    context: Context = Context()
    timestamp: str = ""
    """An RFC 3161 token in base64, over this entry without it (see `assay.ledger.stamp`)."""


_ENCODER = msgspec.json.Encoder(order="deterministic")


def record(verdict: Verdict, time: str, context: Context) -> tuple[bytes, bytes]:
    """The leaf and the body for a verdict. ``time`` is when it is recorded.

    Raises AssayError (ledger-entry-too-large) when even the shortened leaf has no room."""
    body = encoded(msgspec.to_builtins(verdict))
    worst = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
    rest = [finding for finding in verdict.findings if finding.severity is not Severity.ERROR]
    findings = [f"{one.severity.value} {one.code} {one.component}".rstrip() for one in worst + rest]
    root = verdict.components[0] if verdict.components else None
    entry = Entry(
        version=LEAF_VERSION,
        time=time,
        at=verdict.at,
        tool=verdict.tool,
        image=verdict.image[:4096],
        resolved=verdict.resolved[:4096],
        format=verdict.format,
        decision=verdict.decision.value,
        intact=verdict.intact.value,
        authentic=verdict.authentic.value,
        allowed=verdict.allowed.value,
        rule=verdict.rule[:1024],
        body=sha256(body).hexdigest(),
        digests=root.digests if root else (),
        platforms=tuple(
            dict.fromkeys(
                label
                for component in verdict.components
                if (label := component.labels.get("platform", ""))
            )
        )[:64],
        used_as=_used_as(verdict)[:4096],
        versions=_versions(verdict),
        covered=(verdict.coverage.bound, verdict.coverage.total - verdict.coverage.excluded),
        findings=tuple(text[:300] for text in findings[:FINDINGS_IN_LEAF]),
        findings_left_out=max(0, len(findings) - FINDINGS_IN_LEAF),
        vouched=tuple(
            Vouched(one.description[:300], one.signer.identity[:300] if one.signer else "")
            for one in verdict.vouchers[:SIGNERS_IN_LEAF]
        ),
        vouched_left_out=max(0, len(verdict.vouchers) - SIGNERS_IN_LEAF),
        context=_with_policy(context, verdict),
    )
    return sized(entry), body


def _with_policy(context: Context, verdict: Verdict) -> Context:
    if verdict.policy is None or context.policy_digest:
        return context
    return replace(context, policy_digest=verdict.policy.digest)


def _used_as(verdict: Verdict) -> str:
    name = verdict.grounds.name if verdict.grounds is not None else ""
    return name if name != verdict.image else ""


def _versions(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """What the policy looked at as the image's version, for each of its platforms; empty text for
    one that has none there."""
    rules = verdict.policy.rules if verdict.policy is not None else ()
    found: dict[tuple[str, str], None] = {}
    for rule in rules:
        for each in rule.requirements:
            if each.kind == "version" and (read_from := each.seen.get("read from", "")):
                place, _, name = read_from.partition(":")
                for target in verdict.grounds.targets if verdict.grounds is not None else ():
                    said = target.labels if place == "label" else target.annotations
                    text = each.seen.get("version", "") if place == "tag" else said.get(name, "")
                    found[read_from[:300], text[:300]] = None
    return tuple(found)[:VERSIONS_IN_LEAF]


def sized(entry: Entry) -> bytes:
    """The leaf. Raises AssayError (ledger-entry-too-large)."""
    leaf = encoded(entry)
    if len(leaf) > LEAF_SIZE:
        raise AssayError(
            Finding.of(
                codes.LEDGER_ENTRY_TOO_LARGE,
                detail=f"the entry for {entry.image[:100]!r} has {len(leaf)} bytes",
                expected=f"at most {LEAF_SIZE}",
                actual=len(leaf),
            )
        )
    return leaf


def encoded(value: Any) -> bytes:
    """A value in the one form that is hashed: JSON with members in order."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        # a file's name, or a word of the command line, that is no UTF-8
        return _ENCODER.encode(encodable(msgspec.to_builtins(value)))


def parse(leaf: bytes) -> Entry:
    """Read a leaf. Raises AssayError (ledger-entry-malformed)."""
    try:
        return msgspec.json.decode(leaf, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AssayError(
            Finding.of(codes.LEDGER_ENTRY_MALFORMED, detail=f"not a ledger entry: {error}")
        ) from error


def names_in(entry: Entry, body: bytes | None) -> set[str]:
    """Every digest (``algorithm:hex``) by which `trace` finds this entry: those of the image, and
    of each component in the body."""
    found = set(entry.digests)
    if "@" in entry.resolved:
        found.add(entry.resolved.rpartition("@")[2])
    if body is not None:
        value: dict[str, Any] = msgspec.json.decode(body)
        for component in value.get("components", ()):
            found.update(component.get("digests", ()))
    return {name for name in found if ":" in name}
