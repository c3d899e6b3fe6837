"""sigstore-python in library mode: SECONDS FOLDER MOST. It runs in an environment of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sigstore.errors import VerificationError  # type: ignore[import-not-found]
from sigstore.models import Bundle, TrustedRoot  # type: ignore[import-not-found]
from sigstore.verify import Verifier, policy  # type: ignore[import-not-found]

from benchmarks.loops.clock import loop, seconds_from


def verify(data: bytes, artifact: bytes, verifier: Verifier, who: policy.Identity) -> bool:
    """Whether a bundle says that the identity signed the artifact."""
    try:
        verifier.verify_artifact(artifact, Bundle.from_json(data), who)
    except VerificationError:
        return False
    return True


def main() -> int:
    folder = Path(sys.argv[2])
    verifier = Verifier(trusted_root=TrustedRoot.from_file(str(folder / "trusted_root.json")))
    who = policy.Identity(
        identity=(folder / "identity").read_text(), issuer=(folder / "issuer").read_text()
    )
    works: list[Callable[[], bool]] = []
    for path in sorted((folder / "identity-signed").glob("*.sigstore.json"))[: int(sys.argv[3])]:
        artifact = path.with_name(path.name.removesuffix(".sigstore.json")).read_bytes()
        works.append(partial(verify, path.read_bytes(), artifact, verifier, who))
    return loop(works, seconds_from(sys.argv))


if __name__ == "__main__":
    sys.exit(main())
