"""From containers-policy.json(5) to requirements: all that apply to an image have to hold, each by
its own keys and for the name that it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from assay.model.anchor import Anchor
from assay.model.codes import policy as codes
from assay.model.finding import Code, Finding
from assay.model.signature import Key
from assay.policy_import.containers import grammar, signers
from assay.policy_import.containers.grammar import PolicyFile, Required
from assay.policy_import.containers.scopes import Place, place_of
from assay.policy_import.model import NOWHERE, Applied, Around, Meaning, Policy, PolicyImporter
from assay.trust.containers.identity import (
    MatchExact,
    MatchRepoDigestOrExact,
    MatchRepository,
    RemapIdentity,
)
from assay.trust.documents import SimpleSigning
from assay.trust.requirements import Requirement

FORMAT = "containers-policy.json"


class ContainersPolicy(Struct, frozen=True):
    """A policy that was read."""

    file: PolicyFile

    @property
    def format(self) -> str:
        return FORMAT

    def apply(self, image: str, lent: Sequence[Key] = ()) -> Applied:
        place = place_of(image)
        where, required = self._required(place)
        requirements: list[Requirement] = []
        findings: list[Finding] = []
        for number, one in enumerate(required):
            here = f"{where}[{number}]"
            if (code := _verdict_of(one)) is not None:
                findings.append(Finding.of(code, detail=f"{here}: {meaning_of(one)[0]}"))
            else:
                requirements.append(_requirement(one, here, number, place, lent))
        return Applied((where,), tuple(requirements), tuple(findings))

    def _required(self, place: Place) -> tuple[str, tuple[Required, ...]]:
        scopes = self.file.transports.get(place.transport, {})
        for scope in place.scopes:
            if scope in scopes:
                return f"transports.{place.transport}.{scope or '(any)'}", scopes[scope]
        return "default", self.file.default

    def meanings(self) -> list[Meaning]:
        return list(self._meanings())

    def _meanings(self) -> Iterator[Meaning]:
        parts = {"default": self.file.default}
        for transport, scopes in self.file.transports.items():
            for scope, required in scopes.items():
                parts[f"transports.{transport}.{scope or '(any)'}"] = required
        for where, required in parts.items():
            for number, one in enumerate(required):
                text, carried = meaning_of(one)
                yield Meaning(f"{where}[{number}]", text, carried, scope=where)


def _verdict_of(one: Required) -> Code | None:
    """The finding for a requirement that no signature decides about; None for others."""
    match one:
        case grammar.Reject():
            return codes.POLICY_REJECTS
        case grammar.AcceptAnything():
            return codes.POLICY_ACCEPTS_ANYTHING
    return None if meaning_of(one)[1] else codes.POLICY_NOT_CARRIED


def meaning_of(one: Required) -> tuple[str, bool]:
    """What a requirement asks for, in words, and whether it can be checked."""
    match one:
        case grammar.Reject():
            return "nothing is let in", True
        case grammar.AcceptAnything():
            return "anything is let in, signed or not", True
        case grammar.SignedBaseLayer():
            return "signedBaseLayer: no tool checks this", False
        case grammar.SignedBy(key_type=kind) if kind != grammar.GPG_KEYS:
            return f"signedBy with keyType {kind}: no tool checks this", False
        case grammar.SignedBy():
            return f"an OpenPGP signature by {one.keys.describe()}, {_name(one)}", True
        case grammar.SigstoreSigned():
            logged = f", logged by {one.logs.describe()}" if one.logs is not None else ""
            by = signers.describe(one.signers)
            return f"a Sigstore signature by {by}{logged}, {_name(one)}", True


def _name(one: grammar.SignedBy | grammar.SigstoreSigned) -> str:
    match one.identity:
        case MatchExact():
            return "for exactly the name that the image is used by"
        case MatchRepoDigestOrExact():
            return "for the name that the image is used by (any tag, if used by digest)"
        case MatchRepository():
            return "for any image of its repository"
        case RemapIdentity(prefix=prefix, signed_prefix=signed):
            return f"for its name with {signed} in place of {prefix}"
    return f"for {one.identity.describe(None)}"


def _requirement(
    one: Required, where: str, number: int, place: Place, lent: Sequence[Key]
) -> Requirement:
    assert isinstance(one, grammar.SignedBy | grammar.SigstoreSigned)
    by_name = isinstance(one, grammar.SigstoreSigned) and not isinstance(
        one.signers, grammar.Material
    )
    kind = "identity" if by_name else "key"
    anchor = Anchor(f"policy:{number + 1}", kind, f"{where}: {meaning_of(one)[0]}", where)
    if isinstance(one, grammar.SignedBy):
        keys, schemes = signers.openpgp_keys(one.keys, anchor.id), ("openpgp",)
    else:
        keys, schemes = signers.sigstore_keys(one, anchor.id, lent), ("cosign",)
    return Requirement(anchor, keys, schemes, SimpleSigning(), one.identity, place.reference)


class ContainersPolicyImporter:
    name = FORMAT

    def recognise(self, data: bytes) -> bool:
        marks = b'"default"' in data or b'"transports"' in data
        return data.lstrip()[:1] == b"{" and marks and b'"apiVersion"' not in data

    def read(self, data: bytes, around: Around = NOWHERE) -> Policy:
        return ContainersPolicy(grammar.parse_policy(data))


IMPORTER: PolicyImporter = ContainersPolicyImporter()
