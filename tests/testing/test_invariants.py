"""The invariants: each is about rules that exist, notices what breaks it, and holds of healthy Pods."""

import inspect
from functools import lru_cache

import msgspec
import pytest
from attrs import evolve

from podfsm.kube.objects import ContainerState, ContainerStateRunning, Pod
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.testing.case import Case
from podfsm.testing.choose import Seeded
from podfsm.testing.cluster import make_cluster
from podfsm.testing.drive import run_case
from podfsm.testing.history import Happened, History
from podfsm.testing.invariants import all_invariants
from podfsm.testing.protocol import CAPABILITIES
from podfsm.testing.scenarios import case, long_case

BY_NAME = {invariant.name: invariant for invariant in all_invariants()}
RUNNING = ContainerState(running=ContainerStateRunning(startedAt=instant(1)))
PROBE = {"exec": {"command": ["check"]}, "periodSeconds": 2, "initialDelaySeconds": 4}


def app(name="app", **more):
    return {"name": name, "image": "registry.example/app:1", **more}


def pod(**spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [app()], **spec}}


def runs(container, *attempts, **windows):
    return {"pod": "p", "container": container, "attempts": list(attempts), **windows}


OK, BAD = {"run": 2, "exit": 0}, {"run": 1, "exit": 1}
GATE = {"readinessGates": [{"conditionType": "example.com/lb"}]}
GATE_WRITE = {"at": 8, "patch": "pods/p/status", "type": "strategic",
              "body": {"status": {"conditions": [{"type": "example.com/lb", "status": "True"}]}}}  # fmt: skip
CASES = {
    "plain": Case((pod(),), {"duration": 30}),
    "crash": Case((pod(),), {"duration": 120, "containers": [runs("app", BAD)]}),
    "done": Case((pod(restartPolicy="Never"),), {"duration": 30, "containers": [runs("app", OK)]}),
    "failed": Case((pod(restartPolicy="Never"),), {"duration": 30, "containers": [runs("app", BAD)]}),
    "inits": Case(
        (pod(initContainers=[app("first"), app("second")]),),
        {"duration": 30, "containers": [runs("first", OK), runs("second", OK)]},
    ),
    "sidecar": Case(
        (pod(initContainers=[app("one", restartPolicy="Always"), app("two", restartPolicy="Always")]),),
        {"duration": 60, "steps": [{"at": 9, "delete": "pods/p"}]},
    ),
    "gate": Case((pod(**GATE),), {"duration": 30, "steps": [GATE_WRITE]}),
    "probes": Case(
        (pod(containers=[app(readinessProbe=PROBE, startupProbe=PROBE)]),),
        {"duration": 60, "containers": [runs("app")]},
    ),
    "deleted": Case(
        (pod(terminationGracePeriodSeconds=6),),
        {
            "duration": 60,
            "containers": [runs("app", {"run": "forever", "stop": {"takes": "forever"}})],
            "steps": [{"at": 5, "delete": "pods/p"}],
        },
    ),
    "deadline": Case((pod(activeDeadlineSeconds=5),), {"duration": 30}),
    "scheduling": Case((pod(schedulingGates=[{"name": "example.com/a"}]),), {"duration": 10}),
    "ephemeral": Case(
        (pod(),),
        {
            "duration": 20,
            "containers": [runs("debug", OK)],
            "steps": [
                {"at": 3, "patch": "pods/p/ephemeralcontainers", "type": "strategic",
                 "body": {"spec": {"ephemeralContainers": [app("debug")]}}},
            ],
        },
    ),
    "late-image": Case(
        (pod(),), {"duration": 60, "images": {"registry.example/app:1": {"error": "NotFound", "until": 25}}}
    ),
}  # fmt: skip


@lru_cache
def history(name):
    outcome = run_case(CASES[name], make_cluster)
    assert not outcome.misbehaviours
    return outcome.histories[0]


def changed(past, change, where=lambda seen: True):
    """The history with its Pods changed from the first snapshot on that is wanted."""
    seen = [evolve(one, pod=change(one.pod)) if where(one) else one for one in past.seen]
    return History(
        past.name, tuple(seen), past.case, past.gates, past.happened, past.accepted, past.lacks, ends=past.ends
    )


