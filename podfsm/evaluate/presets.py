"""PodPreset admission over plain JSON."""

from __future__ import annotations

from typing import Any

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.rules.pod_preset import admit


@evaluator("pod-preset")
def pod_preset(given: dict[str, Any], _gates: Gates) -> dict[str, Any]:
    """What the presets make of a new Pod, as in the versions that had them, whatever version is asked for."""
    admitted = admit(given["pod"], given.get("podPresets") or [])
    return {"result": admitted.result, "conflicts": list(admitted.conflicts), "pod": admitted.pod}
