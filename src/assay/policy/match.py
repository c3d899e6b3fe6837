"""Which rules are about an image. Rules are found by the registry that their patterns name, so that
most of a large policy is never looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from assay.model.identity import NamePattern
from assay.policy.evaluate.model import Known
from assay.policy.model import Match

Fits = Callable[[Known], bool]


def fitting(match: Match, *, every: bool = False) -> Fits:
    """Whether an image is what ``match`` is about. What is not known of it fits no pattern. Where
    an image has several targets (platforms), one that fits will do, or with ``every`` all have
    to: who takes something away from a rule has to mean all of the image."""
    tests: list[Fits] = []
    some = all if every else any
    if match.reference:
        tests.append(
            lambda known: _any(match.reference, known.name.exact if every else known.name.forms)
        )
    if match.repository:
        tests.append(lambda known: _any(match.repository, known.name.repositories))
    if match.digest:
        digests = frozenset(match.digest)
        tests.append(
            (lambda known: _is_all(known, digests))
            if every
            else (lambda known: not digests.isdisjoint(known.digests))
        )
    if match.format:
        tests.append(lambda known: known.facts.format in match.format)
    if match.platform:
        tests.append(
            lambda known: (
                bool(known.targets)
                and some(_any(match.platform, _given(each.platform)) for each in known.targets)
            )
        )
    if match.labels:
        tests.append(
            lambda known: (
                bool(known.targets)
                and some(_all(match.labels, each.labels) for each in known.targets)
            )
        )
    if match.annotations:
        tests.append(
            lambda known: (
                bool(known.targets)
                and some(_all(match.annotations, each.annotations) for each in known.targets)
            )
        )
    if match.namespace:
        tests.append(lambda known: _any(match.namespace, _given(known.occasion.namespace)))
    if match.namespace_labels:
        tests.append(
            lambda known: _all(match.namespace_labels, known.occasion.namespace_labels or {})
        )
    if match.environment:
        tests.append(lambda known: _any(match.environment, _given(known.occasion.environment)))
    unless = fitting(match.unless, every=not every) if match.unless is not None else None

    def fits(known: Known) -> bool:
        for test in tests:
            if not test(known):
                return False
        return unless is None or not unless(known)

    return fits


def _any(patterns: Sequence[NamePattern], names: Sequence[str]) -> bool:
    for name in names:
        for pattern in patterns:
            if pattern.matches(name):
                return True
    return False


def _is_all(known: Known, digests: frozenset[str]) -> bool:
    """Whether digests mean all of an image: the whole of it, or each of its targets."""
    return not digests.isdisjoint(known.root_digests) or (
        bool(known.targets) and all(not digests.isdisjoint(each.digests) for each in known.targets)
    )


def _all(patterns: Mapping[str, NamePattern], values: Mapping[str, str]) -> bool:
    return all(
        name in values and pattern.matches(values[name]) for name, pattern in patterns.items()
    )


def _given(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()


def registries_of(match: Match) -> frozenset[str] | None:
    """The registries whose images a match may be about; None where it may be about any."""
    patterns = match.repository or match.reference
    found = [_registry(pattern) for pattern in patterns]
    return frozenset(found) if found and all(found) else None


_LITERAL = re.compile(r"[A-Za-z0-9.:-]+\Z")


def _registry(pattern: NamePattern) -> str:
    """The registry that every name has that fits; empty where that cannot be told."""
    if pattern.text.startswith("regex:"):
        return ""
    head, slash, _ = pattern.text.removeprefix("glob:").partition("/")
    return head if slash and _LITERAL.match(head) else ""


class Index:
    """Numbers of matches, by what they may be about; ``every`` is as with `fitting`."""

    def __init__(self, matches: Sequence[Match], *, every: bool = False) -> None:
        self._fits = [fitting(match, every=every) for match in matches]
        self._anywhere: list[int] = []
        self._by_registry: dict[str, list[int]] = {}
        for number, match in enumerate(matches):
            registries = registries_of(match)
            if registries is None:
                self._anywhere.append(number)
            for registry in registries or ():
                self._by_registry.setdefault(registry, []).append(number)

    def about(self, known: Known) -> list[int]:
        """Those that fit an image, in order."""
        if not self._fits:
            return []
        registries = {form.partition("/")[0] for form in known.name.forms}
        candidates = [*self._anywhere]
        for registry in registries:
            candidates += self._by_registry.get(registry, ())
        return [number for number in sorted(set(candidates)) if self._fits[number](known)]
