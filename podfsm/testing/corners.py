"""Cases for what random ones hardly ever come by: several things have to happen in the right order, close together.

Each corner is a small Pod with its times left to choice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from podfsm.testing.case import Case
from podfsm.testing.choose import Chooser, chance, one

Json = dict[str, Any]
IMAGE = "registry.example/app:1"
BAD = "registry.example/bad:1"
RESTART_ALL = [{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}]


@frozen
class Corner:
    """One kind of case, and the capabilities that it needs."""

    make: Callable[[Chooser], Case]
    needs: frozenset[str] = frozenset()


def _case(spec: Json, scripts: dict[str, Json], steps: list[Json] | None = None, **more: Any) -> Case:
    """A case of one Pod; `scripts` by container."""
    raw = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    entries = [{"pod": "p", "container": name, **script} for name, script in scripts.items()]
    written: Json = {"duration": 60, **more, "containers": entries}
    if steps:
        written["steps"] = sorted(steps, key=lambda step: float(step["at"]))
    return Case((raw,), written)


def _entry(name: str, **more: Any) -> Json:
    return {"name": name, "image": IMAGE, **more}


def _change(at: float, group: str, name: str) -> Json:
    """The container gets an image that cannot be pulled."""
    return {"at": at, "patch": "pods/p", "type": "strategic", "body": {"spec": {group: [{"name": name, "image": BAD}]}}}


def _crashes(choose: Chooser, times: int = 8) -> list[Json]:
    return [{"run": one(choose, (0.5, 1, 1.5)), "exit": 1} for _ in range(times)]


def restart_all_over_trouble(choose: Chooser) -> Case:
    """Everything is restarted while another container is in back-off, cannot be created, or has no image."""
    role = one(choose, ("app", "init", "sidecar"))
    at = one(choose, (5, 9, 14))
    trouble = one(choose, ("crash", "create", "image"))
    victim, trigger = _entry("victim"), _entry("trigger", restartPolicy="Never", restartPolicyRules=RESTART_ALL)
    attempts = [{"run": 1, "exit": 1}, *([{"createError": "no"}] if trouble == "create" else _crashes(choose))]
    scripts = {"victim": {"attempts": attempts}, "trigger": {"attempts": [{"run": at, "exit": 42}, {"run": "forever"}]}}
    group = "containers" if role == "app" else "initContainers"
    steps = [_change(one(choose, (1.2, 2.5, 4)), group, "victim")] if trouble == "image" else []
    spec: Json = {"restartPolicy": "Always", "containers": [trigger, victim]}
    if role != "app":
        if role == "sidecar":
            victim["restartPolicy"] = "Always"
        else:
            trigger["restartPolicy"] = "Always"
        spec = {"restartPolicy": "Always", "initContainers": [victim], "containers": [trigger]}
        if role == "init":
            spec = {"restartPolicy": "Always", "initContainers": [trigger, victim], "containers": [_entry("app")]}
            scripts["victim"] = {"attempts": [*attempts, {"run": 1, "exit": 0}] if chance(choose, 2) else attempts}
    return _case(spec, scripts, steps, **({"images": {BAD: {"error": "NotFound"}}} if steps else {}))


def restart_all_while_an_init_runs(choose: Chooser) -> Case:
    """A sidecar asks for a restart of everything while the init container after it runs."""
    side = _entry("side", restartPolicy="Always", restartPolicyRules=RESTART_ALL)
    scripts: dict[str, Json] = {
        "side": {"attempts": [{"run": one(choose, (2, 4)), "exit": 42}, {"run": "forever"}]},
        "long": {"attempts": [{"run": one(choose, (6, 12)), "exit": 0}]},
    }
    spec = {"restartPolicy": one(choose, ("Always", "Never")), "initContainers": [side, _entry("long")]}
    return _case({**spec, "containers": [_entry("app")]}, scripts)


def image_gone_in_back_off(choose: Chooser) -> Case:
    """A crashing container gets an image that cannot be pulled: one back-off within the other."""
    group = one(choose, ("containers", "initContainers"))
    crashing = _entry("crashing")
    if group == "initContainers" and chance(choose, 2):
        crashing["restartPolicy"] = "Always"
    spec: Json = {"restartPolicy": one(choose, ("Always", "OnFailure")), "containers": [_entry("app")]}
    spec[group] = [*spec.get(group, ()), crashing]
    steps = [_change(one(choose, (1.8, 2.6, 3.3)), group, "crashing")]
    return _case(spec, {"crashing": {"attempts": _crashes(choose)}}, steps, images={BAD: {"error": "NotFound"}})


def blocked_in_back_off(choose: Chooser) -> Case:
    """A container that crashed cannot be created any more."""
    group = one(choose, ("containers", "initContainers"))
    attempts = [*_crashes(choose, choose.number(1, 2)), {"createError": "no"}]
    spec: Json = {"restartPolicy": one(choose, ("Always", "OnFailure")), "containers": [_entry("app")]}
    spec[group] = [*spec.get(group, ()), _entry("blocked")]
    return _case(spec, {"blocked": {"attempts": attempts}})


def probed_to_the_end(choose: Chooser) -> Case:
    """A container ends for good while its other probes still wait for the startup probe."""
    probe = {"exec": {"command": ["check"]}, "periodSeconds": 1}
    kinds = one(choose, (("readinessProbe",), ("livenessProbe",), ("livenessProbe", "readinessProbe")))
    probed = _entry("probed", startupProbe={**probe, "failureThreshold": 30}, **{kind: dict(probe) for kind in kinds})
    scripts: dict[str, Json] = {
        "probed": {
            "attempts": [{"run": one(choose, (4, 6.5)), "exit": one(choose, (0, 1))}],
            "startupProbe": [{"result": "failure"}],
        }
    }
    spec: Json = {"restartPolicy": "Never", "containers": [probed]}
    if chance(choose, 2):
        spec["containers"].append(_entry("other"))
    return _case(spec, scripts)


def sandbox_lost_for_long(choose: Chooser) -> Case:
    """The sandbox dies, and no other can be made for a while."""
    dies = one(choose, (3, 6))
    sandbox = {"diesAfter": dies, "failsFrom": 1, "failsUntil": dies + one(choose, (4, 15))}
    spec: Json = {"restartPolicy": one(choose, ("Always", "OnFailure")), "containers": [_entry("app")]}
    if chance(choose, 2):
        spec["initContainers"] = [_entry("first")]
    return _case(spec, {"first": {"attempts": [{"run": 1, "exit": 0}]}} if "initContainers" in spec else {},
                 pods=[{"pod": "p", "sandbox": sandbox}])  # fmt: skip


def sandbox_stopped_and_wanted(choose: Chooser) -> Case:
    """An init container that ran out of memory with exit code 0 has its Pod killed, which then begins anew."""
    scripts = {"first": {"attempts": [{"run": 1, "exit": 0, "reason": "OOMKilled"}, {"run": 1, "exit": 0}]}}
    spec = {"restartPolicy": "OnFailure", "initContainers": [_entry("first")], "containers": [_entry("app")]}
    more: Json = {}
    if chance(choose, 2):
        more["pods"] = [{"pod": "p", "sandbox": {"failsFrom": 1, "failsUntil": one(choose, (6, 14))}}]
    return _case(spec, scripts, **more)


def done_in_another_sandbox(choose: Chooser) -> Case:
    """Who was done starts anew with each new sandbox, and before long has to wait for it."""
    own = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [143]}}]
    probe = {"exec": {"command": ["check"]}, "periodSeconds": 2, "failureThreshold": 1}
    app = _entry("app", restartPolicy="Never", restartPolicyRules=own, startupProbe=probe)
    spec: Json = {"restartPolicy": "OnFailure", "containers": [app, _entry("done", restartPolicy="Never")]}
    scripts: dict[str, Json] = {
        "app": {"startupProbe": [{"result": "failure"}]},
        "done": {"attempts": [{"run": one(choose, (0.5, 1)), "exit": 1}]},
    }
    return _case(spec, scripts)


def orderly_end(choose: Chooser) -> Case:
    """A Pod with sidecars is deleted, or its app container is done, and everything stops when told to."""
    policy = one(choose, ("Never", "Always", "OnFailure"))
    sides = [_entry(name, restartPolicy="Always") for name in ("one", "two", "three")[: choose.number(1, 3)]]
    spec: Json = {"restartPolicy": policy, "initContainers": sides, "containers": [_entry("app")]}
    spec["terminationGracePeriodSeconds"] = one(choose, (10, 30))
    takes = {"stop": {"takes": one(choose, (0, 0.5, 1)), "exit": 0}}
    scripts: dict[str, Json] = {"app": {"attempts": [{"run": "forever", **takes}]}}
    if policy == "Never" and chance(choose, 2):
        scripts["app"] = {"attempts": [{"run": 3, "exit": one(choose, (0, 1))}]}
    return _case(spec, scripts, [{"at": one(choose, (6, 9)), "delete": "pods/p"}])


def stubborn_end(choose: Chooser) -> Case:
    """A Pod is deleted whose container does not listen, or listens late."""
    takes = one(choose, ("forever", 1, 3, 6))
    spec: Json = {"restartPolicy": "Always", "containers": [_entry("app")]}
    spec["terminationGracePeriodSeconds"] = one(choose, (0, 1, 2, 4, 8))
    if chance(choose, 3):
        spec["containers"][0]["lifecycle"] = {"preStop": {"sleep": {"seconds": one(choose, (1, 3))}}}
        spec["terminationGracePeriodSeconds"] = 4
    scripts = {"app": {"attempts": [{"run": "forever", "stop": {"takes": takes, "exit": 0}}]}}
    step: Json = {"at": one(choose, (2, 3.3, 5)), "delete": "pods/p"}
    if chance(choose, 2):
        step["gracePeriodSeconds"] = one(choose, (1, 3, 5))
    return _case(spec, scripts, [step])


CORNERS = (
    Corner(
        restart_all_over_trouble, frozenset({"restart-rules", "init", "sidecars", "images", "start-errors", "patch"})
    ),
    Corner(restart_all_while_an_init_runs, frozenset({"restart-rules", "init", "sidecars"})),
    Corner(image_gone_in_back_off, frozenset({"init", "sidecars", "images", "patch", "backoff"})),
    Corner(blocked_in_back_off, frozenset({"init", "start-errors", "backoff"})),
    Corner(probed_to_the_end, frozenset({"probes"})),
    Corner(sandbox_lost_for_long, frozenset({"node-loss", "init"})),
    Corner(sandbox_stopped_and_wanted, frozenset({"node-loss", "init"})),
    Corner(done_in_another_sandbox, frozenset({"restart-rules", "probes", "backoff"})),
    Corner(orderly_end, frozenset({"sidecars", "termination"})),
    Corner(stubborn_end, frozenset({"termination", "hooks"})),
)
