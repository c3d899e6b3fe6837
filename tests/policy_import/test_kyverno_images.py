"""Kyverno's ImageValidatingPolicy: validations of the usual form, and what is of no known form."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import pytest

from assay.model.finding import AssayError
from assay.model.verdict import Decision
from assay.policy_import.kubernetes.importer import IMPORTER
from assay.policy_import.kubernetes.names import CelPattern, names_of
from tests.policy_import.bench import SBOM, Bench, bench, details
from tests.support.certificates import root
from tests.support.sigstore import IDENTITY, ISSUER

ALLOWED, REFUSED, UNCHECKED = Decision.ALLOWED, Decision.REFUSED, Decision.UNCHECKED


def signed(*names: str, test: str = "e > 0", images: str = "containers") -> str:
    listed = ", ".join(f"attestors.{name}" for name in names)
    return f"images.{images}.map(image, verifyImageSignatures(image, [{listed}])).all(e, {test})"


def attested(kind: str, *names: str) -> str:
    listed = ", ".join(f"attestors.{name}" for name in names)
    call = f"verifyAttestationSignatures(image, attestations.{kind}, [{listed}])"
    return f"images.containers.map(image, {call}).all(e, e > 0)"


def policy(bench: Bench, *validations: str, spec: str = "", match: str = "[{glob: '*'}]") -> str:
    def cosign(name: str, pem: str) -> str:
        return (
            f"    - name: {name}\n      cosign:\n        key:\n          data: |\n"
            f"{textwrap.indent(pem, ' ' * 12)}        ctlog: {{insecureIgnoreTlog: true}}\n"
        )

    listed = "".join(f"    - expression: >-\n        {each}\n" for each in validations)
    return (
        "apiVersion: policies.kyverno.io/v1\nkind: ImageValidatingPolicy\nmetadata: {name: ours}\n"
        f"spec:\n{textwrap.indent(spec, '  ')}  matchImageReferences: {match}\n  attestors:\n"
        + cosign("ours", bench.ours.pem)
        + cosign("theirs", bench.theirs.pem)
        + cosign("third", bench.third.pem)
        + "    - name: forge\n      cosign:\n        keyless:\n          identities:\n"
        + f"            - {{issuer: '{ISSUER}', subjectRegExp: 'https://forge\\.test/.*'}}\n"
        + f"  attestations:\n    - {{name: sbom, intoto: {{type: '{SBOM}'}}}}\n"
        + "    - {name: other, referrer: {type: a/b}}\n"
        + f"  validations:\n{listed}"
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("ivp")) as made:
        image = made.image()
        made.by_key("app", image, made.ours)
        made.by_key("app", image, made.theirs)
        made.by_key("app", image, made.ours, SBOM, {"name": "app"})
        made.by_identity("app", image, IDENTITY, ISSUER)
        made.image("unsigned")
        yield made


@pytest.mark.parametrize(
    ("validations", "decision"),
    [
        ([signed("ours")], ALLOWED),
        ([signed("third")], REFUSED),
        ([signed("ours", "third")], ALLOWED),
        ([signed("ours", "theirs", "third", test="e >= 2")], ALLOWED),
        ([signed("ours", "theirs", "third", test="e > 2")], REFUSED),
        ([signed("ours", "theirs", test="e == 2")], ALLOWED),
        ([signed("ours"), signed("third")], REFUSED),
        ([signed("ours"), signed("ours", images="initContainers")], ALLOWED),
        ([signed("forge")], ALLOWED),
        ([attested("sbom", "ours")], ALLOWED),
        ([attested("sbom", "theirs")], REFUSED),
        ([attested("other", "ours")], UNCHECKED),
        # anything but the usual form
        ([signed("ours", test="e >= 0")], UNCHECKED),
        ([signed("ours", test="e != 0")], UNCHECKED),
        ([signed("ours", "theirs", test="e == 1")], UNCHECKED),
        ([signed("ours").replace(".all(", ".exists(")], UNCHECKED),
        ([signed("ours") + " || true"], UNCHECKED),
        (["true || " + signed("ours")], UNCHECKED),
        ([signed("ours"), "extractPayload(images.a, attestations.sbom).x == 1"], UNCHECKED),
    ],
)
def test_validations(found: Bench, validations: list[str], decision: Decision) -> None:
    assert found.judge(policy(found, *validations), root=True).decision is decision


def test_an_unsigned_image(found: Bench) -> None:
    assert found.judge(policy(found, signed("ours")), "unsigned").decision is REFUSED


@pytest.mark.parametrize(
    ("match", "decision"),
    [
        ("[{glob: '127.0.0.1*'}]", ALLOWED),
        ("[{glob: 'ghcr.io/*'}]", REFUSED),
        ("[{glob: 'ghcr.io/*'}, {expression: 'ref.startsWith(\"127.0.0.1\")'}]", ALLOWED),
        ("[{expression: 'ref.endsWith(\"/app:1\")'}]", ALLOWED),
        ("[{expression: 'ref.contains(\"nowhere\")'}]", REFUSED),
        # whether it is about the image is not known: that is never a yes, nor a way around it
        ("[{expression: 'ref.matches(\".*\")'}]", UNCHECKED),
        ("[{glob: '{a,b}/*'}]", UNCHECKED),
        ("[]", ALLOWED),
    ],
)
def test_which_images_it_is_about(found: Bench, match: str, decision: Decision) -> None:
    assert found.judge(policy(found, signed("ours"), match=match)).decision is decision


@pytest.mark.parametrize(
    ("spec", "decision"),
    [
        ("validationActions: [Deny]\n", REFUSED),
        ("validationActions: [Audit]\n", UNCHECKED),
        ("validationActions: [Warn, Audit]\n", UNCHECKED),
        ("failurePolicy: Ignore\n", REFUSED),
    ],
)
def test_actions(found: Bench, spec: str, decision: Decision) -> None:
    assert found.judge(policy(found, signed("third"), spec=spec)).decision is decision


@pytest.mark.parametrize(
    "spec",
    [
        "matchConditions: [{name: a, expression: 'true'}]\n",
        "matchConstraints: {namespaceSelector: {matchLabels: {a: b}}}\n",
        "matchConstraints: {objectSelector: {matchLabels: {a: b}}}\n",
    ],
)
def test_what_narrows_down_objects_is_never_passed_over(found: Bench, spec: str) -> None:
    asked = policy(found, signed("ours"), spec=spec)
    verdict = found.judge(asked)
    assert verdict.decision is UNCHECKED
    assert "line" in details(verdict)
    assert any(each.lost for each in IMPORTER.read(asked.encode()).meanings())


def test_resource_rules_alone_say_nothing_of_images(found: Bench) -> None:
    rules = "matchConstraints: {resourceRules: [{resources: [pods], operations: [CREATE]}]}\n"
    assert found.judge(policy(found, signed("ours"), spec=rules)).decision is ALLOWED


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("attestors.ours]", "attestors.nobody]"), "attestors.nobody, and there is none"),
        (("attestors.ours]", "attestors.ours, attestors.ours]"), "twice"),
        (("validations:", "validation:"), "validation is not known"),
        (("key:\n", "keys:\n"), "keys is not known"),
        (("intoto:", "inToto:"), "inToto is not known"),
        (("policies.kyverno.io/v1", "policies.kyverno.io/v9"), "apiVersion is 'v9'"),
    ],
)
def test_a_policy_that_is_not_as_its_schema_says_is_refused(
    found: Bench, change: tuple[str, str], says: str
) -> None:
    with pytest.raises(AssayError) as caught:
        IMPORTER.read(policy(found, signed("ours")).replace(*change, 1).encode())
    assert re.search(says, caught.value.finding.detail)


def test_expressions_for_names() -> None:
    names = names_of("docker://ghcr.io/ours/app:1")
    assert CelPattern.parse("ref == 'ghcr.io/ours/app:1'").matches(names)
    assert not CelPattern.parse("ref == 'ghcr.io/ours/app'").matches(names)
    for other in ("ref.startsWith('a') || true", "ref", "!ref.contains('a')", 'ref == "a\\"'):
        with pytest.raises(ValueError, match="CEL"):
            CelPattern.parse(other)


def test_attestors_of_notary() -> None:
    authority = root("Notary root")
    pem = textwrap.indent(authority.pem.decode(), " " * 12)
    text = (
        "apiVersion: policies.kyverno.io/v1beta1\nkind: ImageValidatingPolicy\n"
        "metadata: {name: one}\nspec:\n  attestors:\n    - name: one\n      notary:\n"
        "        certs:\n"
        f"          value: |\n{pem}  validations:\n    - expression: {signed('one')!r}\n"
    )
    policy = IMPORTER.read(text.encode())
    [meaning] = [each for each in policy.meanings() if not each.aside]
    assert "Notary" in meaning.text
    assert meaning.carried
    [requirement] = policy.apply("docker://r.test/app:1").requirements
    assert requirement.schemes == ("notary",)
    computed = text.replace("value: |\n" + pem, "expression: variables.a\n")
    assert [each for each in IMPORTER.read(computed.encode()).meanings() if each.lost]
