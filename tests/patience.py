"""Deadlines of tests grow with what else the machine does; only a test that fails waits so long."""

import os

SCALE = float(os.environ.get("TWOTRACK_PATIENCE", "0")) or max(
    1.0, os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 1.0
)
"""How much longer than on a machine of its own: the load a core as the run begins, or as said."""


def patient(seconds: float) -> float:
    """Return a deadline for this machine."""
    return seconds * SCALE
