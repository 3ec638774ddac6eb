"""Watch events of well-formed Pods, one a line, as nearly all of a long recording are: read without detours."""

from __future__ import annotations

from datetime import datetime

import msgspec

from podfsm.check.event import ADDED, DELETED, MODIFIED
from podfsm.kube.objects import ObjectMeta, Pod, PodSpec, PodStatus, Struct, Time

TYPES = (ADDED, MODIFIED, DELETED)

_SPECS = 2_000
"""Of how many Pods the spec is remembered; those first seen go first."""


class _Object(Struct, frozen=True):
    """A Pod with its spec left as it was sent: from event to event it hardly ever changes."""

    apiVersion: str = "v1"  # noqa: N815 - as the API spells it
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: msgspec.Raw = msgspec.Raw(b"{}")
    status: PodStatus = PodStatus()


class _Event(Struct, frozen=True):
    type: str = ""
    object: _Object | None = None
    at: Time | None = None
    receivedAt: Time | None = None  # noqa: N815 - as recorded


_EVENT = msgspec.json.Decoder(_Event)
_SPEC = msgspec.json.Decoder(PodSpec)


class EventReader:
    """Reads events one by one; keeps each living Pod's spec with its bytes.

    The same bytes give the same object, which saves decoding it and makes comparing it with the one before a glance.
    """

    def __init__(self) -> None:
        self._specs: dict[str, tuple[bytes, PodSpec]] = {}

    def read(self, data: bytes) -> tuple[str, Pod, datetime | None] | None:
        """The type, Pod and time of an event; None if it is something else, and has to be looked at more closely."""
        try:
            event = _EVENT.decode(data)
            raw = event.object
            if raw is None or raw.kind != "Pod" or event.type not in TYPES:
                return None
            spec = self._spec(raw.metadata.uid, bytes(raw.spec), last=event.type == DELETED)
        except (msgspec.DecodeError, RecursionError, ValueError, OverflowError):
            return None
        pod = Pod(raw.apiVersion, raw.kind, raw.metadata, spec, raw.status)
        return event.type, pod, event.at or event.receivedAt

    def _spec(self, uid: str, data: bytes, *, last: bool) -> PodSpec:
        known = self._specs.pop(uid, None) if last else self._specs.get(uid)
        if known is not None and known[0] == data:
            return known[1]
        spec = _SPEC.decode(data)
        if not last:
            if known is None and len(self._specs) >= _SPECS:
                del self._specs[next(iter(self._specs))]
            self._specs[uid] = (data, spec)
        return spec
