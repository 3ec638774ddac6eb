"""Addresses of Pods and nodes."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address


@lru_cache(maxsize=4096)
def family(address: str) -> int:
    """4 or 6; 0 of what is no address."""
    try:
        return ip_address(address).version
    except ValueError:
        return 0
