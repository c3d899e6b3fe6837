"""What a registry says about a failure (distribution-spec, "Error Codes")."""

from __future__ import annotations

import re

from assay import limits, strict_json
from assay.sources.http.response import Response

_ERROR_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}\Z")


def error_code(response: Response) -> str:
    """The code that a registry gives for a failure (``DENIED``), empty when it gives none."""
    try:
        errors = strict_json.parse_object(response.read(limits.ERROR_BODY_SIZE), "")["errors"]
        code: str = errors[0]["code"]
        return code if _ERROR_CODE.match(code) else ""
    except Exception:
        # whatever the body is: the status has been said, and the rest is decoration
        response.close()
        return ""
