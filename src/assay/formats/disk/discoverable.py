"""Verified file systems of a disk (Discoverable Disk Images, UAPI.2 and UAPI.3).

A signature partition vouches for a root hash, the root hash is of the tree in the verity partition,
and the tree speaks of the data partition. The UUIDs of the partitions say which belong together,
and without a signature partition they are the root hash, as far as anything on the disk has it.
What the operating system is mounted from is then what has to be vouched for: every partition of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from assay import limits, plugins
from assay.formats.disk.pairs import find_pair, is_half_of, view_of
from assay.formats.disk.types import DATA, SIGNATURE, TREE
from assay.formats.disk.verity_signature import VeritySignature, parse_verity_signature
from assay.formats.unchanged import unchanged_request
from assay.formats.verity.report import Tree, behind_superblock, report
from assay.model.codes import verity as codes
from assay.model.component import Component, Slice
from assay.model.finding import AssayError, Finding
from assay.model.reading import Blob, Reading
from assay.model.signature import SignatureScheme


def read_verified(
    disk: Blob, partitions: Sequence[Component], entries: str, reading: Reading
) -> None:
    """Add what the partitions say of each other. ``entries`` is the component with the partition
    table's entries; the partitions are components already, and may be replaced."""
    systems: dict[str, list[Component]] = {}
    for partition in partitions:
        if "system" in partition.labels:
            systems.setdefault(partition.labels["system"], []).append(partition)
    signed = any(each.labels["role"] == SIGNATURE for each in _all(systems))
    targets: list[str] = []
    for members in systems.values():
        verified = _System(disk, members, reading).read(entries)
        # one that nothing is known of would be mounted as well, and is vouched for by nobody
        targets += [
            verified.get(each.id, each.id) for each in members if each.labels["role"] == DATA
        ]
    if signed and targets:
        reading.targets = targets


def _all(systems: dict[str, list[Component]]) -> list[Component]:
    return [member for members in systems.values() for member in members]


class _System:
    """The partitions for the root directory, or for /usr, of one architecture."""

    def __init__(self, disk: Blob, members: list[Component], reading: Reading) -> None:
        self._disk = disk
        self._members = members
        self._reading = reading
        self._verified: dict[str, str] = {}
        self._trees: set[str] = set()

    def _of(self, role: str) -> list[Component]:
        return [member for member in self._members if member.labels["role"] == role]

    def read(self, entries: str) -> dict[str, str]:
        """For each partition with data that is verified, the component that the tree is over."""
        for partition in self._of(SIGNATURE):
            try:
                self._signed(partition)
            except AssayError as error:
                self._fault(error, partition.id)
        for holder in self._of(TREE):
            if holder.id not in self._trees:
                self._unsigned(holder, entries)
        return self._verified

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
        pair = find_pair(self._members, said.untrusted_root)
        if pair is None:
            raise self._no_pair(said.untrusted_root)
        self._claim(*pair, said.untrusted_root, document.id)

    def _exclude(self, partition: Component, said: VeritySignature, size: int) -> None:
        """Everything but the root hash is what holds the signature, or padding."""
        if not said.only_known or size != partition.size:
            return
        place = self._reading.components.index(partition)
        start, end = said.hash_span
        self._reading.components[place] = replace(partition, excluded=((0, start), (end, size)))

    def _no_pair(self, root: bytes) -> AssayError:
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

    def _claim(self, data: Component, holder: Component, root: bytes, origin: str) -> None:
        """What the tree says below this root hash, by the word of ``origin``."""
        view = view_of(self._disk, holder)
        self._trees.add(holder.id)
        end, start, made = behind_superblock(view, holder.id, 0)

        def name(part: str) -> str:
            return f"{data.id if part == 'data' else holder.id}/verity-{part}"

        tree = Tree(view, holder.id, start, made, name)
        covered = report(self._reading, tree, root, data.id, data.size or 0, origin)
        self._verified[data.id] = covered
        self._reading.components.append(tree.part("superblock", holder.id, (0, end), ((0, end),)))

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
                    self._claim(data, holder, root, entries)
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
