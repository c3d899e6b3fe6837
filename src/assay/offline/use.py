"""Verifies with an offline bundle.

What a bundle holds is evidence: signatures, statements, checksum files that count once somebody
who is trusted vouches for them. Keys, authorities, identities, trusted roots, revocation lists and
policies in it are trusted only where the user pinned the bundle, by its digest or by the key of
whoever made it; and whom to trust is taken from it only where the command line names nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from assay.evidence.model import GivenFile
from assay.model.codes import bundle as codes
from assay.model.digest import Digest
from assay.model.finding import AssayError, Finding, Severity, UsageError
from assay.pipeline import VerifyOptions
from assay.policy.material import Surroundings
from assay.policy_documents.fetch import Fetched
from assay.policy_documents.load import is_own, load_documents
from assay.policy_import.load import read_policy
from assay.signed_files import why_not_signed
from assay.sources.bundle.document import EVIDENCE_ROLES, Entry
from assay.sources.bundle.file import Bundle, open_bundle
from assay.trust.anchors import Trust

_MATERIAL = ("ca-intermediate", "tsa-ca", "crl", "ssh-revoked", "trusted-root", "witness-policy")
"""What is no anchor, and makes those on the command line work."""


def with_bundle(
    request: VerifyOptions,
    path: str,
    *,
    digest: str = "",
    keys: Sequence[str] = (),
    alone: bool = False,
) -> VerifyOptions:
    """The request with the bundle at ``path``, pinned by a digest or by keys where they are given.
    ``alone`` says that the image is the one in it.

    What is wrong with the bundle is in the findings of the request's trust, and ends every check
    with it. Raises UsageError.
    """
    request = replace(request, trust=_copy(request.trust))
    wanted = _digest(digest)
    signers = Trust()
    for key in keys:
        signers.add_key(key)
    try:
        bundle = open_bundle(path)
        bundle.pinned = _is_pinned(bundle, wanted, signers, request)
    except AssayError as error:
        request.trust.findings.append(error.finding)
        return request
    trust = request.trust
    named = trust.anchors or trust.notation or trust.requirements or request.policy is not None
    request = replace(request, bundle=bundle)
    if bundle.pinned:
        _take(bundle, trust, bundle.manifest.of(*_MATERIAL))
        if not named:
            request = _trust_anchors(bundle, request, alone=alone)
    elif bundle.manifest.has_trust:
        request.trust.findings.append(
            Finding.of(
                codes.BUNDLE_TRUST_UNUSED,
                detail=f"{path} was not pinned; only what the command line names is trusted",
                severity=None if named else Severity.WARNING,
            )
        )
    anchored = {file.path for file in request.trust.documents}
    bundled = [
        GivenFile.holding(entry.role, _name(bundle, entry), bundle.content(entry))
        for entry in bundle.manifest.of(*EVIDENCE_ROLES)
        if _name(bundle, entry) not in anchored
    ]
    return replace(request, bundled=bundled)


def _copy(trust: Trust) -> Trust:
    """What is added for one bundle is not for whatever the same trust is used for next."""
    fields = {name: getattr(trust, name) for name in Trust.__struct_fields__}
    return replace(
        trust, **{name: value.copy() for name, value in fields.items() if hasattr(value, "copy")}
    )


def _digest(text: str) -> Digest | None:
    if not text:
        return None
    try:
        digest = Digest.parse(text.strip())
    except ValueError as error:
        raise UsageError(f"--bundle-digest: {error}") from error
    if digest.algorithm != "sha256":
        raise UsageError("--bundle-digest: give the SHA-256 of the file, sha256:...")
    return digest


def _is_pinned(
    bundle: Bundle, wanted: Digest | None, signers: Trust, request: VerifyOptions
) -> bool:
    """Whether it is the one that was asked for; False where none was. Raises AssayError
    (bundle-not-pinned)."""
    if wanted is None and not signers.keys:
        return False
    actual = bundle.digest()
    if wanted is not None and actual != wanted:
        raise _not_pinned(f"{bundle.shown} has another digest", wanted, actual)
    if signers.keys:
        _check_signature(bundle, actual, signers, request.at)
    return True


def _check_signature(bundle: Bundle, actual: Digest, signers: Trust, at: datetime | None) -> None:
    if why := why_not_signed(bundle.shown, actual, signers, at):
        raise _not_pinned(f"{bundle.shown} is not vouched for by --bundle-key: {why}", "", "")


def _not_pinned(detail: str, wanted: object, actual: object) -> AssayError:
    return AssayError(
        Finding.of(codes.BUNDLE_NOT_PINNED, detail=detail, expected=wanted, actual=actual)
    )


def _name(bundle: Bundle, entry: Entry) -> Path:
    """What a file in a bundle is called: nothing on the disk has such a name."""
    return Path(bundle.shown) / entry.name


def _trust_anchors(bundle: Bundle, request: VerifyOptions, *, alone: bool) -> VerifyOptions:
    """Trust whom the bundle names, as if the command line did."""
    trust, manifest = request.trust, bundle.manifest
    trust.demands = manifest.demands | trust.demands
    _take(bundle, trust, [e for e in manifest.of("key", "ca") if e.anchor])
    _take(bundle, trust, [e for e in manifest.of("checksums", "baseline") if e.anchor])
    for digest in manifest.digests:
        trust.add_digest(str(digest))
    for one in manifest.identities:
        trust.add_identity(one.name, one.issuer, one.claims)
    policies = manifest.of("policy")
    if len(policies) > 1:
        raise UsageError(f"{bundle.shown} holds several policies")
    open_options = request.open
    if alone and not open_options.known_as and manifest.subject.media_type:
        open_options = replace(open_options, known_as=manifest.subject.name)
    request = replace(request, open=open_options, policy=None)
    if not policies:
        return request
    name, content = str(_name(bundle, policies[0])), bundle.content(policies[0])
    if not is_own(content):
        return replace(request, policy=read_policy(content, name))
    own = load_documents([Fetched(name, content, Surroundings())], open_options, request.at)
    return replace(request, policy=own, decider=own.decider())


def _take(bundle: Bundle, trust: Trust, entries: Sequence[Entry]) -> None:
    add = {
        "key": trust.add_key,
        "ca": trust.add_ca,
        "ca-intermediate": trust.add_ca_intermediate,
        "tsa-ca": trust.add_tsa_ca,
        "crl": trust.add_crl,
        "ssh-revoked": trust.add_ssh_revoked,
        "trusted-root": trust.add_trusted_root,
        "witness-policy": trust.add_witness_policy,
        "checksums": trust.add_checksums,
        "baseline": trust.add_baseline,
    }
    for entry in entries:
        name = str(_name(bundle, entry))
        trust.held[name] = bundle.content(entry)
        add[entry.role](name)
