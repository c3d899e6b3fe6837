"""Trust policies and trust stores of notation, as they stand in its configuration directory
(notaryproject/specifications, trust-store-trust-policy.md).

What a policy asks for is carried over in full or not at all: an unknown word, a rule that Assay
cannot keep, a policy that does not ask who signed are errors. Every error is a UsageError.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, UsageError
from assay.signatures.notary.policy import Action, Policy, Rules, Stamp, Subject
from assay.sources.registry.names import name_in_registry
from assay.trust.notation_store import SCHEMES, TIME_STORE, TrustStores
from assay.trust.notation_subjects import parse_subjects

_POLICY = {"name", "signatureVerification", "trustStores", "trustedIdentities"}
_VERIFICATION = {"level", "override", "verifyTimestamp"}
_SCOPE = re.compile(r"[A-Za-z0-9.-]+(:\d+)?/[a-z0-9._/-]*[a-z0-9]", re.ASCII)
_STORE = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_ENFORCE, _LOG = Action.ENFORCE, Action.LOG
_LEVELS = {
    "strict": dict.fromkeys(
        ("authenticity", "authenticTimestamp", "expiry", "revocation"), _ENFORCE
    ),
    "permissive": {
        "authenticity": _ENFORCE,
        "authenticTimestamp": _LOG,
        "expiry": _LOG,
        "revocation": _LOG,
    },
    "audit": dict.fromkeys(("authenticity", "authenticTimestamp", "expiry", "revocation"), _LOG),
    "skip": {},
}
_OF_IMAGES = ("oci", "oci-archive", "docker-archive", "dir", "bundle")
"""What names begin with that are no names of plain files."""
_STAMPS = {"": Stamp.ALWAYS, "always": Stamp.ALWAYS, "afterCertExpiry": Stamp.AFTER_EXPIRY}


class Statement(Struct, frozen=True):
    """One policy as it is written. ``scopes`` are repositories, or ``*``; ``everywhere`` is set
    for the policy that counts where no other does."""

    name: str
    scopes: tuple[str, ...]
    everywhere: bool
    level: str
    actions: dict[str, Action]
    stamp: Stamp
    stores: tuple[tuple[str, str], ...]
    subjects: tuple[Subject, ...]


class NotationConfig(Struct, frozen=True):
    """The configuration in one directory, checked in full. ``images`` are the policies for images
    in registries, ``files`` those for files; ``chosen`` is the name of the one to use, whatever
    the image, and empty where that follows from the image."""

    folder: Path
    images: tuple[Statement, ...]
    files: tuple[Statement, ...]
    chosen: str = ""

    def policy_for(self, resolved: str) -> tuple[str, Policy]:
        """The policy for an image, by the name that it was resolved to, and what it is called.
        Raises UsageError when there is none, or when it cannot vouch for anything."""
        statement = self.statement_for(resolved)
        return statement.name, _carried_over(statement, self.folder)

    def statement_for(self, resolved: str) -> Statement:
        """The policy for an image, as it is written. Raises UsageError when there is none."""
        every = (*self.images, *self.files)
        if self.chosen:
            found = [each for each in every if each.name == self.chosen]
            if not found:
                known = ", ".join(each.name for each in every)
                raise UsageError(f"{self.folder}: no policy {self.chosen!r}; there are {known}")
            if len(found) > 1:
                raise UsageError(f"{self.folder}: two policies are called {self.chosen!r}")
            return found[0]
        reference = name_in_registry(resolved)
        if reference is not None:
            for each in self.images:
                if reference.name in each.scopes:
                    return each
        kept = resolved.partition(":")[0] in _OF_IMAGES
        of_files = self.files and reference is None and not kept
        for each in self.files if of_files else self.images:
            if each.everywhere:
                return each
        raise UsageError(
            f"{self.folder}: no trust policy applies to {resolved}; name the repository in the"
            " registryScopes of one, or choose one by its name"
        )


def read_config(folder: Path, chosen: str = "") -> NotationConfig:
    """Read the trust policies in a configuration directory. Raises UsageError."""
    images, files = folder / "trustpolicy.oci.json", folder / "trustpolicy.blob.json"
    if not images.exists():
        images = folder / "trustpolicy.json"
    if not images.exists() and not files.exists():
        raise UsageError(f"{folder}: there is no trustpolicy.json, nor trustpolicy.blob.json")
    return NotationConfig(
        folder,
        _document(images, blob=False) if images.exists() else (),
        _document(files, blob=True) if files.exists() else (),
        chosen,
    )


def _document(path: Path, *, blob: bool) -> tuple[Statement, ...]:
    data = read_bounded(path, limits.NOTATION_POLICY_SIZE, "trust policy")
    return parse_policies(data, str(path), blob=blob)


def parse_policies(data: bytes, path: str, *, blob: bool) -> tuple[Statement, ...]:
    """The policies of a document, for files (``blob``) or for images; ``path`` is what errors call
    it. Raises UsageError."""
    try:
        value = strict_json.parse_object(data, path)
    except AssayError as error:
        raise UsageError(f"{path}: {error.finding.detail}") from error
    _only(value, {"version", "trustPolicies"}, path)
    if value.get("version") != "1.0":
        raise UsageError(f"{path}: version {value.get('version')!r}, and only 1.0 is known")
    listed = _list(value, "trustPolicies", path)
    found = tuple(
        _statement(each, f"{path}: policy {n + 1}", blob) for n, each in enumerate(listed)
    )
    _check_apart([each.name for each in found], f"{path}: two policies are called")
    _check_apart([s for each in found for s in each.scopes], f"{path}: two policies are for")
    if sum(each.everywhere for each in found) > 1:
        raise UsageError(f"{path}: two policies count where no other does")
    return found


def _check_apart(values: list[str], problem: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise UsageError(f"{problem} {value!r}")


def _statement(value: Any, where: str, blob: bool) -> Statement:
    if not isinstance(value, dict):
        raise UsageError(f"{where} is not an object")
    _only(value, _POLICY | ({"globalPolicy"} if blob else {"registryScopes"}), where)
    name = value.get("name")
    if not isinstance(name, str) or not name:
        raise UsageError(f"{where} has no name")
    where = f"{where} ({name!r})"
    scopes: tuple[str, ...] = ()
    everywhere = False
    if blob:
        marked = value.get("globalPolicy", False)
        if not isinstance(marked, bool):
            raise UsageError(f"{where}: globalPolicy is neither true nor false")
        everywhere = marked
    else:
        scopes = tuple(_texts(value, "registryScopes", where))
        everywhere = scopes == ("*",)
        _check_scopes(scopes, where)
    verification = value.get("signatureVerification")
    if not isinstance(verification, dict):
        raise UsageError(f"{where}: signatureVerification is missing")
    level, actions, stamp = _verification(verification, where)
    if level == "skip":
        if everywhere or value.get("trustStores") or value.get("trustedIdentities"):
            raise UsageError(
                f"{where}: level skip goes with neither trust stores nor identities, nor with all"
                " images"
            )
        return Statement(name, scopes, everywhere, level, actions, stamp, (), ())
    stores = tuple(_store(text, where) for text in _texts(value, "trustStores", where))
    identities = _texts(value, "trustedIdentities", where)
    return Statement(
        name, scopes, everywhere, level, actions, stamp, stores, parse_subjects(identities, where)
    )


def _check_scopes(scopes: tuple[str, ...], where: str) -> None:
    if "*" in scopes and len(scopes) > 1:
        raise UsageError(f"{where}: the scope * stands with others")
    for scope in scopes:
        if scope != "*" and not _SCOPE.fullmatch(scope):
            raise UsageError(f"{where}: the scope {scope[:200]!r} is not a repository")


def _verification(value: dict[str, Any], where: str) -> tuple[str, dict[str, Action], Stamp]:
    _only(value, _VERIFICATION, f"{where}: signatureVerification")
    level = value.get("level")
    if not isinstance(level, str) or level not in _LEVELS:
        raise UsageError(f"{where}: level {level!r} is none of {', '.join(_LEVELS)}")
    actions = dict(_LEVELS[level])
    override = value.get("override", {})
    if not isinstance(override, dict):
        raise UsageError(f"{where}: override is not an object")
    if override and level == "skip":
        raise UsageError(f"{where}: level skip cannot be overridden")
    for check, action in override.items():
        allowed = ("enforce", "log", "skip") if check == "revocation" else ("enforce", "log")
        if check not in actions or action not in allowed:
            raise UsageError(f"{where}: override of {check!r} by {action!r} is not defined")
        actions[check] = Action(action)
    stamp = value.get("verifyTimestamp", "")
    if not isinstance(stamp, str) or stamp not in _STAMPS:
        raise UsageError(f"{where}: verifyTimestamp is neither always nor afterCertExpiry")
    return level, actions, _STAMPS[stamp]


def _store(text: str, where: str) -> tuple[str, str]:
    kind, colon, name = text.partition(":")
    if not colon or kind not in (*SCHEMES, TIME_STORE) or not _STORE.fullmatch(name):
        raise UsageError(
            f"{where}: {text[:200]!r} names no trust store (ca:NAME, signingAuthority:NAME,"
            " tsa:NAME)"
        )
    if name in (".", ".."):
        raise UsageError(f"{where}: {text!r} is not the name of a trust store")
    return kind, name


def _carried_over(statement: Statement, folder: Path) -> Policy:
    """The policy that a statement comes to."""
    where = f"{folder}: policy {statement.name!r}"
    if statement.actions.get("authenticity") is not Action.ENFORCE:
        raise UsageError(
            f"{where}: it does not require that a trusted signer signed ({statement.level}), so it"
            " can vouch for no image"
        )
    return policy_of(statement, TrustStores(folder / "truststore" / "x509"), where)


def policy_of(statement: Statement, stores: TrustStores, where: str) -> Policy:
    """What a statement trusts; ``where`` is what errors call it. Raises UsageError."""
    authorities, clocks = stores.load(statement.stores)
    if not any(authorities.values()):
        raise UsageError(f"{where}: it names no trust store of authorities")
    return Policy(
        authorities,
        clocks,
        statement.subjects,
        Rules(
            validity=statement.actions["authenticTimestamp"],
            expiry=statement.actions["expiry"],
            revocation=statement.actions["revocation"],
            stamp=statement.stamp if clocks else Stamp.IF_PRESENT,
            must_ask=statement.actions["revocation"] is not Action.SKIP,
        ),
    )


def _only(value: dict[str, Any], known: set[str], where: str) -> None:
    for key in value:
        if key not in known:
            raise UsageError(f"{where}: {key[:80]!r} is not known")


def _list(value: dict[str, Any], name: str, where: str) -> list[Any]:
    found = value.get(name)
    if not isinstance(found, list) or not found:
        raise UsageError(f"{where}: {name} is missing or empty")
    if len(found) > limits.NOTATION_ENTRIES:
        raise UsageError(f"{where}: {name} has more than {limits.NOTATION_ENTRIES} entries")
    return found


def _texts(value: dict[str, Any], name: str, where: str) -> list[str]:
    found = _list(value, name, where)
    if not all(isinstance(each, str) and each for each in found):
        raise UsageError(f"{where}: {name} holds something that is not text")
    _check_apart(found, f"{where}: {name} names twice")
    return found
