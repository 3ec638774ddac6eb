"""Making cases: a Pod or two, how their environment behaves, and what users do to them, out of choices.

Times are chosen so that things meet: exits near probes, deletions near restarts, losses near everything.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from podfsm.testing.case import Case
from podfsm.testing.choose import Chooser, chance, one, some
from podfsm.testing.corners import CORNERS
from podfsm.testing.manifests import APPS, CODES, GATE, features, pod, resources

Json = dict[str, Any]
RUNS = (0, 0.4, 1, 1.5, 3, 4.2, 7, 12)
INSTANTS = (0.005, 0.03, 0.5, 1, 2.5, 4, 6, 9, 13, 18, 25, 33)
VERSIONS = ("1.20", "1.24", "1.27", "1.28", "1.31", "1.33", "1.34", "1.35")


def case(choose: Chooser, lacks: Collection[str] = ()) -> Case:
    """Any case that a cluster without these capabilities can be asked to run."""
    if chance(choose, 8):
        able = [corner for corner in CORNERS if not corner.needs & set(lacks)]
        if able:
            return one(choose, able).make(choose)
    version = one(choose, VERSIONS) if "versions" not in lacks and chance(choose, 8) else ""
    about = [name for name in features(choose, lacks) if not version or since(name) <= minor(version)]
    if "flapping" in about:
        about = sorted({*about, one(choose, ("readiness", "liveness", "startup"))})
    pods = tuple(pod(choose, name, about) for name in ("p", "q")[: 2 if chance(choose, 12) else 1])
    spec: Json = {"duration": one(choose, (20, 30, 45, 60, 90))}
    if version:
        spec["kubernetes"] = version
    elif "versions" not in lacks and chance(choose, 10):
        spec["featureGates"] = {"ReduceDefaultCrashLoopBackOffDecay": True}
    images = _images(choose, pods, about)
    spec["pods"] = [found for p in pods if (found := _sandbox(choose, p, about)) is not None]
    ephemeral = ["debug", "shell"][: choose.number(1, 2)] if "ephemeral" in about else []
    spec["containers"] = [s for p in pods for s in _scripts(choose, p, about, ephemeral)]
    spec["steps"] = _steps(choose, pods, about, ephemeral)
    spoken_of = json.dumps([pods, spec["steps"]])
    spec["images"] = {name: image for name, image in images.items() if f'"{name}"' in spoken_of}
    return Case(pods, {key: value for key, value in spec.items() if value})


def minor(version: str) -> int:
    """The minor version as a number."""
    return int(version.partition(".")[2])


def since(feature: str) -> int:
    """The first minor version in which a feature of the generator can be relied on."""
    return {
        "ephemeral": 23,
        "scheduling": 27,
        "sidecars": 29,
        "lost-sandbox": 29,
        "own-policy": 35,
        "rules": 35,
        "restart-all": 36,
        "resize": 33,
        "hooks": 30,
    }.get(feature, 0)


def long_case(choose: Chooser, lacks: Collection[str] = ()) -> Case:
    """A crash-looping Pod watched for long: the whole series of delays, and runs that make it start over."""
    policy = one(choose, ("Always", "OnFailure"))
    attempts = [{"run": one(choose, (0.5, 1, 2, 5)), "exit": one(choose, (1, 2))} for _ in range(choose.number(5, 9))]
    if chance(choose, 2):
        attempts.append({"run": one(choose, (200, 610, 650)), "exit": 1})
    attempts.append({"run": 1, "exit": 1})
    name, role = "app", "containers"
    manifest: Json = {"containers": [{"name": "app", "image": "registry.example/app:1"}], "restartPolicy": policy}
    options = [kind for kind, need in (("init", "init"), ("sidecar", "sidecars")) if need not in lacks]
    if options and chance(choose, 2):
        name, role = "first", "initContainers"
        entry: Json = {"name": name, "image": "registry.example/app:1"}
        if one(choose, options) == "sidecar":
            entry["restartPolicy"] = "Always"
        manifest[role] = [entry]
    raw = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": manifest}
    spec: Json = {
        "duration": one(choose, (900, 2000)),
        "containers": [{"pod": "p", "container": name, "attempts": attempts}],
    }
    if "versions" not in lacks and chance(choose, 4):
        spec["featureGates"] = {"ReduceDefaultCrashLoopBackOffDecay": True}
    return Case((raw,), spec)


def _images(choose: Chooser, pods: tuple[Json, ...], about: Collection[str]) -> Json:
    if "images" not in about:
        return {}
    names = sorted({c["image"] for p in pods for c in _listed(p)})
    if "image-change" in about:
        names += [f"registry.example/app:{tag}" for tag in (2, 3)]
    return {name: _image(choose) for name in names if chance(choose, 2)}


def _image(choose: Chooser) -> Json:
    return one(
        choose,
        (
            {"pullTakes": 2},
            {"pullTakes": 6},
            {"error": "NotFound"},
            {"error": "Unauthorized", "until": 5},
            {"error": "Unavailable", "until": 25},
            {"error": "NotFound", "until": 12, "pullTakes": 1},
            {"absent": True},
        ),
    )


def _listed(manifest: Json) -> list[Json]:
    return [*manifest["spec"].get("initContainers", ()), *manifest["spec"]["containers"]]


def _sandbox(choose: Chooser, manifest: Json, about: Collection[str]) -> Json | None:
    behaviour: Json = {}
    if "sandbox" in about:
        behaviour = dict(one(choose, ({"takes": 2}, {"failsUntil": 5}, {"failsUntil": 21, "takes": 1})))
    if "lost-sandbox" in about:
        behaviour["diesAfter"] = one(choose, (0.5, 2, 4, 7, 12, 19, 27))
    return {"pod": manifest["metadata"]["name"], "sandbox": behaviour} if behaviour else None


def _scripts(choose: Chooser, manifest: Json, about: Collection[str], ephemeral: list[str]) -> list[Json]:
    scripts = []
    inits = {c["name"] for c in manifest["spec"].get("initContainers", ()) if c.get("restartPolicy") != "Always"}
    entries = [*_listed(manifest), *({"name": name} for name in ephemeral)]
    for entry in entries:
        script = _script(choose, entry, about, init=entry["name"] in inits)
        if script:
            scripts.append({"pod": manifest["metadata"]["name"], "container": entry["name"], **script})
    return scripts


def _script(choose: Chooser, entry: Json, about: Collection[str], *, init: bool) -> Json:
    script: Json = {}
    if init or chance(choose, 2) or "stubborn" in about:
        script["attempts"] = [_attempt(choose, about, init=init) for _ in range(choose.number(1, 3))]
        if init and chance(choose, 2):
            script["attempts"].append({"run": one(choose, RUNS), "exit": 0})
    for kind in ("startup", "readiness", "liveness"):
        if f"{kind}Probe" in entry and (chance(choose, 2) or "flapping" in about):
            script[f"{kind}Probe"] = _windows(choose, ("failure", "failure", "success", "error"))
    for hook in entry.get("lifecycle", ()):
        if chance(choose, 2):
            script[hook] = _windows(choose, ("success", "failure"))[:1]
    return script


def _attempt(choose: Chooser, about: Collection[str], *, init: bool) -> Json:
    if "errors" in about and chance(choose, 2):
        return {one(choose, ("startError", "createError")): "no such file", "startTakes": one(choose, (0, 1))}
    attempt: Json = {"run": "forever" if not init and chance(choose, 3) else one(choose, RUNS)}
    if attempt["run"] != "forever":
        attempt["exit"] = one(choose, (0, 0, *CODES)) if not init else one(choose, (0, 0, 0, *CODES))
        if chance(choose, 12):
            attempt["reason"] = "OOMKilled"
    if "stubborn" in about or chance(choose, 4):
        attempt["stop"] = {"takes": one(choose, (0, 1, 2.5, 5, "forever")), "exit": one(choose, (0, 1, 143))}
    return attempt


def _windows(choose: Chooser, results: tuple[str, ...]) -> list[Json]:
    windows = []
    for _ in range(choose.number(1, 3)):
        window: Json = {"result": one(choose, results)}
        if chance(choose, 2):
            window["from"] = one(choose, (0, 1, 3, 6))
        if chance(choose, 2):
            window["to"] = window.get("from", 0) + one(choose, (1, 2, 5, 9))
        if chance(choose, 3):
            window["attempt"] = one(choose, (0, 1))
        if chance(choose, 4):
            window["takes"] = one(choose, (0.3, 1.5, 4))
        windows.append(window)
    return windows


def _steps(choose: Chooser, pods: tuple[Json, ...], about: Collection[str], ephemeral: list[str]) -> list[Json]:
    steps: list[Json] = []
    for manifest in pods:
        name = manifest["metadata"]["name"]
        if "gates" in about:
            steps += _gate_writes(choose, name, manifest["spec"]["readinessGates"])
        if "scheduling" in about and not chance(choose, 4):
            steps += _ungatings(choose, name, manifest["spec"]["schedulingGates"])
        steps += _debugging(choose, name, ephemeral, about)
        if "image-change" in about:
            steps += _image_changes(choose, manifest)
        if "resize" in about:
            steps += _resizes(choose, manifest)
        if "delete" in about or "finalizers" in about:
            steps += _deletions(choose, manifest)
    if "missing" in about and not chance(choose, 4):
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"x": "y"}}
        steps.append({"at": one(choose, INSTANTS[2:]), "create": made})
    return sorted(steps, key=lambda step: float(step["at"]))


def _patch(at: float, target: str, body: Json, kind: str = "strategic") -> Json:
    return {"at": at, "patch": f"pods/{target}", "type": kind, "body": body}


def _ungatings(choose: Chooser, name: str, gates: list[Json]) -> list[Json]:
    """Scheduling gates are removed one after another."""
    steps = []
    for at in sorted(one(choose, INSTANTS[2:8]) for _ in gates):
        gates = gates[1:]
        steps.append(_patch(at, name, {"spec": {"schedulingGates": gates or None}}, kind="merge"))
    return steps


def _debugging(choose: Chooser, name: str, ephemeral: list[str], about: Collection[str]) -> list[Json]:
    """Ephemeral containers are added one after another."""
    image = "registry.example/app:1" if "images" in about else "registry.example/debug:1"
    steps, added, at = [], [], one(choose, INSTANTS[3:])
    for debug in ephemeral:
        added.append({"name": debug, "image": image, "targetContainerName": APPS[0]})
        body = {"spec": {"ephemeralContainers": list(added)}}
        steps.append(_patch(at, f"{name}/ephemeralcontainers", body))
        at += one(choose, (1, 3))
    return steps


def _gate_writes(choose: Chooser, name: str, gates: list[Json]) -> list[Json]:
    steps = []
    for gate in gates:
        for at in some(choose, INSTANTS[3:], 3):
            written = {"type": gate["conditionType"], "status": one(choose, ("True", "True", "False"))}
            steps.append(_patch(at, f"{name}/status", {"status": {"conditions": [written]}}))
    return steps


def _image_changes(choose: Chooser, manifest: Json) -> list[Json]:
    steps = []
    for at in some(choose, INSTANTS[4:], 2):
        group = one(choose, [key for key in ("containers", "initContainers") if key in manifest["spec"]])
        changed = {
            "name": one(choose, manifest["spec"][group])["name"],
            "image": f"registry.example/app:{choose.number(2, 3)}",
        }
        steps.append(_patch(at, manifest["metadata"]["name"], {"spec": {group: [changed]}}))
    return steps


def _resizes(choose: Chooser, manifest: Json) -> list[Json]:
    steps = []
    for at in some(choose, INSTANTS[4:], 2):
        group = one(choose, [key for key in ("containers", "initContainers") if key in manifest["spec"]])
        changed = {"name": one(choose, manifest["spec"][group])["name"]}
        changed["resources"] = resources(one(choose, (100, 150)), one(choose, (64, 96)))
        steps.append(_patch(at, f"{manifest['metadata']['name']}/resize", {"spec": {group: [changed]}}))
    return steps


def _deletions(choose: Chooser, manifest: Json) -> list[Json]:
    name = manifest["metadata"]["name"]
    at = one(choose, INSTANTS)
    steps: list[Json] = [{"at": at, "delete": f"pods/{name}"}]
    if chance(choose, 2):
        steps[0]["gracePeriodSeconds"] = one(choose, (0, 1, 3, 6, 10))
    if chance(choose, 4):
        steps.append(
            {"at": at + one(choose, (0.5, 1, 2)), "delete": f"pods/{name}", "gracePeriodSeconds": choose.number(0, 2)}
        )
    if "finalizers" in manifest["metadata"]:
        released = {"metadata": {"finalizers": None}}
        steps.append(_patch(one(choose, INSTANTS[5:]) + at, name, released, kind="merge"))
    return steps


__all__ = ["GATE", "case", "long_case"]
