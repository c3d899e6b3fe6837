"""Which bytes of an event's data its digest is of, where that can be said.

For some types the specification says that the data are what is measured (PFP 1.06, section 10.4.1,
"Event Types"); for others that a part of them is; for text that boot loaders log, their own habits
say. For all others the digest is of something that is not in the log (a program, a table), and the
data only tell what.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from assay.model.spans import Span
from assay.tcg import names
from assay.tcg.log import Event
from assay.tcg.replay import digest

_WHOLE = {
    names.SEPARATOR,
    names.ACTION,
    names.S_CRTM_VERSION,
    names.OMIT_BOOT_DEVICE_EVENTS,
    names.EFI_VARIABLE_DRIVER_CONFIG,
    names.EFI_VARIABLE_AUTHORITY,
    names.EFI_VARIABLE_BOOT2,
    names.EFI_GPT_EVENT,
    names.EFI_GPT_EVENT2,
    names.EFI_ACTION,
}
"""Types of events whose data are what is measured."""
_GRUB = (b"grub_cmd: ", b"kernel_cmdline: ", b"module_cmdline: ", b"grub_kernel_cmdline ")
_VARIABLE = 32
"""Bytes of UEFI_VARIABLE_DATA before the name."""


class Coverage(Struct, frozen=True):
    """``spans`` are the bytes of the data that the digests are of; None where they are of none of
    them. ``required`` says whether they have to be of the data: then None is a lie."""

    spans: tuple[Span, ...] | None
    required: bool

    @property
    def lies(self) -> bool:
        """Whether the data are not what was measured, though they have to be."""
        return self.required and self.spans is None


def covered_by(event: Event) -> Coverage:
    """What of an event's data its digests are of. All banks have to agree on it; a bank whose
    algorithm is not known has no say."""
    required = event.kind in _WHOLE or event.kind == names.EFI_VARIABLE_BOOT
    if not event.measured:
        return Coverage(None, False)
    for spans in _candidates(event):
        measured = b"".join(event.data[start:end] for start, end in spans)
        told = [
            digest(each.bank, measured) == each.value
            for each in event.digests
            if digest(each.bank, b"") is not None
        ]
        if told and all(told):
            return Coverage(spans, required)
    return Coverage(None, required)


def _candidates(event: Event) -> Iterator[tuple[Span, ...]]:
    """The parts of the data that an event of this type can be a digest of."""
    data, size = event.data, len(event.data)
    yield ((0, size),)
    if event.kind == names.EFI_VARIABLE_BOOT:
        # what firmware of today measures is the value alone
        start = _VARIABLE + 2 * _u64(data, 16)
        if start <= size:
            yield ((start, size),)
    elif event.kind == names.EFI_VARIABLE_AUTHORITY:
        # shim of old logs a few bytes too many, and does not measure the last of them
        if _VARIABLE + 2 * _u64(data, 16) + _u64(data, 24) < size:
            yield ((0, size - 1),)
    elif event.kind in (names.IPL, names.EVENT_TAG):
        if size % 2 == 0 and size > 2 and not any(data[1::2]) and data[-2:] == b"\0\0":
            # the stub of systemd logs a section's name as UTF-16 and measures it as ASCII
            yield tuple((at, at + 1) for at in range(0, size, 2))
        end = size - 1 if data.endswith(b"\0") else size
        for prefix in (b"", *_GRUB):
            if data.startswith(prefix):
                yield ((len(prefix), end),)
    elif event.kind in _WHOLE and data.endswith(b"\0"):
        # text with a final NUL that was not measured
        yield ((0, size - 1),)


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
