"""What the tests of signature schemes share: running peers, and verifying in one call."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assay.appraisal.case import BuiltInRule
from assay.measure.hashing import sink_for
from assay.model.measurement import Request
from assay.model.signature import Key, PreparedSignature, SignatureOutcome
from assay.model.verdict import Verdict
from assay.pipeline import VerifyOptions, verify
from assay.trust.anchors import Trust


def tool(*names: str) -> str:
    """The path of a peer tool under any of its names; skips the test when it is missing."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"{names[0]} is not installed")


def run(*command: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> bytes:
    """Run a peer that must succeed; its standard output."""
    done = subprocess.run(
        [str(part) for part in command], input=stdin, cwd=cwd, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


def says_yes(*command: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> bool:
    """Whether a peer accepts."""
    words = [str(part) for part in command]
    done = subprocess.run(words, input=stdin, cwd=cwd, capture_output=True, check=False)
    return done.returncode == 0


def trust_in(*keys: str | Path, **demands: str) -> Trust:
    trust = Trust(demands={name.replace("_", "-"): value for name, value in demands.items()})
    for key in keys:
        trust.add_key(str(key))
    return trust


def verdict_of(
    image: Path,
    trust: Trust,
    *signatures: str | Path,
    at: datetime | None = None,
    rule: BuiltInRule | None = None,
) -> Verdict:
    request = VerifyOptions(
        trust, rule=rule or BuiltInRule(), signatures=[str(s) for s in signatures], at=at
    )
    [verdict] = verify(str(image), request)
    return verdict


def codes_of(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


def measured(content: bytes, requests: Sequence[Request]) -> dict[Request, Any]:
    answers: dict[Request, Any] = {}
    for request in requests:
        sink = sink_for(request)
        sink.update(memoryview(content))
        answers[request] = sink.finish()
    return answers


def check(
    prepared: PreparedSignature, content: bytes, keys: Sequence[Key], at: datetime
) -> SignatureOutcome:
    """Measure what a signature asks for, and check it."""
    return prepared.verify(measured(content, prepared.requests(keys)), keys, at)


def flips(data: bytes, step: int = 1) -> list[bytes]:
    """The data with one bit flipped, at every ``step``-th bit."""
    found = []
    for bit in range(0, 8 * len(data), step):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        found.append(bytes(changed))
    return found
