"""Rules with ``verifyImages`` in Kyverno's ClusterPolicy and Policy (https://kyverno.io/docs/
policy-types/cluster-policy/verify-images/, kyverno.io/v1 and v2beta1).

Each entry is asked of the images that it is about: all of its sets of attestors, and all of its
attestations. Whatever narrows down the objects of a cluster cannot be judged for an image alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.policy_import.kubernetes.cluster_image_policy import converted
from assay.policy_import.kubernetes.documents import Object
from assay.policy_import.kubernetes.fields import Fields
from assay.policy_import.kubernetes.kyverno_attestors import Attestors
from assay.policy_import.kubernetes.kyverno_conditions import read_conditions
from assay.policy_import.kubernetes.names import Glob, Selection, kyverno_glob
from assay.policy_import.kubernetes.rules import Anything, Asked, Lost, Rule, every
from assay.policy_import.model import Meaning
from assay.trust.documents import Attestation, DocumentRule, ImageSignature, NotaryPayload

GROUP = "kyverno.io"
VERSIONS = ("v1", "v2beta1")
KINDS = ("ClusterPolicy", "Policy")

_SPEC_ASIDE = (
    "failurePolicy", "emitWarning", "admission", "background", "schemaValidation",
    "webhookTimeoutSeconds", "webhookConfiguration", "mutateExistingOnPolicyUpdate",
    "generateExistingOnPolicyUpdate", "generateExisting", "useServerSideApply",
)  # fmt: skip
_ENTRY_ASIDE = (
    "mutateDigest", "verifyDigest", "required", "useCache", "imageRegistryCredentials",
    "cosignOCI11",
)  # fmt: skip
_NARROWING = ("context", "exclude", "preconditions", "celPreconditions")
_ACTIONS = ("Audit", "Enforce", "audit", "enforce")


def read(one: Object) -> tuple[list[Rule], list[Meaning]]:
    """The rules of a policy that are about images, and remarks on all others. Raises
    AssayError."""
    return _Policy(one).read()


class _Policy:
    def __init__(self, one: Object) -> None:
        self._one = one
        self._notes: list[Meaning] = []

    def _note(self, where: str, line: int, text: str) -> None:
        self._notes.append(self._one.note(where, line, text))

    def _aside(self, fields: Fields, names: tuple[str, ...]) -> None:
        for name in names:
            if fields.has(name):
                line = fields.line_of(name)
                self._note(fields.path(name), line, "it tells a cluster how to go about it")

    def read(self) -> tuple[list[Rule], list[Meaning]]:
        top = self._one.fields
        top.close("apiVersion", "kind", "metadata", "spec", "status")
        spec = top.object("spec")
        spec.close(
            "rules", "validationFailureAction", "validationFailureActionOverrides", "applyRules",
            *_SPEC_ASIDE,
        )  # fmt: skip
        self._aside(spec, _SPEC_ASIDE)
        lost = list(self._lost(spec))
        found: list[Rule] = []
        for rule in spec.objects("rules", needed=True):
            found += self._rule(spec, rule, lost)
        return found, self._notes

    def _lost(self, spec: Fields) -> Iterator[Lost]:
        """What holds for all rules, and cannot be carried over."""
        if spec.has("validationFailureActionOverrides"):
            name = "validationFailureActionOverrides"
            yield _lost(spec, name, "it depends on the namespace, and an image alone has none")
        if spec.word("applyRules", ("All", "One"), "All") == "One":
            yield _lost(spec, "applyRules", "that only the first rule that fits is applied")

    def _rule(self, spec: Fields, rule: Fields, lost: list[Lost]) -> Iterator[Rule]:
        name = rule.text("name")
        if not rule.has("verifyImages"):
            self._note(rule.where, rule.line, f"the rule {name!r} is not about signatures")
            return
        rule.close(
            "name", "match", "verifyImages", "imageExtractors", "skipBackgroundRequests",
            "reportProperties", *_NARROWING,
        )  # fmt: skip
        self._aside(rule, ("imageExtractors", "skipBackgroundRequests", "reportProperties"))
        lost = [*lost, *self._match(rule)]
        for narrowing in _NARROWING:
            if rule.has(narrowing):
                why = "it depends on an object in a cluster, and an image alone is none"
                lost.append(_lost(rule, narrowing, why))
        for number, entry in enumerate(rule.objects("verifyImages", needed=True)):
            scope = f"{self._one.scope}/{name}[{number}]"
            yield self._entry(spec, entry, scope, lost)

    def _match(self, rule: Fields) -> Iterator[Lost]:
        match = rule.object("match")
        match.close("any", "all", "resources", "subjects", "roles", "clusterRoles")
        filters = [match] if match.one_of("any", "all", needed=False) == "" else []
        filters += [*match.objects("any"), *match.objects("all")]
        for each in filters:
            for name in ("subjects", "roles", "clusterRoles"):
                if each.has(name):
                    yield _lost(each, name, "it depends on who asks a cluster")
            if not each.has("resources"):
                continue
            resources = each.object("resources")
            for name in resources.names():
                if name not in ("kinds", "operations"):
                    why = "it narrows down the objects of a cluster, and an image alone is none"
                    yield _lost(resources, name, why)

    def _entry(self, spec: Fields, entry: Fields, scope: str, lost: list[Lost]) -> Rule:
        entry.close(
            "failureAction", "type", "image", "imageReferences", "skipImageReferences", "key",
            "roots", "subject", "issuer", "additionalExtensions", "attestors", "attestations",
            "annotations", "repository", "validate", *_ENTRY_ASIDE,
        )  # fmt: skip
        self._aside(entry, _ENTRY_ASIDE)
        asked = [*self._signatures(entry), *self._attestations(entry)]
        if entry.has("validate"):
            lost = [*lost, _lost(entry, "validate", "conditions on the objects of a cluster")]
        if not asked:
            self._note(entry.where, entry.line, "it names no attestors, and asks for no signature")
            asked = [Anything(entry.where, entry.line)]
        action = entry.word(
            "failureAction", _ACTIONS, spec.word("validationFailureAction", _ACTIONS, "Audit")
        )
        return Rule(
            scope,
            Selection(
                _globs(entry, "imageReferences", "image"), _globs(entry, "skipImageReferences")
            ),
            every([*asked, *lost]),
            action.lower() == "audit",
        )

    def _signatures(self, entry: Fields) -> list[Asked]:
        notary = entry.word("type", ("Cosign", "SigstoreBundle", "Notary"), "Cosign") == "Notary"
        attestors = Attestors(entry, notary=notary)

        def rule(annotations: tuple[tuple[str, str], ...]) -> DocumentRule:
            return NotaryPayload() if notary else ImageSignature(annotations)

        sets = list(entry.objects("attestors"))
        asked = [attestors.of_set(each, "a signature", rule) for each in sets]
        old = [
            n for n in ("key", "issuer", "subject", "roots", "additionalExtensions") if entry.has(n)
        ]
        if old and sets:
            raise entry.fail(old[0], "does not go with attestors")
        if old:
            asked.append(attestors.of_old_form(entry, "a signature", rule))
        return asked

    def _attestations(self, entry: Fields) -> Iterator[Asked]:
        notary = entry.text("type", "Cosign") == "Notary"
        for one in entry.objects("attestations"):
            one.close("name", "type", "predicateType", "attestors", "conditions")
            kind = one.text(one.one_of("type", "predicateType"))
            what = f"an attestation of type {kind}"
            if notary:
                why = f"{what}, signed as an artifact of its own by Notary"
                yield Lost(one.where, one.line, why)
                continue
            conditions = read_conditions(one) if one.has("conditions") else ()
            if isinstance(conditions, Lost):
                yield conditions
                conditions = ()
            rule = Attestation((kind,), conditions)
            if conditions:
                what += f" that says {' and '.join(map(str, conditions))}"
            sets = list(one.objects("attestors"))
            if not sets:
                why = f"{what} by anybody: it names no attestors"
                yield Lost(one.where, one.line, why)
            attestors = Attestors(entry, notary=False)
            for each in sets:
                yield attestors.of_set(each, what, lambda _, rule=rule: rule)  # type: ignore[misc]


def _lost(fields: Fields, name: str, why: str) -> Lost:
    return Lost(fields.path(name), fields.line_of(name), why)


def _globs(entry: Fields, name: str, alone: str = "") -> tuple[Glob, ...]:
    found: list[Glob] = []
    if alone and entry.has(alone):
        found.append(converted(entry, alone, kyverno_glob))
    for text in entry.texts(name):
        try:
            found.append(kyverno_glob(text))
        except ValueError as error:
            raise entry.fail(name, f"cannot be used: {error}") from error
    if alone and not found:
        raise entry.fail(name, "is missing or empty")
    return tuple(found)
