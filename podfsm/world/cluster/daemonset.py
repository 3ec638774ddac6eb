"""DaemonSets: one Pod on every node that lets it, tied to the node by affinity and tolerating the node's troubles.

Source: pkg/controller/daemon/daemon_controller.go (manage, podsShouldBeOnNode, NodeShouldRunDaemonPod), update.go
(rollingUpdate), util/daemonset_util.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from podfsm.kube.defaults import default_pod
from podfsm.kube.objects import Pod, PodSpec
from podfsm.rules.job_progress import Failures
from podfsm.rules.node_affinity import wanted
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.rollout import scaled
from podfsm.rules.taints import NO_EXECUTE, untolerated
from podfsm.world.cluster import namespaces
from podfsm.world.cluster.claims import claim
from podfsm.world.cluster.naming import template_hash
from podfsm.world.cluster.pods import available, available_at, created, delete_all, pod_of
from podfsm.world.cluster.state import NodeState, Thing
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

HASH = "controller-revision-hash"
FAILED_FIRST, FAILED_MOST = 1.0, 900.0
"""Pause before a failed Pod is replaced, doubled each time. Source: daemon_controller.go (failedPodsBackoff)."""
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TROUBLES = tuple(f"node.kubernetes.io/{name}" for name in ("disk-pressure", "memory-pressure", "pid-pressure"))
_LOST = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def sync(desk: Desk, key: str) -> None:
    """Make the Pods that nodes lack, delete those that should not be there, and replace old ones."""
    thing = desk.thing(key)
    if thing is None:
        return
    template = _template(thing)
    mark = template_hash(thing.spec.get("template") or {})
    spec = msgspec.convert(default_pod({"metadata": {}, **template})["spec"], PodSpec)
    pods = claim(desk, thing)
    if not thing.deleting:
        _manage(desk, thing, pods, spec, template, mark)
        _update(desk, thing, mark)
    _report(desk, thing, spec, mark)


def _template(thing: Thing) -> dict[str, Any]:
    """The template with the tolerations that daemons get (rule ctl-daemonset-tolerations)."""
    template = dict(thing.spec.get("template") or {})
    spec = dict(template.get("spec") or {})
    extra = [{"key": key, "operator": "Exists", "effect": NO_EXECUTE} for key in _LOST]
    calm = [*_TROUBLES, "node.kubernetes.io/unschedulable"]
    calm += ["node.kubernetes.io/network-unavailable"] if spec.get("hostNetwork") else []
    extra += [{"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in calm]
    given = list(spec.get("tolerations") or [])
    spec["tolerations"] = [*given, *(each for each in extra if each not in given)]
    return {**template, "spec": spec}


def should_run(spec: PodSpec, node: NodeState) -> tuple[bool, bool]:
    """Whether a daemon of this spec is to be started on a node, and whether one that is there may stay."""
    if (spec.nodeName and spec.nodeName != node.name) or not wanted(spec, node.node):
        return False, False
    starts = untolerated(node.node.spec.taints, spec.tolerations) is None
    return starts, untolerated(node.node.spec.taints, spec.tolerations, (NO_EXECUTE,)) is None


def _by_node(pods: Sequence[PodWorld]) -> dict[str, list[PodWorld]]:
    """The Pods by the node they are for; terminal ones that are being deleted no longer count."""
    found: dict[str, list[PodWorld]] = {}
    for pod in pods:
        if pod.api.status.phase in TERMINAL and pod.api.metadata.deletionTimestamp is not None:
            continue
        found.setdefault(target(pod.api), []).append(pod)
    return found


def target(pod: Pod) -> str:
    """The node that a daemon is bound to or, until it is bound, tied to by affinity."""
    if pod.spec.nodeName:
        return pod.spec.nodeName
    required = ((pod.spec.affinity or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""


def _manage(
    desk: Desk, thing: Thing, pods: Sequence[PodWorld], spec: PodSpec, template: Mapping[str, Any], mark: str
) -> None:
    there = _by_node(pods)
    for name in sorted(desk.c.nodes):
        starts, stays = should_run(spec, desk.c.nodes[name])
        mine = there.get(name, [])
        if starts and not mine:
            _create(desk, thing, template, name, mark)
        elif mine and not stays:
            delete_all(desk, mine)
        elif mine:
            _keep_one(desk, thing, name, mine)
    for name in sorted(there.keys() - set(desk.c.nodes)):
        delete_all(desk, (pod for pod in there[name] if not pod.api.spec.nodeName))


def _keep_one(desk: Desk, thing: Thing, name: str, pods: Sequence[PodWorld]) -> None:
    """Of several daemons on a node the oldest stays; failed ones are deleted, after a pause if that happens often."""
    running = []
    for pod in pods:
        if pod.api.metadata.deletionTimestamp is not None:
            continue
        if pod.api.status.phase not in TERMINAL:
            running.append(pod)
        elif pod.api.status.phase == "Succeeded" or _may_replace(desk, thing, name):
            delete_all(desk, (pod,))
    running.sort(key=lambda p: (not p.api.spec.nodeName, created(p.api), p.key))
    surge = _limits(thing, 1)[0]
    if not surge:
        delete_all(desk, running[1:])


def _may_replace(desk: Desk, thing: Thing, node: str) -> bool:
    """Whether the pause since the last failed daemon here is over."""
    key = f"{thing.key} {node}"
    known = desk.c.daemon_failures.get(key)
    if known is not None:
        pause = min(FAILED_FIRST * 2 ** (known.count - 1), FAILED_MOST)
        if desk.now < known.last + pause:
            desk.later(thing.kind, thing.key, known.last + pause)
            return False
    count = 1 if known is None else known.count + 1
    desk.c.daemon_failures = desk.c.daemon_failures.set(key, Failures(count, desk.now))
    return True


def _create(desk: Desk, thing: Thing, template: Mapping[str, Any], node: str, mark: str) -> None:
    if namespaces.refused(desk, thing.namespace):
        return
    raw = pod_of(thing, template)
    raw["metadata"]["labels"] = {**raw["metadata"].get("labels", {}), HASH: mark}
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity = dict(raw["spec"].get("affinity") or {})
    on_nodes = dict(affinity.get("nodeAffinity") or {})
    terms = (on_nodes.get(_REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    tied = [{**{k: v for k, v in term.items() if k != "matchFields"}, "matchFields": [field]} for term in terms]
    on_nodes[_REQUIRED] = {"nodeSelectorTerms": tied}
    affinity["nodeAffinity"] = on_nodes
    desk.create_pod({**raw, "spec": {**raw["spec"], "affinity": affinity}}, f"{thing.name}-")


def _limits(thing: Thing, nodes: int) -> tuple[int, int]:
    """MaxSurge and maxUnavailable in Pods."""
    rolling = (thing.spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    surge = scaled(rolling.get("maxSurge", 0), nodes, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", 1), nodes, up=True)
    return surge, unavailable or (0 if surge else 1)


def _update(desk: Desk, thing: Thing, mark: str) -> None:
    """RollingUpdate: old daemons go, as many at a time as may be unavailable; new ones come in the next sync."""
    if (thing.spec.get("updateStrategy") or {}).get("type") != "RollingUpdate":
        return
    there = _by_node(desk.owned(thing.uid))
    min_ready = float(thing.spec.get("minReadySeconds") or 0)
    surge, most = _limits(thing, len(there))
    if surge:
        _surge(desk, thing, there, mark, surge, min_ready)
        return
    unavailable, broken, candidates = 0, [], []
    for name in sorted(there):
        pods = [p for p in there[name] if p.api.status.phase not in TERMINAL]
        staying = [p for p in pods if p.api.metadata.deletionTimestamp is None]
        new = next((p for p in staying if p.api.metadata.labels.get(HASH) == mark), None)
        old = next((p for p in staying if p.api.metadata.labels.get(HASH) != mark), None)
        if new is None and old is None:
            unavailable += 1
        elif new is not None:
            unavailable += not available(new.api, min_ready, desk.now)
        elif old is not None and not available(old.api, min_ready, desk.now):
            broken.append(old)
        elif old is not None:
            candidates.append(old)
    room = max(0, most - unavailable - len(broken))
    delete_all(desk, [*broken, *candidates[:room]])


def _surge(
    desk: Desk, thing: Thing, there: Mapping[str, Sequence[PodWorld]], mark: str, surge: int, min_ready: float
) -> None:
    """With maxSurge new daemons start beside the old ones, which go when the new ones are available."""
    template, going = _template(thing), 0
    for name in sorted(there):
        staying = [p for p in there[name] if p.api.metadata.deletionTimestamp is None]
        new = next((p for p in staying if p.api.metadata.labels.get(HASH) == mark), None)
        old = [p for p in staying if p.api.metadata.labels.get(HASH) != mark]
        if new is not None and available(new.api, min_ready, desk.now):
            delete_all(desk, old)
        elif new is not None:
            going += 1
        elif old and going < surge:
            _create(desk, thing, template, name, mark)
            going += 1


def _report(desk: Desk, thing: Thing, spec: PodSpec, mark: str) -> None:
    """Write the status."""
    there = _by_node(desk.owned(thing.uid))
    min_ready = float(thing.spec.get("minReadySeconds") or 0)
    wanting = {name for name in desk.c.nodes if should_run(spec, desk.c.nodes[name])[0]}
    mine = [pods[0].api for name, pods in there.items() if name in wanting and pods]
    usable = sum(available(pod, min_ready, desk.now) for pod in mine)
    figures = {
        "desiredNumberScheduled": len(wanting),
        "currentNumberScheduled": len(mine),
        "numberMisscheduled": sum(name not in wanting for name in there),
        "numberReady": sum(available(pod, 0.0, desk.now) for pod in mine),
        "updatedNumberScheduled": sum(pod.metadata.labels.get(HASH) == mark for pod in mine),
        "numberAvailable": usable,
        "numberUnavailable": len(wanting) - usable,
    }
    desk.set_status(thing, figures)
    due = available_at(mine, min_ready, desk.now)
    if due is not None:
        desk.later(thing.kind, thing.key, due)
