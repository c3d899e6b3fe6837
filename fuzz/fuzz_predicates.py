"""Fuzz target: predicates of every family, and tables of roles."""

from __future__ import annotations

import contextlib
import json

from assay import plugins, strict_json
from assay.model.finding import AssayError
from assay.predicates import (
    custom,
    link,
    sbom,
    scai,
    signature,
    slsa_provenance,
    summary,
    test_result,
    vex,
    vulnerabilities,
)
from assay.predicates.model import Predicate, PredicateFamily
from assay.trust.roles import parse_roles

TYPES = {
    "https://slsa.dev/provenance/v1": slsa_provenance.FAMILY,
    "https://slsa.dev/provenance/v0.2": slsa_provenance.FAMILY,
    "https://slsa.dev/provenance/v0.1": slsa_provenance.FAMILY,
    "https://in-toto.io/attestation/scai/v0.3": scai.FAMILY,
    "https://slsa.dev/verification_summary/v1": summary.VSA,
    "https://slsa.dev/verification_summary/v0.2": summary.VSA,
    "https://in-toto.io/attestation/svr/v0.2": summary.SVR,
    "https://cosign.sigstore.dev/attestation/vuln/v1": vulnerabilities.FAMILY,
    "https://in-toto.io/attestation/vulns/v0.2": vulnerabilities.FAMILY,
    "https://openvex.dev/ns/v0.2.0": vex.FAMILY,
    "https://spdx.dev/Document": sbom.SPDX,
    "https://cyclonedx.org/bom": sbom.CYCLONEDX,
    "https://sigstore.dev/cosign/sign/v1": signature.FAMILY,
    "https://in-toto.io/Link/v1": link.FAMILY,
    "https://in-toto.io/attestation/test-result/v0.1": test_result.FAMILY,
    "https://cosign.sigstore.dev/attestation/v1": custom.CUSTOM,
    "https://a.example/sarif": custom.SARIF,
}
"""A type of each form that a family reads."""


def one_input(data: bytes) -> None:
    """Anything but an AssayError is a defect, and so is a family that cannot be found."""
    assert {family.name for family in TYPES.values()} == set(plugins.names("assay.predicates"))
    with contextlib.suppress(AssayError, ValueError):
        parse_roles(data)
    try:
        value = strict_json.parse_object(data, "predicate")
    except AssayError:
        return
    for predicate_type, family in TYPES.items():
        read(family, Predicate("statement", predicate_type, value, (value,)))


def read(family: PredicateFamily, predicate: Predicate) -> None:
    """Ask a family all that it can be asked of a predicate."""
    assert family.title(predicate.type)
    family.vouches(predicate)
    family.refusal(predicate)
    with contextlib.suppress(AssayError):
        family.read(predicate)


def seeds() -> list[bytes]:
    """A right predicate of each form."""
    return [json.dumps(value).encode() for value in EXAMPLES.values()]


