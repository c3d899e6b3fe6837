"""ClusterImagePolicy of sigstore's policy-controller, and the TrustRoot that it may refer to
(https://docs.sigstore.dev/policy-controller/overview/, versions v1alpha1 and v1beta1).

Of the authorities of a policy one has to be met, and of all policies that are about an image each.
An authority with attestations is met by all of these, and looks for no other signature.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from assay.model.identity import IdentityPattern, NamePattern
from assay.policy_import.kubernetes import signers
from assay.policy_import.kubernetes.documents import Object
from assay.policy_import.kubernetes.fields import Fields
from assay.policy_import.kubernetes.go_regexp import read_regexp
from assay.policy_import.kubernetes.names import Selection, sigstore_glob
from assay.policy_import.kubernetes.rules import (
    Anything,
    Asked,
    Lost,
    Nothing,
    Rule,
    Signed,
    every,
    some,
)
from assay.policy_import.kubernetes.signers import Identities, Material, PlainKey
from assay.policy_import.model import Meaning
from assay.sigstore.trusted_root import TrustedRoot
from assay.trust.documents import Attestation, ImageSignature

GROUP = "policy.sigstore.dev"
VERSIONS = ("v1alpha1", "v1beta1")

PREDICATE_TYPES = {
    "custom": ("https://cosign.sigstore.dev/attestation/v1",),
    "slsaprovenance": ("https://slsa.dev/provenance/v0.2",),
    "slsaprovenance02": ("https://slsa.dev/provenance/v0.2",),
    "slsaprovenance1": ("https://slsa.dev/provenance/v1",),
    "spdx": ("https://spdx.dev/Document",),
    "spdxjson": ("https://spdx.dev/Document",),
    "cyclonedx": ("https://cyclonedx.org/bom",),
    "link": ("https://in-toto.io/Link/v1",),
    "vuln": ("https://cosign.sigstore.dev/attestation/vuln/v1",),
    "openvex": ("https://openvex.dev/ns",),
}
"""cosign's short names for predicate types."""

Roots = Mapping[str, TrustedRoot | Lost]
"""The trusted roots that a file brings along, by name, or why one cannot be used."""


def read(one: Object, roots: Roots) -> Rule:
    """Read a policy. Raises AssayError."""
    return _Reader(one, roots).rule()