def status(**changes):
    return lambda pod: msgspec.structs.replace(pod, status=msgspec.structs.replace(pod.status, **changes))


def each(group, **changes):
    """Change every container status of a group."""

    def change(pod):
        new = tuple(msgspec.structs.replace(one, **changes) for one in getattr(pod.status, group))
        return status(**{group: new})(pod)

    return change


def condition(kind, **changes):
    def change(pod):
        new = tuple(msgspec.structs.replace(c, **changes) if c.type == kind else c for c in pod.status.conditions)
        return status(conditions=new)(pod)

    return change


def after(at):
    return lambda seen: seen.at >= at


def spec(**changes):
    return lambda pod: msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, **changes))


def metadata(**changes):
    return lambda pod: msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, **changes))


def without_object(past, until):
    """The history cut off, with the object gone at its last moment."""
    seen = [one for one in past.seen if one.at <= until]
    seen.append(evolve(seen[-1], type="DELETED"))
    return History(past.name, tuple(seen), past.case, past.gates, (), (), past.lacks, ends=past.ends)


def kept(past, until):
    """The history without what came after an instant, watched as long."""
    seen = tuple(one for one in past.seen if one.at <= until)
    return History(past.name, seen, past.case, past.gates, past.happened, past.accepted, past.lacks, ends=past.ends)


def told(past, *events):
    return History(past.name, past.seen, past.case, past.gates, events, past.accepted, past.lacks, ends=past.ends)


def asked(past, **spec_changes):
    """The same history of another case."""
    case = Case(past.case.pods, {**past.case.spec, **spec_changes})
    return History(past.name, past.seen, case, past.gates, past.happened, past.accepted, past.lacks, ends=past.ends)


def shifted(past, machine, trigger, by):
    moved = tuple(evolve(a, at=a.at + by) if (a.machine, a.trigger) == (machine, trigger) else a for a in past.accepted)
    moved = tuple(sorted(moved, key=lambda one: one.at))
    return History(past.name, past.seen, past.case, past.gates, (), moved, past.lacks, ends=past.ends)


def early_restarts(pod):
    return each("containerStatuses", state=RUNNING)(pod)


