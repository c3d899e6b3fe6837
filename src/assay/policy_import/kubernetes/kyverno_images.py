"""ImageValidatingPolicy of Kyverno (https://kyverno.io/docs/policy-types/image-validating-policy/,
policies.kyverno.io/v1alpha1, v1beta1 and v1).

What it asks for stands in validations, which are expressions in CEL. Those of the usual form, that
so many attestors signed or attested each image, are carried over; others are listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from assay.policy_import.kubernetes import signers
from assay.policy_import.kubernetes.cluster_image_policy import (
    check_repository,
    converted,
    identity,
)
from assay.policy_import.kubernetes.documents import Object
from assay.policy_import.kubernetes.fields import Fields
from assay.policy_import.kubernetes.names import (
    CelPattern,
    ImagePattern,
    Selection,
    Unknown,
    glob_of_library,
)
from assay.policy_import.kubernetes.rules import Asked, Lost, Rule, Several, Signed, every
from assay.policy_import.kubernetes.signers import (
    Certified,
    Identities,
    Material,
    NotaryCertificates,
    PlainKey,
    Signer,
)
from assay.policy_import.model import Meaning
from assay.trust.documents import Attestation, DocumentRule, ImageSignature, NotaryPayload

GROUP = "policies.kyverno.io"
VERSIONS = ("v1alpha1", "v1beta1", "v1")
KINDS = ("ImageValidatingPolicy", "NamespacedImageValidatingPolicy")

_ASIDE = (
    "failurePolicy", "auditAnnotations", "validationConfigurations", "credentials", "images",
    "webhookConfiguration", "evaluation", "autogen",
)  # fmt: skip


def read(one: Object) -> tuple[Rule, list[Meaning]]:
    """Read a policy; with it come remarks on what concerns no signature. Raises AssayError."""
    return _Policy(one).read()


class Attestor(Struct, frozen=True):
    """Someone who may sign; ``lost`` is what of it cannot be carried over."""

    signer: Signer | None
    annotations: tuple[tuple[str, str], ...]
    lost: tuple[Lost, ...]
    repository: str = ""


class _Policy:
    def __init__(self, one: Object) -> None:
        self._one = one
        self._notes: list[Meaning] = []

    def read(self) -> tuple[Rule, list[Meaning]]:
        top = self._one.fields
        top.close("apiVersion", "kind", "metadata", "spec", "status")
        spec = top.object("spec")
        spec.close(
            "matchConstraints", "matchConditions", "variables", "validationActions",
            "matchImageReferences", "attestors", "attestations", "validations", *_ASIDE,
        )  # fmt: skip
        for name in _ASIDE:
            if spec.has(name):
                text = "it tells a cluster how to go about it"
                where, line = spec.path(name), spec.line_of(name)
                self._notes.append(self._one.note(where, line, text))
        patterns = tuple(_pattern(each) for each in spec.objects("matchImageReferences"))
        attestors = {
            each.text("name"): _attestor(each) for each in spec.objects("attestors", needed=True)
        }
        kinds = {each.text("name"): _attestation(each) for each in spec.objects("attestations")}
        asked = [
            _validation(each, attestors, kinds) for each in spec.objects("validations", needed=True)
        ]
        lost = [*_narrowing(spec), *_unread(spec)]
        rule = Rule(
            self._one.scope,
            Selection(patterns),
            every([*dict.fromkeys(asked), *lost]),
            advisory=_advisory(spec),
        )
        return rule, self._notes


def _advisory(spec: Fields) -> bool:
    actions = spec.texts("validationActions")
    for action in actions:
        if action not in ("Deny", "Warn", "Audit"):
            raise spec.fail("validationActions", f"holds {action[:80]!r}")
    return bool(actions) and "Deny" not in actions


def _narrowing(spec: Fields) -> Iterator[Lost]:
    why = "it narrows down the objects of a cluster, and an image alone is none"
    if spec.has("matchConditions"):
        yield Lost(spec.path("matchConditions"), spec.line_of("matchConditions"), why)
    if spec.has("matchConstraints"):
        constraints = spec.object("matchConstraints")
        for name in constraints.names():
            if name not in ("resourceRules", "matchPolicy") and constraints.plain(name):
                yield Lost(constraints.path(name), constraints.line_of(name), why)


def _unread(spec: Fields) -> Iterator[Lost]:
    for one in spec.objects("matchImageReferences"):
        try:
            _readable(one)
        except ValueError as error:
            yield Lost(one.where, one.line, f"which images it is about: {error}")


def _readable(one: Fields) -> ImagePattern:
    if one.one_of("glob", "expression") == "glob":
        return glob_of_library(one.text("glob"))
    return CelPattern.parse(one.text("expression"))


def _pattern(one: Fields) -> ImagePattern:
    one.close("glob", "expression")
    try:
        return _readable(one)
    except ValueError:
        return Unknown()


def _attestor(one: Fields) -> Attestor:
    one.close("name", "cosign", "notary")
    if one.one_of("cosign", "notary") == "notary":
        return _notary(one.object("notary"))
    return _cosign(one.object("cosign"))


def _notary(one: Fields) -> Attestor:
    one.close("certs", "tsaCerts")
    if not one.has("certs"):
        raise one.fail("certs", "is missing")
    lost = [found for name in ("certs", "tsaCerts") if (found := _computed(one, name))]
    if lost:
        return Attestor(None, (), tuple(lost))
    certs = converted(one.object("certs"), "value", signers.certificates)
    clocks = ()
    if one.has("tsaCerts"):
        clocks = converted(one.object("tsaCerts"), "value", signers.certificates)
    return Attestor(NotaryCertificates(certs, clocks), (), ())


def _computed(one: Fields, name: str) -> Lost | None:
    """A value that is an expression."""
    if not one.has(name):
        return None
    inner = one.object(name)
    inner.close("value", "expression")
    if inner.one_of("value", "expression") == "value":
        return None
    why = "an expression, which only a cluster evaluates"
    return Lost(inner.path("expression"), inner.line_of("expression"), why)


def _cosign(one: Fields) -> Attestor:
    one.close(
        "key", "keyless", "certificate", "source", "ctlog", "tuf", "annotations",
    )  # fmt: skip
    lost: list[Lost] = []
    repository = ""
    if one.has("tuf"):
        why = "a TUF repository; give its trusted_root.json with --trusted-root"
        lost.append(Lost(one.path("tuf"), one.line_of("tuf"), why))
    if one.has("source"):
        source = one.object("source")
        source.close("repository", "PullSecrets", "tagPrefix")
        check_repository(source, "repository")
        repository = source.text("repository", "")
        if source.has("tagPrefix"):
            why = "signatures under tags with a prefix are not looked for"
            lost.append(Lost(source.path("tagPrefix"), source.line_of("tagPrefix"), why))
    material, ignored = _material(one)
    kind = one.one_of("key", "keyless", "certificate")
    inner = one.object(kind)
    found: Signer | Lost
    if kind == "key":
        found = _key(inner, not ignored, material)
    elif kind == "keyless":
        found = _keyless(inner, material)
    else:
        found = _certificate(inner, ignored)
    if isinstance(found, Lost):
        return Attestor(None, (), (*lost, found))
    return Attestor(found, one.pairs("annotations"), tuple(lost), repository)


def _material(one: Fields) -> tuple[Material, bool]:
    """What proofs are checked with, and whether no log is asked for."""
    if not one.has("ctlog"):
        return Material(), False
    log = one.object("ctlog")
    log.close(
        "url", "rekorPubKey", "ctLogPubKey", "tsaCertChain", "insecureIgnoreTlog",
        "insecureIgnoreSCT",
    )  # fmt: skip

    def given(name: str, read_text: Callable[[str], Any]) -> Any:
        return converted(log, name, read_text) if log.text(name, "") else ()

    log_keys = given("rekorPubKey", signers.public_keys)
    certificate_log_keys = given("ctLogPubKey", signers.public_keys)
    return Material(
        log_key=log_keys[0] if log_keys else None,
        certificate_log_key=certificate_log_keys[0] if certificate_log_keys else None,
        clocks=given("tsaCertChain", signers.certificates),
        url=log.text("url", ""),
        ignore_certificate_log=log.flag("insecureIgnoreSCT", False),
    ), log.flag("insecureIgnoreTlog", False)


def _key(one: Fields, logged: bool, material: Material) -> Signer | Lost:
    one.close("data", "kms", "hashAlgorithm", "expression")
    match one.one_of("data", "kms", "expression"):
        case "kms":
            return Lost(one.path("kms"), one.line_of("kms"), "the key is in a key service")
        case "expression":
            why = "an expression, which only a cluster evaluates"
            return Lost(one.path("expression"), one.line_of("expression"), why)
    one.word("hashAlgorithm", ("sha224", "sha256", "sha384", "sha512"))
    keys = converted(one, "data", signers.public_keys)
    if len(keys) != 1:
        raise one.fail("data", f"holds {len(keys)} keys, and not one")
    return PlainKey(keys[0], logged, material)


def _keyless(one: Fields, material: Material) -> Signer:
    one.close("identities", "roots")
    patterns = tuple(identity(each) for each in one.objects("identities", needed=True))
    if one.text("roots", ""):
        authorities = converted(one, "roots", signers.certificates)
        material = Material(
            authorities,
            material.log_key,
            material.certificate_log_key,
            material.clocks,
            material.url,
            ignore_certificate_log=material.ignore_certificate_log,
        )
    return Identities(patterns, material)


def _certificate(one: Fields, ignored: bool) -> Signer | Lost:
    one.close("cert", "certChain")
    for name in ("cert", "certChain"):
        if (lost := _computed(one, name)) is not None:
            return lost
    found = [
        converted(one.object(name), "value", signers.certificates) if one.has(name) else ()
        for name in ("cert", "certChain")
    ]
    if not any(found):
        raise one.fail("", "has neither cert nor certChain")
    if not ignored:
        why = "a log is asked for with it (unless insecureIgnoreTlog is set), and is not checked"
        return Lost(one.where, one.line, f"a signer's own certificate: {why}")
    leaf, chain = found
    return Certified(leaf[0] if leaf else None, chain)


def _attestation(one: Fields) -> str | Lost:
    """The predicate type of an attestation."""
    one.close("name", "intoto", "referrer")
    kind = one.one_of("intoto", "referrer")
    inner = one.object(kind)
    inner.close("type")
    if kind == "referrer":
        why = f"an artifact of type {inner.text('type')}, signed on its own"
        return Lost(inner.where, inner.line, why)
    return inner.text("type")


_COUNT = r"(?P<sign>>=|>|==)\s*(?P<number>[0-9]{1,3})"
_LIST = r"\[\s*(?P<attestors>attestors\.\w+(?:\s*,\s*attestors\.\w+)*)\s*,?\s*\]"
_VALIDATION = re.compile(
    r"\s*images\.\w+\s*\.\s*map\s*\(\s*(?P<image>\w+)\s*,\s*"
    r"(?:verifyImageSignatures\s*\(\s*(?P=image)\s*,\s*"
    r"|verifyAttestationSignatures\s*\(\s*(?P=image)\s*,\s*attestations\.(?P<kind>\w+)\s*,\s*)"
    + _LIST
    + r"\s*\)\s*\)\s*\.\s*all\s*\(\s*(?P<each>\w+)\s*,\s*(?P=each)\s*"
    + _COUNT
    + r"\s*\)\s*",
    re.ASCII,
)


def _validation(one: Fields, attestors: dict[str, Attestor], kinds: dict[str, str | Lost]) -> Asked:
    one.close("expression", "message", "messageExpression", "reason")
    found = _VALIDATION.fullmatch(one.text("expression"))
    where, line = one.path("expression"), one.line_of("expression")
    if found is None:
        return Lost(where, line, "an expression in CEL of another form than is known here")
    named = [each.strip().removeprefix("attestors.") for each in found["attestors"].split(",")]
    for name in named:
        if name not in attestors:
            raise one.fail("expression", f"speaks of attestors.{name}, and there is none")
    if len(set(named)) != len(named):
        raise one.fail("expression", "names an attestor twice")
    count = int(found["number"]) + (found["sign"] == ">")
    if not 1 <= count <= len(named):
        return Lost(where, line, "a number of attestors that cannot be asked for")
    kind: str | None = None
    if found["kind"] is not None:
        meant = kinds.get(found["kind"])
        if meant is None:
            raise one.fail("expression", f"speaks of attestations.{found['kind']}")
        if isinstance(meant, Lost):
            return meant
        kind = meant
    if found["sign"] == "==" and count < len(named):
        return Lost(where, line, "that no more than so many attestors signed")
    parts = [_signed(one, attestors[name], kind) for name in named]
    return parts[0] if len(parts) == 1 else Several(count, tuple(parts))


def _signed(one: Fields, attestor: Attestor, kind: str | None) -> Asked:
    if attestor.signer is None:
        return every(attestor.lost)
    notary = isinstance(attestor.signer, NotaryCertificates)
    documents: DocumentRule
    if kind is not None:
        what, documents = f"an attestation of type {kind}", Attestation((kind,))
        if notary:
            return Lost(one.where, one.line, f"{what}, signed by Notary as an artifact of its own")
    else:
        documents = NotaryPayload() if notary else ImageSignature(attestor.annotations)
        what = "a signature" + "".join(
            f", annotated with {name}={value}" for name, value in attestor.annotations
        )
    asked: Asked = Signed(
        one.where, one.line, what, attestor.signer, documents, attestor.repository
    )
    return every([asked, *attestor.lost])