class _Reader:
    def __init__(self, one: Object, roots: Roots) -> None:
        self._one, self._roots = one, roots
        self._notes: list[Meaning] = []

    def rule(self) -> Rule:
        one = self._one
        one.fields.close("apiVersion", "kind", "metadata", "spec", "status")
        spec = one.fields.object("spec")
        spec.close("images", "authorities", "policy", "mode", "match")
        patterns = tuple(
            converted(image, "glob", sigstore_glob) for image in spec.objects("images", needed=True)
        )
        for image in spec.objects("images"):
            image.close("glob")
        # with none, anything would do: policy-controller refuses that too, unless told otherwise
        asked = some([self._authority(each) for each in spec.objects("authorities", needed=True)])
        lost = [*self._policy(spec), *self._match(spec)]
        mode = spec.word("mode", ("enforce", "warn"), "enforce")
        return Rule(
            one.scope,
            Selection(patterns),
            every([asked, *lost]) if lost else asked,
            mode == "warn",
            tuple(self._notes),
        )

    def _policy(self, of: Fields) -> list[Asked]:
        if not of.has("policy"):
            return []
        inner = of.object("policy")
        kind = inner.text("type", "")
        name = {"cue": "CUE", "rego": "Rego"}.get(kind)
        if name is None:
            raise inner.fail("type", "is neither cue nor rego")
        return [Lost(of.path("policy"), inner.line, f"a policy in {name}, which is not evaluated")]

    def _match(self, spec: Fields) -> list[Asked]:
        lost: list[Asked] = []
        for one in spec.objects("match"):
            one.close("group", "version", "resource", "selector")
            if one.has("selector"):
                why = "it holds for objects with certain labels, and an image alone has none"
                lost.append(Lost(one.where, one.line, why))
            else:
                what = one.text("resource", "some")
                self._note(one.where, one.line, f"it is for {what} in a cluster; here, for images")
        return lost

    def _note(self, where: str, line: int, text: str) -> None:
        self._notes.append(self._one.note(where, line, text))

    def _authority(self, one: Fields) -> Asked:
        one.close(
            "name", "key", "keyless", "static", "source", "ctlog", "attestations",
            "rfc3161timestamp", "signatureFormat",
        )  # fmt: skip
        one.word("signatureFormat", ("legacy", "bundle"))
        kind = one.one_of("key", "keyless", "static")
        if kind == "static":
            return self._static(one)
        repository, lost = self._source(one)
        found = self._key(one) if kind == "key" else self._keyless(one)
        if isinstance(found, Lost):
            return found
        asked: list[Asked] = list(lost)
        if not one.has("attestations"):
            what, documents = "a signature", ImageSignature()
            asked.append(Signed(one.where, one.line, what, found, documents, repository))
        for each in one.objects("attestations"):
            each.close("name", "predicateType", "policy")
            each.text("name")
            kind = each.text("predicateType")
            rule = Attestation(PREDICATE_TYPES.get(kind, (kind,)))
            what = f"an attestation of type {kind}"
            asked.append(Signed(each.where, each.line, what, found, rule, repository))
            asked += self._policy(each)
        if not asked:
            raise one.fail("attestations", "is empty, and would ask for nothing")
        return every(asked)

    def _static(self, one: Fields) -> Asked:
        for name in ("source", "ctlog", "attestations", "rfc3161timestamp"):
            if one.has(name):
                raise one.fail(name, "does not go with static")
        static = one.object("static")
        static.close("action", "message")
        if static.word("action", ("pass", "fail")) == "pass":
            return Anything(static.where, static.line)
        if not static.has("action"):
            raise static.fail("action", "is missing")
        return Nothing(static.where, static.line, static.text("message", ""))

    def _source(self, one: Fields) -> tuple[str, list[Lost]]:
        """The repository in which signatures are, and what of that cannot be carried over."""
        sources = list(one.objects("source"))
        if len(sources) > 1:
            raise one.fail("source", "has several entries, and may have one")
        repository, lost = "", []
        for source in sources:
            source.close("oci", "signaturePullSecrets", "tagPrefix")
            repository = source.text("oci", "")
            check_repository(source, "oci")
            if source.has("tagPrefix"):
                why = "signatures under tags with a prefix are not looked for"
                lost.append(Lost(source.path("tagPrefix"), source.line_of("tagPrefix"), why))
            if source.has("signaturePullSecrets"):
                where = source.path("signaturePullSecrets")
                self._note(where, source.line, "credentials come from here, and from no cluster")
        return repository, lost

    def _key(self, one: Fields) -> PlainKey | Lost:
        key = one.object("key")
        key.close("data", "secretRef", "kms", "hashAlgorithm")
        where, line = key.where, key.line
        match key.one_of("data", "secretRef", "kms"):
            case "secretRef":
                return Lost(where, line, "the key is in a secret of the cluster; put it into data")
            case "kms":
                return Lost(where, line, "the key is in a key service; put it into data")
        key.word("hashAlgorithm", ("sha224", "sha256", "sha384", "sha512"))
        found = converted(key, "data", signers.public_keys)
        if len(found) != 1:
            raise key.fail("data", f"holds {len(found)} keys, and not one")
        if one.has("rfc3161timestamp"):
            why = "that a time stamp is there for a signature by a key is not checked"
            return Lost(one.path("rfc3161timestamp"), one.line_of("rfc3161timestamp"), why)
        material = self._material(one)
        if isinstance(material, Lost):
            return material
        return PlainKey(found[0], one.has("ctlog"), material)

    def _keyless(self, one: Fields) -> Identities | Lost:
        keyless = one.object("keyless")
        keyless.close("url", "identities", "ca-cert", "trustRootRef", "insecureIgnoreSCT")
        keyless.one_of("url", "ca-cert", needed=False)
        patterns = tuple(identity(each) for each in keyless.objects("identities", needed=True))
        material = self._material(one)
        if isinstance(material, Lost):
            return material
        if keyless.has("ca-cert"):
            authority = keyless.object("ca-cert")
            authority.close("data", "secretRef", "kms", "hashAlgorithm")
            if authority.one_of("data", "secretRef", "kms") != "data":
                why = "the certificate is in the cluster; put it into data"
                return Lost(authority.where, authority.line, why)
            found = converted(authority, "data", signers.certificates)
            material = replace(material, authorities=found)
        ignored = keyless.flag("insecureIgnoreSCT", False)
        if ignored:
            self._note(
                keyless.path("insecureIgnoreSCT"),
                keyless.line_of("insecureIgnoreSCT"),
                "that the certificate is in a certificate log is not asked",
            )
        material = replace(
            material,
            authority_url=keyless.text("url", ""),
            ignore_certificate_log=ignored,
        )
        return Identities(patterns, material)

    def _material(self, one: Fields) -> Material | Lost:
        """What the proofs of an authority are checked with."""
        references: dict[str, Fields] = {}
        url = ""
        if one.has("ctlog"):
            log = one.object("ctlog")
            log.close("url", "trustRootRef")
            url = log.text("url", "")
            references[log.text("trustRootRef", "")] = log
        if one.has("rfc3161timestamp"):
            stamp = one.object("rfc3161timestamp")
            stamp.close("trustRootRef")
            references[stamp.text("trustRootRef", "")] = stamp
        if one.has("keyless"):
            keyless = one.object("keyless")
            references[keyless.text("trustRootRef", "")] = keyless
        references.pop("", None)
        if not references:
            return Material(url=url)
        if len(references) > 1:
            why = f"it takes parts of several trust roots ({', '.join(references)})"
            return Lost(one.where, one.line, why)
        [(name, fields)] = references.items()
        where, line = fields.path("trustRootRef"), fields.line_of("trustRootRef")
        root = self._roots.get(name)
        if root is None:
            return Lost(where, line, f"the TrustRoot {name!r} is not in this file")
        if isinstance(root, Lost):
            return Lost(where, line, f"the TrustRoot {name!r} cannot be used: {root.reason}")
        return Material(url=url, instance=root)


