"""Conditions and reasons that say more than is so."""

from tests.check.breakages.tools import (
    breakage,
    changed,
    condition,
    containers,
    gone_over,
    meta,
    ours,
    pick,
    previous,
    rules_free,
    spec,
    state,
    status,
    without_condition,
)


def add(event, kind, reason):
    status(event)["conditions"].append(
        {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": meta(event)["creationTimestamp"]}
    )


def somewhere(events, random, fits, change):
    index = pick(random, (i for i, e in enumerate(events) if fits(e)))
    if index is None:
        return False
    change(events[index])
    return True


def over(event):
    return status(event).get("phase") in ("Succeeded", "Failed")


@breakage("cond-podreadytostart-false-again")
def sandbox_outlives_the_pod(events, random):
    return somewhere(
        events,
        random,
        lambda e: (
            over(e)
            and not gone_over(e)
            and (condition(e, "Ready") or {}).get("reason")
            and condition(e, "PodReadyToStartContainers")
        ),
        lambda e: condition(e, "PodReadyToStartContainers").update(status="True"),
    )


@breakage("node-pressure-eviction")
def evicted_and_yet_there(events, random):
    return somewhere(
        events, random, lambda e: status(e).get("phase") == "Running", lambda e: status(e).update(reason="Evicted")
    )


@breakage("cond-disruptiontarget-kubelet-late")
def disrupted_by_a_kubelet_too_early(events, random):
    return somewhere(
        events,
        random,
        lambda e: status(e).get("phase") == "Running" and not condition(e, "DisruptionTarget"),
        lambda e: add(e, "DisruptionTarget", "TerminationByKubelet"),
    )


@breakage("cond-disruptiontarget-reasons")
def disrupted_for_no_known_reason(events, random):
    return somewhere(
        events,
        random,
        lambda e: status(e).get("conditions") and not condition(e, "DisruptionTarget"),
        lambda e: add(e, "DisruptionTarget", "Because"),
    )


@breakage("deadline-no-disruption")
def disrupted_by_its_deadline(events, random):
    return somewhere(
        events,
        random,
        lambda e: status(e).get("reason") == "DeadlineExceeded" and not condition(e, "DisruptionTarget"),
        lambda e: add(e, "DisruptionTarget", "TerminationByKubelet"),
    )


@breakage("update-conditions-stay")
def disruption_forgotten(events, random):
    return changed(
        events,
        random,
        lambda p, e: condition(p, "DisruptionTarget") and condition(e, "DisruptionTarget"),
        lambda e: without_condition(e, "DisruptionTarget"),
    )


@breakage("cond-allcontainersrestarting")
def restarts_all_without_such_a_rule(events, random):
    return somewhere(
        events,
        random,
        lambda e: condition(e, "Ready") and rules_free(e),
        lambda e: add(e, "AllContainersRestarting", "RestartAllContainersStarted"),
    )


@breakage("cond-podscheduled-unschedulable", "sched-gates")
def unscheduled_for_no_known_reason(events, random):
    return somewhere(
        events,
        random,
        lambda e: (condition(e, "PodScheduled") or {}).get("status") == "False",
        lambda e: condition(e, "PodScheduled").update(reason="Lazy"),
    )


@breakage("phase-initial-pending")
def no_phase(events, random):
    return somewhere(
        events, random, lambda e: status(e).get("phase") == "Running" and ours(e), lambda e: status(e).update(phase="")
    )


@breakage("update-generation")
def condition_of_a_later_generation(events, random):
    index = pick(random, (i for i, e in enumerate(events) if previous(events, i) and condition(e, "ContainersReady")))
    if index is None:
        return False
    condition(events[index], "ContainersReady")["observedGeneration"] = 99
    return True


@breakage("update-generation")
def generation_grows_for_nothing(events, random):
    return changed(
        events,
        random,
        lambda p, e: (
            meta(p)["generation"] == meta(e)["generation"]
            and meta(p).get("deletionGracePeriodSeconds") == meta(e).get("deletionGracePeriodSeconds")
        ),
        lambda e: meta(e).update(generation=meta(e)["generation"] + 1),
    )


@breakage("update-spec-immutable")
def service_account_changes(events, random):
    return changed(events, random, lambda p, e: True, lambda e: spec(e).update(serviceAccountName="other"))


@breakage("ephemeral-not-at-create")
def created_with_an_ephemeral_container(events, random):
    first = [i for i, e in enumerate(events) if previous(events, i) is None and not spec(e).get("nodeName")]
    if not first:
        return False
    spec(events[random.choice(first)])["ephemeralContainers"] = [{"name": "debug", "image": "debug:1"}]
    return True


def runs_on(p, e):
    """Whether an instance runs in both snapshots."""
    ran = {c["containerID"] for c in containers(p) if state(c) == "running" and c.get("containerID")}
    return any(state(c) == "running" and c.get("containerID") in ran for c in containers(e))


@breakage("status-address-stays")
def address_changes(events, random):
    return changed(
        events,
        random,
        lambda p, e: status(p).get("podIP") and runs_on(p, e),
        lambda e: status(e).update(podIP="10.9.9.9", podIPs=[{"ip": "10.9.9.9"}]),
    )


@breakage("update-deletion-marks")
def deleted_without_a_grace(events, random):
    return somewhere(
        events,
        random,
        lambda e: meta(e).get("deletionTimestamp"),
        lambda e: meta(e).pop("deletionGracePeriodSeconds"),
    )
