"""Recordings of KWOK (`kwokctl snapshot record`): a snapshot of objects, then patches with the time since its start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from podfsm.check.event import ADDED, DELETED, MODIFIED, Observation
from podfsm.check.finding import Place
from podfsm.check.readers.raw import part, unversioned
from podfsm.check.readers.trouble import Trouble
from podfsm.errors import InputError
from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.kube.patch import strategic_patch

_START = datetime(2026, 1, 1, tzinfo=UTC)
_TYPES = {"create": ADDED, "patch": MODIFIED, "delete": DELETED}


class KwokReader:
    """Reads ResourcePatch objects one by one; keeps the raw Pods that later ones patch."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._pods: dict[tuple[str, str], dict[str, Any]] = {}

    def read(self, raw: dict[str, Any], line: int, number: int) -> Iterator[Observation | Trouble]:
        """The Pod after one patch; nothing for other resources."""
        resource, target = raw.get("resource"), raw.get("target")
        if not isinstance(resource, dict) or resource.get("resource") != "pods" or not isinstance(target, dict):
            return
        kind = _TYPES.get(str(raw.get("method")))
        if kind is None:
            yield Trouble(self.source, "unknown method", "create, patch or delete", repr(raw.get("method")), line)
            return
        key = (str(target.get("namespace") or ""), str(target.get("name") or ""))
        known, template = self._pods.get(key), raw.get("template")
        try:
            after = _after(kind, known, template, key)
            pod = convert(after, Pod) if after is not None else None
        except (InputError, RecursionError) as error:
            yield Trouble(self.source, f"a patch that does not fit: {error}", line=line)
            return
        if after is None or pod is None:
            yield Trouble(self.source, f"{raw['method']} of a Pod that is not there", found="/".join(key), line=line)
            return
        if kind == DELETED:
            self._pods.pop(key, None)
        else:
            self._pods[key] = after
        yield Observation(kind, pod, Place(self.source, line, number), _time(raw.get("durationNanosecond")))


def _after(kind: str, known: dict[str, Any] | None, template: Any, key: tuple[str, str]) -> dict[str, Any] | None:
    if kind == DELETED:
        return known
    if not isinstance(template, dict):
        return None
    if kind == MODIFIED:
        return None if known is None else unversioned(strategic_patch(known, template))
    metadata = {"name": key[1], "namespace": key[0], **part(template, "metadata")}
    return {"apiVersion": "v1", "kind": "Pod", **template, "metadata": metadata}


def _time(nanoseconds: Any) -> datetime | None:
    if not isinstance(nanoseconds, int) or isinstance(nanoseconds, bool):
        return None
    try:
        return _START + timedelta(microseconds=nanoseconds / 1000)
    except OverflowError:
        return None
