"""One system for the whole folder."""

from tests.integration.shared import bench, servers

__all__ = ["bench", "servers"]
