"""PodPresets at work: what admission makes of a new Pod, whoever creates it. Up to 1.19.

That there are PodPreset objects means that their API and the admission plugin are switched on (rule preset-enable).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.rules.cluster_facts import AdmissionFacts
from podfsm.rules.pod_preset import admit, in_scope, matching, warning
from podfsm.world.cluster import tracking
from podfsm.world.cluster.state import Thing

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk
    from podfsm.world.step import Create

PRESET = "PodPreset"


def admitted(desk: Desk, event: Create) -> Create:
    """The creation of a Pod as it is once the presets of its namespace have been applied, or have not."""
    if PRESET not in desk.c.kinds:
        return event
    namespace = event.pod.metadata.namespace
    presets = [_with_version(thing) for thing in desk.of_kind(PRESET) if thing.namespace == namespace]
    found = admit(event.raw, presets)
    matched = len(matching(event.raw["metadata"], presets))
    facts = AdmissionFacts(in_scope(event.raw["metadata"]), matched, len(found.conflicts))
    tracking.admitted(desk, event.key, facts)
    if found.conflicts:
        desk.note(f"at {desk.now:g} s: {event.key}: {warning(found.conflicts)} (rule preset-conflict-report)")
    if found.pod is event.raw:
        return event
    raw = dict(found.pod)
    return evolve(event, raw=raw, pod=convert(raw, Pod))


def _with_version(thing: Thing) -> dict[str, Any]:
    """The preset with a resourceVersion, which the annotation of Pods repeats."""
    return {**thing.raw, "metadata": {**thing.metadata, "resourceVersion": str(thing.number)}}
