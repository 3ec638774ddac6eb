"""Values that nothing of Kubernetes writes, each by itself or beside what else the Pod shows."""

from tests.check.breakages.marks import add, over, somewhere
from tests.check.breakages.tools import (
    STATUSES,
    breakage,
    changed,
    condition,
    containers,
    instance,
    meta,
    ours,
    previous,
    shifted,
    spec,
    state,
    status,
    without_condition,
)

NETWORK = "PodReadyToStartContainers"


def bound(event):
    return bool(spec(event).get("nodeName")) and ours(event)


def wholly(events, fits, change):
    """Change every event of the Pods of which one fits."""
    broken = {meta(event)["uid"] for event in events if fits(event)}
    for event in events:
        if meta(event)["uid"] in broken:
            change(event)
    return bool(broken)


def of_container(events, random, when, change, lists=STATUSES):
    _, one = instance(events, random, when, lists)
    if one is not None:
        change(one)
    return one is not None


def without_rules(event):
    every = spec(event)["containers"] + (spec(event).get("initContainers") or [])
    return not any(c.get("restartPolicyRules") for c in every)


@breakage("status-addresses", "status-address-stays")
def address_beside_the_list(events, random):
    return somewhere(events, random, lambda e: status(e).get("podIP"), lambda e: status(e).update(podIP="10.9.9.9"))


@breakage("status-addresses")
def node_address_beside_the_list(events, random):
    return somewhere(events, random, lambda e: status(e).get("hostIPs"), lambda e: status(e).update(hostIP="10.9.9.9"))


@breakage("status-addresses")
def two_addresses_of_a_family(events, random):
    return somewhere(
        events, random, lambda e: status(e).get("podIPs"), lambda e: status(e)["podIPs"].append({"ip": "10.9.9.9"})
    )


@breakage("status-addresses")
def address_that_is_none(events, random):
    wrong = "10.0.0.256"
    return wholly(
        events,
        lambda e: status(e).get("podIP"),
        lambda e: status(e).get("podIP") and status(e).update(podIP=wrong, podIPs=[{"ip": wrong}]),
    )


@breakage("status-addresses")
def runs_without_an_address(events, random):
    def forget(event):
        for field in ("podIP", "podIPs"):
            status(event).pop(field, None)

    return wholly(events, lambda e: bound(e) and any(state(c) == "running" for c in containers(e)), forget)


@breakage("status-after-binding")
def address_without_a_node(events, random):
    unbound = [e for e in events if not spec(e).get("nodeName")]
    return somewhere(unbound, random, lambda e: True, lambda e: status(e).update(podIP="10.0.0.1"))


@breakage("status-times-follow")
def acknowledged_before_its_creation(events, random):
    return wholly(
        events,
        lambda e: bound(e) and status(e).get("startTime") and any(c.get("containerID") for c in containers(e)),
        lambda e: "startTime" in status(e) and status(e).update(startTime=shifted(meta(e)["creationTimestamp"], -3600)),
    )


@breakage("update-deletion-marks")
def grace_without_a_deletion(events, random):
    return somewhere(
        events,
        random,
        lambda e: not meta(e).get("deletionTimestamp"),
        lambda e: meta(e).update(deletionGracePeriodSeconds=5),
    )


@breakage("update-deletion-marks")
def deleted_before_its_creation(events, random):
    return wholly(
        events,
        lambda e: meta(e).get("deletionTimestamp"),
        lambda e: (
            meta(e).get("deletionTimestamp")
            and meta(e).update(deletionTimestamp=shifted(meta(e)["creationTimestamp"], -3600))
        ),
    )


@breakage("term-deletion-timestamp")
def deleted_tomorrow(events, random):
    return wholly(
        events,
        lambda e: meta(e).get("deletionTimestamp"),
        lambda e: (
            meta(e).get("deletionTimestamp")
            and meta(e).update(deletionTimestamp=shifted(meta(e)["deletionTimestamp"], 86400))
        ),
    )


