"""From the name of a policy to its bytes, checked against its digest and its signature.

A name is a file, a directory (whose ``*.yaml`` and ``*.yml`` files are the policy), or an artifact
in a registry or a layout (``docker://``, ``oci:``). ``@sha256:...`` behind it says which bytes it
has to be: the digest of the file, or of the artifact's manifest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from assay import limits, strict_json
from assay.appraisal.case import BuiltInRule
from assay.evidence.model import read_bounded
from assay.model.component import Stored
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Question, Severity, UsageError
from assay.model.measurement import Facts
from assay.model.verdict import Answer
from assay.pipeline import Gathered, VerifyOptions, examine
from assay.policy.material import Surroundings
from assay.signed_files import why_not_signed
from assay.sources.blobs import read_document
from assay.sources.model import OpenOptions
from assay.sources.open import transport_of
from assay.trust.anchors import Trust

MEDIA_TYPE = "application/vnd.assay.policy.v1+yaml"
"""The media type of a layer that is a policy document."""

_TITLE = "org.opencontainers.image.title"
_ENDINGS = (".yaml", ".yml")
_PINNED = re.compile(r"(.+)@(sha256:[0-9a-f]{64})", re.DOTALL)


class Fetched(Struct, frozen=True):
    """A policy document, not read yet. ``name`` is what messages call it, ``around`` what it has
    around it."""

    name: str
    data: bytes
    around: Surroundings


def fetch(
    name: str,
    signers: Trust | None = None,
    options: OpenOptions | None = None,
    at: datetime | None = None,
) -> list[Fetched]:
    """The documents of a policy. With ``signers`` each has to be signed by one of them, ``options``
    say how registries are reached, ``at`` is the effective time. Raises UsageError."""
    if transport_of(name)[0] in ("docker", "oci", "oci-archive"):
        return _artifact(name, signers, options or OpenOptions(), at)
    path, pinned = Path(name), None
    if (found := _PINNED.fullmatch(name)) and not path.exists():
        path, pinned = Path(found[1]), Digest.parse(found[2])
    if not path.is_dir():
        return [_file(path, pinned, signers, at)]
    if pinned is not None:
        raise UsageError(f"--policy {name}: a directory has no digest; pin the files in it")
    files = sorted(each for each in path.iterdir() if each.suffix in _ENDINGS)
    if not files:
        raise UsageError(f"--policy {name}: no *.yaml and no *.yml file in it")
    if len(files) > limits.POLICY_FILES:
        raise UsageError(f"--policy {name}: more than {limits.POLICY_FILES} files")
    return [_file(each, None, signers, at) for each in files if not _is_cases(each)]


def _is_cases(path: Path) -> bool:
    """Whether a file holds test cases, which people keep beside the policy that they are of."""
    data = read_bounded(path, limits.POLICY_SIZE, "--policy")
    return re.search(rb"^assay-policy-cases[ \t]*:", data, re.MULTILINE) is not None


def _file(path: Path, pinned: Digest | None, signers: Trust | None, at: datetime | None) -> Fetched:
    data = read_bounded(path, limits.POLICY_SIZE, "--policy")
    actual = Digest("sha256", hashlib.sha256(data).digest())
    if pinned is not None and actual != pinned:
        raise UsageError(f"--policy {path}: its digest is {actual}, and not {pinned}")
    if signers is not None and (why := why_not_signed(str(path), actual, signers, at)):
        raise UsageError(f"--policy {path}: it is not vouched for by --policy-key: {why}")
    sealed = pinned is not None or signers is not None
    return Fetched(str(path), data, Surroundings(path.parent, sealed=sealed))


def _artifact(
    name: str, signers: Trust | None, options: OpenOptions, at: datetime | None
) -> list[Fetched]:
    pinned = _PINNED.fullmatch(name) is not None
    request = VerifyOptions(
        trust=signers or Trust(),
        rule=BuiltInRule(self_consistent=signers is None and not pinned),
        open=options,
        at=at,
    )
    examined = examine(name, request)
    if len(examined) != 1:
        raise UsageError(f"--policy {name}: {len(examined)} artifacts; name one of them")
    verdict, gathered = examined[0].verdict, examined[0].gathered
    errors = [each for each in verdict.findings if each.severity is Severity.ERROR]
    if gathered is not None:
        # the files are compared with their digests below; what else they might be is no matter
        errors = [each for each in errors if not _is_of_a_file(each, gathered)]
    vouched = verdict.authentic is Answer.YES or (signers is None and not pinned)
    if errors or gathered is None or not vouched:
        why = f"{errors[0].code}: {errors[0].detail}" if errors else "nobody vouches for it"
        raise UsageError(f"--policy {name}: {why}")
    try:
        files = _layers(gathered, examined[0].facts, name)
    except AssayError as error:
        raise UsageError(f"--policy {name}: {error.finding.detail}") from error
    held = {title: data for title, _, data in files}
    documents = [each for each in files if each[1] == MEDIA_TYPE]
    documents = documents or [each for each in files if each[0].endswith(_ENDINGS)]
    if not documents:
        raise UsageError(f"--policy {name}: no layer of it is a policy ({MEDIA_TYPE})")
    # its manifest pins every file in it, so all of them are as good as the artifact
    around = Surroundings(None, held)
    return [Fetched(f"{name}/{title}", data, around) for title, _, data in documents]


def _is_of_a_file(finding: Finding, gathered: Gathered) -> bool:
    """Whether an error is about the content of a file in an artifact, and not about the artifact:
    tools call any file a layer, which is in an archive, where they are not told what it is."""
    inside = finding.component != gathered.root and finding.component in gathered.components
    return inside and finding.question is Question.INTACT


def _layers(gathered: Gathered, facts: Facts | None, name: str) -> list[tuple[str, str, bytes]]:
    """The files of an artifact whose manifest was verified: title, media type, content."""
    root = gathered.components[gathered.root]
    assert isinstance(root.extent, Stored)
    data = read_document(gathered.blobs[root.extent.blob], limits.DOCUMENT_SIZE, name)
    if facts is None or facts.hash(gathered.root, "sha256") != hashlib.sha256(data).digest():
        raise UsageError(f"--policy {name}: it changed while it was being read")
    manifest = strict_json.parse_object(data, name)
    layers = manifest.get("layers")
    if not isinstance(layers, list) or len(layers) > limits.POLICY_FILES:
        raise UsageError(f"--policy {name}: no artifact with at most {limits.POLICY_FILES} files")
    found: list[tuple[str, str, bytes]] = []
    for number, layer in enumerate(layers):
        blob = gathered.blobs.get(str(layer.get("digest")))
        if blob is None:
            raise UsageError(f"--policy {name}: layer {number} is not there")
        title = _title(layer) or f"layer-{number}"
        if any(title == other for other, _, _ in found):
            raise UsageError(f"--policy {name}: two files called {title}")
        data = read_document(blob, limits.DOCUMENT_SIZE, title)
        digest = Digest.parse(str(layer["digest"]))
        if hashlib.new(digest.algorithm, data).digest() != digest.value:
            raise UsageError(f"--policy {name}: {title} changed while it was being read")
        found.append((title, str(layer.get("mediaType", "")), data))
    return found


def _title(layer: dict[str, Any]) -> str:
    annotations = layer.get("annotations")
    title = annotations.get(_TITLE) if isinstance(annotations, dict) else None
    return title if isinstance(title, str) else ""


def signers_from(keys: Sequence[str]) -> Trust | None:
    """Who may sign policies; None where nobody is named. Raises UsageError."""
    if not keys:
        return None
    trust = Trust()
    for key in keys:
        trust.add_key(key)
    return trust
