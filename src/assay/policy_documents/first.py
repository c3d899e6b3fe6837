"""A first policy, from an image that is known to be good: who vouched for it, how much of it was
covered, and what statements came with it become what is asked of the next one."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from assay.model.anchor import Anchor
from assay.model.identity import IDENTITY_SCHEME
from assay.model.statement import Contents, Provenance
from assay.model.verdict import Verdict
from assay.policy.model import VERSION
from assay.printable import printable
from assay.trust.anchors import Trust

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@-]*(:[A-Za-z0-9_./@*-]+)*\Z")
_WORDS = re.compile(r"(?i:y|n|yes|no|on|off|true|false|null)\Z")
_STRONG = 3072
"""Bits of RSA keys that are asked for where the image was signed with such a key, or a longer."""


class Material(Struct):
    """What was given beside anchors, by file name or as ``tuf:NAME``."""

    trusted_roots: Sequence[str] = ()
    time_authorities: Sequence[str] = ()
    revocation_lists: Sequence[str] = ()
    intermediates: Sequence[str] = ()


class _Named(Struct):
    """An anchor of the policy that is being written."""

    name: str
    lines: list[str] = field(default_factory=list)


def first_policy(
    verdicts: Sequence[Verdict], trust: Trust, material: Material, folder: Path
) -> str:
    """The text of a policy that asks of images what is so of these. The files that it names are
    written as seen from ``folder``. Anchors that vouched for nothing are left out."""
    vouching = {voucher.anchor for verdict in verdicts for voucher in verdict.vouchers}
    anchors = {
        anchor.id: _named(anchor, trust, verdicts, material, folder)
        for anchor in trust.anchors
        if anchor.id in vouching
    }
    _make_unique(list(anchors.values()))
    lines = [
        "# yaml-language-server: $schema=policy-1.json",
        "# (assay schema policy > policy-1.json makes editors complete and check this file)",
        f"assay-policy: {VERSION}",
        "",
        "anchors:",
    ]
    for anchor in anchors.values():
        lines += [f"  {anchor.name}:", *(f"    {line}" for line in anchor.lines)]
    if not anchors:
        lines += list(_pinned(verdicts))
    lines += _surroundings(material, folder)
    lines += ["", "rules:"]
    for number, verdict in enumerate(verdicts):
        names = {v.anchor: anchors[v.anchor].name for v in verdict.vouchers if v.anchor in anchors}
        signers = list(dict.fromkeys(names.values())) or ["known-good"]
        lines += _rule(verdict, signers, number if len(verdicts) > 1 else None)
    return "\n".join(lines) + "\n"


def _pinned(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Where nobody is named who vouches, the images themselves are trusted, and no other."""
    yield "  known-good:"
    yield "    description: These very images. Name who signs them to let newer ones in."
    for verdict in verdicts:
        for signature in verdict.signatures:
            yield f"    # {printable(signature.id, 200)}: a {signature.scheme} signature, by whom?"
    yield "    digests:"
    for verdict in verdicts:
        yield f"      - {_digest(verdict)}"


def _digest(verdict: Verdict) -> str:
    found = re.search(r"@(sha256:[0-9a-f]{64})\Z", verdict.resolved)
    if found is not None:
        return found[1]
    digests = verdict.components[0].digests if verdict.components else ()
    return next((each for each in digests if each.startswith("sha256:")), "")


def _named(
    anchor: Anchor, trust: Trust, verdicts: Sequence[Verdict], material: Material, folder: Path
) -> _Named:
    given = trust.given.get(anchor.id, "")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(given).stem).strip("-.") or anchor.kind
    match anchor.kind:
        case "key":
            return _Named(name, ["keys:", _file(given, folder)])
        case "ca":
            names = dict.fromkeys(_signers(anchor.id, verdicts))
            lines = ["authorities:", _file(given, folder)]
            lines += ["names:", *(f"  - {_text(each)}" for each in names)] if names else []
            if material.intermediates:
                lines += [
                    "intermediates:",
                    *(_file(each, folder) for each in material.intermediates),
                ]
            return _Named(name, lines)
        case "identity":
            return _Named("signer", ["identities:", *_identities(anchor, trust)])
        case "secret":
            place = given.partition(":")[2]
            kind = (
                place if place.startswith(("env:", "fd:")) else f"file:{_relative(place, folder)}"
            )
            return _Named("shared-secret", [f"secrets: [{_text(kind)}]"])
        case "digest":
            return _Named("known-good", [f"digests: [{trust.digests[anchor.id]}]"])
    files = [str(file.path) for file in trust.documents if file.anchor == anchor.id]
    plural = {"checksums": "checksums", "baseline": "baselines"}.get(anchor.kind, anchor.kind)
    return _Named(plural, [f"{plural}:", *(_file(each, folder) for each in files)])


