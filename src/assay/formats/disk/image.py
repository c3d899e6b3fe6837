"""A disk as components: its tables, its partitions, and all that is in neither."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from assay.formats.disk import gpt, mbr
from assay.formats.disk.model import Partition, Table
from assay.formats.disk.types import PROTECTIVE
from assay.formats.magic import HEAD, looks_like
from assay.formats.polyglot import polyglot_request
from assay.formats.unchanged import unchanged_request
from assay.formats.verity.superblock import MAGIC
from assay.formats.zeros import zeros_request
from assay.model.codes import disk as codes
from assay.model.codes.content import AMBIGUOUS_FORMAT
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding
from assay.model.measurement import HashRequest
from assay.model.reading import Blob, Reading, Site
from assay.model.spans import Span, SpanSet
from assay.model.verdict import NotChecked
from assay.sources.blobs import SliceBlob


def is_disk(blob: Blob, head: bytes) -> bool:
    """Whether bytes that begin like this, and have no GPT in front, are a disk. Raises
    AssayError."""
    from assay.formats.fat import looks_like_fat

    size = blob.size or 0
    entries = mbr.parse(head[:512]) or []
    if any(entry.type == PROTECTIVE for entry in entries):
        return bool(gpt.backup_sectors(blob, size))
    return mbr.is_partitioned(head, size) and not looks_like_fat(head)


def read_disk(site: Site) -> Reading:
    """The disk at a site. Whatever is wrong with it, the file itself is a component."""
    whole = site.component
    if not whole.id:
        whole = Component("file", "disk", whole.extent, size=site.blob.size)
    reading = Reading(components=[whole], targets=[whole.id])
    reading.requests.append((whole.id, HashRequest("sha256")))
    if not site.options.forced_type:
        reading.requests.append((whole.id, polyglot_request()))
    try:
        table = _read_table(site.blob)
    except AssayError as error:
        reading.findings.append(replace(error.finding, component=whole.id))
        return reading
    reading.components[0] = replace(whole, kind="disk", description=_described(table))
    _report(site, whole.id, table, reading)
    reading.findings += [replace(found, component=whole.id) for found in table.findings]
    return reading


def _read_table(blob: Blob) -> Table:
    size = blob.size or 0
    sectors = gpt.sector_sizes(blob)
    if not sectors:
        head = blob.read_at(0, 4096)
        backups = gpt.backup_sectors(blob, size)
        protective = any(entry.type == PROTECTIVE for entry in mbr.parse(head[:512]) or ())
        if protective and backups:
            return gpt.read_gpt(blob, size, backups[0])
        table = mbr.read_mbr(blob, size)
        for sector in backups:
            at = (size // sector - 1) * sector
            table.findings.append(Finding.of(codes.STALE_GPT, offset=at))
        return table
    table = gpt.read_gpt(blob, size, sectors[0])
    if len(sectors) > 1:
        detail = "there is a GPT for sectors of 512 bytes and one for sectors of 4096 bytes"
        table.findings.append(Finding.of(AMBIGUOUS_FORMAT, detail=detail, offset=sectors[1]))
    return table


def _described(table: Table) -> str:
    many = len(table.partitions)
    return f"{table.scheme}, {many} partition{'' if many == 1 else 's'}, sectors of {table.sector}"


def _report(site: Site, whole: str, table: Table, reading: Reading) -> None:
    size = site.blob.size or 0
    taken: list[tuple[Span, str, int]] = []
    found: list[Component] = []

    def part(name: str, kind: str, *spans: Span, **more: object) -> Component:
        length = sum(end - start for start, end in spans)
        made = Component(site.child(name), kind, Slice(whole, spans), whole, length, **more)  # type: ignore[arg-type]
        found.append(made)
        return made

    for structure in table.structures:
        made = part(structure.name, structure.kind, structure.span)
        # what was parsed has to be what is measured
        reading.requests.append((made.id, unchanged_request(structure.data)))
        taken.append((structure.span, structure.name, structure.span[0]))
    taken += [(each.span, f"partition {each.number}", each.entry) for each in table.partitions]
    overlapping = _check_overlaps(taken, table)
    for partition, name in zip(table.partitions, names(table.partitions), strict=True):
        if partition.span[1] > size:
            table.findings.append(
                Finding.of(
                    codes.PARTITION_OUT_OF_BOUNDS,
                    detail=f"partition {partition.number} ends after the disk does",
                    expected=f"at most {size} bytes",
                    actual=f"{partition.span[1]} bytes",
                    offset=partition.entry,
                    cause="truncation",
                )
            )
            continue
        if partition.span[0] >= partition.span[1]:
            continue
        view = SliceBlob(site.blob, (partition.span,))
        made = part(name, "partition", partition.span, labels=_labels(partition, view))
        if partition.entry in overlapping:
            # many partitions over the same bytes would take as much time as the image asks for
            reading.not_checked.append(NotChecked(made.id, "shares bytes with another", made.size))
        else:
            reading.explore.append((made.id, view))
    gaps = SpanSet.whole(size) - SpanSet(span for span, _, _ in taken)
    for number, gap in enumerate(gaps):
        made = part(f"gap[{number}]", "disk-gap", gap)
        reading.requests.append((made.id, zeros_request(codes.DISK_GAP_NOT_ZERO)))
    found.sort(key=_place)
    reading.components += found
    skipped = {each.component for each in reading.not_checked}
    verifiable = [each for each in found if "system" in each.labels and each.id not in skipped]
    if verifiable:
        from assay.formats.disk.discoverable import read_verified

        read_verified(site.blob, whole, verifiable, site.child("entries"), reading)


def _place(component: Component) -> int:
    return component.extent.spans[0][0] if isinstance(component.extent, Slice) else 0


def names(partitions: list[Partition]) -> list[str]:
    """What the components of partitions are called: by their type where it has a name and no
    other partition has it too, else by number."""
    often = Counter(partition.type.name for partition in partitions)
    return [
        f"partition[{partition.type.name}]"
        if partition.type.name and often[partition.type.name] == 1
        else f"partition[{partition.number}]"
        for partition in partitions
    ]


def _labels(partition: Partition, view: Blob) -> dict[str, str]:
    labels = {"name": partition.name or partition.type.title, "type": partition.type.title}
    labels |= {"number": str(partition.number), "offset": str(partition.span[0])}
    if content := _content(view.read_at(0, HEAD)):
        labels["content"] = content
    if partition.uuid:
        labels["uuid"] = partition.uuid.hex()
    if partition.type.role:
        labels["system"] = f"{partition.type.designator}-{partition.type.architecture}"
        labels["role"] = partition.type.role
    if partition.attributes:
        labels["attributes"] = " ".join(partition.attributes)
    return labels


def _content(head: bytes) -> str:
    """What a partition that begins like this is taken for, by formats that are not read, too."""
    if head.startswith(MAGIC):
        return "a dm-verity hash tree"
    if head.startswith(b'{"') and b'"rootHash"' in head[:4096]:
        return "a root hash and its signature"
    return " and ".join(looks_like(head, b""))


def _check_overlaps(taken: list[tuple[Span, str, int]], table: Table) -> set[int]:
    """Report overlaps among parts of the disk (bytes, a name, where the table says so); the entries
    of the partitions concerned."""
    end, last, before = 0, "", -1
    concerned: set[int] = set()
    for span, name, place in sorted(taken):
        if span[0] < min(end, span[1]):
            concerned |= {place, before}
            table.findings.append(
                Finding.of(
                    codes.PARTITION_OVERLAP,
                    detail=f"{last} and {name}",
                    expected=f"bytes from {end} on",
                    actual=f"bytes {span[0]}-{span[1] - 1}",
                    offset=place,
                )
            )
        if span[1] > end:
            end, last, before = span[1], name, place
    return concerned


__all__ = ["is_disk", "names", "read_disk"]
