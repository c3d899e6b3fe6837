"""How a user wants to be told of revoked certificates."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct, field

from assay.cms.given import Online
from assay.model.finding import Severity, UsageError
from assay.model.signature import Key
from assay.trust.revocation.source import OnlineStatus
from assay.x509 import key_schemes

_UNKNOWN = {"off": None, "by-policy": None, "soft": Severity.WARNING, "hard": Severity.ERROR}


class Revocation(Struct):
    """Whether others are asked about revocation, and how bad it is when they do not tell.

    ``off`` asks nobody, ``by-policy`` only for trust policies that want it. The images of one run
    share what was learnt.
    """

    mode: str
    cache: Path | None = None
    sources: dict[bool, OnlineStatus] = field(default_factory=dict)
    """By whether connections are forbidden."""

    @classmethod
    def of(cls, mode: str, cache: Path | None = None) -> Revocation:
        """Raises UsageError for a mode that is not known."""
        if mode not in _UNKNOWN:
            raise UsageError(f"--revocation {mode}: not known; there are off, soft, hard")
        return cls(mode, cache)

    def key(self, *, offline: bool) -> Key | None:
        """Who may be asked, for signature schemes; None for nobody."""
        if self.mode == "off":
            return None
        if offline not in self.sources:
            self.sources[offline] = OnlineStatus(offline=offline, cache=self.cache)
        online = Online(self.sources[offline], _UNKNOWN[self.mode])
        return Key("", key_schemes.REVOCATION, self.mode, online)
