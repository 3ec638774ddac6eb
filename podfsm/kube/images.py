"""Image references, as far as pulling depends on them."""

from __future__ import annotations

import re
from functools import lru_cache

_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*\Z")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_HEX = re.compile(r"[0-9a-f]{64}\Z")


def image_tag(image: str) -> str:
    """The tag of an image: `latest` if it names neither a tag nor a digest, "" if it is no image reference at all.

    Source: `pkg/util/parsers/parsers.go` (ParseImageName).
    """
    name, _, digest = image.partition("@")
    slash = name.rfind("/")
    colon = name.find(":", slash + 1)
    name, tag = (name[:colon], name[colon + 1 :]) if colon >= 0 else (name, "")
    parts = name.split("/")
    first = parts[0]
    if len(parts) > 1 and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        host, *parts = parts
        if not _HOST.match(host):
            return ""
    elif _HEX.match(name):
        return ""  # the id of an image, not its name
    valid = all(_NAME.match(part) for part in parts) and (colon < 0 or _TAG.match(tag))
    return (tag or ("" if digest else "latest")) if valid else ""


@lru_cache(maxsize=1024)
def default_pull_policy(image: str) -> str:
    """`Always` for the tag `latest`, written or implied, else `IfNotPresent`.

    Source: `pkg/apis/core/v1/defaults.go` (SetDefaults_Container).
    """
    return "Always" if image_tag(image) == "latest" else "IfNotPresent"
