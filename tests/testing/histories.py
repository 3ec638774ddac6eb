"""Histories of a few healthy Pods, each run once, and how to change them."""

from functools import lru_cache

import msgspec
from attrs import evolve

from podfsm.kube.objects import ContainerState, ContainerStateRunning
from podfsm.kube.times import instant
from podfsm.testing.case import Case
from podfsm.testing.cluster import make_cluster
from podfsm.testing.drive import run_case
from podfsm.testing.history import History

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


def evolve_ends(past, ends):
    return History(past.name, past.seen, past.case, past.gates, past.happened, past.accepted, past.lacks, ends=ends)