RESOURCE = {"uri": "git+https://a.example/app@refs/tags/v1", "digest": {"gitCommit": "ab" * 20}}
TRIVY = {
    "SchemaVersion": 2,
    "ArtifactName": "app",
    "Results": [
        {
            "Target": "app",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2026-0001",
                    "Severity": "HIGH",
                    "PkgName": "zlib",
                    "PkgIdentifier": {"PURL": "pkg:deb/debian/zlib1g@1.2?arch=amd64"},
                }
            ],
        }
    ],
}
SARIF = {
    "version": "2.1.0",
    "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
    "runs": [
        {
            "tool": {
                "driver": {
                    "name": "Trivy",
                    "rules": [{"id": "CVE-2026-0002", "properties": {"security-severity": "9.8"}}],
                }
            },
            "invocations": [{"endTimeUtc": "2026-11-23T00:00:00Z"}],
            "results": [{"ruleId": "CVE-2026-0002", "level": "error"}],
        }
    ],
}
EXAMPLES: dict[str, dict[str, object]] = {
    "https://slsa.dev/provenance/v1": {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {
                    "ref": "refs/tags/v1",
                    "repository": "https://a.example/app",
                    "path": ".github/workflows/release.yml",
                },
                "inputs": {"debug": False, "list": ["a", 1], "odd.name": None},
            },
            "resolvedDependencies": [RESOURCE],
        },
        "runDetails": {
            "builder": {"id": "https://builder.example/hosted"},
            "metadata": {"invocationId": "1", "startedOn": "2026-11-20T10:00:00+02:00"},
        },
    },
    "https://slsa.dev/provenance/v0.2": {
        "builder": {"id": "https://builder.example/hosted"},
        "buildType": "https://a.example/build",
        "invocation": {
            "configSource": {**RESOURCE, "entryPoint": "release.yml"},
            "parameters": {"debug": "no"},
        },
        "metadata": {"buildFinishedOn": "2026-11-20T10:00:00Z"},
        "materials": [RESOURCE],
    },
    "https://slsa.dev/provenance/v0.1": {
        "builder": {"id": "https://builder.example/hosted"},
        "recipe": {
            "type": "https://a.example/build",
            "definedInMaterial": 0,
            "entryPoint": "release.yml",
            "arguments": {"debug": "no"},
        },
        "metadata": {"buildFinishedOn": "2026-11-20T10:00:00Z"},
        "materials": [RESOURCE],
    },
    "https://in-toto.io/attestation/scai/v0.3": {
        "attributes": [
            {"attribute": "HasStackProtection", "evidence": RESOURCE},
            {"attribute": "HasNoDebugSymbols"},
        ],
        "producer": {"uri": "https://scanner.example"},
    },
    "https://slsa.dev/verification_summary/v1": {
        "verifier": {"id": "https://verifier.example"},
        "timeVerified": "2026-11-23T00:00:00Z",
        "resourceUri": "registry.example/app",
        "policy": {"uri": "https://verifier.example/policy", "digest": {"sha256": "00" * 32}},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
    },
    "https://slsa.dev/verification_summary/v0.2": {
        "verifier": {"id": "https://verifier.example"},
        "time_verified": "2026-11-23T00:00:00Z",
        "resource_uri": "registry.example/app",
        "policy": {"uri": "https://verifier.example/policy"},
        "verification_result": "PASSED",
        "policy_level": "SLSA_LEVEL_3",
    },
    "https://in-toto.io/attestation/svr/v0.2": {
        "verifier": {"id": "https://verifier.example", "policies": []},
        "timeCreated": "2026-11-23T00:00:00.5Z",
        "properties": ["SLSA_BUILD_LEVEL_3", "ACME_REVIEWED"],
    },
    "https://cosign.sigstore.dev/attestation/vuln/v1": {
        "invocation": {"uri": "https://ci.example/1"},
        "scanner": {"uri": "pkg:github/aquasecurity/trivy@244fd", "result": TRIVY},
        "metadata": {
            "scanStartedOn": "2026-11-22T23:59:00Z",
            "scanFinishedOn": "2026-11-23T00:00:00Z",
        },
    },
    "https://in-toto.io/attestation/vulns/v0.2": {
        "scanner": {
            "uri": "https://scanner.example",
            "db": {"lastUpdate": "2026-11-22T00:00:00Z"},
            "result": [
                {
                    "id": "CVE-2026-0003",
                    "severity": [
                        {"method": "nvd", "score": "medium"},
                        {"method": "cvss_score", "score": "5.2"},
                    ],
                }
            ],
        },
        "metadata": {"scanFinishedOn": "2026-11-23T00:00:00Z"},
    },
    "https://openvex.dev/ns/v0.2.0": {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://a.example/vex/1",
        "author": "A. Author",
        "timestamp": "2026-11-23T00:00:00Z",
        "version": 1,
        "statements": [
            {
                "vulnerability": {"name": "CVE-2026-0001", "aliases": ["GHSA-1"]},
                "products": [
                    {
                        "@id": "pkg:oci/app@sha256%3A" + "00" * 32,
                        "subcomponents": [{"@id": "pkg:deb/debian/zlib1g"}],
                    }
                ],
                "status": "not_affected",
                "justification": "vulnerable_code_not_in_execute_path",
            }
        ],
    },
    "https://spdx.dev/Document": {
        "spdxVersion": "SPDX-2.3",
        "name": "app",
        "creationInfo": {"created": "2026-11-23T00:00:00Z"},
        "packages": [],
    },
    "https://cyclonedx.org/bom": {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {
            "timestamp": "2026-11-23T00:00:00Z",
            "component": {"bom-ref": "app", "name": "app"},
        },
        "components": [{"bom-ref": "z", "purl": "pkg:deb/debian/zlib1g@1.2"}],
        "vulnerabilities": [
            {
                "id": "CVE-2026-0001",
                "analysis": {"state": "not_affected", "justification": "code_not_reachable"},
                "affects": [{"ref": "z"}],
            }
        ],
    },
    "https://in-toto.io/Link/v1": {
        "name": "build",
        "command": ["make"],
        "materials": {"src/a.c": {"sha256": "00" * 32}},
    },
    "https://in-toto.io/attestation/test-result/v0.1": {
        "result": "WARNED",
        "configuration": [{"name": "ci.yml", "digest": {"gitBlob": "ab" * 20}}],
        "passedTests": ["a", "b"],
        "warnedTests": ["c"],
    },
    "https://cosign.sigstore.dev/attestation/v1": {
        "Data": json.dumps(SARIF),
        "Timestamp": "2026-11-23T00:00:00Z",
    },
    "https://a.example/sarif": {**SARIF},
    "https://sigstore.dev/cosign/sign/v1": {},
}
"""A right predicate for each type."""
