"""Assay: proves that an image is exactly what a trusted party published.

    from assay import Trust, verify
    verdict = verify("disk.img", Trust().add_checksums("SHA256SUMS"))
    print(verdict.decision.value, f"{verdict.coverage.fraction:.0%} covered")

This is the whole interface; everything else may change. Names are loaded when they are first
used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.version import __version__

if TYPE_CHECKING:
    from assay.api import (
        AssayError,
        BootCheck,
        Comparison,
        RefusedError,
        SigningKey,
        Trust,
        UsageError,
        Verdict,
        attest,
        baseline,
        boot_check,
        compare,
        inspect,
        load_signing_key,
        require,
        sign,
        verify,
    )

__all__ = [
    "AssayError",
    "BootCheck",
    "Comparison",
    "RefusedError",
    "SigningKey",
    "Trust",
    "UsageError",
    "Verdict",
    "__version__",
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


def __getattr__(name: str) -> Any:
    if name in __all__:
        from assay import api

        value = globals()[name] = getattr(api, name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
