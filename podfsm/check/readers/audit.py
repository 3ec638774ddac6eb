"""Audit logs of the API server: what became of Pods by the requests that changed them.

At level RequestResponse each event holds the Pod as it then was. At level Request only what was sent is there: objects
that were created or replaced, and patches, which are applied to the last known state of the Pod.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podfsm.check.event import ADDED, DELETED, MODIFIED, Observation
from podfsm.check.finding import Place
from podfsm.check.readers.raw import moment, part, unversioned
from podfsm.check.readers.trouble import Trouble
from podfsm.errors import InputError
from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.kube.patch import strategic_patch

_CHANGING = {"create": ADDED, "update": MODIFIED, "patch": MODIFIED, "delete": MODIFIED}
_FAILED = 400


class AuditReader:
    """Reads audit events one by one; keeps the raw Pods that it may have to patch."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._pods: dict[tuple[str, str], dict[str, Any]] = {}

    def read(self, raw: Any, line: int, number: int) -> Iterator[Observation | Trouble]:
        """The Pod after the request of one event, if the request was about a Pod and succeeded."""
        if not isinstance(raw, dict) or not _concerns_pods(raw):
            return
        at = moment(raw.get("stageTimestamp") or raw.get("requestReceivedTimestamp"))
        place = Place(self.source, line, number)
        try:
            found = self._after(raw)
            if found is None:
                return
            kind, after = found
            pod = convert(after, Pod)
        except (InputError, RecursionError) as error:
            yield Trouble(self.source, f"an audit event that does not fit: {error}", line=line)
            return
        self._keep(kind, after)
        yield Observation(kind, pod, place, at)

    def _after(self, raw: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """The type of change and the Pod after it; None if the event does not tell."""
        verb, reference = raw["verb"], raw["objectRef"]
        response, request = raw.get("responseObject"), raw.get("requestObject")
        if isinstance(response, dict) and response.get("kind") == "Pod":
            return _type(verb, reference, response), response
        key = (str(reference.get("namespace") or ""), str(reference.get("name") or ""))
        known = self._pods.get(key)
        if verb == "delete" or not isinstance(request, dict):
            return None
        if reference.get("subresource") == "binding":
            return _bound(known, request)
        if request.get("kind") == "Pod" and "spec" in request:
            metadata = {"namespace": key[0], **part(request, "metadata")}
            named = {**request, "metadata": metadata}
            return (_type(verb, reference, named), named) if metadata.get("name") else None
        if verb == "patch" and known is not None:
            return MODIFIED, unversioned(strategic_patch(known, request))
        return None

    def _keep(self, kind: str, after: dict[str, Any]) -> None:
        metadata = after.get("metadata") or {}
        key = (str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))
        if kind == DELETED:
            self._pods.pop(key, None)
        else:
            self._pods[key] = after


def _concerns_pods(raw: dict[str, Any]) -> bool:
    reference, verb = raw.get("objectRef"), raw.get("verb")
    if not isinstance(reference, dict) or reference.get("resource") != "pods" or str(verb) not in _CHANGING:
        return False
    if reference.get("subresource") not in (None, "", "status", "binding", "resize", "ephemeralcontainers"):
        return False
    status = raw.get("responseStatus")
    code = status.get("code", 200) if isinstance(status, dict) else 200
    return raw.get("stage", "ResponseComplete") == "ResponseComplete" and isinstance(code, int) and code < _FAILED


def _type(verb: str, reference: dict[str, Any], pod: dict[str, Any]) -> str:
    """A create of a subresource changes the Pod; a delete removes it only without a grace or finalizers."""
    if verb == "create" and reference.get("subresource"):
        return MODIFIED
    if verb == "delete":
        metadata = pod.get("metadata") or {}
        waits = metadata.get("deletionGracePeriodSeconds") or metadata.get("finalizers")
        return MODIFIED if waits else DELETED
    return _CHANGING[verb]


def _bound(known: dict[str, Any] | None, binding: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """What a binding makes of a Pod: its node, and PodScheduled True."""
    node = part(binding, "target").get("name")
    if known is None or not node:
        return None
    status, spec = part(known, "status"), part(known, "spec")
    conditions = [c for c in status.get("conditions") or [] if c.get("type") != "PodScheduled"]
    status = {**status, "conditions": [*conditions, {"type": "PodScheduled", "status": "True"}]}
    return MODIFIED, unversioned({**known, "spec": {**spec, "nodeName": node}, "status": status})
