"""The public interface, for programs: what the verbs of the command line do, as functions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path as File
from typing import Any, TypeVar

from assay import pipeline
from assay.appraisal.case import BuiltInRule
from assay.contents.options import ContentOptions
from assay.evidence.baseline_document import CHUNK_SIZE, LARGEST_CHUNK, SMALLEST_CHUNK
from assay.model.boot import BootCheck
from assay.model.comparison import Comparison
from assay.model.digest import ALGORITHMS, Strength
from assay.model.finding import AssayError, UsageError
from assay.model.reading import Options
from assay.model.statement_demands import StatementDemands
from assay.model.verdict import Verdict
from assay.produce.signing_key import SigningKey
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from assay.trust.statement_demands import require

Path = str | os.PathLike[str]
Found = TypeVar("Found")


def verify(
    image: Path,
    trust: Trust,
    *,
    signatures: Iterable[Path] = (),
    attestations: Iterable[Path] = (),
    sboms: Iterable[Path] = (),
    require_sbom: bool = False,
    sbom_coverage: float | None = None,
    every: bool = False,
    threshold: int = 1,
    self_consistent: bool = False,
    statements: StatementDemands | None = None,
    policy: Path | Sequence[Path] = "",
    policy_keys: Iterable[Path] = (),
    trust_store: Path = "",
    allow_partial: bool = False,
    platform: str = "",
    forced_type: str = "",
    offline: bool = False,
    at: datetime | None = None,
    bundle: Path = "",
    bundle_digest: str = "",
    bundle_keys: Iterable[Path] = (),
    sbat_levels: Iterable[Path] = (),
    fs_verity_signatures: Iterable[Path] = (),
    fs_verity_algorithm: str = "sha256",
    fs_verity_block_size: int = 4096,
    fs_verity_salt: bytes = b"",
) -> Verdict:
    """Check that an image is exactly what someone in ``trust`` published.

    ``image`` is a path or any other name that the command line takes. ``signatures`` are detached
    signature files, ``attestations`` statements in envelopes; those beside the image are found by
    themselves. ``sboms`` are compared with what the layers hold; ``require_sbom`` asks for one that
    somebody trusted signed, and ``sbom_coverage`` (from 0 to 1) for so many of the files to be
    accounted for. ``every`` asks for every anchor and not one of each kind, ``threshold`` for that
    many distinct signers, and ``self_consistent`` accepts an image that nobody vouches for.
    ``statements`` is what signed statements have to say beside (see `require`). ``policy`` is asked
    for as well: a policy of Assay's own (a file, a directory, an artifact; several are one), signed
    with one of ``policy_keys`` where there are some, or one of another tool. notation's needs a
    ``trust_store``, and with ``allow_partial`` only what can be checked of it is asked.
    ``platform`` narrows to one platform, ``forced_type`` names a format instead of detecting it.
    With ``offline`` no connection is made. Validity is judged at the time ``at``, which needs a
    time zone; None is now. ``bundle`` is an offline bundle that everything that speaks of the image
    is taken from (the image itself may be in it: ``bundle:FILE``); it is evidence, unless it is
    pinned by ``bundle_digest`` or by a signature of one of ``bundle_keys``. Programs that one of
    the revocation levels (SBAT) in ``sbat_levels`` does not take are refused.
    ``fs_verity_signatures`` are signatures of the file's fs-verity digest, made as the other three
    say.

    Whatever is wrong with the image, or keeps it from being read, is in the verdict, which is
    true only when the image is allowed. Raises UsageError when the request makes no sense.
    """
    rule = BuiltInRule(threshold, every, self_consistent, statements or StatementDemands())
    options = _options(trust, rule, signatures, attestations, platform, forced_type, offline, at)
    options.contents = _contents(sboms, require_sbom, sbom_coverage)
    options.sbat_levels = _names("sbat_levels", sbat_levels)
    options.fs_verity_signatures = _names("fs_verity_signatures", fs_verity_signatures)
    if options.fs_verity_signatures:
        from assay.trust.verity import fs_verity_request

        options.fs_verity = fs_verity_request(
            fs_verity_algorithm, fs_verity_block_size, fs_verity_salt
        )
    if policy:
        from assay.policy_documents.load import with_policies

        names = [policy] if isinstance(policy, str | os.PathLike) else policy
        options.allow_partial = allow_partial
        options = with_policies(
            options,
            [os.fspath(name) for name in names],
            keys=[os.fspath(key) for key in policy_keys],
            trust_store=os.fspath(trust_store),
        )
    elif trust_store or allow_partial or policy_keys:
        raise UsageError("trust_store, allow_partial and policy_keys are about a policy; give it")
    if bundle:
        from assay.offline.use import with_bundle

        options = with_bundle(
            options,
            os.fspath(bundle),
            digest=bundle_digest,
            keys=[os.fspath(key) for key in bundle_keys],
            alone=os.fspath(image) == f"bundle:{os.fspath(bundle)}",
        )
    elif bundle_digest or bundle_keys:
        raise UsageError("bundle_digest and bundle_keys are about a bundle; give it")
    return _only(image, pipeline.verify(os.fspath(image), options))


def _contents(sboms: Iterable[Path], required: bool, coverage: float | None) -> ContentOptions:
    if coverage is not None and not 0 <= coverage <= 1:
        raise UsageError("sbom_coverage: not a share from 0 to 1")
    return ContentOptions(tuple(_names("sboms", sboms)), required, coverage)


def _names(option: str, files: Iterable[Path]) -> list[str]:
    if isinstance(files, str | os.PathLike):
        raise UsageError(f"{option}: give a list of files")
    return [os.fspath(file) for file in files]


def inspect(
    image: Path,
    *,
    signatures: Iterable[Path] = (),
    platform: str = "",
    forced_type: str = "",
    offline: bool = False,
    at: datetime | None = None,
) -> Verdict:
    """Find out what is in an image, who signed it, and whether it agrees with itself.

    Nothing is trusted, so nothing in the verdict is vouched for: look at its components,
    signatures and findings. The parameters are those of `verify`. Raises UsageError when the
    request makes no sense.
    """
    rule = BuiltInRule(self_consistent=True)
    options = _options(Trust(), rule, signatures, (), platform, forced_type, offline, at)
    options.look_beside = True
    return _only(image, pipeline.verify(os.fspath(image), options))


def baseline(
    image: Path,
    trust: Trust | None = None,
    *,
    signatures: Iterable[Path] = (),
    algorithms: Sequence[str] = ("sha256",),
    chunk_size: int = CHUNK_SIZE,
    platform: str = "",
    forced_type: str = "",
    offline: bool = False,
    at: datetime | None = None,
) -> bytes:
    """Reference values of an image, as an in-toto statement that is ready to be signed: the digest
    of every component by each of ``algorithms``, and by the first one that of every
    ``chunk_size`` bytes.

    The image has to agree with itself and, where ``trust`` is given, to be vouched for; the other
    parameters are those of `verify`. Raises RefusedError, which holds the verdict, when the image
    is not worth a baseline, and UsageError when the request makes no sense.
    """
    from assay.reference_values import take_baseline

    if not SMALLEST_CHUNK <= chunk_size <= LARGEST_CHUNK:
        raise UsageError(f"chunk_size: {chunk_size} is not {SMALLEST_CHUNK} to {LARGEST_CHUNK}")
    for algorithm in algorithms:
        if algorithm not in ALGORITHMS or ALGORITHMS[algorithm].strength is not Strength.BINDING:
            raise UsageError(f"algorithms: {algorithm} is not a digest that binds")
    if not algorithms:
        raise UsageError("algorithms: name at least one")

    trust = trust or Trust()
    rule = BuiltInRule(self_consistent=not (trust.anchors or trust.notation))
    options = _options(trust, rule, signatures, (), platform, forced_type, offline, at)
    taken = _only(image, take_baseline(os.fspath(image), options, list(algorithms), chunk_size))
    if taken.document is None:
        raise RefusedError(taken.verdict)
    return taken.document


def compare(
    a: Path, b: Path, *, platform: str = "", forced_type: str = "", offline: bool = False
) -> Comparison:
    """Tell where two images, or an image and a baseline, differ: by component, file and byte
    range. The parameters are those of `verify`; nothing is trusted, and what could not be
    compared is in the answer. Raises UsageError when the request makes no sense.
    """
    from assay.comparison import run

    options = run.CompareOptions(
        formats=Options(platform=platform, forced_type=forced_type),
        open=OpenOptions(offline=offline, platform=platform),
    )
    return run.compare(os.fspath(a), os.fspath(b), options)


def boot_check(
    image: Path,
    firmware: Iterable[Path],
    *,
    through: Iterable[Path] = (),
    sbat_levels: Iterable[Path] = (),
    modules: Path = "",
    offline: bool = False,
    at: datetime | None = None,
) -> BootCheck:
    """Tell whether a machine's Secure Boot databases let an image boot, and why.

    ``image`` is a program, the directory of an EFI system partition, or a disk image. ``firmware``
    is what the machine has: variable stores, directories of variables, and files that are named
    after a database (``db=FILE``); they add up. ``through`` are the programs that come before the
    image, first the one that firmware starts. The image has to pass the ``sbat_levels`` as well,
    and ``modules`` is a directory of kernel modules that the kernel in it will load. ``at`` only
    tells which certificates have run out. Everything would start where the ``exit_status`` of the
    answer is 0; what is wrong is in the answer. Raises UsageError when the request makes no sense.
    """
    from assay.boot.check import CheckOptions, check
    from assay.evidence.model import GivenFile
    from assay.evidence.sbat import read_levels

    if at is not None and at.tzinfo is None:
        raise UsageError(f"at: {at} has no time zone")
    levels = [GivenFile("sbat-level", File(name)) for name in _names("sbat_levels", sbat_levels)]
    options = CheckOptions(
        firmware=_names("firmware", firmware),
        through=_names("through", through),
        levels=[read_levels(level)[-1] for level in levels],
        modules=os.fspath(modules),
        open=OpenOptions(offline=offline),
        at=at,
    )
    return check(os.fspath(image), options)


def load_signing_key(path: Path, passphrase: str | bytes | None = None) -> SigningKey:
    """The private key in a file: PEM, of cosign, or of minisign.

    ``passphrase`` says where the passphrase of an encrypted key is (``env:NAME``, ``fd:NUMBER``,
    ``file:PATH``); bytes are the passphrase itself. Raises UsageError: the file cannot be read,
    others can read it though it is not encrypted, the passphrase is wrong.
    """
    from assay.produce.keys.files import load_key

    return load_key(path, passphrase)


def sign(
    image: Path,
    key: SigningKey,
    *,
    form: str = "",
    comment: str | None = None,
    annotations: Mapping[str, str] | None = None,
    certificates: Sequence[Path] = (),
    expiry: datetime | None = None,
    timestamp_url: str = "",
    attach: bool = False,
    signature_repository: str = "",
    offline: bool = False,
) -> bytes:
    """A signature over a file, or of a container image by its digest.

    ``form`` is ``sigstore``, ``minisign``, ``dsse``, ``raw``, ``notary-jws``, ``notary-cose`` or,
    for images, ``simple-signing``; empty for what is usual for the key. ``comment`` is minisign's
    trusted comment, and ``annotations`` are signed with an image. The forms of the Notary Project
    need the ``certificates`` of the key; they may have an ``expiry``, and a time stamp of the
    authority at ``timestamp_url``. With ``attach`` the signature of an image is attached to it as
    well, in its registry or layout, or in ``signature_repository``. Raises AssayError, which holds
    a finding, where something cannot be read or written, and UsageError when the request makes no
    sense.
    """
    from assay.produce.formats.model import Wishes
    from assay.signing import find_subject, sign

    options = OpenOptions(offline=offline)
    subject = find_subject(os.fspath(image), options)
    notary = None
    if certificates or expiry is not None or timestamp_url:
        from assay.produce.notary_wishes import notary_wishes

        paths = [os.fspath(path) for path in certificates]
        notary = notary_wishes(paths, expiry, timestamp_url, options=options)
    signed = sign(subject, key, form, Wishes(comment=comment), annotations, notary=notary)
    if attach:
        signed.attach(options, signature_repository)
    return signed.data


def attest(
    image: Path,
    key: SigningKey,
    kind: str,
    predicate: Mapping[str, Any] | bytes,
    *,
    form: str = "sigstore",
    attach: bool = False,
    offline: bool = False,
) -> bytes:
    """A signed in-toto statement about a file or a container image.

    ``kind`` is the type of the predicate, by a short name (``slsaprovenance1``, ``cyclonedx`` ...)
    or as a URI; bytes of JSON go into the statement as they are. ``form`` is ``sigstore`` or
    ``dsse``. The rest is as in `sign`.
    """
    import json

    from assay.signing import attest, find_subject

    if not isinstance(predicate, bytes):
        try:
            predicate = json.dumps(dict(predicate), ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise UsageError(f"predicate: it cannot be written as JSON: {error}") from error
    options = OpenOptions(offline=offline)
    signed = attest(find_subject(os.fspath(image), options), key, kind, predicate, form)
    if attach:
        signed.attach(options)
    return signed.data


class RefusedError(Exception):
    """What was asked for needs an image that is intact and, where something to trust was given,
    vouched for. The one given is not: ``verdict`` says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"{verdict.image} is {verdict.decision.value}")
        self.verdict = verdict


def _options(
    trust: Trust,
    rule: BuiltInRule,
    signatures: Iterable[Path],
    attestations: Iterable[Path],
    platform: str,
    forced_type: str,
    offline: bool,
    at: datetime | None,
) -> pipeline.VerifyOptions:
    if at is not None and at.tzinfo is None:
        raise UsageError(f"at: {at} has no time zone")
    return pipeline.VerifyOptions(
        trust=trust,
        rule=rule,
        formats=Options(platform=platform, forced_type=forced_type),
        open=OpenOptions(offline=offline, platform=platform),
        signatures=_names("signatures", signatures),
        attestations=_names("attestations", attestations),
        at=at,
    )


def _only(image: Path, found: Sequence[Found]) -> Found:
    if len(found) != 1:
        raise UsageError(f"{image} stands for {len(found)} images: name one of them")
    return found[0]


__all__ = [
    "AssayError",
    "BootCheck",
    "Comparison",
    "RefusedError",
    "SigningKey",
    "Trust",
    "UsageError",
    "Verdict",
    "attest",
    "baseline",
    "boot_check",
    "compare",
    "inspect",
    "load_signing_key",
    "require",
    "sign",
    "verify",
]
