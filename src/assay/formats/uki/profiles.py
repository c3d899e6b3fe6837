"""The profiles of a unified kernel image (UAPI.5, "Multi-Profile UKIs"): sections up to the first
``.profile`` are the base, each ``.profile`` begins a profile of its own, which replaces sections of
the base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from assay.formats.pe.headers import Section
from assay.formats.pe.sections import section_names
from assay.model.codes import uki as codes
from assay.model.finding import Finding
from assay.tcg.unified_kernel import REPEATABLE, SECTIONS

PROFILE = ".profile"


class Profile(Struct, frozen=True):
    """One profile: ``number`` is None for the base. ``sections`` are positions in the section table
    of its own sections that mean something in a unified kernel image."""

    number: int | None
    sections: tuple[int, ...]

    @property
    def prefix(self) -> str:
        """What the names of its parts begin with."""
        return "" if self.number is None else f"profile[{self.number}]/"


def profiles_of(sections: Sequence[Section]) -> list[Profile]:
    """The base, and the profiles in their order."""
    found: list[list[int]] = [[]]
    for position, section in enumerate(sections):
        if section.name == PROFILE:
            found.append([])
        if section.name in SECTIONS:
            found[-1].append(position)
    return [
        Profile(number - 1 if number else None, tuple(positions))
        for number, positions in enumerate(found)
    ]


def unified_names(sections: Sequence[Section]) -> list[str]:
    """As `section_names`, with sections of profiles below their profile."""
    names = section_names(sections)
    for profile in profiles_of(sections):
        if profile.number is not None:
            inner = section_names([sections[position] for position in profile.sections])
            for position, name in zip(profile.sections, inner, strict=True):
                names[position] = profile.prefix + name
    return names


def chosen(profiles: Sequence[Profile], which: Profile, sections: Sequence[Section]) -> list[int]:
    """The positions of the sections that count when a profile is booted: its own, and those of the
    base that it has none of."""
    own = {sections[position].name for position in which.sections}
    base = profiles[0].sections if which.number is not None else ()
    kept = [position for position in base if sections[position].name not in own]
    return sorted((*kept, *which.sections))


def repeated(
    profiles: Sequence[Profile], sections: Sequence[Section], names: Sequence[str]
) -> Iterator[Finding]:
    """Sections that are there twice where they may be there once."""
    for profile in profiles:
        seen: dict[str, str] = {}
        for position in profile.sections:
            name = sections[position].name
            if name in seen and name not in REPEATABLE:
                yield Finding.of(
                    codes.UKI_SECTION_REPEATED,
                    names[position],
                    f"{name} is there already, as {seen[name]}",
                )
            seen.setdefault(name, names[position])