@breakage("update-deletion-final")
def shorter_grace_ends_later(events, random):
    def fits(event):
        before = previous(events, events.index(event))
        return before and meta(before).get("deletionTimestamp") and meta(event)["deletionGracePeriodSeconds"] > 3

    def put_off(event):
        meta(event)["deletionGracePeriodSeconds"] -= 2
        meta(event)["deletionTimestamp"] = shifted(meta(event)["deletionTimestamp"], 60)

    return somewhere(events, random, fits, put_off)


@breakage("update-metadata-immutable")
def finalizer_added_to_what_is_deleted(events, random):
    return changed(
        events,
        random,
        lambda p, e: meta(p).get("deletionTimestamp") and e["type"] != "DELETED",
        lambda e: meta(e).setdefault("finalizers", []).append("example.com/late"),
    )


@breakage("update-generation")
def generation_observed_no_more(events, random):
    return changed(
        events,
        random,
        lambda p, e: status(p).get("observedGeneration") and status(e).get("observedGeneration"),
        lambda e: status(e).pop("observedGeneration", None),
    )


@breakage("update-generation")
def condition_of_an_older_generation(events, random):
    def fits(before, event):
        both = [condition(x, "Ready") for x in (before, event)]
        return all(both) and min(x.get("observedGeneration", 0) for x in both) > 1

    return changed(events, random, fits, lambda e: condition(e, "Ready").update(observedGeneration=1))


@breakage("qos-burstable")
def resources_that_change_the_class(events, random):
    return changed(
        events,
        random,
        lambda p, e: status(e).get("qosClass") == "BestEffort",
        lambda e: spec(e)["containers"][0].update(resources={"requests": {"cpu": "1"}}),
    )


@breakage("cstate-laststate", "instance-remembered")
def last_state_runs(events, random):
    return of_container(
        events,
        random,
        lambda i, c: not c["lastState"],
        lambda c: c.update(lastState={"running": {"startedAt": "2026-01-01T00:00:00Z"}}),
    )


@breakage("instance-remembered")
def last_end_out_of_nothing(events, random):
    def fits(i, c):
        before = previous(events, i)
        was = before and next((x for x in containers(before, STATUSES) if x["name"] == c["name"]), None)
        same = was and was.get("containerID") == c.get("containerID") and state(was) == state(c) == "running"
        return same and not c["lastState"] and not was["lastState"]

    _, one = instance(events, random, fits, STATUSES[:2])
    if one is None:
        return False
    began = one["state"]["running"]["startedAt"]
    end = {"exitCode": 1, "reason": "Error", "startedAt": began, "finishedAt": began, "containerID": "containerd://0"}
    one["lastState"] = {"terminated": end}
    return True


@breakage("cstate-started")
def not_said_whether_it_has_started(events, random):
    return of_container(
        events,
        random,
        lambda i, c: state(c) == "running" and c.get("containerID") and "started" in c,
        lambda c: c.pop("started"),
        ("containerStatuses",),
    )


@breakage("cstate-ready")
def debugger_is_ready(events, random):
    return of_container(
        events, random, lambda i, c: True, lambda c: c.update(ready=True), ("ephemeralContainerStatuses",)
    )


@breakage("cstate-status-unknown-137", "instance-keeps")
def unknown_end_with_a_code_of_its_own(events, random):
    return of_container(
        events,
        random,
        lambda i, c: c["state"].get("terminated", {}).get("reason") == "ContainerStatusUnknown",
        lambda c: c["state"]["terminated"].update(exitCode=1),
    )


@breakage("instance-message")
def message_as_long_as_a_book(events, random):
    return of_container(
        events,
        random,
        lambda i, c: state(c) == "terminated",
        lambda c: c["state"]["terminated"].update(message="\N{SNOWMAN}" * 5000),
    )


