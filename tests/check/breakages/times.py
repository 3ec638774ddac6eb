"""Transition times of conditions that do not fit what happened, and ends that come too late."""

from datetime import datetime, timedelta

from tests.check.breakages.tools import (
    breakage,
    condition,
    containers,
    gates_of,
    later,
    meta,
    named,
    ours,
    pick,
    previous,
    shifted,
    spec,
    state,
)

READY = ("Ready", "ContainersReady")
RULE = "cond-lasttransition-only-on-status-change"


def at(event):
    return datetime.fromisoformat(event["receivedAt"])


def plain(event):
    """Whether nothing but the state of its containers makes a Pod ready."""
    every = spec(event)["containers"] + (spec(event).get("initContainers") or [])
    probes = ("readinessProbe", "startupProbe", "livenessProbe")
    return not spec(event).get("readinessGates") and not any(c.get(kind) for c in every for kind in probes)


def turned(events, i, kind):
    """The condition before and after an event that turned it, if this is one."""
    before = previous(events, i)
    was, now = before and condition(before, kind), condition(events[i], kind)
    if was and now and was["status"] != now["status"] and was.get("lastTransitionTime"):
        return was, now
    return None


@breakage(RULE)
def condition_turns_without_a_new_time(events, random):
    """The status of a condition changes some time after it was last seen to be otherwise, and keeps its old time."""

    def fits(i, kind):
        both = turned(events, i, kind)
        if both is None or not plain(events[i]) or not ours(events[i]) or not ours(previous(events, i)):
            return False
        was, now = both
        late = datetime.fromisoformat(now["lastTransitionTime"]) - datetime.fromisoformat(was["lastTransitionTime"])
        ends = [c for c in containers(events[i]) if state(c) == "terminated"]
        rises = now["status"] == "True"
        return late > timedelta(seconds=5) and (rises or (len(ends) == 1 and now.get("reason") != "PodFailed"))

    found = [(i, kind) for i in range(len(events)) for kind in READY if fits(i, kind)]
    if not found:
        return False
    index, kind = random.choice(found)
    old, status = (
        condition(previous(events, index), kind)["lastTransitionTime"],
        condition(events[index], kind)["status"],
    )
    for event in later(events, index):
        one = condition(event, kind)
        if one["status"] != status:
            break
        one["lastTransitionTime"] = old
    return True


@breakage(RULE)
def time_of_ready_moves_on(events, random):
    def fits(i):
        before = previous(events, i)
        one = condition(events[i], "Ready")
        was = before and condition(before, "Ready")
        beside = [condition(e, "ContainersReady") for e in (before, events[i])] if before else [None]
        return (
            was
            and one
            and one.get("reason") != ""
            and was["status"] == one["status"] == "True"
            and was.get("lastTransitionTime") == one["lastTransitionTime"]
            and all(beside)
            and beside[0]["lastTransitionTime"] == beside[1]["lastTransitionTime"]
            and not gates_of(events[i])
        )

    index = pick(random, (i for i in range(len(events)) if fits(i)))
    if index is None:
        return False
    one = condition(events[index], "Ready")
    one["lastTransitionTime"] = shifted(one["lastTransitionTime"], 7)
    return True


@breakage(RULE)
def condition_of_tomorrow(events, random):
    found = [(e, kind) for i, e in enumerate(events) for kind in READY if previous(events, i) and condition(e, kind)]
    if not found:
        return False
    event, kind = random.choice(found)
    condition(event, kind)["lastTransitionTime"] = shifted(event["receivedAt"], 86400)
    return True


@breakage("cond-ready-copies-containersready", "term-ready-may-stay-true")
def unready_as_on_a_lost_node(events, random):
    """Ready False without a reason, as only the node controller writes it, with the kubelet's time."""
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if (condition(e, "Ready") or {}).get("status") == "True" and not gates_of(e) and ours(e)
            and condition(e, "Ready")["lastTransitionTime"] == condition(e, "ContainersReady")["lastTransitionTime"]
        ),
    )  # fmt: skip
    if index is None:
        return False
    condition(events[index], "Ready")["status"] = "False"
    return True


@breakage("cond-podreadytostart-true", "order-network-first", RULE)
def network_lost_and_found(events, random):
    """The sandbox is gone in one snapshot, and its containers run on."""

    def runs(e):
        return {c["containerID"] for c in containers(e) if state(c) == "running" and c.get("containerID")}

    kind = "PodReadyToStartContainers"
    found = [
        i
        for i, e in enumerate(events[:-1])
        if (condition(e, kind) or {}).get("status") == "True"
        and runs(e)
        and (after := next((x for x in events[i + 1 :] if meta(x)["uid"] == meta(e)["uid"]), None)) is not None
        and (condition(after, kind) or {}).get("status") == "True"
        and runs(e) & runs(after)
        and meta(after)["resourceVersion"] != meta(e)["resourceVersion"]
    ]
    if not found:
        return False
    condition(events[random.choice(found)], kind)["status"] = "False"
    return True


@breakage("term-flow-order", "sidecar-termination-order", RULE)
def runs_beyond_its_grace(events, random):
    def fits(i, c):
        before, end = previous(events, i), c["state"].get("terminated", {})
        quiet = before is not None and not any(
            state(x) == "waiting" for x in containers(before, ("initContainerStatuses", "containerStatuses"))
        )
        was = named(before, c["name"]) if quiet else None
        deleting = quiet and meta(before).get("deletionTimestamp")
        return deleting and end.get("finishedAt") and state(was) == "running" and was["containerID"] == c["containerID"]

    found = [(i, c["name"]) for i, e in enumerate(events) if ours(e) for c in containers(e) if fits(i, c)]
    if not found:
        return False
    index, name = random.choice(found)
    late = shifted(meta(previous(events, index))["deletionTimestamp"], 120)
    for event in later(events, index):
        event["receivedAt"] = (at(event) + timedelta(seconds=130)).isoformat()
        end = named(event, name)["state"].get("terminated")
        if end:
            end["finishedAt"] = late
    return True