def _identities(anchor: Anchor, trust: Trust) -> Iterator[str]:
    for key in trust.keys:
        if key.anchor == anchor.id and key.scheme == IDENTITY_SCHEME:
            yield f"  - name: {_text(key.material.name.text)}"
            if key.material.issuer is not None:
                yield f"    issuer: {_text(key.material.issuer.text)}"
            for claim, pattern in key.material.claims:
                yield f"    claims: {{{_text(claim)}: {_text(pattern.text)}}}"


def _signers(anchor: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Whom an authority has certified, by the name that the certificates have."""
    for verdict in verdicts:
        for voucher in verdict.vouchers:
            if voucher.anchor == anchor and voucher.signer is not None:
                yield voucher.signer.identity


def _make_unique(anchors: Sequence[_Named]) -> None:
    seen: dict[str, int] = {}
    for anchor in anchors:
        number = seen[anchor.name] = seen.get(anchor.name, 0) + 1
        if number > 1:
            anchor.name = f"{anchor.name}-{number}"


def _surroundings(material: Material, folder: Path) -> list[str]:
    lines: list[str] = []
    if material.trusted_roots:
        lines += ["", "trusted-roots:"]
        for number, name in enumerate(material.trusted_roots):
            called = f"root-{number + 1}" if number else "root"
            if name == "tuf" or name.startswith(("tuf:", "https:")):
                tuf = name.removeprefix("tuf:") if name != "tuf" else "default"
                lines.append(f"  {called}: {{tuf: {_text(tuf)}}}")
            else:
                lines.append(f"  {called}: {_file(name, folder).removeprefix('  - ')}")
    for key, names in (
        ("time-authorities", material.time_authorities),
        ("revocation-lists", material.revocation_lists),
    ):
        if names:
            lines += ["", f"{key}:", *(_file(name, folder) for name in names)]
    return lines


def _rule(verdict: Verdict, signers: Sequence[str], number: int | None) -> list[str]:
    repository = _repository(verdict)
    lines = [f"  - name: first rule{'' if number is None else f' {number + 1}'}", "    match:"]
    if repository:
        lines.append(f"      repository: [{_text(repository)}]")
    else:
        lines.append(f"      format: [{_text(verdict.format)}]")
    who = signers[0] if len(signers) == 1 else f"{{all: [{', '.join(signers)}]}}"
    lines += ["    require:", f"      signers: {who}", *_coverage(verdict), *_algorithms(verdict)]
    lines += _statements(verdict)
    proven = [v.signer for v in verdict.vouchers if v.signer is not None and v.signer.signed_at]
    if any(not signer.time_source.startswith("signer") for signer in proven):
        lines.append("      # freshness: {signed-within: 180 days}")
    return lines


def _repository(verdict: Verdict) -> str:
    name = verdict.resolved.removeprefix("docker://")
    if name == verdict.resolved:
        return ""
    name = name.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def _coverage(verdict: Verdict) -> Iterator[str]:
    covered = verdict.coverage
    if not covered.bound:
        return
    if covered.bound + covered.excluded == covered.total:
        yield "      coverage: {complete: true}"
    else:
        percent = int(covered.fraction * 1000) / 10
        yield f"      coverage: {{percent: {percent}}} # what was covered of this image"


def _algorithms(verdict: Verdict) -> Iterator[str]:
    sizes = [
        voucher.signer.algorithm.size
        for voucher in verdict.vouchers
        if voucher.signer is not None
        and voucher.signer.algorithm is not None
        and voucher.signer.algorithm.family == "RSA"
    ]
    if sizes and min(sizes) >= _STRONG:
        yield f"      algorithms: {{rsa-bits: {_STRONG}}}"


def _statements(verdict: Verdict) -> Iterator[str]:
    trusted = [one.facts for one in verdict.statements if one.trusted and one.about]
    for facts in trusted:
        if isinstance(facts, Provenance):
            yield "      provenance:"
            yield f"        builder: [{_text(facts.builder)}]"
            if facts.sources:
                uris = dict.fromkeys(source.uri for source in facts.sources)
                yield f"        source: [{', '.join(map(_text, uris))}]"
            break
    formats = [each.format.lower() for each in trusted if isinstance(each, Contents)]
    known = sorted({name for name in ("spdx", "cyclonedx") for each in formats if name in each})
    if known:
        yield f"      sbom: {{formats: [{', '.join(known)}]}}"


def _file(name: str, folder: Path) -> str:
    digest = hashlib.sha256(Path(name).read_bytes()).hexdigest()
    return f"  - {{file: {_text(_relative(name, folder))}, sha256: {digest}}}"


def _relative(name: str, folder: Path) -> str:
    return os.path.relpath(name, folder)


def _text(value: Any) -> str:
    """Text as YAML, in quotes where it takes them."""
    text = str(value)
    plain = _PLAIN.match(text) is not None and _WORDS.match(text) is None
    return text if plain else json.dumps(text)