@breakage("restart-all-waiting-state")
def waits_for_all_to_restart_without_a_rule(events, random):
    return of_container(
        events,
        random,
        lambda i, c: state(c) == "waiting" and without_rules(events[i]),
        lambda c: c["state"]["waiting"].update(reason="RestartingAllContainers"),
    )


@breakage("cstate-never-pulled")
def never_pulled_against_the_policy(events, random):
    return of_container(
        events,
        random,
        lambda i, c: (
            state(c) == "waiting" and all(x.get("imagePullPolicy") != "Never" for x in spec(events[i])["containers"])
        ),
        lambda c: c["state"]["waiting"].update(reason="ErrImageNeverPull"),
        ("containerStatuses",),
    )


@breakage("backoff-base")
def backs_off_for_no_time(events, random):
    return of_container(
        events,
        random,
        lambda i, c: (
            "back-off" in c["state"].get("waiting", {}).get("message", "")
            and c["state"]["waiting"].get("reason") == "CrashLoopBackOff"
        ),
        lambda c: c["state"]["waiting"].update(message="back-off 0s restarting failed container=app pod=p"),
    )


@breakage("resize-pending")
def resize_pending_for_a_reason_of_its_own(events, random):
    return somewhere(events, random, bound, lambda e: add(e, "PodResizePending", "Whenever"))


@breakage("resize-in-progress")
def resize_in_progress_for_a_reason_of_its_own(events, random):
    return somewhere(events, random, bound, lambda e: add(e, "PodResizeInProgress", "Whenever"))


@breakage("status-after-binding")
def resize_without_a_node(events, random):
    unbound = [e for e in events if not spec(e).get("nodeName") and status(e).get("conditions")]
    return somewhere(unbound, random, lambda e: True, lambda e: add(e, "PodResizePending", "Deferred"))


@breakage("cond-disruptiontarget-reasons")
def preempted_without_a_node(events, random):
    unbound = [e for e in events if not spec(e).get("nodeName") and status(e).get("conditions")]
    return somewhere(unbound, random, lambda e: True, lambda e: add(e, "DisruptionTarget", "PreemptionByScheduler"))


@breakage("gc-marks-failed", "cond-fields")
def collected_and_yet_alive(events, random):
    return somewhere(
        events, random, lambda e: bound(e) and not over(e), lambda e: add(e, "DisruptionTarget", "DeletionByPodGC")
    )


@breakage("cond-podscheduled-true-on-bind")
def bound_and_unschedulable(events, random):
    return somewhere(
        events,
        random,
        lambda e: (condition(e, "PodScheduled") or {}).get("status") == "True",
        lambda e: condition(e, "PodScheduled").update(reason="Unschedulable"),
    )


@breakage("cond-podreadytostart-true")
def network_for_a_reason(events, random):
    return somewhere(
        events, random, lambda e: condition(e, NETWORK), lambda e: condition(e, NETWORK).update(reason="Because")
    )


@breakage("cond-kubelet-owned-set")
def never_said_to_be_initialized(events, random):
    return wholly(
        events,
        lambda e: ours(e) and condition(e, "Initialized") and any(c.get("containerID") for c in containers(e)),
        lambda e: "conditions" in status(e) and without_condition(e, "Initialized"),
    )


@breakage("cond-lasttransition-only-on-status-change")
def ready_since_no_time(events, random):
    def fits(before, event):
        both = [condition(x, "Ready") for x in (before, event)]
        return all(both) and both[0]["status"] == both[1]["status"] and both[0].get("lastTransitionTime")

    def forget(event):
        if condition(event, "Ready"):
            condition(event, "Ready")["lastTransitionTime"] = None

    return changed(events, random, fits, forget)


@breakage("node-pressure-eviction")
def succeeded_and_evicted(events, random):
    done = [e for e in events if status(e)["phase"] == "Succeeded" and not status(e).get("reason")]
    return somewhere(done, random, lambda e: True, lambda e: status(e).update(reason="Evicted"))
