"""Platforms: what an index promises, what a configuration states, what the user asks for."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

_IMPLIED_VARIANTS = {("arm64", "v8"), ("amd64", "v1")}


class Platform(Struct, frozen=True):
    """A platform object (image-spec, image-index.md). Empty where nothing is stated."""

    os: str = ""
    architecture: str = ""
    variant: str = ""
    os_version: str = ""
    os_features: frozenset[str] = frozenset()

    @classmethod
    def read(cls, value: Any) -> Platform:
        """From a platform object or a configuration; what is not a string counts as not stated."""
        if not isinstance(value, dict):
            return cls()

        def text(key: str) -> str:
            found = value.get(key)
            return found if isinstance(found, str) else ""

        features = value.get("os.features")
        return cls(
            text("os"),
            text("architecture"),
            text("variant"),
            text("os.version"),
            frozenset(item for item in features if isinstance(item, str))
            if isinstance(features, list)
            else frozenset(),
        )

    @classmethod
    def asked(cls, text: str) -> Platform:
        """From ``os/architecture[/variant]``."""
        os, _, rest = text.partition("/")
        architecture, _, variant = rest.partition("/")
        return cls(os, architecture, variant)

    @property
    def name(self) -> str:
        """``os/architecture[/variant]``; empty when nothing is stated."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @property
    def unknown(self) -> bool:
        """Whether this is the platform that BuildKit gives to what does not run."""
        return self.os == self.architecture == "unknown"

    @property
    def plain_variant(self) -> str:
        """The variant, unless it is the only one there is for the architecture's name."""
        return "" if (self.architecture, self.variant) in _IMPLIED_VARIANTS else self.variant

    def meets(self, asked: Platform) -> bool:
        """Whether this is what is asked for; a variant that is not asked for may be any."""
        return (self.os, self.architecture) == (asked.os, asked.architecture) and (
            not asked.variant or asked.plain_variant == self.plain_variant
        )

    def differences(self, other: Platform) -> list[tuple[str, str, str]]:
        """The fields that both state and in which they differ: name, this value, the other's."""
        pairs = [
            ("os", self.os, other.os),
            ("architecture", self.architecture, other.architecture),
            ("variant", self.variant, other.variant),
            ("os.version", self.os_version, other.os_version),
            ("os.features", _listed(self.os_features), _listed(other.os_features)),
        ]
        return [pair for pair in pairs if pair[1] and pair[2] and pair[1] != pair[2]]


def _listed(features: frozenset[str]) -> str:
    return ", ".join(sorted(features))
