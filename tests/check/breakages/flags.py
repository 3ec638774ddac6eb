"""Flags, reasons and times of a container that its kubelet does not write."""

from tests.check.breakages.tools import (
    STATUSES,
    breakage,
    condition,
    container_of,
    containers,
    instance,
    later,
    previous,
    rules_free,
    shifted,
    spec,
    state,
    status,
)

APPS_AND_INIT = STATUSES[:2]


def set_on(events, random, when, change, lists=("containerStatuses",)):
    """Change one random container status that fits."""
    index, one = instance(events, random, when, lists)
    if one is None:
        return False
    change(events[index], one)
    return True


def unprobed(event, c, *kinds):
    mine = container_of(event, c["name"])
    return not any(mine.get(kind) for kind in ("startupProbe", *kinds))


def unready(event, c):
    """The flags of one container and the conditions that follow, in agreement with each other."""
    c["ready"] = False
    for kind in ("Ready", "ContainersReady"):
        one = condition(event, kind)
        one.update(status="False", reason="ContainersNotReady")
        one["message"] = f"containers with unready status: [{c['name']}]"


@breakage("cstate-ready")
def unready_without_a_probe(events, random):
    return set_on(
        events,
        random,
        lambda i, c: (
            state(c) == "running"
            and c["ready"]
            and unprobed(events[i], c, "readinessProbe")
            and (condition(events[i], "Ready") or {}).get("status") == "True"
        ),
        unready,
    )


@breakage("cstate-started", "status-ready-runs")
def unstarted_without_a_probe(events, random):
    return set_on(
        events,
        random,
        lambda i, c: state(c) == "running" and c.get("started") and unprobed(events[i], c),
        lambda e, c: c.update(started=False),
    )


@breakage("cstate-waiting-reasons")
def waits_for_a_reason_of_its_own(events, random):
    return set_on(
        events,
        random,
        lambda i, c: state(c) == "waiting",
        lambda e, c: c["state"]["waiting"].update(reason="Sleeping"),
        STATUSES,
    )


@breakage("cstate-default-waiting")
def waits_for_init_containers_that_are_not_there(events, random):
    return set_on(
        events,
        random,
        lambda i, c: (
            state(c) == "waiting"
            and c["state"]["waiting"].get("reason") == "ContainerCreating"
            and not spec(events[i]).get("initContainers")
        ),
        lambda e, c: c["state"]["waiting"].update(reason="PodInitializing"),
    )


@breakage("cstate-default-waiting")
def does_not_wait_for_init_containers(events, random):
    return set_on(
        events,
        random,
        lambda i, c: state(c) == "waiting" and c["state"]["waiting"].get("reason") == "PodInitializing",
        lambda e, c: c["state"]["waiting"].update(reason="ContainerCreating"),
        STATUSES,
    )


@breakage("cstate-running", "instance-keeps")
def runs_since_no_time(events, random):
    return set_on(
        events, random, lambda i, c: state(c) == "running", lambda e, c: c["state"].update(running={}), STATUSES
    )


@breakage("cstate-running", "instance-keeps")
def runs_without_an_id(events, random):
    return set_on(
        events,
        random,
        lambda i, c: state(c) == "running" and c.get("containerID"),
        lambda e, c: c.pop("containerID"),
        APPS_AND_INIT,
    )


@breakage("cstate-terminated-fields", "instance-keeps", "instance-remembered")
def ended_at_no_time(events, random):
    return set_on(
        events,
        random,
        lambda i, c: state(c) == "terminated" and c["state"]["terminated"].get("finishedAt"),
        lambda e, c: c["state"]["terminated"].pop("finishedAt"),
    )


@breakage("instance-ids", "instance-keeps", "instance-remembered")
def end_of_no_instance(events, random):
    return set_on(
        events,
        random,
        lambda i, c: state(c) == "terminated" and c["state"]["terminated"].get("containerID") and c.get("containerID"),
        lambda e, c: c["state"]["terminated"].pop("containerID"),
    )


@breakage("cstate-running", "instance-keeps")
def starts_in_the_future(events, random):
    return set_on(
        events,
        random,
        lambda i, c: state(c) == "running",
        lambda e, c: c["state"]["running"].update(startedAt=shifted(e["receivedAt"], 900)),
    )


@breakage("backoff-cap")
def backs_off_for_an_hour(events, random):
    return set_on(
        events,
        random,
        lambda i, c: (
            state(c) == "waiting"
            and c["state"]["waiting"].get("reason") == "CrashLoopBackOff"
            and "back-off " in c["state"]["waiting"].get("message", "")
        ),
        lambda e, c: c["state"]["waiting"].update(message="back-off 1h0m0s restarting failed container=a pod=p"),
        APPS_AND_INIT,
    )


@breakage("restart-never", "cstate-no-leave-terminated", "instance-remembered", "phase-failed", "phase-succeeded")
def backs_off_under_never(events, random):
    def fits(i, c):
        before = previous(events, i)
        mine = container_of(events[i], c["name"])
        return (
            state(c) == "terminated"
            and spec(events[i]).get("restartPolicy") == "Never"
            and not mine.get("restartPolicy")
            and rules_free(events[i])
            and before is not None
            and any(x["name"] == c["name"] and state(x) == "terminated" for x in containers(before))
        )

    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container=a pod=p"}}
    return set_on(events, random, fits, lambda e, c: c.update(lastState=c["state"], state=waits))


@breakage("cond-initialized-podcompleted", "cond-initialized-true", "cond-initialized-no-init")
def initialized_forgets_the_end(events, random):
    found = [
        (i, e)
        for i, e in enumerate(events)
        if (condition(e, "Initialized") or {}).get("reason") == "PodCompleted"
        and (before := previous(events, i)) is not None
        and (condition(before, "Initialized") or {}).get("reason") == "PodCompleted"
    ]
    if not found:
        return False
    index, _ = random.choice(found)
    for event in later(events, index):
        condition(event, "Initialized").pop("reason", None)
    return True


@breakage("cond-containersready-terminal")
def ends_under_the_wrong_name(events, random):
    def wrong(event):
        return {"Succeeded": "PodFailed", "Failed": "PodCompleted"}.get(status(event).get("phase"))

    right = {"PodFailed": "PodCompleted", "PodCompleted": "PodFailed"}
    found = [
        e
        for i, e in enumerate(events)
        if wrong(e)
        and (condition(e, "Ready") or {}).get("reason") == right[wrong(e)]
        and (before := previous(events, i)) is not None
        and (condition(before, "Ready") or {}).get("reason") != wrong(e)
    ]
    if not found:
        return False
    event = random.choice(found)
    for kind in ("Ready", "ContainersReady"):
        condition(event, kind)["reason"] = wrong(event)
    return True
