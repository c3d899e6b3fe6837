"""Policies for clusters as one of Assay's own. Of what a policy asks, the parts that all have to
hold are carried over one by one: trees of signers, and attestations of one type by trees of
signers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from assay.model.identity import IdentityPattern, NamePattern
from assay.policy_documents.rewriting.draft import Draft, certificate_text, key_text
from assay.policy_import.kubernetes import rules
from assay.policy_import.kubernetes.names import CelPattern, Glob, ImagePattern, Selection
from assay.policy_import.kubernetes.rules import Asked, Rule, Several, Signed
from assay.policy_import.kubernetes.signers import (
    Certified,
    Identities,
    Material,
    NotaryCertificates,
    PlainKey,
    Signer,
)
from assay.trust.documents import Attestation, ImageSignature, NotaryPayload


def rewrite(found: Sequence[Rule], draft: Draft) -> None:
    """Add what policies say to a draft."""
    for rule in found:
        impossible: list[dict[str, Any]] = []
        match: dict[str, Any] = {}
        try:
            match = _match(rule.selection)
        except ValueError as error:
            impossible.append(draft.cannot(rule.scope, str(error)))
        require: dict[str, Any] = {}
        signers: list[Any] = []
        statements: list[dict[str, Any]] = []
        for part in _all_of(rule.asked):
            try:
                if isinstance(part, rules.Anything):
                    continue
                kind = _kind(part)
                tree = _tree(draft, part)
            except ValueError as error:
                impossible.append(draft.cannot(_where(rule, part), str(error)))
                continue
            if kind:
                statements.append({"type": kind, "signers": tree})
            else:
                signers.append(tree)
        if signers:
            require["signers"] = signers[0] if len(signers) == 1 else {"all": signers}
        if statements:
            require["statements"] = statements
        if impossible:
            require["expressions"] = impossible
        more = {"mode": "warn"} if rule.advisory else {}
        draft.rule(rule.scope, match, require, **more)


def _all_of(asked: Asked) -> Iterator[Asked]:
    """The parts that all have to hold."""
    if isinstance(asked, Several) and asked.count == len(asked.parts):
        for part in asked.parts:
            yield from _all_of(part)
    else:
        yield asked


def _where(rule: Rule, asked: Asked) -> str:
    first = next(iter(rules.leaves(asked)), None)
    return rule.scope if first is None else f"{rule.scope}, line {first.line}"


def _kind(asked: Asked) -> str:
    """The type of the attestation that is asked for, empty for a signature of the image. Raises
    ValueError where it is neither the one nor the other throughout."""
    kinds: set[str] = set()
    for leaf in rules.leaves(asked):
        match leaf:
            case rules.Nothing():
                raise ValueError(leaf.message or "nothing is let in")
            case rules.Lost():
                raise ValueError(leaf.reason)
            case Signed(documents=ImageSignature(annotations=()) | NotaryPayload()):
                kinds.add("")
            case Signed(documents=Attestation(conditions=(), predicate_types=(one,))):
                kinds.add(one)
            case Signed():
                raise ValueError(f"{leaf.what}: what it has to say")
            case _:
                raise ValueError("anything is one of the alternatives")
        if isinstance(leaf, Signed) and leaf.repository:
            raise ValueError(f"kept in {leaf.repository} (--signature-repository)")
    if len(kinds) != 1:
        raise ValueError("signatures and attestations are alternatives of each other")
    return kinds.pop()


def _tree(draft: Draft, asked: Asked) -> Any:
    if isinstance(asked, Signed):
        return _anchor(draft, asked.signer)
    assert isinstance(asked, Several)
    parts = [_tree(draft, part) for part in asked.parts]
    if asked.count == len(parts):
        return {"all": parts}
    return {"any": parts} if asked.count == 1 else {"at-least": asked.count, "of": parts}


def _anchor(draft: Draft, signer: Signer) -> str:
    """The anchor of a signer. Raises ValueError."""
    match signer:
        case PlainKey(logged=False, key=key):
            return draft.anchor("key", {"keys": [{"inline": key_text(key)}]})
        case PlainKey():
            raise ValueError("an entry in a log is asked for beside a key")
        case Identities(patterns=patterns, material=material) if material == Material():
            identities = [_identity(each) for each in patterns]
            return draft.anchor("identity", {"identities": identities})
        case Identities():
            raise ValueError("an authority or log of its own; name a trusted root for it")
        case Certified(leaf=leaf, chain=chain):
            trusted = leaf if leaf is not None else chain[-1]
            content: dict[str, Any] = {"authorities": [{"inline": certificate_text(trusted)}]}
            if leaf is None and chain[:-1]:
                between = [{"inline": certificate_text(each)} for each in chain[:-1]]
                content["intermediates"] = between
            return draft.anchor("authority", content)
        case NotaryCertificates(authorities=authorities, clocks=()):
            inline = [{"inline": certificate_text(each)} for each in authorities]
            return draft.anchor("authority", {"authorities": inline})
    raise ValueError(signer.describe())


def _identity(pattern: IdentityPattern) -> dict[str, Any]:
    if pattern.also:
        raise ValueError("two names are asked for of one certificate")
    found: dict[str, Any] = {"name": _name(pattern.name)}
    if pattern.issuer is not None:
        found["issuer"] = _name(pattern.issuer)
    if pattern.claims:
        found["claims"] = {claim: _name(wanted) for claim, wanted in pattern.claims}
    return found


def _name(pattern: NamePattern) -> str:
    """A pattern as a policy writes it, where ``*`` is not itself."""
    literal = pattern.literal
    return f"regex:{re.escape(literal)}" if "*" in literal else pattern.text


def _match(selection: Selection) -> dict[str, Any]:
    """Which images. Raises ValueError for a pattern that is not known."""
    match: dict[str, Any] = {}
    if selection.patterns:
        match["reference"] = [_pattern(each) for each in selection.patterns]
    if selection.without:
        match["unless"] = {"reference": [_pattern(each) for each in selection.without]}
    return match


def _pattern(pattern: ImagePattern) -> str:
    match pattern:
        case Glob(text=text, crossing=False):
            return text
        case Glob(text=text):
            if "?" not in text:
                return re.sub(r"\*+", "**", text)
            wild = {"*": ".*", "?": "."}
            parts = re.split(r"([*?])", text)
            return "regex:(?s:" + "".join(wild.get(p) or re.escape(p) for p in parts) + ")"
        case CelPattern(test=test, text=text):
            escaped = re.escape(text)
            return {
                "startsWith": f"regex:(?s:{escaped}.*)",
                "endsWith": f"regex:(?s:.*{escaped})",
                "contains": f"regex:(?s:.*{escaped}.*)",
            }.get(test, f"regex:{escaped}")
    raise ValueError(f"images {pattern.describe()}")