def check_repository(fields: Fields, name: str) -> None:
    """Refuse what is no repository. Raises AssayError."""
    if fields.has(name):
        converted(fields, name, _repository)


def _repository(text: str) -> None:
    from assay.model.finding import UsageError
    from assay.sources.registry.names import repository_named

    try:
        repository_named(text)
    except UsageError as error:
        raise ValueError("it is no repository, HOST/REPOSITORY") from error


def converted(fields: Fields, name: str, read_text: Callable[[str], Any]) -> Any:
    """A member read by a function that raises ValueError."""
    try:
        return read_text(fields.text(name))
    except ValueError as error:
        raise fields.fail(name, f"cannot be used: {error}") from error


def identity(one: Fields) -> IdentityPattern:
    """An identity of policy-controller, or of an ImageValidatingPolicy: exact, or by regular
    expressions."""
    one.close("issuer", "issuerRegExp", "subject", "subjectRegExp")
    return IdentityPattern(
        name_pattern(one, "subject", "subjectRegExp"), name_pattern(one, "issuer", "issuerRegExp")
    )


def name_pattern(one: Fields, exact: str, regexp: str) -> NamePattern:
    """A name, or a regular expression for one, of which one has to be there."""
    if one.one_of(exact, regexp) == regexp:
        found: NamePattern = converted(one, regexp, read_regexp)
        return found
    return exactly(one.text(exact))


def exactly(text: str) -> NamePattern:
    """This name and no other, even where it looks like a pattern."""
    import re

    return NamePattern(text if NamePattern(text).literal else f"regex:{re.escape(text)}")


def read_trust_root(one: Object) -> TrustedRoot | Lost:
    """A TrustRoot with keys in it. Raises AssayError."""
    one.fields.close("apiVersion", "kind", "metadata", "spec", "status")
    spec = one.fields.object("spec")
    spec.close("remote", "repository", "sigstoreKeys")
    kind = spec.one_of("remote", "repository", "sigstoreKeys")
    if kind != "sigstoreKeys":
        why = "it is in a TUF repository; give its trusted_root.json with --trusted-root"
        return Lost(spec.path(kind), spec.line_of(kind), why)
    from assay.policy_import.kubernetes.trust_root import sigstore_keys

    return sigstore_keys(spec.object("sigstoreKeys"))
