"""What a patch makes of a stored Pod, as the API server sees it: applied, completed with defaults, and checked.

A module of its own, because scenarios are gone through with it before they run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from podfsm.errors import ScenarioError
from podfsm.kube.decode import convert
from podfsm.kube.defaults import default_pod
from podfsm.kube.objects import Pod, PodStatus
from podfsm.kube.patch import patched
from podfsm.kube.write import status_json
from podfsm.rules.object_updates import metadata_stays, one_way, spec_stays
from podfsm.rules.resize import only_resources_change
from podfsm.world.allocation import resources_of, same_resources


def updated_status(raw: Mapping[str, Any], pod: Pod, kind: str, body: Any) -> PodStatus:
    """The Pod's status after a patch of the subresource status. Raises InputError."""
    changed = patched({**raw, "status": status_json(pod.status)}, kind, body)
    status: PodStatus = convert(changed.get("status") or {}, PodStatus)
    return status


def updated(raw: Mapping[str, Any], pod: Pod, subresource: str, kind: str, body: Any) -> tuple[dict[str, Any], Pod]:
    """The Pod after a patch of anything but its status: in JSON form without status, and typed.

    Raises InputError for a patch that does not apply or makes no Pod, and for what no update may change.
    """
    changed = patched({**raw, "status": status_json(pod.status)}, kind, body)
    changed.pop("status", None)
    convert(changed, Pod)
    completed = default_pod(changed)
    new: Pod = msgspec.structs.replace(convert(completed, Pod), status=pod.status)
    for allowed in (metadata_stays, spec_stays, one_way):
        if not allowed(pod, new):
            raise ScenarioError(f"{allowed.statement} ({allowed.id})")
    if subresource == "resize":
        if not only_resources_change(pod.spec, new.spec):
            raise ScenarioError(f"{only_resources_change.statement} ({only_resources_change.id})")
    elif not same_resources(new.spec, resources_of(pod.spec)):
        raise ScenarioError("resources of containers are changed through pods/NAME/resize only")
    if subresource != "ephemeralcontainers" and new.spec.ephemeralContainers != pod.spec.ephemeralContainers:
        raise ScenarioError("ephemeral containers are added through pods/NAME/ephemeralcontainers only")
    return completed, new