TRUE, FALSE = {"status": "True", "reason": ""}, {"status": "False", "reason": "x"}
BREAKS = {
    "ready-needs-gates": lambda: changed(history("gate"), condition("Ready", **TRUE)),
    "ready-needs-containers": lambda: changed(history("crash"), condition("Ready", **TRUE)),
    "containers-ready-needs-each": lambda: changed(history("crash"), condition("ContainersReady", **TRUE)),
    "ready-comes": lambda: changed(history("plain"), condition("Ready", **FALSE)),
    "gates-are-patched": lambda: asked(history("gate"), steps=[]),
    "ready-container": lambda: changed(history("crash"), each("containerStatuses", ready=True)),
    "ready-after-restart": lambda: changed(history("probes"), each("containerStatuses", ready=True, started=True)),
    "initialized": lambda: changed(history("inits"), condition("Initialized", **TRUE)),
    "transition-times": lambda: changed(
        history("plain"), condition("PodScheduled", lastTransitionTime=instant(9)), after(0.03)
    ),
    "succeeded-means-zero": lambda: changed(history("failed"), status(phase="Succeeded"), after(2.5)),
    "failed-has-a-cause": lambda: changed(history("done"), status(phase="Failed"), after(3.5)),
    "running-means-started": lambda: changed(history("plain"), status(phase="Running")),
    "phase-ends-once": lambda: changed(history("done"), each("containerStatuses", state=RUNNING), after(3.5)),
    "starts-pending": lambda: changed(history("plain"), status(phase="Running")),
    "bound-when-ungated": lambda: changed(history("scheduling"), spec(nodeName="n")),
    "deadline-is-kept": lambda: changed(history("deadline"), status(reason="DeadlineExceeded"), after(0.03)),
    "init-in-order": lambda: changed(history("inits"), each("initContainerStatuses", state=RUNNING), after(0.03)),
    "init-times-in-order": lambda: changed(
        history("inits"), each("containerStatuses", state=RUNNING, containerID="early"), after(4)
    ),
    "init-runs-again-only-after-failure": lambda: changed(
        history("inits"), each("initContainerStatuses", state=RUNNING, containerID="again"), after(5)
    ),
    "sidecar-opens-the-way": lambda: changed(history("sidecar"), each("initContainerStatuses", started=False)),
    "sidecars-stop-last": lambda: changed(history("sidecar"), _sidecars_first, after(9)),
    "ephemeral-runs-once": lambda: changed(
        history("ephemeral"), each("ephemeralContainerStatuses", restartCount=1), after(4)
    ),
    "ephemeral-does-not-count": lambda: changed(history("ephemeral"), status(phase="Failed"), after(5)),
    "restart-as-policy-says": lambda: changed(
        history("failed"), each("containerStatuses", state=RUNNING, containerID="again"), after(2.5)
    ),
    "restarts-are-counted": lambda: changed(history("crash"), each("containerStatuses", restartCount=0)),
    "restarts-one-by-one": lambda: changed(history("plain"), each("containerStatuses", restartCount=5), after(0.03)),
    "restarts-have-a-cause": lambda: asked(history("crash"), containers=[]),
    "restarts-come": lambda: evolve_ends(kept(history("crash"), 1.755), 900),
    "finished-pods-end": lambda: evolve_ends(kept(history("done"), 2.8), 200),
    "backoff-order": lambda: changed(history("crash"), _earlier_starts),
    "backoff-told": lambda: changed(history("crash"), _odd_delay),
    "backoff-of-images": lambda: told(history("late-image"), *_pulls(0, 5)),
    "images-never-pulled": lambda: told(changed(history("plain"), _never), *_pulls(0)),
    "startup-first": lambda: changed(history("probes"), each("containerStatuses", ready=True), after(0.03)),
    "startup-takes-its-time": lambda: changed(history("probes"), each("containerStatuses", started=True)),
    "checks-in-turn": lambda: told(history("probes"), Happened(1, "Unhealthy", "Readiness probe failed", "app")),
    "kills-after-threshold": lambda: told(
        history("probes"), Happened(6, "Killing", "Container app failed startup probe, will be restarted", "app")
    ),
    "killed-in-time": lambda: changed(history("probes"), _second_run, after(4)),
    "probes-are-heeded": lambda: asked(
        evolve_ends(history("probes"), 300), containers=[runs("app", startupProbe=[{"result": "failure"}])]
    ),
    "deletion-is-marked": lambda: changed(history("deleted"), metadata(deletionTimestamp=instant(90)), after(5)),
    "grace-is-given": lambda: changed(history("deleted"), _killed_at(7)),
    "grace-ends": lambda: evolve_ends(kept(history("deleted"), 5.2), 300),
    "nothing-starts-when-deleted": lambda: changed(
        history("deleted"),
        each("containerStatuses", containerID="new", state=ContainerState(running=ContainerStateRunning(instant(90)))),
        after(5),
    ),
    "gone-when-over": lambda: without_object(history("plain"), 20),
    "finalizers-hold": lambda: without_object(changed(history("plain"), metadata(finalizers=("a/b",))), 20),
    "deleted-pods-go": lambda: evolve_ends(kept(history("deleted"), 6), 300),
    "statuses-are-not-ahead": lambda: changed(
        history("plain"), each("containerStatuses", state=ContainerState(running=ContainerStateRunning(instant(99))))
    ),
    "transitions-form-paths": lambda: _without_first(history("crash"), "exit"),
    "runs-were-started": lambda: shifted(history("plain"), "container", "create", 100),
    "pulls-wait": lambda: shifted(history("late-image"), "image", "fail", 9),
    "nothing-after-the-end": lambda: shifted(history("deleted"), "container", "pull", 500),
}


def evolve_ends(past, ends):
    return History(past.name, past.seen, past.case, past.gates, past.happened, past.accepted, past.lacks, ends=ends)


def _sidecars_first(pod):
    def ended(one, at):
        if one.state.terminated is None:
            return one
        end = msgspec.structs.replace(one.state.terminated, finishedAt=instant(at))
        return msgspec.structs.replace(one, state=ContainerState(terminated=end))

    inits = tuple(ended(one, 9) for one in pod.status.initContainerStatuses)
    apps = tuple(ended(one, 12) for one in pod.status.containerStatuses)
    return status(initContainerStatuses=inits, containerStatuses=apps)(pod)


