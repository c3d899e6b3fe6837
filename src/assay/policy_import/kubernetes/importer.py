"""Policies for Kubernetes as an importer: all objects of a file, each by its kind. What no policy
of the file is about is not let in."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.model.codes import policy as codes
from assay.model.finding import Finding
from assay.model.signature import Key
from assay.policy_import.kubernetes import cluster_image_policy as sigstore
from assay.policy_import.kubernetes import kyverno_images, kyverno_rules
from assay.policy_import.kubernetes.documents import Object, read_objects
from assay.policy_import.kubernetes.names import names_of
from assay.policy_import.kubernetes.rules import Rule, apply_rules
from assay.policy_import.model import NOWHERE, Applied, Around, Meaning, Policy, PolicyImporter

FORMAT = "Kubernetes"


class KubernetesPolicies(Struct, frozen=True):
    """The policies of a file. ``aside`` are objects that are none."""

    rules: tuple[Rule, ...]
    aside: tuple[Meaning, ...]

    @property
    def format(self) -> str:
        return FORMAT

    def apply(self, image: str, lent: Sequence[Key] = ()) -> Applied:
        names = names_of(image)
        matching = [each for each in self.rules if each.selection.matches(names) is not False]
        if not matching:
            return Applied((), findings=(self._no_match(image, named=names.reference is not None),))
        found = apply_rules(matching, names, lent)
        return Applied(
            tuple(each.scope for each in matching),
            tuple(found.requirements),
            tuple(found.findings),
            tuple(found.demands),
            tuple(dict.fromkeys(found.repositories)),
        )

    def _no_match(self, image: str, *, named: bool) -> Finding:
        scopes = list(dict.fromkeys(rule.scope for rule in self.rules))
        shown = ", ".join(scopes[:10]) + (f" and {len(scopes) - 10} more" if scopes[10:] else "")
        kyverno = any(not scope.startswith("ClusterImagePolicy/") for scope in scopes)
        return Finding.of(
            codes.POLICY_NO_MATCH,
            detail=(
                f"{image} is in none of {len(scopes)} policies"
                if named
                else f"{image} has no name in a registry that a pattern could match"
            )
            + (" (Kyverno would let it in unchecked; Assay does not)" if kyverno else ""),
            expected=f"an image that is in one of {shown}",
        )

    def meanings(self) -> list[Meaning]:
        return [*(each for rule in self.rules for each in rule.meanings()), *self.aside]


class KubernetesImporter:
    name = "kubernetes"

    def recognise(self, data: bytes) -> bool:
        return b"apiVersion" in data and b"kind" in data

    def read(self, data: bytes, around: Around = NOWHERE) -> Policy:
        objects = read_objects(data)
        roots = {
            one.name: sigstore.read_trust_root(one)
            for one in objects
            if (one.group, one.kind) == (sigstore.GROUP, "TrustRoot")
        }
        rules: list[Rule] = []
        aside: list[Meaning] = []
        for one in objects:
            _read(one, roots, rules, aside)
        if not rules:
            from assay.model.codes.content import MALFORMED
            from assay.model.finding import AssayError

            raise AssayError(
                Finding.of(MALFORMED, detail="no object in it is a policy about images")
            )
        return KubernetesPolicies(tuple(rules), tuple(aside))


def _read(one: Object, roots: sigstore.Roots, rules: list[Rule], aside: list[Meaning]) -> None:
    match one.group, one.kind:
        case sigstore.GROUP, "ClusterImagePolicy":
            _check_version(one, sigstore.VERSIONS)
            rules.append(sigstore.read(one, roots))
        case sigstore.GROUP, "TrustRoot":
            pass  # read already, for those that refer to it
        case kyverno_rules.GROUP, kind if kind in kyverno_rules.KINDS:
            _check_version(one, kyverno_rules.VERSIONS)
            found, notes = kyverno_rules.read(one)
            rules += found
            aside += notes
        case kyverno_images.GROUP, kind if kind in kyverno_images.KINDS:
            _check_version(one, kyverno_images.VERSIONS)
            rule, notes = kyverno_images.read(one)
            rules.append(rule)
            aside += notes
        case _:
            aside.append(one.note(one.scope, one.fields.line, "an object that is no policy"))


def _check_version(one: Object, versions: tuple[str, ...]) -> None:
    if one.version not in versions:
        raise one.fields.fail("apiVersion", f"is {one.version!r}, and none of {versions}")


IMPORTER: PolicyImporter = KubernetesImporter()
"""Reads ClusterImagePolicy, Kyverno's policies, and TrustRoot."""
