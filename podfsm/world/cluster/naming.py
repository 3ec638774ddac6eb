"""Names, uids and hashes that Kubernetes draws at random or takes from the memory of its own objects.

A run must be repeatable, so here they follow from the timing profile and the number of the object: another `names` or
seed gives another draw, as another run of a cluster would.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from podfsm.world.timing import Profile

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names. Source: apimachinery/pkg/util/rand/rand.go."""
SUFFIX_LENGTH = 5
LONGEST_PREFIX = 58
"""How much of a generateName is kept. Source: apiserver/pkg/storage/names/generate.go."""

_JSON = msgspec.json.Encoder(order="deterministic")


def generated(profile: Profile, prefix: str, number: int, spec: Mapping[str, Any]) -> str:
    """A name from a generateName: the prefix and five drawn letters, which depend on the Pod's spec and its number."""
    drawn = _draw(profile, f"{prefix}{number}{_JSON.encode(spec).decode()}")
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn[:SUFFIX_LENGTH])
    return prefix[:LONGEST_PREFIX] + letters


def uid(profile: Profile, number: int) -> str:
    """A uid in the form of a random UUID."""
    text = _draw(profile, f"uid{number}").hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"


def template_hash(template: Mapping[str, Any]) -> str:
    """A short hash of a Pod template; equal templates have equal ones."""
    number = int.from_bytes(blake2b(_JSON.encode(template), digest_size=4).digest(), "big")
    return "".join(ALPHABET[int(digit)] for digit in str(number))


def _draw(profile: Profile, what: str) -> bytes:
    return blake2b(f"{profile.names}/{profile.seed}/{what}".encode(), digest_size=16).digest()
