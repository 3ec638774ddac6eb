"""Making Pods: valid manifests of every shape the lifecycle knows, out of choices.

A Pod is made for a set of features, so that some Pods have much of one thing and nothing of the others. Everything
that is made would be accepted by the API server of the newest version.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from podfsm.testing.choose import Chooser, chance, one, some

Json = dict[str, Any]

FEATURES = (
    "deadline",
    "delete",
    "ephemeral",
    "errors",
    "finalizers",
    "flapping",
    "gates",
    "hooks",
    "image-change",
    "images",
    "init",
    "liveness",
    "lost-sandbox",
    "missing",
    "own-policy",
    "readiness",
    "resize",
    "restart-all",
    "rules",
    "sandbox",
    "scheduling",
    "several",
    "sidecars",
    "startup",
    "stubborn",
)
"""What a case may be about."""

RECIPES = (
    ("delete", "hooks", "sidecars", "stubborn"),
    ("flapping", "liveness", "readiness", "startup"),
    ("delete", "flapping", "liveness", "startup"),
    ("deadline", "flapping", "liveness", "readiness", "startup"),
    ("images", "init", "restart-all", "sidecars"),
    ("errors", "init", "restart-all", "sidecars"),
    ("delete", "errors", "init", "sidecars"),
    ("image-change", "images", "init", "sidecars"),
    ("ephemeral", "errors", "delete"),
    ("ephemeral", "images", "delete"),
    ("init", "lost-sandbox", "sidecars"),
    ("lost-sandbox", "own-policy", "several"),
    ("resize", "sidecars"),
    ("hooks", "sidecars"),
    ("init", "restart-all", "sidecars"),
    ("lost-sandbox", "init", "sandbox"),
    ("finalizers", "delete", "gates"),
)
"""What tends to meet in interesting ways."""

NEEDS = {
    "deadline": "deadlines",
    "delete": "termination",
    "ephemeral": "ephemeral",
    "errors": "start-errors",
    "finalizers": "finalizers",
    "gates": "readiness-gates",
    "hooks": "hooks",
    "image-change": "patch",
    "images": "images",
    "init": "init",
    "liveness": "probes",
    "lost-sandbox": "node-loss",
    "missing": "config",
    "own-policy": "restart-rules",
    "readiness": "probes",
    "resize": "resize",
    "restart-all": "restart-rules",
    "rules": "restart-rules",
    "sandbox": "node-loss",
    "scheduling": "scheduling-gates",
    "sidecars": "sidecars",
    "startup": "probes",
    "flapping": "probes",
    "stubborn": "termination",
}
"""The capability that a feature asks of a cluster; features not named ask none."""

POLICIES = ("Always", "OnFailure", "Never")
CODES = (0, 1, 2, 42, 137, 143)
APPS, INITS = ("app", "web", "worker"), ("first", "second", "third", "fourth")
GATE = "example.com/lb"


def features(choose: Chooser, lacks: Collection[str] = (), most: int = 6) -> list[str]:
    """What a case is about: a few features that the cluster does not lack."""
    able = [name for name in FEATURES if NEEDS.get(name, "") not in lacks]
    if chance(choose, 2):
        return [name for name in one(choose, RECIPES) if name in able] + some(choose, able, 1)
    return some(choose, able, most)


def pod(choose: Chooser, name: str, about: Collection[str]) -> Json:
    """A Pod manifest with these features."""
    spec: Json = {"restartPolicy": one(choose, POLICIES)}
    inits = _inits(choose, about)
    if inits:
        spec["initContainers"] = inits
    spec["containers"] = [
        container(choose, app, about) for app in APPS[: choose.number(1, 3 if "several" in about else 2)]
    ]
    if "delete" in about or "stubborn" in about or chance(choose, 3):
        spec["terminationGracePeriodSeconds"] = one(choose, (0, 1, 2, 3, 5, 8, 12))
    _fit(spec)
    if "deadline" in about:
        spec["activeDeadlineSeconds"] = one(choose, (1, 3, 5, 10, 20, 40))
    if "gates" in about:
        spec["readinessGates"] = [{"conditionType": gate} for gate in (GATE, f"{GATE}-2")[: choose.number(1, 2)]]
    if "scheduling" in about:
        spec["schedulingGates"] = [{"name": gate} for gate in ("example.com/a", "example.com/b")[: choose.number(1, 2)]]
    metadata: Json = {"name": name}
    if "finalizers" in about:
        metadata["finalizers"] = ["example.com/hold"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _fit(spec: Json) -> None:
    """Make fit what the API server would refuse: hooks longer than the grace period, restarts for a resize."""
    grace = spec.get("terminationGracePeriodSeconds", 30)
    inits = spec.get("initContainers", ())
    for entry in (*inits, *spec["containers"]):
        if spec["restartPolicy"] == "Never" or (entry in inits and entry.get("restartPolicy") != "Always"):
            for policy in entry.get("resizePolicy", ()):
                policy["restartPolicy"] = "NotRequired"
        for hook, action in list(entry.get("lifecycle", {}).items()):
            if action.get("sleep", {}).get("seconds", 0) > grace:
                entry["lifecycle"][hook] = {"exec": {"command": ["do"]}}


def _inits(choose: Chooser, about: Collection[str]) -> list[Json]:
    kinds = [kind for kind in ("init", "sidecars") if kind in about]
    made = []
    for name in INITS[: choose.number(1, 3) if kinds else 0]:
        entry = container(choose, name, about, init=True)
        if one(choose, kinds) == "sidecars":
            entry = container(choose, name, about)
            entry["restartPolicy"] = "Always"
            rules = [rule for rule in entry.pop("restartPolicyRules", ()) if rule["action"] == "RestartAllContainers"]
            if rules:
                entry["restartPolicyRules"] = rules
        made.append(entry)
    return made


def container(choose: Chooser, name: str, about: Collection[str], *, init: bool = False) -> Json:
    """A container with these features; a regular init container has neither probes nor hooks."""
    made: Json = {"name": name, "image": _image(choose, name, about)}
    if "images" in about and chance(choose, 3):
        made["imagePullPolicy"] = one(choose, ("Always", "IfNotPresent", "Never"))
    if "resize" in about:
        made["resources"] = resources(100, 64)
        made["resizePolicy"] = [
            {"resourceName": "cpu", "restartPolicy": "NotRequired"},
            {"resourceName": "memory", "restartPolicy": one(choose, ("RestartContainer", "NotRequired"))},
        ]
    if "missing" in about and chance(choose, 2):
        made["env"] = [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "x"}}}]
    _own_policy(choose, made, about)
    if init:
        return made
    for kind in ("startup", "readiness", "liveness"):
        if kind in about and chance(choose, 2):
            made[f"{kind}Probe"] = probe(choose, kind)
    if "hooks" in about:
        hooks = {hook: handler(choose) for hook in ("postStart", "preStop") if chance(choose, 2)}
        if hooks:
            made["lifecycle"] = hooks
    return made


def resources(cpu: int, memory: int) -> Json:
    """Requests and limits, in thousandths of a CPU and MiB."""
    return {
        "requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"},
        "limits": {"cpu": f"{2 * cpu}m", "memory": f"{2 * memory}Mi"},
    }


def _image(choose: Chooser, name: str, about: Collection[str]) -> str:
    if "images" in about and chance(choose, 12):
        return "Not/An:Image"
    return f"registry.example/{name}:1" if "images" in about else "registry.example/app:1"


def _own_policy(choose: Chooser, made: Json, about: Collection[str]) -> None:
    wanted = {"own-policy", "rules", "restart-all"} & set(about)
    if not wanted or not chance(choose, 2):
        return
    made["restartPolicy"] = one(choose, ("Never", "OnFailure"))
    actions = [
        action for kind, action in (("rules", "Restart"), ("restart-all", "RestartAllContainers")) if kind in about
    ]
    if actions:
        made["restartPolicyRules"] = [_rule(choose, actions) for _ in range(choose.number(1, 2))]


def _rule(choose: Chooser, actions: list[str]) -> Json:
    codes = {"operator": one(choose, ("In", "NotIn")), "values": some(choose, CODES, 3) or [42]}
    return {"action": one(choose, actions), "exitCodes": codes}


def probe(choose: Chooser, kind: str) -> Json:
    """A probe with small numbers, so that much happens in little time."""
    made: Json = {"exec": {"command": ["check"]}, "periodSeconds": one(choose, (1, 2, 3, 5))}
    if chance(choose, 2):
        made["initialDelaySeconds"] = one(choose, (1, 2, 5))
    made["failureThreshold"] = one(choose, (1, 2, 3))
    if kind == "readiness" and chance(choose, 2):
        made["successThreshold"] = one(choose, (2, 3))
    if chance(choose, 4):
        made["timeoutSeconds"] = one(choose, (1, 2, 3))
    if kind != "readiness" and chance(choose, 4):
        made["terminationGracePeriodSeconds"] = one(choose, (1, 2, 4))
    return made


def handler(choose: Chooser) -> Json:
    """A postStart or preStop hook."""
    return one(choose, ({"exec": {"command": ["do"]}}, {"sleep": {"seconds": 1}}, {"sleep": {"seconds": 3}}))
