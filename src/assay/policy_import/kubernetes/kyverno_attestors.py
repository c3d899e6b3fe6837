"""Sets of attestors in Kyverno's ``verifyImages``: ``count`` of their entries, which may be sets
again. Without a count it is all of them, and each key in ``publicKeys`` is an entry of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from assay import limits
from assay.model.identity import IdentityPattern, NamePattern
from assay.policy_import.kubernetes import signers
from assay.policy_import.kubernetes.cluster_image_policy import check_repository, converted, exactly
from assay.policy_import.kubernetes.fields import Fields
from assay.policy_import.kubernetes.go_regexp import read_regexp
from assay.policy_import.kubernetes.rules import Asked, Lost, Several, Signed, every
from assay.policy_import.kubernetes.signers import (
    Certified,
    Identities,
    Material,
    NotaryCertificates,
    PlainKey,
    Signer,
)
from assay.trust.conditions import wildcard_pattern
from assay.trust.documents import DocumentRule

Annotations = tuple[tuple[str, str], ...]
RuleFor = Callable[[Annotations], DocumentRule]
"""The rule for documents by which the annotations asked for are there."""

_EXTENSIONS = {
    "oidcIssuer": "issuer-v1",
    "githubWorkflowTrigger": "trigger-v1",
    "githubWorkflowSha": "sha-v1",
    "githubWorkflowName": "workflow-name-v1",
    "githubWorkflowRepository": "repository-v1",
    "githubWorkflowRef": "ref-v1",
}
_ARC = "1.3.6.1.4.1.57264.1."
_DIGESTS = ("sha224", "sha256", "sha384", "sha512")


class Attestors:
    """Reads the attestors of one entry of ``verifyImages``."""

    def __init__(self, entry: Fields, *, notary: bool) -> None:
        self._notary = notary
        self._annotations = entry.pairs("annotations")
        self._repository = entry.text("repository", "")
        check_repository(entry, "repository")

    def of_set(self, one: Fields, what: str, rule: RuleFor, depth: int = 0) -> Asked:
        """What a set asks for. Raises AssayError."""
        if depth > limits.NESTING:
            raise one.fail("", f"is nested deeper than {limits.NESTING} sets")
        one.close("count", "entries")
        parts: list[Asked] = []
        for entry in one.objects("entries", needed=True):
            parts += self._entry(entry, what, rule, depth)
        count = one.count("count") or len(parts)
        if count > len(parts):
            raise one.fail("count", f"is {count}, and there are {len(parts)} entries")
        return parts[0] if len(parts) == 1 else Several(count, tuple(parts))

    def _entry(self, entry: Fields, what: str, rule: RuleFor, depth: int) -> Iterator[Asked]:
        entry.close(
            "keys", "certificates", "keyless", "attestor", "annotations", "repository",
            "signatureAlgorithm",
        )  # fmt: skip
        entry.word("signatureAlgorithm", _DIGESTS)
        kind = entry.one_of("keys", "certificates", "keyless", "attestor")
        if kind == "attestor":
            yield self.of_set(entry.object("attestor"), what, rule, depth + 1)
            return
        if self._notary and kind != "certificates":
            raise entry.fail(kind, "does not go with the type Notary")
        annotations = entry.pairs("annotations") or self._annotations
        documents = rule(annotations)
        shown = what + "".join(f", annotated with {name}={value}" for name, value in annotations)
        repository = entry.text("repository", "") or self._repository
        check_repository(entry, "repository")
        for found in self._signers(entry.object(kind), kind):
            if isinstance(found, Lost):
                yield found
            else:
                yield Signed(entry.where, entry.line, shown, found, documents, repository)

    def _signers(self, one: Fields, kind: str) -> Iterator[Signer | Lost]:
        match kind:
            case "keys":
                yield from _keys(one)
            case "certificates":
                yield self._certificates(one)
            case _:
                yield _keyless(one)

    def _certificates(self, one: Fields) -> Signer | Lost:
        one.close("cert", "certChain", "rekor", "ctlog")
        for name in ("cert", "certChain"):
            if one.has(name) and (lost := _elsewhere(one, name)) is not None:
                return lost
        leaf = converted(one, "cert", signers.certificates) if one.has("cert") else ()
        chain = converted(one, "certChain", signers.certificates) if one.has("certChain") else ()
        if not leaf and not chain:
            raise one.fail("", "has neither cert nor certChain")
        if self._notary:
            return NotaryCertificates((*leaf, *chain))
        if len(leaf) > 1:
            raise one.fail("cert", "holds several certificates")
        if not _material(one)[1]:
            why = "a log is asked for with it (unless rekor.ignoreTlog is set), and is not checked"
            return Lost(one.where, one.line, f"a signer's own certificate: {why}")
        return Certified(leaf[0] if leaf else None, chain)

    def of_old_form(self, entry: Fields, what: str, rule: RuleFor) -> Asked:
        """The members of an entry that attestors have replaced."""
        documents = rule(self._annotations)
        if entry.has("key"):
            found: list[Signer | Lost] = list(_plain_keys(entry, "key", True, Material()))
        else:
            found = [_keyless(entry, own=False)]
        return every(
            [
                each
                if isinstance(each, Lost)
                else Signed(entry.where, entry.line, what, each, documents, self._repository)
                for each in found
            ]
        )


def _keys(one: Fields) -> Iterator[Signer | Lost]:
    one.close("publicKeys", "kms", "secret", "rekor", "ctlog", "signatureAlgorithm")
    one.word("signatureAlgorithm", _DIGESTS)
    match one.one_of("publicKeys", "kms", "secret"):
        case "kms":
            yield Lost(one.path("kms"), one.line_of("kms"), "the key is in a key service")
        case "secret":
            yield Lost(
                one.path("secret"), one.line_of("secret"), "the key is in a cluster's secret"
            )
        case _:
            material, ignored = _material(one)
            yield from _plain_keys(one, "publicKeys", not ignored, material)


def _plain_keys(
    one: Fields, name: str, logged: bool, material: Material
) -> Iterator[Signer | Lost]:
    if (lost := _elsewhere(one, name)) is not None:
        yield lost
        return
    for key in converted(one, name, signers.public_keys):
        yield PlainKey(key, logged, material)


def _elsewhere(one: Fields, name: str) -> Lost | None:
    """Keys that a cluster puts in, or has elsewhere."""
    text = one.text(name).strip()
    if "-----BEGIN" not in text and ("://" in text or "{{" in text):
        return Lost(one.path(name), one.line_of(name), "the key is elsewhere; put it in as PEM")
    return None


def _material(one: Fields) -> tuple[Material, bool]:
    """What proofs are checked with, and whether no log is asked for."""
    url, ignored = "", False
    log_key = certificate_log_key = None
    clocks = ()
    ignore_certificate_log = False
    if one.has("rekor"):
        rekor = one.object("rekor")
        rekor.close("url", "pubkey", "ignoreTlog")
        url, ignored = rekor.text("url", ""), rekor.flag("ignoreTlog", False)
        if rekor.text("pubkey", ""):
            log_key = converted(rekor, "pubkey", signers.public_keys)[0]
    if one.has("ctlog"):
        ctlog = one.object("ctlog")
        ctlog.close("ignoreSCT", "pubkey", "tsaCertChain")
        ignore_certificate_log = ctlog.flag("ignoreSCT", False)
        if ctlog.text("pubkey", ""):
            certificate_log_key = converted(ctlog, "pubkey", signers.public_keys)[0]
        if ctlog.text("tsaCertChain", ""):
            clocks = converted(ctlog, "tsaCertChain", signers.certificates)
    return Material(
        log_key=log_key,
        certificate_log_key=certificate_log_key,
        clocks=clocks,
        url=url,
        ignore_certificate_log=ignore_certificate_log,
    ), ignored


def _keyless(one: Fields, *, own: bool = True) -> Signer | Lost:
    """Identities; ``own`` where the members are those of ``keyless`` alone."""
    if own:
        one.close(
            "rekor", "ctlog", "issuer", "issuerRegExp", "subject", "subjectRegExp", "roots",
            "additionalExtensions",
        )  # fmt: skip
    name = _pattern(one, "subject", "subjectRegExp")
    if name is None:
        return Lost(one.where, one.line, "an identity without a subject: anybody would do")
    issuer = _pattern(one, "issuer", "issuerRegExp")
    claims: list[tuple[str, NamePattern]] = []
    for extension, wanted in one.pairs("additionalExtensions"):
        claim = _EXTENSIONS.get(extension) or _by_oid(extension)
        if claim is None:
            where, line = one.path("additionalExtensions"), one.line_of("additionalExtensions")
            return Lost(where, line, f"the extension {extension!r} is not known")
        claims.append((claim, _wildcard(wanted)))
    material = _material(one)[0] if own else Material()
    if one.text("roots", ""):
        if (lost := _elsewhere(one, "roots")) is not None:
            return lost
        authorities = converted(one, "roots", signers.certificates)
        material = Material(
            authorities,
            material.log_key,
            material.certificate_log_key,
            material.clocks,
            material.url,
            ignore_certificate_log=material.ignore_certificate_log,
        )
    return Identities((IdentityPattern(name, issuer, tuple(sorted(claims))),), material)


def _by_oid(text: str) -> str | None:
    number = text.removeprefix(_ARC)
    names = dict(enumerate(_EXTENSIONS.values(), 1))
    return names.get(int(number)) if text != number and number in "123456" else None


def _pattern(one: Fields, name: str, regexp: str) -> NamePattern | None:
    if one.has(name) and one.has(regexp):
        raise one.fail(regexp, f"does not go with {name}")
    if one.text(regexp, "") if one.has(regexp) else "":
        found: NamePattern = converted(one, regexp, read_regexp)
        return found
    text = one.text(name, "")
    return _wildcard(text) if text else None


def _wildcard(text: str) -> NamePattern:
    """A name in which ``*`` stands for any characters and ``?`` for one."""
    if not re.search(r"[*?]", text):
        return exactly(text)
    return NamePattern(f"regex:(?s:{wildcard_pattern(text)})")
