"""The public interface, for programs: what the verbs of the command line do, as functions."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime

from assay import pipeline
from assay.appraisal.case import BuiltInRule
from assay.model.finding import UsageError
from assay.model.reading import Options
from assay.model.verdict import Verdict
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust

Path = str | os.PathLike[str]


def verify(
    image: Path,
    trust: Trust,
    *,
    signatures: Iterable[Path] = (),
    attestations: Iterable[Path] = (),
    every: bool = False,
    threshold: int = 1,
    self_consistent: bool = False,
    platform: str = "",
    forced_type: str = "",
    offline: bool = False,
    at: datetime | None = None,
) -> Verdict:
    """Check that an image is exactly what someone in ``trust`` published.

    ``image`` is a path or any other name that the command line takes. ``signatures`` are detached
    signature files, ``attestations`` statements in envelopes; those beside the image are found by
    themselves. ``every`` asks for every anchor and not one of each kind, ``threshold`` for that
    many distinct signers, and ``self_consistent`` accepts an image that nobody vouches for.
    ``platform`` narrows to one platform, ``forced_type`` names a format instead of detecting it.
    With ``offline`` no connection is made. Validity is judged at the time ``at``, which needs a
    time zone; None is now.

    Whatever is wrong with the image, or keeps it from being read, is in the verdict, which is
    true only when the image is allowed. Raises UsageError when the request makes no sense.
    """
    rule = BuiltInRule(threshold, every, self_consistent)
    return _one(image, trust, rule, signatures, platform, forced_type, offline, at, attestations)


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
    return _one(
        image, Trust(), rule, signatures, platform, forced_type, offline, at, look_beside=True
    )


def _one(
    image: Path,
    trust: Trust,
    rule: BuiltInRule,
    signatures: Iterable[Path],
    platform: str,
    forced_type: str,
    offline: bool,
    at: datetime | None,
    attestations: Iterable[Path] = (),
    look_beside: bool = False,
) -> Verdict:
    if at is not None and at.tzinfo is None:
        raise UsageError(f"at: {at} has no time zone")
    for option, files in (("signatures", signatures), ("attestations", attestations)):
        if isinstance(files, str | os.PathLike):
            raise UsageError(f"{option}: give a list of files")
    name = os.fspath(image)
    verdicts = pipeline.verify(
        name,
        pipeline.VerifyOptions(
            trust=trust,
            rule=rule,
            formats=Options(platform=platform, forced_type=forced_type),
            open=OpenOptions(offline=offline, platform=platform),
            signatures=[os.fspath(signature) for signature in signatures],
            attestations=[os.fspath(attestation) for attestation in attestations],
            look_beside=look_beside,
            at=at,
        ),
    )
    if len(verdicts) != 1:
        raise UsageError(f"{name} stands for {len(verdicts)} images: name one of them")
    return verdicts[0]


__all__ = ["Trust", "UsageError", "Verdict", "inspect", "verify"]
