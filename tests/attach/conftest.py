"""No waiting between attempts, and nobody's real credentials."""

from tests.sources.conftest import home, waits

__all__ = ["home", "waits"]
