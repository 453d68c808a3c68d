"""The command line's fixtures."""

from tests.e2e.conftest import cli, refused

__all__ = ["cli", "refused"]
