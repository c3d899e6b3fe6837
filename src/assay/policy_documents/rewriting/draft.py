"""A policy document that is being written. What cannot be said in it is kept as such, and the rule
that needs it lets nothing in: a translation never lets in more than the original."""

from __future__ import annotations

import base64
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from assay.crypto.public_key import PublicKey
from assay.policy.model import VERSION
from assay.x509.certificate import Certificate

HEADER = "# yaml-language-server: $schema=policy-1.json\n"


class Draft(Struct):
    """Anchors and rules so far, as they stand in the document. ``left`` says what could not be
    carried over, and where it stands in the original."""

    anchors: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: list[dict[str, Any]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def anchor(self, wanted: str, content: dict[str, Any]) -> str:
        """The name of an anchor with this content; one that is there already serves again."""
        for name, known in self.anchors.items():
            if known == content:
                return name
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip("-.")[:60] or "signer"
        number, name = 1, plain
        while name in self.anchors:
            number += 1
            name = f"{plain}-{number}"
        self.anchors[name] = content
        return name

    def cannot(self, where: str, reason: str) -> dict[str, Any]:
        """A requirement that is never met, in place of one that cannot be carried over."""
        text = f"{where}: {reason}"
        self.left.append(text)
        return {"require": "false", "message": f"not carried over: {text}"[:1000]}

    def rule(self, name: str, match: dict[str, Any], require: dict[str, Any], **more: Any) -> None:
        plain = re.sub(r"[^A-Za-z0-9 ._/-]+", "-", name).strip(" -./")[:90] or "rule"
        number, unique = 1, plain
        while any(rule["name"] == unique for rule in self.rules):
            number += 1
            unique = f"{plain} {number}"
        rule: dict[str, Any] = {"name": unique}
        if match:
            rule["match"] = match
        self.rules.append({**rule, "require": require, **more})

    def text(self) -> str:
        """The document."""
        import yaml

        def of_text(writer: Any, text: str) -> Any:
            style = "|" if "\n" in text else None
            return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)

        # lines of text stay lines, and what stands there twice is written twice
        dumper: Any = type("Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
        dumper.add_representer(str, of_text)
        document: dict[str, Any] = {"assay-policy": VERSION}
        if self.anchors:
            document["anchors"] = self.anchors
        document["rules"] = self.rules
        dumped: str = yaml.dump(
            document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100
        )
        notes = "".join(
            f"# NOT CARRIED OVER: {line}\n" for text in self.left for line in _lines(text)
        )
        return HEADER + notes + dumped


def _lines(text: str) -> Iterator[str]:
    """Text for comments: nothing of the original may end one."""
    from assay.printable import printable

    yield from textwrap.wrap(printable(text, 1000), 90)


def key_text(key: PublicKey) -> str:
    """A public key in PEM."""
    return _pem("PUBLIC KEY", key.spki)


def certificate_text(certificate: Certificate) -> str:
    """A certificate in PEM."""
    return _pem("CERTIFICATE", certificate.der)


def _pem(label: str, data: bytes) -> str:
    lines = textwrap.wrap(base64.b64encode(data).decode("ascii"), 64)
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def files_or_text(paths: tuple[str, ...], data: tuple[bytes, ...]) -> list[Any]:
    """Material as it is in the original: by file, or as text. Raises ValueError for bytes that are
    no text."""
    found: list[Any] = [str(Path(path).absolute()) for path in paths]
    for each in data:
        try:
            found.append({"inline": each.decode("ascii")})
        except UnicodeDecodeError:
            raise ValueError("its keys are no text; write them to a file") from None
    return found
