"""Judges one image by a policy again and again, for so many seconds; prints decisions a second.

    python benchmarks/loops/decisions.py SECONDS RULES [everywhere] [conditions] [damaged]

``everywhere`` has every rule be about the image; otherwise rules are about ten registries, as in a
large organisation. With ``conditions`` each rule has a condition in CEL beside. With ``damaged``
the image is signed by somebody else, and the exit status is 1.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from msgspec.structs import replace

from assay.model.statement import Provenance, Scan, Source
from assay.model.verdict import Decision
from assay.policy.decide import Decider
from assay.policy.facts import Facts
from assay.policy.judge import decision_of
from assay.policy.model import Policy
from assay.policy.reading import read
from benchmarks.loops.clock import seconds_from
from tests.policy.judging import HEAD, endorsement, facts, signer, with_statement

AT = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def policy(rules: int, *, everywhere: bool, conditions: bool) -> Policy:
    """Rules of the kinds that there are in practice."""
    lines = [HEAD, "rules:\n"]
    for number in range(rules):
        registry = "registry.example" if everywhere else f"registry-{number % 10}.example"
        registry = "registry.example" if number % 10 == 0 else registry
        asked = (
            "signers: {all: [release, {any: [ci, other]}]}, coverage: {complete: true}",
            "signers: release, algorithms: {rsa-bits: 3072}, freshness: {signed-within: 365 days}",
            "provenance: {source: ['https://forge.example/acme/*']}, signers: {any: [release, ci]}",
            "vulnerabilities: {worst: medium, scanned-within: 90 days}",
            "version: {at-least: 1.0.0}, name: {same: repository}, signers: ci",
        )[number // 10 % 5]
        more = ", expressions: [{require: 'components.all(c, c.bound)'}]" if conditions else ""
        match = f"{{repository: ['{registry}/acme/**', '{registry}/shared/**']}}"
        lines.append(f"  - {{name: rule {number}, match: {match}, require: {{{asked}{more}}}}}\n")
    return read("".join(lines).encode(), "policy.yaml").policy


def image(who: str) -> Facts:
    """An image of 40 components with two signers, provenance and a scan."""
    who_signed = signer(signed_at="2026-05-01T00:00:00Z", time_source="a log")
    found = facts(
        endorsement(who, 1, signer=who_signed, signed_for="registry.example/acme/app:1.2.0"),
        endorsement("ci", 2, signed_for="registry.example/acme/app:1.2.0"),
    )
    parts = (found.components[0], *(found.components[1:] * 39))
    found = replace(found, components=parts)
    built = Provenance("b", "t", (Source("https://forge.example/acme/app", "refs/tags/v1"),))
    found = with_statement(found, "slsa-provenance", built, "ci")
    return with_statement(
        found, "vulnerability-scan", Scan("s", (), "2026-05-31T00:00:00Z"), "scanner"
    )


def main() -> int:
    seconds, (rules, *words) = seconds_from(sys.argv), sys.argv[2:]
    document = policy(
        int(rules), everywhere="everywhere" in words, conditions="conditions" in words
    )
    found = image("lead" if "damaged" in words else "release")
    decider = Decider(document)
    made = 0
    start = now = time.process_time()
    end = start + seconds
    while now < end:
        for _ in range(50):
            decided = decider.decide(found, AT)
        made += 50
        now = time.process_time()
    fitting = len(decided.report.rules)
    print(f"{fitting} of {rules} rules are about the image")
    print(f"rate: {made / (now - start):.1f}")
    return 0 if decision_of(found, decided) is Decision.ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
