"""Names, uids and hashes that Kubernetes draws at random or takes from the memory of its own objects.

A run must be repeatable, so here they follow from the timing profile and the number of the object. Without a seed names
count down, so that among equals the youngest comes first in a list: the first by name is not the oldest by chance, and
controllers that have to choose take the younger anyway. A seed or another `names` draws, as a run of a cluster would.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from podfsm.world.timing import Profile

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names. Source: apimachinery/pkg/util/rand/rand.go."""
_SORTED = "".join(sorted(ALPHABET))
SUFFIX_LENGTH = 5
LONGEST_PREFIX = 58
"""How much of a generateName is kept. Source: apiserver/pkg/storage/names/generate.go."""

_JSON = msgspec.json.Encoder(order="deterministic")


def generated(profile: Profile, prefix: str, number: int, spec: Mapping[str, Any]) -> str:
    """A name from a generateName: the prefix and five letters.

    Drawn ones depend on the Pod's spec and its number, others on the number alone.
    """
    if profile.names or profile.jitter:
        drawn = _draw(profile, f"{prefix}{number}{_JSON.encode(spec).decode()}")
        letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn[:SUFFIX_LENGTH])
    else:
        letters = _counted_down(number)
    return prefix[:LONGEST_PREFIX] + letters


def _counted_down(number: int) -> str:
    """The letters of which greater numbers have those that sort earlier; after 27 ** 5 objects they begin anew."""
    left, letters = -number % len(_SORTED) ** SUFFIX_LENGTH, ""
    for _ in range(SUFFIX_LENGTH):
        left, digit = divmod(left, len(_SORTED))
        letters = _SORTED[digit] + letters
    return letters


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
