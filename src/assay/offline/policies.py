"""A trust policy with the keys that it names by file inside: paths of one machine mean nothing on
another."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from assay import limits, strict_json
from assay.evidence.model import read_bounded
from assay.model.finding import AssayError, UsageError

_FORMS = {
    "keyPath": "keyData",
    "caPath": "caData",
    "rekorPublicKeyPath": "rekorPublicKeyData",
    "caRootsPath": "caRootsData",
    "caIntermediatesPath": "caIntermediatesData",
}
"""Members of containers-policy.json(5) that name a file, and those that hold its content."""


def self_contained(path: str) -> bytes:
    """The policy in a file, with the content of each file that it names in place of the name. A
    policy that names none keeps its bytes. Raises UsageError."""
    data = read_bounded(Path(path), limits.POLICY_SIZE, "--policy")
    try:
        value = strict_json.parse(data, "")
    except AssayError:
        return data  # no JSON: whoever reads it knows what it is
    changed = _changed(value)
    if changed == value:
        return data
    return (json.dumps(changed, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _encoded(name: str) -> str:
    content = read_bounded(Path(name), limits.KEY_FILE_SIZE, "--policy: it names")
    return base64.b64encode(content).decode("ascii")


def _changed(value: Any) -> Any:
    if isinstance(value, list):
        return [_changed(part) for part in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, part in value.items():
        single, several = _FORMS.get(name), _FORMS.get(name.removesuffix("s"))
        if single is not None and isinstance(part, str):
            found[single] = _encoded(part)
        elif several is not None and isinstance(part, list):
            if value.get("type") == "signedBy":
                if len(part) != 1:
                    raise UsageError(
                        f"--policy: {name} of signedBy has no form that holds {len(part)} keys;"
                        " put them into one file (gpg --export) and name that with keyPath"
                    )
                found[several] = _encoded(str(part[0]))
            else:
                found[f"{several}s"] = [_encoded(str(one)) for one in part]
        else:
            found[name] = _changed(part)
    return found
