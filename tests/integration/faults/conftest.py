"""One system for the whole folder; a test that breaks something in it waits until that is mended."""

from tests.integration.shared import bench, servers

__all__ = ["bench", "servers"]
