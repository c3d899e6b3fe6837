"""What the readers of an archive share: its members, where they are, and the reading that grows."""

from __future__ import annotations

import msgspec

from assay.formats.unchanged import unchanged_request
from assay.model.component import Component
from assay.model.finding import AssayError, Finding
from assay.model.reading import Options, Reading, Site
from assay.model.verdict import NotChecked
from assay.printable import printable
from assay.sources.tar import TarMember
from assay.sources.tar_store import ArchiveStore, Members


class Scene:
    """One archive while it is read. ``archive`` is the id of the component that its plain bytes
    are; ``unreadable`` says that one of its documents is there and cannot be read."""

    def __init__(self, site: Site, members: Members, archive: str) -> None:
        self.site = site
        self.members = members
        self.archive = archive
        self.store = ArchiveStore(members, archive)
        self.reading = Reading()
        self.unreadable = False
        self.platforms: list[str] = []
        """The platforms that there are, for the message when none is the one asked for."""

    @property
    def options(self) -> Options:
        """The options for what is within the archive."""
        return msgspec.structs.replace(self.site.options, forced_type="")

    def find(self, finding: Finding, component: str = "") -> None:
        """Report a finding, about the archive itself unless somewhere else is named."""
        if not finding.component:
            finding = msgspec.structs.replace(finding, component=component or self.archive)
        self.reading.findings.append(finding)

    def leave(self, position: int, reason: str) -> None:
        """List an image as not checked."""
        place = self.site.child(f"image[{position}]")
        self.reading.not_checked.append(NotChecked(place, printable(reason, 200)))

    def member(self, name: str) -> TarMember | None:
        """The regular member of this name. Raises AssayError."""
        return self.members.index.find(name)

    def add(self, component: str, kind: str, member: TarMember, parent: str, **fields: str) -> None:
        """Add a component that a member is."""
        self.reading.components.append(
            Component(
                component,
                kind,
                self.store.slice_of(member),
                parent,
                member.size,
                **fields,  # type: ignore[arg-type]
            )
        )

    def document(self, name: str) -> bytes | None:
        """Read one of the archive's own documents and add it as a component. One that cannot be
        read is a finding, and None."""
        try:
            data = self.members.document(name)
            member = self.member(name)
        except AssayError as error:
            self.find(error.finding)
            self.unreadable = True
            return None
        if data is None or member is None:
            return None
        self.add(self.site.child(name), "listing", member, self.archive)
        self.reading.requests.append((self.site.child(name), unchanged_request(data)))
        return data
