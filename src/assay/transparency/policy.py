"""Which witnesses have to have cosigned a checkpoint (C2SP tlog-policy).

A log that shows one tree to a verifier and another to everyone else cannot have both cosigned: that
is what witnesses are for. Names are bytes, compared as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from assay import limits
from assay.transparency.note import KeyType, Note, NoteError, VerifierKey

_NONE = b"none"
_LOG_KEYS = {KeyType.ED25519, KeyType.ECDSA}
_WITNESS_KEYS = {KeyType.COSIGNATURE, KeyType.COSIGNATURE_ML_DSA}


class Group(Struct, frozen=True):
    """Counts as a witness when ``needed`` of its members, witnesses and groups, do."""

    needed: int
    members: tuple[bytes, ...]


class WitnessPolicy(Struct, frozen=True):
    """A policy, whole and consistent. ``logs`` empty admits any log; ``quorum`` is the name of a
    witness or group, or empty where none is asked for."""

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[bytes, VerifierKey]
    groups: Mapping[bytes, Group]
    quorum: bytes
    urls: Mapping[bytes, str] = {}
    """Where a witness is asked for cosignatures (C2SP tlog-witness), for those that name it."""

    def witnesses_of(self, note: Note) -> frozenset[bytes]:
        """The witnesses whose cosignature of a checkpoint is right. Lines by others, and lines that
        are wrong, count for nothing."""
        return frozenset(
            name
            for name, key in self.witnesses.items()
            if any(
                key.names(line) and key.verify(note.text, line.signature) is not None
                for line in note.signatures
            )
        )

    def is_met_by(self, present: frozenset[bytes]) -> bool:
        """Whether these witnesses are enough."""
        # groups stand after what they are made of, so one pass in their order settles all
        counted = set(present)
        for name, group in self.groups.items():
            if sum(member in counted for member in group.members) >= group.needed:
                counted.add(name)
        return not self.quorum or self.quorum in counted

    def admits(self, log: bytes) -> bool:
        """Whether a log counts, by its public key (raw for Ed25519, else SubjectPublicKeyInfo)."""
        return not self.logs or any(key.public == log for key in self.logs)

    def describe(self) -> str:
        """The quorum for people."""
        if not self.quorum:
            return "no witness"
        group = self.groups.get(self.quorum)
        if group is None:
            return f"the witness {shown(self.quorum)}"
        names = ", ".join(
            self.witnesses[name].name if name in self.witnesses else shown(name)
            for name in group.members
        )
        return f"{group.needed} of {names}"


def quorum_of(witnesses: Sequence[VerifierKey], needed: int) -> WitnessPolicy:
    """The policy that ``needed`` of these have to have signed, any of them. Raises NoteError when
    there are fewer."""
    if needed > len(witnesses):
        raise NoteError(f"{needed} of {len(witnesses)} witnesses cannot be")
    named = {key.render().encode(): key for key in witnesses}
    if not needed:
        return WitnessPolicy((), named, {}, b"")
    return WitnessPolicy((), named, {b"quorum": Group(needed, tuple(named))}, b"quorum")


def shown(name: bytes) -> str:
    """A name for people."""
    return name.decode("utf-8", "replace")


def parse_policy(data: bytes) -> WitnessPolicy:
    """Read a policy file. Raises NoteError, with the line in its text."""
    logs: list[VerifierKey] = []
    witnesses: dict[bytes, VerifierKey] = {}
    groups: dict[bytes, Group] = {}
    urls: dict[bytes, str] = {}
    quorum: bytes | None = None
    offset = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            words = _words(line)
            if not words:
                continue
            kind, arguments = words[0], words[1:]
            if len(logs) + len(witnesses) + len(groups) >= limits.WITNESS_POLICY_LINES:
                raise NoteError(f"more than {limits.WITNESS_POLICY_LINES} logs, witnesses, groups")
            if kind == b"log":
                logs.append(_log(arguments, logs))
            elif kind == b"witness":
                name = _new(arguments, witnesses, groups)
                witnesses[name] = _witness(arguments, witnesses)
                if len(arguments) == 3:
                    urls[name] = shown(arguments[2])
            elif kind == b"group":
                name = _new(arguments, witnesses, groups)
                groups[name] = _group(arguments, witnesses, groups)
            elif kind == b"quorum":
                if quorum is not None:
                    raise NoteError("a second quorum")
                quorum = _quorum(arguments, witnesses, groups)
            else:
                raise NoteError(f"{shown(kind)[:40]!r} is none of log, witness, group, quorum")
        except NoteError as error:
            raise NoteError(f"line {number}: {error}", offset) from error
        offset += len(line) + 1
    if quorum is None:
        raise NoteError("there is no quorum line", len(data))
    return WitnessPolicy(tuple(logs), witnesses, groups, quorum, urls)


def _words(line: bytes) -> list[bytes]:
    if any(byte == 0x7F or (byte < 0x20 and byte != 0x09) for byte in line):
        raise NoteError("a control character")
    text = line.strip(b" \t")
    return [] if text.startswith(b"#") else text.replace(b"\t", b" ").split()


def _key(text: bytes, kinds: set[KeyType], what: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NoteError("a key that is not UTF-8") from error
    if key.type not in kinds:
        raise NoteError(f"the key of {key.name} is not of a kind for {what}")
    return key


def _log(arguments: list[bytes], logs: list[VerifierKey]) -> VerifierKey:
    if len(arguments) not in (1, 2):
        raise NoteError("expected: log KEY [URL]")
    key = _key(arguments[0], _LOG_KEYS, "logs")
    if any(each.public == key.public for each in logs):
        raise NoteError("a log twice")
    return key


def _new(
    arguments: list[bytes], witnesses: Mapping[bytes, object], groups: Mapping[bytes, object]
) -> bytes:
    name = arguments[0] if arguments else b""
    if not name or name == _NONE or name in witnesses or name in groups:
        raise NoteError(f"the name {shown(name)[:80]!r} is missing, reserved or taken")
    return name


def _witness(arguments: list[bytes], witnesses: Mapping[bytes, VerifierKey]) -> VerifierKey:
    if len(arguments) not in (2, 3):
        raise NoteError("expected: witness NAME KEY [URL]")
    key = _key(arguments[1], _WITNESS_KEYS, "witnesses")
    if any(each.public == key.public for each in witnesses.values()):
        # the same witness under two names would count as two
        raise NoteError("a witness twice")
    return key


def _group(
    arguments: list[bytes], witnesses: Mapping[bytes, object], groups: Mapping[bytes, Group]
) -> Group:
    if len(arguments) < 3:
        raise NoteError("expected: group NAME all|any|NUMBER MEMBER...")
    how, members = arguments[1], arguments[2:]
    taken = {member for group in groups.values() for member in group.members}
    for member in members:
        if member not in witnesses and member not in groups:
            raise NoteError(f"{shown(member)[:80]!r} is not defined before")
        if member in taken:
            raise NoteError(f"{shown(member)[:80]!r} is a member twice")
        taken.add(member)
    if how in (b"all", b"any"):
        return Group(len(members) if how == b"all" else 1, tuple(members))
    if not how.isdigit() or how.startswith(b"0") or len(how) > 6 or int(how) > len(members):
        raise NoteError(f"{shown(how)[:40]!r} of {len(members)}")
    return Group(int(how), tuple(members))


def _quorum(
    arguments: list[bytes], witnesses: Mapping[bytes, object], groups: Mapping[bytes, object]
) -> bytes:
    if len(arguments) != 1:
        raise NoteError("expected: quorum NAME")
    name = arguments[0]
    if name == _NONE:
        return b""
    if name not in witnesses and name not in groups:
        raise NoteError(f"{shown(name)[:80]!r} is not defined before")
    return name
