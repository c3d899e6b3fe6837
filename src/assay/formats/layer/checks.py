"""What is odd about one entry of a layer, given those before it (image-spec, layer.md)."""

from __future__ import annotations

from assay import limits
from assay.formats.layer.names import Names
from assay.formats.layer.tally import Tally
from assay.model.codes import layers as codes
from assay.model.codes.content import LIMIT_EXCEEDED
from assay.model.finding import AssayError, Finding, Severity
from assay.sources.tar import Kind, TarMember

WHITEOUT = b".wh."
OPAQUE = b".wh..wh..opq"
_AUFS = {b".wh..wh.aufs", b".wh..wh.orph", b".wh..wh.plnk"}
_OVERLAY = ("SCHILY.xattr.trusted.overlay.", "SCHILY.xattr.user.overlay.")
_CAPABILITY = "SCHILY.xattr.security.capability"
ODD_XATTRS = (*_OVERLAY, _CAPABILITY)
"""Extended attributes that are a finding, as the pax records that hold them begin."""
_CONTROL = bytes(range(0x20)) + b"\x7f"
_SET_ID = 0o6000
_MOST_JUDGED = 100_000


class EntryChecks:
    """Looks at the entries of one layer, in their order. What is odd goes to ``tally``."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.names = Names(self.tally)
        self._links: dict[bytes, bytes] = {}
        self._directory = b""
        self._replaced = False  # a link has taken the place of a directory with entries in it
        self._judged = 0

    def enter(self, directory: bytes) -> bool:
        """Take note that entries lie in ``directory`` (normalised); whether that is all in order:
        no symbolic link of this layer is on the way. Raises AssayError beyond a limit."""
        if directory == self._directory:
            return True
        if self._replaced and self._link_in(directory) is not None:
            return False
        links, known, fresh, path = self._links, self.names.directories, [], directory
        while path and hash(path) not in known:
            if path in links:
                return False
            fresh.append(path)
            path = path.rpartition(b"/")[0]
        self.names.enter(fresh)
        self._directory = directory
        return True

    def link(self, name: bytes, target: bytes, at: int) -> None:
        """Take note of a symbolic link (name normalised). Raises AssayError beyond a limit."""
        if len(self._links) >= limits.LAYER_LINKS:
            raise AssayError(
                Finding.of(
                    LIMIT_EXCEEDED,
                    detail=f"a layer of more than {limits.LAYER_LINKS} symbolic links",
                    offset=at,
                )
            )
        self._links[name] = target
        if hash(name) in self.names.directories:
            self._replaced = True
            self._directory = b""
        if b".." not in target or target.startswith(b"/"):
            return
        if resolve(target, name.split(b"/")[:-1]) is None:
            self.tally.note(codes.LAYER_LINK_OUTSIDE, "links that climb above the root", name, at)

    def entry(self, member: TarMember) -> bytes | None:
        """Look at an entry; its normalised name (empty for the root itself), or None when it lies
        outside of the root. Raises AssayError beyond a limit."""
        at = member.headers[1] - 512
        name = self._name(member, at)
        self._member(member, at)
        if not name:
            return name
        parent, _, base = name.rpartition(b"/")
        if not self.enter(parent):
            self._through(parent, member.untrusted_name, at)
        if WHITEOUT in name:
            self._whiteout(member, parent, base, at)
        if self._links:
            self._links.pop(name, None)
        self.names.add(name, at, directory=member.kind is Kind.DIRECTORY)
        if member.kind is Kind.SYMBOLIC_LINK:
            self._symbolic_link(name, member, at)
        elif member.kind is Kind.HARD_LINK:
            self._hard_link(member, at)
        return name

    # names

    def _name(self, member: TarMember, at: int) -> bytes | None:
        raw = member.untrusted_name
        note = self.tally.note
        if not raw.isascii():
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                note(codes.LAYER_NAME_ENCODING, "names that are not UTF-8", raw, at)
        if raw.translate(None, _CONTROL) != raw:
            note(codes.LAYER_PATH_UNCLEAN, "names with control characters", raw, at)
        if raw.startswith(b"/"):
            note(codes.LAYER_PATH_UNCLEAN, "absolute names", raw, at)
        if raw.endswith(b"/") and member.kind is not Kind.DIRECTORY:
            note(
                codes.LAYER_PATH_UNCLEAN,
                "names with a slash at the end that are not of directories",
                raw,
                at,
            )
        if not raw:
            note(codes.LAYER_PATH_UNCLEAN, "entries without a name", raw, at)
        parts = resolve(raw, [])
        if parts is None:
            note(codes.LAYER_PATH_TRAVERSAL, "names that climb out of the root", raw, at)
            return None
        if b".." in raw.split(b"/"):
            note(codes.LAYER_PATH_UNCLEAN, "names with '..' in them", raw, at)
        return b"/".join(parts)

    def _link_in(self, path: bytes) -> bytes | None:
        """The first directory of a path, or the path itself, that is a link of this layer."""
        end = path.find(b"/")
        while end >= 0:
            if path[:end] in self._links:
                return path[:end]
            end = path.find(b"/", end + 1)
        return path if path in self._links else None

    def _through(self, path: bytes, name: bytes, at: int) -> None:
        """Judge a path through a link: does it end within the root for who takes it literally?"""
        self._judged += 1
        for _ in range(limits.ARCHIVE_LINKS if self._judged <= _MOST_JUDGED else 0):
            link = self._link_in(path)
            if link is None:
                self.tally.note(
                    codes.LAYER_ENTRY_THROUGH_LINK, "paths through a symbolic link", name, at
                )
                return
            target = self._links[link]
            parts = None if target.startswith(b"/") else resolve(target, link.split(b"/")[:-1])
            if parts is None:
                break
            path = b"/".join(parts) + path[len(link) :]
        self.tally.note(
            codes.LAYER_PATH_TRAVERSAL,
            "paths through a symbolic link that is absolute, endless, or climbs out of the root",
            name,
            at,
        )

    # kinds of entries

    def _member(self, member: TarMember, at: int) -> None:
        name, kind, note = member.untrusted_name, member.kind, self.tally.note
        if kind is Kind.FILE and member.mode & _SET_ID:
            note(codes.LAYER_PRIVILEGED_FILE, "set-user-ID or set-group-ID", name, at)
        elif kind in (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE):
            self._device(member, at)
        elif kind is Kind.SPARSE:
            note(codes.LAYER_SPARSE_ENTRY, "sparse files", name, at)
        elif kind is Kind.OTHER:
            note(codes.LAYER_ENTRY_TYPE, "entries of unknown type", name, at)
        if member.records:
            if _CAPABILITY in member.records:
                note(codes.LAYER_PRIVILEGED_FILE, "file capabilities", name, at)
            if any(key.startswith(_OVERLAY) for key in member.records):
                note(
                    codes.LAYER_WHITEOUT_MISUSE,
                    "attributes that an overlay file system takes for marks of its own",
                    name,
                    at,
                )

    def _device(self, member: TarMember, at: int) -> None:
        name, note = member.untrusted_name, self.tally.note
        if member.kind is Kind.CHARACTER_DEVICE and member.device == (0, 0):
            note(
                codes.LAYER_WHITEOUT_MISUSE,
                "character devices 0:0, which an overlay file system takes for whiteouts",
                name,
                at,
            )
        elif member.kind is Kind.CHARACTER_DEVICE and name.lstrip(b"./").startswith(b"dev/"):
            note(
                codes.LAYER_DEVICE,
                "character devices in dev/",
                name,
                at,
                severity=Severity.INFO,
            )
        else:
            note(codes.LAYER_DEVICE, "devices", name, at)

    def _symbolic_link(self, name: bytes, member: TarMember, at: int) -> None:
        if not member.untrusted_link:
            self.tally.note(codes.LAYER_PATH_UNCLEAN, "symbolic links to nothing", name, at)
        self.link(name, member.untrusted_link, at)

    def _hard_link(self, member: TarMember, at: int) -> None:
        name, target, note = member.untrusted_name, member.untrusted_link, self.tally.note
        if target.startswith(b"/"):
            note(codes.LAYER_PATH_UNCLEAN, "hard links with an absolute target", name, at)
        parts = resolve(target, [])
        if parts is None:
            note(
                codes.LAYER_PATH_TRAVERSAL,
                "hard links whose target climbs out of the root",
                name,
                at,
            )
            return
        if not parts or b".." in target.split(b"/"):
            note(codes.LAYER_PATH_UNCLEAN, "hard links with an odd target", name, at)
        parent = b"/".join(parts[:-1])
        if self._links and parent and self._link_in(parent) is not None:
            self._through(parent, name, at)

    # whiteouts

    def _whiteout(self, member: TarMember, parent: bytes, base: bytes, at: int) -> None:
        name = member.untrusted_name

        def note(what: str, severity: Severity | None = None) -> None:
            self.tally.note(codes.LAYER_WHITEOUT_MISUSE, what, name, at, severity=severity)

        if any(part.startswith(WHITEOUT) for part in parent.split(b"/")):
            note("entries below a whiteout")
        if not base.startswith(WHITEOUT):
            return
        if base in _AUFS:
            note("leftovers of an AUFS file system", Severity.INFO)
            return
        if member.kind is not Kind.FILE:
            note("whiteouts that are no regular files")
        elif member.size:
            note("whiteouts with content")
        if base == OPAQUE:
            return
        target = base[len(WHITEOUT) :]
        if target in (b"", b".", b".."):
            note("whiteouts of the directory that they are in, or of the one above", Severity.ERROR)
        elif target.startswith(WHITEOUT):
            note("whiteouts with a reserved name")
        else:
            hidden = parent + b"/" + target if parent else target
            self.names.hide(hidden, name, at)


def resolve(path: bytes, base: list[bytes]) -> list[bytes] | None:
    """The parts of a path, empty ones and ``.`` left out and ``..`` resolved, starting from the
    directory ``base``; None when it climbs above the root. A leading slash is the root."""
    parts = [] if path.startswith(b"/") else list(base)
    for part in path.split(b"/"):
        if part == b"..":
            if not parts:
                return None
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return parts
