"""Broken conditions."""

from tests.check.breakages.tools import (
    breakage,
    condition,
    containers,
    flip,
    gates_of,
    pick,
    previous,
    shifted,
    spec,
    state,
    status,
)


@breakage("cond-ready-copies-containersready", "gate-ready-requires-all", "term-worker-one-way", "cond-order")
def ready_without_containers(events, random):
    return flip(events, random, "Ready", "True", lambda e: condition(e, "ContainersReady")["status"] == "False")


@breakage("gate-ready-requires-all", "cond-ready-copies-containersready")
def ready_without_gate(events, random):
    def still_shut(event):
        ready = condition(event, "Ready") or {}
        return ready.get("reason") == "ReadinessGatesNotReady" and "True" not in [v for _, v in gates_of(event)]

    def fits(event):
        before = previous(events, events.index(event))
        return still_shut(event) and before is not None and still_shut(before) and gates_of(before) == gates_of(event)

    return flip(events, random, "Ready", "True", fits)


@breakage("cond-containersready", "cond-containersready-terminal", "cond-order")
def containers_ready_too_early(events, random):
    return flip(events, random, "ContainersReady", "True", lambda e: any(not c["ready"] for c in containers(e)))


@breakage("cond-containersready")
def containers_not_ready_for_nothing(events, random):
    return flip(events, random, "ContainersReady", "False", lambda e: True, "ContainersNotReady")


@breakage("cond-initialized-true")
def initialized_too_early(events, random):
    return flip(
        events,
        random,
        "Initialized",
        "True",
        lambda e: (
            status(e)["phase"] == "Pending"
            and not any(state(c) == "running" for c in containers(e))
            and any(
                state(c) != "terminated" and not c.get("started") for c in containers(e, ("initContainerStatuses",))
            )
        ),
    )


@breakage(
    "cond-initialized-sticky-inplace-restart",
    "cond-initialized-sticky-after-app-start",
    "cond-initialized-no-init",
    "cond-initialized-true",
)
def initialized_taken_back(events, random):
    def initialized(event):
        before = previous(events, events.index(event))
        return before is not None and (condition(before, "Initialized") or {}).get("status") == "True"

    return flip(events, random, "Initialized", "False", initialized, "ContainersNotInitialized")


@breakage("status-after-binding")
def unscheduled_on_a_node(events, random):
    return flip(events, random, "PodScheduled", "False", lambda e: bool(spec(e).get("nodeName")), "Unschedulable")


@breakage("cond-fields")
def condition_twice(events, random):
    index = pick(random, (i for i, e in enumerate(events) if status(e).get("conditions")))
    if index is None:
        return False
    conditions = status(events[index])["conditions"]
    conditions.append(dict(random.choice(conditions)))
    return True


@breakage("cond-fields")
def condition_maybe(events, random):
    index = pick(random, (i for i, e in enumerate(events) if status(e).get("conditions")))
    if index is None:
        return False
    random.choice(status(events[index])["conditions"])["status"] = "Maybe"
    return True


@breakage("update-conditions-stay")
def condition_disappears(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if i and condition(e, "Ready") and (p := previous(events, i)) and condition(p, "Ready")
        ),
    )
    if index is None:
        return False
    status(events[index])["conditions"].remove(condition(events[index], "Ready"))
    return True


@breakage("cond-lasttransition-only-on-status-change")
def transition_goes_back(events, random):
    def fits(i, event):
        before = previous(events, i)
        return (
            before is not None
            and all(condition(x, "Ready") for x in (before, event))
            and condition(before, "Ready")["status"] == condition(event, "Ready")["status"]
            and condition(event, "Ready")["lastTransitionTime"]
        )

    index = pick(random, (i for i, e in enumerate(events) if fits(i, e)))
    if index is None:
        return False
    one = condition(events[index], "Ready")
    one["lastTransitionTime"] = shifted(one["lastTransitionTime"], -3600)
    return True


@breakage("cond-lasttransition-only-on-status-change")
def initialized_again_without_change(events, random):
    def fits(i, event):
        before = previous(events, i)
        return (
            before is not None
            and all(condition(x, "Initialized") for x in (before, event))
            and condition(before, "Initialized")["status"] == condition(event, "Initialized")["status"] == "True"
            and condition(event, "Initialized")["lastTransitionTime"]
        )

    index = pick(random, (i for i, e in enumerate(events) if fits(i, e)))
    if index is None:
        return False
    one = condition(events[index], "Initialized")
    one["lastTransitionTime"] = shifted(one["lastTransitionTime"], 7)
    return True


@breakage("cond-lastprobetime-mostly-null")
def condition_probed(events, random):
    index = pick(
        random,
        (i for i, e in enumerate(events) if condition(e, "Ready") and condition(e, "Ready")["lastTransitionTime"]),
    )
    if index is None:
        return False
    one = condition(events[index], "Ready")
    one["lastProbeTime"] = one["lastTransitionTime"]
    return True


@breakage("sched-gates", "sched-once", "status-after-binding")
def gated_pod_unschedulable(events, random):
    index = pick(
        random, (i for i, e in enumerate(events) if spec(e).get("schedulingGates") and condition(e, "PodScheduled"))
    )
    if index is None:
        return False
    condition(events[index], "PodScheduled")["reason"] = "Unschedulable"
    return True


@breakage(
    "term-worker-one-way", "cond-ready-copies-containersready", "cond-containersready-terminal", "cond-containersready"
)
def ready_again_after_the_end(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if i
            and condition(e, "Ready")
            and condition(e, "Ready").get("reason") in ("PodFailed", "PodCompleted")
            and (p := previous(events, i))
            and condition(p, "Ready").get("reason") in ("PodFailed", "PodCompleted")
        ),
    )
    if index is None:
        return False
    for kind in ("Ready", "ContainersReady"):
        one = condition(events[index], kind)
        one["status"] = "True"
        one.pop("reason", None)
        one.pop("message", None)
    return True
