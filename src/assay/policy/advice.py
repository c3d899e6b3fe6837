"""What is worth a person's attention in a policy that can be used: what has expired, what nothing
uses, what can never match or never be met. Pure; time is a value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from assay.policy.anchors import Anchor, Material
from assay.policy.merge import Merged, materials_of, signers_of
from assay.policy.model import Match, Mode, Purpose, Require, Rule, anchors_in
from assay.policy.problems import Problem
from assay.policy.vocabulary import SignerGroup, Signers

SOON = timedelta(days=30)
"""What expires within this time is told."""

_PURPOSES = {
    "provenance": Purpose.PROVENANCE,
    "sbom": Purpose.SBOM,
    "vulnerabilities": Purpose.SCAN,
    "summary": Purpose.SUMMARY,
}


def advise(merged: Merged, at: datetime) -> list[Problem]:
    """Everything worth telling of a policy at a time, in the order of the documents."""
    advisor = _Advisor(merged, at)
    order = {document.file: number for number, document in enumerate(merged.documents)}
    return sorted(
        dict.fromkeys(advisor.all()),
        key=lambda one: (order.get(one.place.file, 0), one.place.line, one.place.column),
    )


class _Advisor:
    def __init__(self, merged: Merged, at: datetime) -> None:
        self._merged, self._policy, self._at = merged, merged.policy, at

    def all(self) -> Iterator[Problem]:
        yield from self._unused()
        for name, anchor in self._policy.anchors.items():
            yield from self._anchor(name, anchor)
        for number, rule in enumerate(self._policy.rules):
            yield from self._rule(number, rule)
        yield from self._exceptions()
        yield from self._together()

    def _tell(self, text: str, section: str, key: str | int, *more: str | int) -> Problem:
        return Problem(self._merged.place(section, key, *more), text, structural=False)

    def _unused(self) -> Iterator[Problem]:
        policy = self._policy
        used = {name for rule in policy.rules for name in _named_in(rule)}
        used |= {name for builder in policy.builders for name in builder.signers}
        if policy.break_glass is not None:
            used |= set(anchors_in(policy.break_glass.signers))
        open_to = {purpose for rule in policy.rules for purpose in _open_purposes(rule)}
        for name, anchor in policy.anchors.items():
            if name not in used and not any(anchor.serves(purpose) for purpose in open_to):
                yield self._tell(f"no rule asks for the anchor {name}", "anchors", name)
        roots = {root for anchor in policy.anchors.values() for root in anchor.trusted_roots}
        open_roots = any(a.identities and not a.trusted_roots for a in policy.anchors.values())
        for name in policy.trusted_roots:
            if name not in roots and not open_roots:
                yield self._tell(f"no anchor uses the trusted root {name}", "trusted-roots", name)

    def _anchor(self, name: str, anchor: Anchor) -> Iterator[Problem]:
        windows: list[Anchor | Material] = [
            each for each in materials_of(anchor) if isinstance(each, Material)
        ]
        for window in [anchor, *windows]:
            what = name if window is anchor else f"{name}: {getattr(window, 'file', '') or 'a key'}"
            end = window.valid_until
            if end is not None and end <= self._at:
                yield self._tell(f"{what} expired on {end:%Y-%m-%d}", "anchors", name)
            elif end is not None and end <= self._at + SOON:
                yield self._tell(f"{what} expires on {end:%Y-%m-%d}", "anchors", name)
        yield from self._gaps(name, anchor)
        if any(one.anchor == name and one.since is None for one in self._policy.revoked):
            yield self._tell(f"{name} is revoked: nothing by it counts", "anchors", name)

    def _gaps(self, name: str, anchor: Anchor) -> Iterator[Problem]:
        """A time between an old key and a new one in which neither counts."""
        keys = [key if isinstance(key, Material) else Material(file=key) for key in anchor.keys]
        ends = sorted(key.valid_until for key in keys if key.valid_until is not None)
        for end in ends:
            if any(_covers(key, end) for key in keys) or end < self._at:
                continue
            starts = [k.valid_from for k in keys if k.valid_from is not None and k.valid_from > end]
            if starts:
                text = f"{name} has no key from {end:%Y-%m-%d} to {min(starts):%Y-%m-%d}"
                yield self._tell(text, "anchors", name)

    def _rule(self, number: int, rule: Rule) -> Iterator[Problem]:
        if rule.require == Require():
            yield self._tell(
                f"{rule.name} requires nothing: what it fits is let in", "rules", number, "require"
            )
        for path, tree in signers_of(rule):
            purpose = _PURPOSES.get(str(path[0]), Purpose.STATEMENT)
            purpose = Purpose.IMAGE if path == ("signers",) else purpose
            place = ("rules", number, "require", *path)
            if not self._can_be_met(tree, purpose):
                text = f"{rule.name} can never pass: too few of its signers can count for this"
                yield self._tell(f"{text} ({purpose.value})", "rules", number, *place[2:])
            for twice in _twice(tree):
                yield self._tell(f"{twice} stands there twice", "rules", number, *place[2:])
        if why := _never(rule.match):
            yield self._tell(f"{rule.name} can never match: {why}", "rules", number, "match")
        if rule.effective_from is not None and rule.effective_from <= self._at - timedelta(
            days=365
        ):
            text = f"{rule.name} has been in force for more than a year; effective-from may go"
            yield self._tell(text, "rules", number, "effective-from")
        scans = rule.require.vulnerabilities
        for allowed in scans.allow if scans is not None else ():
            if allowed.until <= self._at:
                text = f"{rule.name}: {allowed.id} has been allowed until {allowed.until:%Y-%m-%d}"
                yield self._tell(text, "rules", number, "require", "vulnerabilities", "allow")

    def _can_be_met(self, tree: Signers, purpose: Purpose) -> bool:
        if isinstance(tree, str):
            anchor = self._policy.anchors[tree]
            revoked = any(o.anchor == tree and o.since is None for o in self._policy.revoked)
            return anchor.serves(purpose) and not revoked and not self._is_over(anchor)
        met = [self._can_be_met(each, purpose) for each in tree.members]
        if tree.at_least is not None:
            return sum(met) >= tree.at_least
        return any(met) if tree.any else all(met)

    def _is_over(self, anchor: Anchor) -> bool:
        """Whether nothing that is signed from now on could count."""
        if anchor.valid_until is not None and anchor.valid_until <= self._at:
            return True
        keys = anchor.keys or anchor.authorities
        ends = [key.valid_until if isinstance(key, Material) else None for key in keys]
        return bool(ends) and all(end is not None and end <= self._at for end in ends)

    def _exceptions(self) -> Iterator[Problem]:
        rules = {rule.name: rule for rule in self._policy.rules}
        for number, one in enumerate(self._policy.exceptions):
            if one.expires <= self._at:
                text = f"the exception {one.ticket} expired on {one.expires:%Y-%m-%d}"
                yield self._tell(text, "exceptions", number)
            elif one.expires <= self._at + SOON:
                text = f"the exception {one.ticket} expires on {one.expires:%Y-%m-%d}"
                yield self._tell(text, "exceptions", number)
            for kind in one.requirements:
                if not any(getattr(rules[name].require, kind) for name in one.rules):
                    text = f"{', '.join(one.rules)}: {kind} is not required there"
                    yield self._tell(text, "exceptions", number, "requirements")
            if why := _never(one.match):
                text = f"the exception {one.ticket} can never match: {why}"
                yield self._tell(text, "exceptions", number, "match")

    def _together(self) -> Iterator[Problem]:
        enforced = [rule for rule in self._policy.rules if rule.mode_at(self._at) is Mode.ENFORCE]
        if not enforced and self._policy.rules:
            text = "no rule enforces anything now, and so every image is refused"
            yield self._tell(text, "rules", 0)


def _named_in(rule: Rule) -> Iterator[str]:
    for _, tree in signers_of(rule):
        yield from anchors_in(tree)
    if rule.require.vulnerabilities is not None:
        yield from rule.require.vulnerabilities.vex_from


def _open_purposes(rule: Rule) -> Iterator[Purpose]:
    """What any anchor may be asked for, since the rule names nobody."""
    require = rule.require
    if require.signers is None and (
        require.identities or require.coverage or require.freshness or require.algorithms
    ):
        yield Purpose.IMAGE
    for name, purpose in _PURPOSES.items():
        part = getattr(require, name)
        if part is not None and part.signers is None:
            yield purpose
    if any(each.signers is None for each in require.statements):
        yield Purpose.STATEMENT


def _twice(tree: Signers) -> Iterator[str]:
    if isinstance(tree, SignerGroup):
        names = [each for each in tree.members if isinstance(each, str)]
        yield from dict.fromkeys(name for name in names if names.count(name) > 1)
        for each in tree.members:
            yield from _twice(each)


def _covers(key: Material, moment: datetime) -> bool:
    return (key.valid_from is None or key.valid_from <= moment) and (
        key.valid_until is None or moment < key.valid_until
    )


def _never(match: Match) -> str:
    """Why a match can fit no image; empty where it may."""
    if match.unless is not None and (match.unless == Match() or match.unless == _bare(match)):
        return "unless takes away all that it is about"
    for field in ("reference", "repository"):
        for pattern in getattr(match, field):
            if why := _odd_name(field, pattern.text):
                return f"{pattern.text}: {why}"
    return ""


def _bare(match: Match) -> Match:
    from msgspec.structs import replace

    return replace(match, unless=None)


def _odd_name(field: str, text: str) -> str:
    if text.startswith("regex:"):
        return ""
    plain = text.removeprefix("glob:")
    if "docker://" in plain:
        return "names of images in registries are written without docker://"
    if field == "repository" and "@" in plain:
        return "a repository has no digest; that is for digest or reference"
    last = plain.rpartition("/")[2]
    if field == "repository" and "/" in plain and ":" in last:
        return "a repository has no tag; that is for reference"
    return ""
