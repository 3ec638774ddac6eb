"""Quality of service over plain JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.defaults import default_pod
from podfsm.kube.objects import Pod
from podfsm.rules.qos import qos_class


@evaluator("qos")
def qos(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """The class of a Pod, which first gets the API's defaults."""
    pod = default_pod(given["pod"], pod_level_resources=gates.on("PodLevelResources"))
    return {"qosClass": qos_class(msgspec.convert(pod, Pod).spec, gates)}
