"""What every test of a source may rely on: no waiting, and nobody's real credentials."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited between attempts; nothing waits in tests."""
    from assay.sources.http import retry

    waited: list[float] = []
    monkeypatch.setattr(retry, "wait", waited.append)
    return waited


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, and an environment that points nowhere else."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    for name in (
        "DOCKER_CONFIG",
        "REGISTRY_AUTH_FILE",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "ASSAY_DEFAULT_REGISTRY",
        "REQUEST_METHOD",
        *(f"{kind}_proxy" for kind in ("http", "https", "all", "no")),
        *(f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "ALL", "NO")),
    ):
        monkeypatch.delenv(name, raising=False)
    return folder
