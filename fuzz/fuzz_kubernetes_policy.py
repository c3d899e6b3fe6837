"""Fuzz target: policies for clusters, of policy-controller and Kyverno."""

from __future__ import annotations

import contextlib

from assay.model.finding import AssayError
from assay.policy_import.kubernetes.go_regexp import read_regexp
from assay.policy_import.kubernetes.importer import IMPORTER
from assay.policy_import.kubernetes.names import CelPattern, names_of, sigstore_glob


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect; and no policy lets an image in by itself."""
    IMPORTER.recognise(data)
    text = data.decode("utf-8", "replace")
    for read in (read_regexp, sigstore_glob, CelPattern.parse):
        with contextlib.suppress(ValueError):
            read(text[:200])
    with contextlib.suppress(AssayError):
        policy = IMPORTER.read(data)
        policy.meanings()
        for image in ("docker://registry.example/app:1", "oci:somewhere"):
            applied = policy.apply(image)
            assert applied.demands or applied.findings
            names_of(image)


def seeds() -> list[bytes]:
    return [
        b"""apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {name: a}
spec:
  images: [{glob: '**'}]
  mode: warn
  match: [{resource: pods, version: v1}]
  authorities:
    - static: {action: fail, message: no}
    - keyless:
        url: https://fulcio.example
        identities: [{issuer: a, subjectRegExp: 'b.*'}]
      ctlog: {url: https://rekor.example}
      source: [{oci: registry.example/signatures}]
      attestations:
        - {name: b, predicateType: vuln, policy: {type: cue, data: x}}
""",
        b"""apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: a}
spec:
  validationFailureAction: Enforce
  rules:
    - name: b
      match: {any: [{resources: {kinds: [Pod]}}]}
      verifyImages:
        - imageReferences: ['*']
          attestors:
            - count: 1
              entries:
                - keys: {kms: 'awskms:///a', rekor: {ignoreTlog: true}}
                - keyless: {issuer: c, subject: 'd*', additionalExtensions: {oidcIssuer: e}}
                - attestor: {entries: [{keyless: {subject: f, issuer: g}}]}
          attestations:
            - type: https://spdx.dev/Document
              attestors: [{entries: [{keyless: {subject: f, issuer: g}}]}]
              conditions:
                - all: [{key: '{{ a.b[0] }}', operator: Equals, value: c}]
""",
        b"""apiVersion: policies.kyverno.io/v1
kind: ImageValidatingPolicy
metadata: {name: a}
spec:
  validationActions: [Deny]
  matchImageReferences: [{glob: 'ghcr.io/*'}, {expression: 'ref.startsWith("a")'}]
  attestors:
    - name: b
      cosign: {keyless: {identities: [{issuer: c, subject: d}]}}
  attestations: [{name: e, intoto: {type: f}}]
  validations:
    - expression: >-
        images.containers.map(image, verifyImageSignatures(image, [attestors.b])).all(x, x > 0)
    - expression: >-
        images.containers.map(i, verifyAttestationSignatures(i, attestations.e, [attestors.b]))
        .all(x, x >= 1)
""",
    ]