def _earlier_starts(pod):
    new = []
    for one in pod.status.containerStatuses:
        if one.state.running is not None and one.restartCount >= 2:
            ended = one.lastState.terminated.finishedAt
            new.append(msgspec.structs.replace(one, state=ContainerState(running=ContainerStateRunning(ended))))
        else:
            new.append(one)
    return status(containerStatuses=tuple(new))(pod)


def _odd_delay(pod):
    new = []
    for one in pod.status.containerStatuses:
        if one.state.waiting is not None and one.state.waiting.reason == "CrashLoopBackOff":
            waiting = msgspec.structs.replace(one.state.waiting, message="back-off 17s restarting failed container=app")
            new.append(msgspec.structs.replace(one, state=ContainerState(waiting=waiting)))
        else:
            new.append(one)
    return status(containerStatuses=tuple(new))(pod)


def _pulls(*instants):
    for at in instants:
        yield Happened(at, "Pulling", 'Pulling image "registry.example/app:1"', "app")
        yield Happened(at, "Failed", 'failed to pull image "registry.example/app:1": NotFound', "app")


def _never(pod):
    containers = tuple(msgspec.structs.replace(c, imagePullPolicy="Never") for c in pod.spec.containers)
    return spec(containers=containers)(pod)


def _second_run(pod):
    one = pod.status.containerStatuses[0]
    end = {"exitCode": 143, "startedAt": instant(0), "finishedAt": instant(2), "containerID": one.containerID}
    last = msgspec.convert({"terminated": {**end, "startedAt": instant(0)}}, ContainerState)
    probes = tuple(msgspec.structs.replace(c, livenessProbe=c.startupProbe) for c in pod.spec.containers)
    new = msgspec.structs.replace(one, containerID="second", state=RUNNING, lastState=last, restartCount=1)
    return spec(containers=probes)(status(containerStatuses=(new,))(pod))


def _killed_at(at):
    def change(pod):
        new = []
        for one in pod.status.containerStatuses:
            if one.state.terminated is not None:
                end = msgspec.structs.replace(one.state.terminated, finishedAt=instant(at))
                new.append(msgspec.structs.replace(one, state=ContainerState(terminated=end)))
            else:
                new.append(one)
        return status(containerStatuses=tuple(new))(pod)

    return change


def _without_first(past, trigger):
    first = next(one for one in past.accepted if one.trigger == trigger)
    left = tuple(one for one in past.accepted if one is not first)
    return History(past.name, past.seen, past.case, past.gates, (), left, past.lacks, ends=past.ends)


WRITTEN = [name for name in BY_NAME if not name.startswith("rule/")]


@pytest.mark.parametrize("name", WRITTEN)
def test_notices_what_breaks_it(name):
    broken = BREAKS[name]()
    assert BY_NAME[name].broken(broken), "says nothing"


@pytest.mark.parametrize("name", sorted(CASES))
def test_holds_of_healthy_pods(name):
    assert {one.name: one.broken(history(name)) for one in all_invariants() if one.broken(history(name))} == {}


@pytest.mark.parametrize("number", range(40))
def test_holds_of_random_pods(number):
    choose = Seeded(f"healthy/{number}")
    outcome = run_case(case(choose) if number else long_case(choose), make_cluster)
    assert outcome.misbehaviours == []
    broken = [
        (one.name, one.broken(past)[0]) for past in outcome.histories for one in all_invariants() if one.broken(past)
    ]
    assert broken == []


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_is_about_rules_and_capabilities_that_exist(name):
    invariant = BY_NAME[name]
    assert invariant.checks
    assert all(rule in all_rules() for rule in invariant.checks), invariant.checks
    assert invariant.needs <= set(CAPABILITIES)
    assert invariant.says.endswith(".")


def test_every_invariant_rule_about_pods_is_asked():
    about_pods = {
        rule.id
        for rule in all_rules()
        if rule.kind == "invariant"
        and all(p.annotation is Pod for p in inspect.signature(rule.function, eval_str=True).parameters.values())
    }
    assert about_pods <= {name.removeprefix("rule/") for name in BY_NAME}
