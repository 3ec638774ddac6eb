"""Small clusters and what becomes of the Pods in them."""

from podfsm.kube.document import Document
from podfsm.kube.times import seconds_of
from podfsm.simulate import prepare
from podfsm.simulate.scenario import API_VERSION


def node(name, *, labels=None, taints=(), cpu="4", kubelet=True, **spec):
    annotations = {} if kubelet else {"podfsm.dev/kubelet": "none"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, **(labels or {})},
            "annotations": annotations,
        },
        "spec": {"taints": list(taints), **spec},
        "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "20"}},
    }


def pod(name, *, labels=None, **spec):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"containers": [container()], **spec},
    }


def container(**fields):
    return {"name": "app", "image": "app:1", **fields}


def owner(kind, name, *, template=None, **spec):
    group = {"Job": "batch/v1", "ReplicationController": "v1"}.get(kind, "apps/v1")
    labels = {"app": name}
    whole = {"template": {"metadata": {"labels": labels}, "spec": {"containers": [container()], **(template or {})}}}
    if kind not in ("Job", "ReplicationController"):
        whole["selector"] = {"matchLabels": labels}
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": {**whole, **spec}}


def budget(**spec):
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b"},
        "spec": {"selector": selector, **spec},
    }


def service(name="web", *, selector="web", **spec):
    """A Service for the Pods with this label app; None leaves the selector out."""
    own = {} if selector is None else {"selector": {"app": selector}}
    whole = {**own, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": whole}


def image(tag):
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": f"app:{tag}"}]}}}}


class Run:
    """A finished run: the world at the end, and what each Pod showed."""

    def __init__(self, *objects, steps=(), duration=120, seed=None, **scenario):
        timed = [{**step, "at": f"{step['at']}s"} for step in steps]
        spec = {"duration": f"{duration}s", "steps": timed, **scenario}
        script = {"apiVersion": API_VERSION, "kind": "Scenario", "metadata": {"name": "s"}, "spec": spec}
        self.simulation = prepare([Document(raw) for raw in (*objects, script)], seed=seed)
        self.steps = list(self.simulation)
        self.snapshots = [snapshot for step in self.steps for snapshot in step.snapshots]
        self.notes = self.simulation.notes
        self.cluster = self.simulation.world.cluster

    def pods(self, owner="", *, at=None):
        """The Pods that exist at the end, or at an instant, those of an owner only if one is named."""
        last = {}
        for shown in self.snapshots:
            if at is None or shown.at <= at:
                last[shown.pod.metadata.uid] = shown
        alive = [s.pod for s in last.values() if s.type != "DELETED"]
        return [p for p in alive if not owner or any(o.name.startswith(owner) for o in p.metadata.ownerReferences)]

    def running(self, owner="", *, at=None):
        found = self.pods(owner, at=at)
        return [p for p in found if p.status.phase == "Running" and p.metadata.deletionTimestamp is None]

    def story(self, name):
        """What a Pod's phase and conditions became, with when: (seconds, what)."""
        told, before = [], {}
        for shown in self.snapshots:
            if shown.pod.metadata.name == name:
                now = {c.type: f"{c.type}={c.status}:{c.reason}" for c in shown.pod.status.conditions}
                now["phase"] = shown.pod.status.phase
                now["deleting"] = "deleting" if shown.pod.metadata.deletionTimestamp else ""
                now["gone"] = "gone" if shown.type == "DELETED" else ""
                told += [(shown.at, what) for key, what in now.items() if what and before.get(key) != what]
                before = now
        return told

    def when(self, name, what):
        """The first instant at which a Pod showed something; None if never."""
        return next((at for at, told in self.story(name) if told == what), None)

    def node_of(self, name):
        return next(
            (p.spec.nodeName for p in reversed([s.pod for s in self.snapshots]) if p.metadata.name == name), None
        )

    def slices(self, service="web"):
        """The EndpointSlices of a Service at the end, in the order of their names."""
        things = sorted(self.cluster.things.values(), key=lambda thing: thing.key)
        mine = [t.raw for t in things if t.kind == "EndpointSlice"]
        return [raw for raw in mine if raw["metadata"].get("labels", {}).get("kubernetes.io/service-name") == service]

    def endpoints(self, service="web", *, at=None):
        """The conditions of a Service's endpoints, by Pod, at the end or at an instant."""
        last = {}
        for event in (event for step in self.steps for event in step.things):
            if at is None or event.at <= at:
                last[event.thing.key] = event
        shown = [e.thing.raw for e in last.values() if e.type != "DELETED"]
        mine = [raw for raw in shown if raw["metadata"]["labels"]["kubernetes.io/service-name"] == service]
        return {each["targetRef"]["name"]: each["conditions"] for raw in mine for each in raw["endpoints"]}

    def status(self, key):
        return self.cluster.things[key].status


def created_at(pod):
    return seconds_of(pod.metadata.creationTimestamp)
