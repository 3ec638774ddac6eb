"""Where the recordings and measured cases lie."""

from pathlib import Path

BESIDE = Path(__file__).resolve().parents[3] / "shared"


def files(pattern):
    """The files that match, sorted."""
    return sorted(BESIDE.glob(pattern))
