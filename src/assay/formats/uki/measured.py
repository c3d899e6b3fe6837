"""What a boot of a unified kernel image measures, computed while its bytes go by, and whether the
signatures in ``.pcrsig`` are for that.

PCR 11 depends on the version of the stub (which sections it knows), on the hardware (which of
several device trees it takes) and on how far the boot has come. All that can be from this image is
tried; a signature that is for none of it is for another image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from assay.model.finding import Finding
from assay.model.measurement import ScanRequest, Sink
from assay.tcg import unified_kernel as kernel
from assay.tcg.unified_kernel import PHASE_PATHS, REPEATABLE, VERSIONS


class Plan(Struct, frozen=True):
    """``sections`` are the names and lengths of what is measured, in that order; ``version`` is
    that of the stub, None where it is not known; ``banks`` what is computed; ``paths`` the paths
    of phases."""

    sections: tuple[tuple[str, int], ...]
    version: int | None
    banks: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...] = ((), *PHASE_PATHS)


class Measured(Struct):
    """The answer: the digests of the sections in each bank, and what came of comparing them."""

    plan: Plan
    digests: Mapping[str, tuple[bytes, ...]]
    findings: Sequence[Finding] = field(default_factory=tuple)
    computed: dict[str, dict[bytes, str]] = field(default_factory=dict)
    """What `policies` found out, by bank: it takes long where hardware decides."""
    counted: dict[tuple[str, bytes], frozenset[int]] = field(default_factory=dict)
    """For each of these policies, by bank, the positions in the plan of the sections that count."""

    def value(self, bank: str, phases: Sequence[str]) -> bytes | None:
        """PCR 11 after these phases; None where that depends on the hardware."""
        if any(name in REPEATABLE for name, _ in self.plan.sections):
            return None
        return kernel.pcr_11(bank, next(self._states(bank)), phases)

    def policies(self, bank: str) -> dict[bytes, str]:
        """Every policy that asks for PCR 11 in a state that a boot of this image may be in, with
        the name of the state."""
        if bank in self.computed or bank not in self.digests:
            return self.computed.get(bank, {})
        found = self.computed[bank] = {}
        for sections in self._states(bank):
            base = kernel.pcr_11(bank, sections)
            counted = self._positions(bank, sections)
            for phases in self.plan.paths:
                value = kernel.extended(bank, kernel.phase_events(bank, phases), base)
                name = ":".join(phases) or "the stub"
                policy = kernel.pcr_policy(bank, value)
                found.setdefault(policy, name)
                self.counted.setdefault((bank, policy), counted)
        return found

    def _positions(self, bank: str, sections: Sequence[tuple[str, bytes]]) -> frozenset[int]:
        names = (name for name, _ in self.plan.sections)
        named = zip(names, self.digests[bank], strict=True)
        return frozenset(place for place, each in enumerate(named) if each in sections)

    def _states(self, bank: str) -> Iterator[list[tuple[str, bytes]]]:
        """The sections that a stub may measure: first as the stub in this image does, then as stubs
        of other versions; in each case for each piece of hardware."""
        seen = set()
        named = list(zip((name for name, _ in self.plan.sections), self.digests[bank], strict=True))
        for single in _per_hardware(named):
            for version in (self.plan.version, None, *VERSIONS):
                sections = kernel.selected(single, version)
                key = tuple(sections)
                if key not in seen:
                    seen.add(key)
                    yield sections


def _per_hardware(named: Sequence[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """The sections by name; of those that are for certain hardware none, or each in turn."""
    base = {name: digest for name, digest in named if name not in REPEATABLE}
    choices: list[dict[str, bytes]] = [{}]
    for repeatable in sorted(REPEATABLE):
        found = [digest for name, digest in named if name == repeatable]
        choices = [
            choice | more
            for choice in choices
            for more in [{}, *({repeatable: digest} for digest in found)]
        ]
    for choice in choices:
        yield base | choice


Judge = Callable[[Measured], Iterable[Finding]]
"""Says what there is to say of what was measured."""


class _MeasuringSink:
    """Digests of consecutive stretches of what goes by, in each bank."""

    def __init__(self, plan: Plan, judge: Judge) -> None:
        self._plan, self._judge = plan, judge
        self._digests: dict[str, list[bytes]] = {bank: [] for bank in plan.banks}
        self._lengths = [length for _, length in plan.sections]
        self._begin()

    def _begin(self) -> None:
        self._hashers = [hashlib.new(bank, usedforsecurity=False) for bank in self._plan.banks]
        self._left = self._lengths.pop(0) if self._lengths else 0

    def _end(self) -> None:
        for bank, hasher in zip(self._plan.banks, self._hashers, strict=True):
            self._digests[bank].append(hasher.digest())
        self._begin()

    def update(self, data: memoryview, /) -> None:
        at = 0
        while at < len(data):
            piece = data[at : at + self._left]
            for hasher in self._hashers:
                hasher.update(piece)
            at += len(piece)
            self._left -= len(piece)
            if not self._left:
                self._end()

    def finish(self) -> Measured:
        found = {bank: tuple(digests) for bank, digests in self._digests.items()}
        measured = Measured(self._plan, found)
        measured.findings = tuple(self._judge(measured))
        return measured


class _Measuring(Struct, frozen=True):
    plan: Plan
    judge: Judge

    def __call__(self) -> Sink:
        return _MeasuringSink(self.plan, self.judge)


def measuring_request(plan: Plan, judge: Judge) -> ScanRequest:
    """The request to measure the sections, one after the other, and to judge what they come to."""
    return ScanRequest("pcr-11", _Measuring(plan, judge))
