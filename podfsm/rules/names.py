"""The forms that the API demands of names: labels, qualified names, ports, headers, paths.

Source: `apimachinery/pkg/util/validation/validation.go`.
"""

from __future__ import annotations

import re

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*)?[A-Za-z0-9]")
_PORT = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9]|-(?!-))*(?<!-)")
_HEADER = re.compile(r"[-A-Za-z0-9]+")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_ANY_VARIABLE = re.compile(r"[ -<>-~]+")
_STANDARD_RESOURCES = ("cpu", "memory", "ephemeral-storage")


def is_label(text: str) -> bool:
    """A DNS label (RFC 1123): what containers and volumes are called."""
    return len(text) <= 63 and _LABEL.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """A DNS name (RFC 1123): what most objects are called."""
    return len(text) <= 253 and _SUBDOMAIN.fullmatch(text) is not None


def is_qualified(text: str) -> bool:
    """A label key: an optional DNS prefix and a slash, then up to 63 letters, digits, `-`, `_` and `.`."""
    prefix, slash, name = text.rpartition("/")
    return (not slash or is_subdomain(prefix)) and len(name) <= 63 and _NAME.fullmatch(name) is not None


def is_label_value(text: str) -> bool:
    """A label's value: as the name of a key, or empty."""
    return not text or (len(text) <= 63 and _NAME.fullmatch(text) is not None)


def is_port_name(text: str) -> bool:
    """A port's name: up to 15 lower-case letters, digits and single inner hyphens, with one letter at least."""
    return len(text) <= 15 and _PORT.fullmatch(text) is not None


def is_port_number(number: int) -> bool:
    """1 to 65535."""
    return 1 <= number <= 65535


def is_port(port: int | str) -> bool:
    """A port by number or by name."""
    return is_port_name(port) if isinstance(port, str) else is_port_number(port)


def is_header(text: str) -> bool:
    """The name of an HTTP header."""
    return _HEADER.fullmatch(text) is not None


def is_variable(text: str, *, relaxed: bool) -> bool:
    """The name of an environment variable; `relaxed`: anything printable but `=` (from 1.32 on)."""
    return (_ANY_VARIABLE if relaxed else _VARIABLE).fullmatch(text) is not None


def is_native_resource(name: str) -> bool:
    """A resource of Kubernetes itself, not of an extension."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended_resource(name: str) -> bool:
    """A resource of an extension: a qualified name outside kubernetes.io."""
    return not is_native_resource(name) and not name.startswith("requests.") and is_qualified(f"requests.{name}")


def is_container_resource(name: str) -> bool:
    """A resource that a container can ask for."""
    if not is_qualified(name):
        return False
    if "/" not in name:
        return name in _STANDARD_RESOURCES or name.startswith("hugepages-")
    return is_native_resource(name) or is_extended_resource(name)


def may_overcommit(name: str) -> bool:
    """Whether the limit of a resource may exceed its request."""
    return is_native_resource(name) and not name.startswith("hugepages-")
