"""From the anchors of a policy to what signatures are checked with.

Each anchor is judged by itself, with material of its own: what one is trusted for lends nothing to
another. Whether the word of an anchor is asked for is up to the rules; here it only counts or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from assay import plugins
from assay.evidence.model import GivenFile
from assay.model import anchor as model_anchor
from assay.model.demand import NOTHING, Demand, Word
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, UsageError
from assay.model.identity import IDENTITY_SCHEME, IdentityPattern
from assay.model.signature import Key
from assay.policy.anchors import Anchor, Material
from assay.policy.material import Piece, Pieces, window_of
from assay.policy.model import Policy, Purpose, anchor_id
from assay.policy.standing import Standing
from assay.policy.trusted import AnyDocument, Trusted
from assay.sigstore.trusted_root import TRUSTED_ROOT_SCHEME
from assay.sources.model import OpenOptions
from assay.trust import secrets
from assay.trust.documents import DocumentRule
from assay.trust.requirements import Requirement
from assay.x509 import key_schemes


class Roots(Struct):
    """The trusted roots of a policy, with what is to be said of those from a repository."""

    keys: dict[str, Key]
    findings: list[Finding]


def read_roots(
    policy: Policy, pieces: Pieces, at: datetime, options: OpenOptions | None = None
) -> Roots:
    """The trusted roots; those in a TUF repository are fetched, or come from the copy that was
    kept. Raises UsageError for one that cannot be read. One that cannot be had is a finding, an
    error."""
    from assay.signatures.sigstore.scheme import load_trusted_root

    found = Roots({}, [])
    for name, root in policy.trusted_roots.items():
        try:
            if root.tuf:
                from assay.trust.tuf import instances
                from assay.trust.tuf.client import obtain

                tuf = root.tuf if root.tuf.startswith("https:") else f"tuf:{root.tuf}"
                obtained = obtain(instances.find(tuf), at, options or OpenOptions())
                found.findings += obtained.findings
                data = obtained.data
            else:
                data = pieces["trusted-roots", name].data
            found.keys[name] = load_trusted_root(data)
        except AssayError as error:
            found.findings.append(error.finding)
        except UsageError as error:
            raise UsageError(f"trusted root {name}: {error}") from error
    return found


class Trusting(Struct):
    """What anchors come to. ``documents`` are files whose word counts, ``digests`` by anchor."""

    anchors: list[model_anchor.Anchor]
    requirements: list[Requirement]
    demands: list[Demand]
    documents: list[GivenFile]
    digests: dict[str, Digest]


class Builder:
    """Makes keys of the anchors of one policy, for a time (None: whenever it is asked)."""

    def __init__(
        self, policy: Policy, pieces: Pieces, roots: Roots, at: datetime | None = None
    ) -> None:
        self._policy, self._pieces, self._roots, self._at = policy, pieces, roots, at
        self._standing = Standing(policy)
        self._shared = [*self._clocks(), *self._lists()]
        self.definitions = {name: self._definition(name) for name in policy.anchors}

    def build(self, lent: Sequence[Key] = (), *, asked: Sequence[str] = ()) -> Trusting:
        """All anchors. ``lent`` is material of the user's own that is no anchor; ``asked`` are the
        anchors that rules about the image name: others are not bothered with where it takes a
        secret or a document. Raises UsageError for what cannot be read."""
        found = Trusting([], [], [], [], {})
        for name, anchor in self._policy.anchors.items():
            if not (anchor.secrets or anchor.checksums or anchor.baselines) or name in asked:
                try:
                    self._add(found, name, anchor, lent)
                except AssayError as error:
                    raise UsageError(f"anchor {name}: {error.finding.detail}") from error
                except UsageError as error:
                    raise UsageError(f"anchor {name}: {error}") from error
        return found

    def _add(self, found: Trusting, name: str, anchor: Anchor, lent: Sequence[Key]) -> None:
        made: list[model_anchor.Anchor] = []

        def identified(kind: str, what: str) -> model_anchor.Anchor:
            number = f"/{len(made) + 1}" if made else ""
            one = model_anchor.Anchor(
                id=anchor_id(name) + number,
                kind=kind,
                description=f"{name} ({what})",
                group=anchor_id(name),
                operator=anchor.operator or name,
                name=name,
                definition=self.definitions[name],
            )
            made.append(one)
            return one

        for kind, what, window, keys in self._signers(name, anchor, lent):
            one = identified(kind, what)
            mine = tuple(
                replace(key, anchor=one.id if key.anchor else "") for key in (*keys, *self._shared)
            )
            found.requirements.append(
                Trusted(one, mine, (), _ANY, standing=self._standing, window=window)
                if not anchor.uefi_databases
                else self._by_firmware(name, anchor, one, mine, window)
            )
        in_force = not self._standing.fault_of(name, self._at or datetime.now(UTC))
        for text in anchor.digests:
            one = identified("digest", f"digest {text}")
            found.anchors.append(one)
            if in_force:
                found.digests[one.id] = Digest.parse(text)
        for field, kind in (("checksums", "checksums"), ("baselines", "baseline")):
            for number, _ in enumerate(getattr(anchor, field)):
                piece = self._pieces["anchors", name, field, number]
                one = identified(kind, piece.name)
                found.anchors.append(one)
                if in_force:
                    given = GivenFile.holding(kind, Path(piece.name), piece.data, one.id)
                    found.documents.append(given)
        found.demands.append(Demand(anchor_id(name), name, NOTHING, word=word_of(anchor)))

    def _signers(
        self, name: str, anchor: Anchor, lent: Sequence[Key]
    ) -> Iterator[tuple[str, str, Material | None, list[Key]]]:
        """The keys of an anchor that signs: the kind, what to call them, their own time."""
        for number, _ in enumerate(anchor.keys):
            piece = self._pieces["anchors", name, "keys", number]
            keys = _public_keys(piece)
            yield "key", piece.name, window_of(anchor, "keys", number), _narrowed(keys, anchor)
        for number, _ in enumerate(anchor.authorities):
            piece = self._pieces["anchors", name, "authorities", number]
            demands = {key_schemes.PURPOSE_DEMAND: anchor.key_usage} if anchor.key_usage else {}
            found = _certificates(piece)
            names = ", ".join(str(each) for each in found[:3])
            keys = [
                *_narrowed([Key(name, key_schemes.AUTHORITY, names, found, demands)], anchor),
                *self._intermediates(name, anchor),
                *(key for key in lent if key.scheme in _OF_CERTIFICATES),
            ]
            yield "ca", piece.name, window_of(anchor, "authorities", number), keys
        if anchor.identities:
            patterns = [
                IdentityPattern(each.name, each.issuer, tuple(sorted(each.claims.items())))
                for each in anchor.identities
            ]
            keys = [Key(name, IDENTITY_SCHEME, str(each), each) for each in patterns]
            keys += self._trusted_roots(anchor, lent)
            yield "identity", " or ".join(map(str, patterns)), None, keys
        for number, _ in enumerate(anchor.uefi_databases):
            from assay.policy.firmware import read_database

            piece = self._pieces["anchors", name, "uefi-databases", number]
            found = read_database(piece).certificates
            keys = [Key(name, key_schemes.AUTHORITY, piece.name, found)]
            yield "ca", piece.name, window_of(anchor, "uefi_databases", number), keys
        for place in anchor.secrets:
            kind, _, rest = place.partition(":")
            where = rest if kind == "file" else place
            secret, shown = secrets.read_secret(f"secret:{where}", "secrets")
            yield "secret", f"secret from {shown}", None, [Key(name, "secret", name, secret)]

    def _by_firmware(
        self,
        name: str,
        anchor: Anchor,
        one: model_anchor.Anchor,
        keys: tuple[Key, ...],
        window: Material | None,
    ) -> Requirement:
        from assay.policy.firmware import SCHEMES, ByFirmware, Database, read_database

        forbidden = Database()
        for number, _ in enumerate(anchor.forbidden):
            forbidden |= read_database(self._pieces["anchors", name, "forbidden", number])
        return ByFirmware(
            one, keys, SCHEMES, _ANY, standing=self._standing, window=window, forbidden=forbidden
        )

    def _trusted_roots(self, anchor: Anchor, lent: Sequence[Key]) -> list[Key]:
        names = anchor.trusted_roots or tuple(self._policy.trusted_roots)
        if not names:
            return [key for key in lent if not key.anchor]
        others = [key for key in lent if key.scheme != TRUSTED_ROOT_SCHEME and not key.anchor]
        return [*(self._roots.keys[n] for n in names if n in self._roots.keys), *others]

    def _intermediates(self, name: str, anchor: Anchor) -> Iterator[Key]:
        for number, _ in enumerate(anchor.intermediates):
            piece = self._pieces["anchors", name, "intermediates", number]
            yield Key("", key_schemes.INTERMEDIATE, piece.name, _certificates(piece))

    def _clocks(self) -> Iterator[Key]:
        for number, _ in enumerate(self._policy.time_authorities):
            piece = self._pieces["time-authorities", number]
            yield Key("", key_schemes.TIME_AUTHORITY, piece.name, _certificates(piece))

    def _lists(self) -> Iterator[Key]:
        from assay.x509.crl import read_crls

        for number, _ in enumerate(self._policy.revocation_lists):
            piece = self._pieces["revocation-lists", number]
            try:
                yield Key("", key_schemes.LISTS, piece.name, tuple(read_crls(piece.data)))
            except AssayError as error:
                raise UsageError(f"{piece.name}: {error.finding.detail}") from error

    def _definition(self, name: str) -> str:
        """A digest of all that an anchor is made of, so that another by the same name shows."""
        anchor = self._policy.anchors[name]
        mine = {
            "/".join(map(str, place[2:])): piece.digest
            for place, piece in self._pieces.items()
            if place[:2] == ("anchors", name)
        }
        if anchor.identities:
            roots = anchor.trusted_roots or tuple(self._policy.trusted_roots)
            for root in roots:
                piece = self._pieces.get(("trusted-roots", root))
                mine[f"trusted-root/{root}"] = piece.digest if piece is not None else ""
        stated = {
            "names": [each.text for each in anchor.names],
            "key-usage": anchor.key_usage,
            "identities": [
                [each.name.text, each.issuer.text if each.issuer else "", _claims(each.claims)]
                for each in anchor.identities
            ],
            "secrets": list(anchor.secrets),
            "digests": list(anchor.digests),
            "windows": [
                [field, number, one.valid_from, one.valid_until]
                for field in ("keys", "authorities", "uefi_databases")
                for number, one in enumerate(getattr(anchor, field))
                if isinstance(one, Material)
            ],
        }
        encoded = msgspec.json.encode([mine, stated], order="deterministic")
        return f"sha256:{hashlib.sha256(encoded).hexdigest()}"


_ANY: DocumentRule = AnyDocument()
_OF_CERTIFICATES = (key_schemes.INTERMEDIATE, key_schemes.LISTS, key_schemes.TIME_AUTHORITY)


def _claims(claims: Mapping[str, Any]) -> list[list[str]]:
    return [[name, pattern.text] for name, pattern in sorted(claims.items())]


def word_of(anchor: Anchor) -> Word:
    """What the word of an anchor counts for in appraisal, by its purposes."""
    if anchor.serves(Purpose.IMAGE):
        return Word.IMAGE
    return Word.ASIDE if anchor.serves(Purpose.BREAK_GLASS) else Word.STATEMENTS


def _narrowed(keys: Sequence[Key], anchor: Anchor) -> list[Key]:
    """Keys that count only for signers of certain names: they prove, and the names vouch."""
    if not anchor.names:
        return list(keys)
    mine = keys[0].anchor
    names = [
        Key(mine, IDENTITY_SCHEME, pattern.text, IdentityPattern(pattern))
        for pattern in anchor.names
    ]
    return [*(replace(key, anchor="") for key in keys), *names]


def _public_keys(piece: Piece) -> list[Key]:
    for _, scheme in plugins.each("assay.signatures"):
        try:
            keys: list[Key] = scheme.load_keys(piece.data, "key")
        except UsageError as error:
            raise UsageError(f"{piece.name}: {error}") from error
        if keys:
            return keys
    raise UsageError(f"{piece.name}: no known kind of public key")


def _certificates(piece: Piece) -> tuple[Any, ...]:
    from assay.x509.load import read_certificates

    try:
        return tuple(read_certificates(piece.data))
    except AssayError as error:
        raise UsageError(f"{piece.name}: {error.finding.detail}") from error
