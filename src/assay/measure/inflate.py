"""Transforms: what undoes which compression."""

from __future__ import annotations

from collections.abc import Callable

from assay.measure.compression import compression_of
from assay.measure.inflaters.model import Consumer, Inflater
from assay.model.codes.content import UNSUPPORTED_ALGORITHM
from assay.model.finding import AssayError, Finding


def _gzip(consumer: Consumer) -> Inflater:
    from assay.measure.inflaters.gzip import GzipInflater

    return GzipInflater(consumer)


def _zstd(consumer: Consumer) -> Inflater:
    from assay.measure.inflaters.frames import ZstdInflater

    return ZstdInflater(consumer)


def _xz(consumer: Consumer) -> Inflater:
    from assay.measure.inflaters.frames import XzInflater

    return XzInflater(consumer)


def _bzip2(consumer: Consumer) -> Inflater:
    from assay.measure.inflaters.frames import Bzip2Inflater

    return Bzip2Inflater(consumer)


def _lzma(consumer: Consumer) -> Inflater:
    from assay.measure.inflaters.frames import LzmaInflater

    return LzmaInflater(consumer)


def _lz4(consumer: Consumer) -> Inflater:
    from assay.measure.inflaters.lz4 import Lz4Inflater

    return Lz4Inflater(consumer)


def _legacy_lz4(consumer: Consumer) -> Inflater:
    from assay.measure.inflaters.lz4 import LegacyLz4Inflater

    return LegacyLz4Inflater(consumer)


TRANSFORMS: dict[str, Callable[[Consumer], Inflater]] = {
    "gzip": _gzip,
    "zstd": _zstd,
    "xz": _xz,
    "bzip2": _bzip2,
    "lzma": _lzma,
    "lz4": _lz4,
    "lz4-legacy": _legacy_lz4,
}
"""How each `Derived` transform is computed."""


def inflater_for(transform: str, consumer: Consumer) -> Inflater:
    """The inflater of a transform. Raises AssayError (unsupported-algorithm) when unknown."""
    if transform.startswith("tcg-replay:"):
        from assay.measure.inflaters.replay import ReplayInflater

        return ReplayInflater(transform, consumer)
    try:
        make = TRANSFORMS[transform]
    except KeyError:
        raise AssayError(
            Finding.of(UNSUPPORTED_ALGORITHM, detail=f"no transform {transform!r}")
        ) from None
    return make(consumer)


__all__ = ["TRANSFORMS", "Consumer", "Inflater", "compression_of", "inflater_for"]
