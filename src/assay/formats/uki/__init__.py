"""Unified kernel images (UAPI.5): a PE program whose sections are a kernel, an initrd, a command
line and more. They are PE programs first: `assay.formats.pe` reads the file, and asks here for the
rest."""

from __future__ import annotations

from collections.abc import Sequence

from assay.formats.pe.headers import Section

_ADDITIONS = frozenset((".cmdline", ".dtb", ".dtbauto", ".ucode", ".initrd"))


def kind_of(sections: Sequence[Section]) -> str:
    """What the sections make of a program: ``unified kernel image``, an addition to one (``addon
    for unified kernel images``), or neither (empty)."""
    names = {section.name for section in sections}
    if ".linux" in names:
        return "unified kernel image"
    return "addon for unified kernel images" if names & _ADDITIONS else ""
