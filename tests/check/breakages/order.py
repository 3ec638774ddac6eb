"""Containers that start or stop out of turn."""

from tests.check.breakages.tools import (
    STATUSES,
    breakage,
    condition,
    containers,
    instance,
    later,
    meta,
    named,
    previous,
    shifted,
    spec,
    state,
)


@breakage("order-init-containers", "order-init-before-apps")
def init_container_skipped(events, random):
    def fits(i, c):
        every = containers(events[i], STATUSES[:1])
        return (
            c["name"] == every[0]["name"]
            and state(c) == "terminated"
            and any(state(o) == "running" and o["restartCount"] == 0 for o in every[1:] + containers(events[i]))
        )

    _index, one = instance(events, random, fits, STATUSES[:1])
    if one is None:
        return False
    one.update(state={"waiting": {"reason": "PodInitializing"}}, lastState={}, restartCount=0, ready=False)
    one.pop("containerID", None)
    return True


@breakage("order-init-before-apps", "order-init-containers")
def started_before_init_ended(events, random):
    def fits(i, c):
        names = {x["name"] for x in spec(events[i]).get("initContainers") or [] if x.get("restartPolicy") != "Always"}
        return (
            c["name"] in names
            and state(c) == "terminated"
            and c["state"]["terminated"].get("finishedAt")
            and any(state(o) == "running" for o in containers(events[i]))
        )

    index, one = instance(events, random, fits, STATUSES[:1])
    if one is None:
        return False
    app = next(o for o in containers(events[index]) if state(o) == "running")
    app["state"]["running"]["startedAt"] = shifted(one["state"]["terminated"]["finishedAt"], -2)
    return True


@breakage(
    "order-init-containers",
    "order-init-before-apps",
    "phase-init-failed-never",
    "phase-failed",
    "cond-initialized-true",
)
def init_failure_ignored(events, random):
    def fits(i, c):
        names = {x["name"] for x in spec(events[i]).get("initContainers") or [] if x.get("restartPolicy") != "Always"}
        return (
            c["name"] in names
            and state(c) == "terminated"
            and c["state"]["terminated"]["exitCode"] == 0
            and any(state(o) == "running" for o in containers(events[i]))
        )

    index, one = instance(events, random, fits, STATUSES[:1])
    if one is None:
        return False
    for event in later(events, index):
        each = named(event, one["name"])
        if each and each.get("containerID") == one.get("containerID") and state(each) == "terminated":
            each["state"]["terminated"].update(exitCode=1, reason="Error")
            each["ready"] = False
    return True


@breakage("order-init-containers")
def all_init_containers_at_once(events, random):
    def fits(i, c):
        every = containers(events[i], STATUSES[:1])
        return (
            state(c) == "running"
            and c["name"] == every[0]["name"]
            and len(every) > 1
            and state(every[1]) == "waiting"
            and every[1]["restartCount"] == 0
            and not every[1].get("containerID")
            and next(x for x in spec(events[i])["initContainers"] if x["name"] == c["name"]).get("restartPolicy")
            != "Always"
        )

    index, one = instance(events, random, fits, STATUSES[:1])
    if one is None:
        return False
    for other in containers(events[index], STATUSES[:1])[1:]:
        other.update(
            state={"running": dict(one["state"]["running"])},
            containerID="containerd://" + other["name"] * 12,
            started=True,
        )
    return True


@breakage("order-network-first")
def starts_without_a_network(events, random):
    index, one = instance(
        events, random, lambda i, c: state(c) == "running" and condition(events[i], "PodReadyToStartContainers")
    )
    if one is None:
        return False
    condition(events[index], "PodReadyToStartContainers")["lastTransitionTime"] = shifted(
        one["state"]["running"]["startedAt"], 9
    )
    return True


@breakage("sidecar-termination-order")
def sidecar_stopped_first(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        mine = next((x for x in spec(events[i])["initContainers"] if x["name"] == c["name"]), {})
        ends = [a["state"]["terminated"].get("finishedAt") for a in containers(events[i]) if state(a) == "terminated"]
        return (
            mine.get("restartPolicy") == "Always"
            and before
            and state(before) == "running"
            and state(c) == "terminated"
            and c["state"]["terminated"].get("exitCode") in (137, 143)
            and meta(events[i]).get("deletionTimestamp")
            and any(ends)
        )

    index, one = instance(events, random, fits, STATUSES[:1])
    if one is None:
        return False
    end = one["state"]["terminated"]["finishedAt"]
    if end <= shifted(meta(events[index])["deletionTimestamp"], -meta(events[index])["deletionGracePeriodSeconds"]):
        return False
    app = next(a for a in containers(events[index]) if state(a) == "terminated")
    instance_id = app.get("containerID")
    for event in later(events, index):
        each = named(event, app["name"])
        if each.get("containerID") == instance_id and state(each) == "terminated":
            each["state"]["terminated"]["finishedAt"] = shifted(end, 3)
    return True
