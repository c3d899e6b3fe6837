"""The README's first command does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_the_good_image_is_allowed_and_the_damaged_copy_is_refused(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "examples" / "first_look.py"
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "look")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ALLOWED" in done.stdout
    assert "REFUSED" in done.stdout
    assert "digest-mismatch  at layer[2]" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
