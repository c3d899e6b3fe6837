"""Verified file systems of a disk (Discoverable Disk Images, UAPI.2 and UAPI.3).

A signature partition vouches for a root hash, or a signed kernel does by its command line; the root
hash is of the tree in the verity partition, and the tree speaks of the data partition. The UUIDs of
the partitions say which belong together, and without a signature partition they are the root hash,
as far as anything on the disk has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from assay import limits, plugins
from assay.formats.disk.command_line import command_lines, parse_command_line
from assay.formats.disk.pairs import find_pair, is_half_of, view_of
from assay.formats.disk.types import DATA, SIGNATURE, TREE
from assay.formats.disk.verity_signature import VeritySignature, parse_verity_signature
from assay.formats.unchanged import unchanged_request
from assay.formats.verity.report import Tree, behind_superblock, report
from assay.model.claim import Claim
from assay.model.codes import verity as codes
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding, Severity
from assay.model.reading import Blob, Reading
from assay.model.signature import SignatureScheme


def read_verified(
    disk: Blob, whole: str, partitions: Sequence[Component], entries: str, reading: Reading
) -> None:
    """Add what the partitions of a disk (the component ``whole``) say of each other. ``entries`` is
    the component with the partition table's entries; the partitions are components already, and
    may be replaced. What kernels on the disk say of them is added when these are known."""
    members: dict[str, list[Component]] = {}
    for partition in partitions:
        if "system" in partition.labels:
            members.setdefault(partition.labels["system"], []).append(partition)
    systems = [_System(disk, found, reading) for found in members.values()]
    for system in systems:
        system.read(entries)
    if any(system.signed for system in systems):
        _set_targets(systems, reading)
    reading.connect.append(partial(_read_command_lines, disk, whole, systems))


def _set_targets(systems: list[_System], reading: Reading) -> None:
    """What the operating system may be started from is what has to be vouched for: a partition that
    nothing is known of would be mounted as well, and nobody vouches for it."""
    targets = [target for system in systems for target in system.targets]
    if targets:
        reading.targets = targets


def _read_command_lines(disk: Blob, whole: str, systems: list[_System], reading: Reading) -> None:
    components = {component.id: component for component in reading.components}
    named = False
    for line, text in command_lines(disk, whole, components):
        # what was parsed has to be what is measured
        reading.requests.append((line, unchanged_request(text)))
        for designator, root in parse_command_line(text).items():
            fitting = [each for each in systems if each.designator == designator]
            for system in fitting:
                if pair := system.pair(root):
                    named = True
                    try:
                        system.claim(*pair, root, line, reading)
                    except AssayError as error:
                        reading.findings.append(error.finding)
                    break
            else:
                if fitting:
                    found = fitting[0].no_pair(root).finding
                    found = replace(found, component=line, severity=Severity.WARNING)
                    reading.findings.append(found)
    if named:
        _set_targets(systems, reading)


class _System:
    """The partitions for the root directory, or for /usr, of one architecture."""

    def __init__(self, disk: Blob, members: list[Component], reading: Reading) -> None:
        self._disk = disk
        self._members = members
        self._reading = reading
        self._verified: dict[str, str] = {}
        self._claims: dict[tuple[str, str, bytes], list[Claim]] = {}
        self.designator = members[0].labels["system"].partition("-")[0]

    @property
    def signed(self) -> bool:
        """Whether there is a signature partition."""
        return bool(self._of(SIGNATURE))

    @property
    def targets(self) -> list[str]:
        """For each partition with data, the component that its tree is over, or itself."""
        return [self._verified.get(each.id, each.id) for each in self._of(DATA)]

    def _of(self, role: str) -> list[Component]:
        return [member for member in self._members if member.labels["role"] == role]

    def pair(self, root: bytes) -> tuple[Component, Component] | None:
        """The partitions with data and tree that a root hash names."""
        return find_pair(self._members, root)

    def read(self, entries: str) -> None:
        """Add what the partitions say. Faults are findings."""
        for partition in self._of(SIGNATURE):
            try:
                self._signed(partition)
            except AssayError as error:
                self._fault(error, partition.id)
        known = {holder for _, holder, _ in self._claims}
        for holder in self._of(TREE):
            if holder.id not in known:
                self._unsigned(holder, entries)

    def _fault(self, error: AssayError, component: str) -> None:
        found = error.finding
        self._reading.findings.append(
            found if found.component else replace(found, component=component)
        )

    def _signed(self, partition: Component) -> None:
        view = view_of(self._disk, partition)
        data = view.read_at(0, min(view.size or 0, limits.VERITY_SIGNATURE_SIZE))
        self._reading.requests.append((partition.id, unchanged_request(data)))
        said = parse_verity_signature(data)
        self._exclude(partition, said, len(data))
        start, end = said.hash_span
        document = Component(
            f"{partition.id}/root-hash",
            "verity-root-hash",
            Slice(partition.id, (said.hash_span,)),
            partition.id,
            end - start,
            labels={"name": said.untrusted_root.hex()},
        )
        self._reading.components.append(document)
        scheme: SignatureScheme = plugins.load("assay.signatures", "cms")
        self._reading.signatures += scheme.prepare(
            said.signature, document.id, f"{partition.id}/signature", ""
        )
        pair = self.pair(said.untrusted_root)
        if pair is None:
            raise self.no_pair(said.untrusted_root)
        self.claim(*pair, said.untrusted_root, document.id, self._reading)

    def _exclude(self, partition: Component, said: VeritySignature, size: int) -> None:
        """Everything but the root hash is what holds the signature, or padding."""
        if not said.only_known or size != partition.size:
            return
        place = self._reading.components.index(partition)
        start, end = said.hash_span
        self._reading.components[place] = replace(partition, excluded=((0, start), (end, size)))

    def no_pair(self, root: bytes) -> AssayError:
        """The error for a root hash that names no partitions."""
        wanted = f"data {_uuid(root[:16])}, tree {_uuid(root[-16:])}"
        there = [
            f"{what} {_uuid(bytes.fromhex(each.labels['uuid']))}"
            for what, role in (("data", DATA), ("tree", TREE))
            for each in self._of(role)
        ]
        return AssayError(
            Finding.of(
                codes.VERITY_PARTITION_UUID,
                detail=f"no partitions have the UUIDs that the root hash {root.hex()} gives them",
                expected=wanted,
                actual=", ".join(there) or "no such partitions",
            )
        )

    def claim(
        self, data: Component, holder: Component, root: bytes, origin: str, reading: Reading
    ) -> None:
        """Add what the tree says below this root hash, by the word of ``origin``. Raises
        AssayError."""
        key = (data.id, holder.id, root)
        if key in self._claims:
            reading.claims += [replace(claim, origin=origin) for claim in self._claims[key]]
            return
        self._claims[key] = []
        view = view_of(self._disk, holder)
        end, start, made = behind_superblock(view, holder.id, 0)

        def name(part: str) -> str:
            return f"{data.id if part == 'data' else holder.id}/verity-{part}"

        tree = Tree(view, holder.id, start, made, name)
        before = len(reading.claims)
        self._verified[data.id] = report(reading, tree, root, data.id, data.size or 0, origin)
        self._claims[key] = reading.claims[before:]
        reading.components.append(tree.part("superblock", holder.id, (0, end), ((0, end),)))

    def _unsigned(self, holder: Component, entries: str) -> None:
        """A tree of which no signature speaks: the UUIDs are its root hash, if that is short enough
        to be in them."""
        try:
            view = view_of(self._disk, holder)
            _, start, made = behind_superblock(view, holder.id, 0)
            tree = Tree(view, holder.id, start, made, str)
            for data in self._of(DATA):
                root = bytes.fromhex(data.labels["uuid"] + holder.labels["uuid"])
                if tree.is_of(root, view_of(self._disk, data)) and is_half_of(data, root):
                    self.claim(data, holder, root, entries, self._reading)
                    return
        except AssayError as error:
            self._fault(error, holder.id)
            return
        self._reading.findings.append(
            Finding.of(
                codes.VERITY_ROOT_UNKNOWN,
                holder.id,
                expected="UUIDs that are the halves of its root hash",
                actual=_uuid(bytes.fromhex(holder.labels["uuid"])),
            )
        )


def _uuid(data: bytes) -> str:
    digits = data.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


__all__ = ["read_verified"]
