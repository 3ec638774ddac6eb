"""Container statuses that cannot be."""

from tests.check.breakages.tools import (
    STATUSES,
    breakage,
    containers,
    instance,
    pick,
    shifted,
    state,
    status,
)


@breakage("cstate-exactly-one")
def two_states_at_once(events, random):
    _index, one = instance(events, random, lambda i, c: state(c) == "running")
    if one is None:
        return False
    one["state"]["waiting"] = {"reason": "ContainerCreating"}
    return True


@breakage("status-times-follow")
def container_before_the_pod(events, random):
    index, one = instance(events, random, lambda i, c: state(c) == "running", STATUSES)
    if one is None or "startTime" not in status(events[index]):
        return False
    one["state"]["running"]["startedAt"] = shifted(status(events[index])["startTime"], -30)
    return True


@breakage("instance-exit-reason", "instance-keeps", "instance-remembered")
def completed_with_an_error(events, random):
    _index, one = instance(
        events, random, lambda i, c: state(c) == "terminated" and c["state"]["terminated"].get("reason") == "Error"
    )
    if one is None:
        return False
    one["state"]["terminated"]["reason"] = "Completed"
    return True


@breakage("instance-crash-loop", "instance-remembered")
def crash_loop_without_a_crash(events, random):
    _index, one = instance(
        events,
        random,
        lambda i, c: state(c) == "waiting" and c["state"]["waiting"].get("reason") == "CrashLoopBackOff",
        STATUSES,
    )
    if one is None:
        return False
    one["lastState"] = {}
    return True


@breakage("status-ready-runs")
def ready_without_running(events, random):
    _index, one = instance(
        events,
        random,
        lambda i, c: (
            state(c) != "running"
            and not c["ready"]
            and (c.get("lastState") or {}).get("terminated", {}).get("reason") != "RestartingAllContainers"
        ),
    )
    if one is None:
        return False
    one["ready"] = True
    return True


@breakage("status-ready-runs")
def started_without_running(events, random):
    _index, one = instance(
        events,
        random,
        lambda i, c: (
            state(c) == "waiting"
            and not c.get("started")
            and (c.get("lastState") or {}).get("terminated", {}).get("reason") != "RestartingAllContainers"
        ),
    )
    if one is None:
        return False
    one["started"] = True
    return True


@breakage("status-lists-the-spec", "status-lists-stay", "phase-pending", "cond-containersready")
def status_of_a_container_missing(events, random):
    index = pick(random, (i for i, e in enumerate(events) if len(containers(e)) > 1))
    if index is None:
        return False
    containers(events[index])
    status(events[index])["containerStatuses"].pop()
    return True


@breakage("status-lists-the-spec")
def status_of_an_unknown_container(events, random):
    index = pick(random, (i for i, e in enumerate(events) if containers(e)))
    if index is None:
        return False
    extra = dict(containers(events[index])[0], name="zz-unknown", containerID="containerd://x")
    extra["state"] = {"waiting": {"reason": "ContainerCreating"}}
    status(events[index])["containerStatuses"].append(extra)
    return True


@breakage("cstate-status-order")
def statuses_in_another_order(events, random):
    index = pick(random, (i for i, e in enumerate(events) if len(containers(e)) > 1))
    if index is None:
        return False
    status(events[index])["containerStatuses"].reverse()
    return True


@breakage("instance-ids")
def two_containers_share_an_instance(events, random):
    index = pick(
        random, (i for i, e in enumerate(events) if len([c for c in containers(e) if c.get("containerID")]) > 1)
    )
    if index is None:
        return False
    one, other = [c for c in containers(events[index]) if c.get("containerID")][:2]
    other["containerID"] = one["containerID"]
    return True
