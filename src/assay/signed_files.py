"""Files that Assay itself goes by (an offline bundle, a policy), signed by somebody the user names:
the same rules hold for them as for any other file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from assay.model.digest import Digest
from assay.model.finding import Severity
from assay.model.measurement import HashRequest
from assay.model.reading import Options
from assay.model.verdict import Decision
from assay.pipeline import Gathered, VerifyOptions, examine
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust


def why_not_signed(path: str, actual: Digest, signers: Trust, at: datetime | None) -> str:
    """Why none of ``signers`` vouches, by a signature in or beside the file, for these bytes of it
    (``actual`` is their SHA-256 digest); empty where one does. Raises UsageError."""

    def measure(gathered: Gathered) -> list[tuple[str, HashRequest]]:
        return [(gathered.root, HashRequest("sha256"))]

    request = VerifyOptions(
        trust=signers,
        formats=Options(forced_type="raw"),
        open=OpenOptions(offline=True),
        also_measure=measure,  # type: ignore[arg-type]
        at=at,
    )
    [examined] = examine(str(Path(path).absolute()), request)
    verdict, facts, gathered = examined.verdict, examined.facts, examined.gathered
    if verdict.decision is not Decision.ALLOWED or facts is None or gathered is None:
        errors = [one for one in verdict.findings if one.severity is Severity.ERROR]
        return errors[0].detail if errors else "nobody vouches for it"
    if facts.hash(gathered.root, "sha256") != actual.value:
        return "it changed while it was being read"
    return ""
