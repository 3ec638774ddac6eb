"""For each invariant a history that breaks it: a healthy one, changed where the invariant looks."""

import msgspec

from podfsm.kube.objects import ContainerState, ContainerStateRunning
from podfsm.kube.times import instant
from podfsm.testing.history import Happened, History
from tests.testing.histories import (
    RUNNING,
    after,
    asked,
    changed,
    condition,
    each,
    evolve_ends,
    history,
    kept,
    metadata,
    runs,
    shifted,
    spec,
    status,
    told,
    without_object,
)

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
