"""Fields of one status that do not go together, or do not stay."""

from tests.check.breakages.tools import (
    STATUSES,
    breakage,
    changed,
    condition,
    containers,
    gone_over,
    instance,
    meta,
    ours,
    pick,
    shifted,
    spec,
    state,
    status,
    unreachable,
    without_condition,
)

TWO = STATUSES[:2]
KUBELETS = ("Initialized", "ContainersReady", "PodReadyToStartContainers")


def on_one(events, random, when, change, lists=TWO):
    """Change one random container status that fits."""
    _, one = instance(events, random, lambda i, c: when(events[i], c), lists)
    if one is None:
        return False
    change(one)
    return True


def on_event(events, random, when, change):
    index = pick(random, (i for i, e in enumerate(events) if ours(e) and not gone_over(e) and when(e)))
    if index is None:
        return False
    change(events[index])
    return True


def everywhere(events, random, when, change):
    """Change every event of one Pod of which some event fits."""
    index = pick(random, (i for i, e in enumerate(events) if when(e)))
    if index is None:
        return False
    for event in events:
        if meta(event)["uid"] == meta(events[index])["uid"]:
            change(event)
    return True


@breakage("status-address-stays")
def node_address_gone_for_a_moment(events, random):
    return on_event(
        events,
        random,
        lambda e: status(e).get("hostIP") and e is not events[-1],
        lambda e: [status(e).pop(field, None) for field in ("hostIP", "hostIPs")],
    )


@breakage("status-address-stays")
def node_addresses_gone(events, random):
    return changed(
        events,
        random,
        lambda p, e: status(p).get("hostIPs") and status(e).get("hostIPs"),
        lambda e: status(e).pop("hostIPs", None),
    )


@breakage("instance-ids", "instance-keeps", "restart-independent", "instance-counted", "instance-remembered")
def id_without_its_runtime(events, random):
    return on_one(
        events,
        random,
        lambda e, c: c.get("containerID"),
        lambda c: c.update(containerID=c["containerID"].partition("://")[2]),
        STATUSES,
    )


@breakage("instance-keeps")
def image_unnamed(events, random):
    return on_one(
        events, random, lambda e, c: c.get("containerID") and events.index(e), lambda c: c.update(image=""), STATUSES
    )


@breakage("cstate-terminated-fields", "instance-keeps", "instance-remembered")
def ends_without_a_reason(events, random):
    def fits(e, c):
        return state(c) == "terminated" and c["state"]["terminated"].get("containerID")

    return on_one(events, random, fits, lambda c: c["state"]["terminated"].pop("reason"))


@breakage("instance-exit-reason")
def ends_for_a_reason_to_wait(events, random):
    def fits(e, c):
        return state(c) == "terminated" and c["state"]["terminated"]["exitCode"]

    return on_one(events, random, fits, lambda c: c["state"]["terminated"].update(reason="CrashLoopBackOff"))


@breakage("cstate-terminated-fields", "instance-keeps", "instance-remembered")
def last_end_without_its_id(events, random):
    def fits(e, c):
        last = c["lastState"].get("terminated", {})
        return (
            c.get("containerID") and last.get("containerID") and last["reason"] in ("Error", "Completed", "OOMKilled")
        )

    return on_one(events, random, fits, lambda c: c["lastState"]["terminated"].pop("containerID"))


@breakage("instance-counted", "instance-remembered")
def restarted_before_it_ran(events, random):
    def fresh(c):
        return state(c) == "waiting" and not c.get("containerID") and not c["lastState"]

    def fits(e, c):
        return fresh(c) and c["state"]["waiting"]["reason"] in ("ContainerCreating", "PodInitializing")

    _, one = instance(events, random, lambda i, c: fits(events[i], c), TWO)
    if one is None:
        return False
    for event in events:
        for c in containers(event, TWO):
            if c["name"] == one["name"]:
                c["restartCount"] += 4
    return True


@breakage("instance-counted")
def restarts_below_none(events, random):
    return on_one(events, random, lambda e, c: True, lambda c: c.update(restartCount=-1))


@breakage("cstate-default-waiting")
def waits_for_nothing_said(events, random):
    def fits(e, c):
        return state(c) == "waiting" and not c.get("containerID") and not c["lastState"]

    return on_one(events, random, fits, lambda c: c["state"].update(waiting={}))


@breakage("cstate-default-waiting")
def no_state(events, random):
    def fits(e, c):
        return state(c) == "waiting" and not c.get("containerID") and not c["lastState"]

    return on_one(events, random, fits, lambda c: c.update(state={}))


@breakage("cstate-started")
def init_container_runs_unstarted(events, random):
    def fits(e, c):
        mine = next(one for one in spec(e)["initContainers"] if one["name"] == c["name"])
        return state(c) == "running" and c.get("containerID") and not mine.get("startupProbe")

    return on_one(events, random, fits, lambda c: c.update(started=False, ready=False), ("initContainerStatuses",))


@breakage("ephemeral-runs-once", "cstate-no-leave-terminated")
def debugger_crash_loops(events, random):
    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container=d pod=p"}}

    def turn(c):
        c.update(lastState=c["state"], state=waits)

    return on_one(events, random, lambda e, c: state(c) == "terminated", turn, ("ephemeralContainerStatuses",))


@breakage("cond-lasttransition-only-on-status-change")
def conditions_without_times(events, random):
    kind = random.choice(KUBELETS)

    def untimed(e):
        if condition(e, kind) is not None:
            condition(e, kind)["lastTransitionTime"] = None

    return everywhere(
        events,
        random,
        lambda e: ours(e) and condition(e, kind) and any(c.get("containerID") for c in containers(e)),
        untimed,
    )


@breakage("status-times-follow", "cond-lasttransition-only-on-status-change")
def condition_before_the_kubelet_knew(events, random):
    kind = random.choice(KUBELETS)
    return on_event(
        events,
        random,
        lambda e: condition(e, kind) and status(e).get("startTime"),
        lambda e: condition(e, kind).update(lastTransitionTime=shifted(status(e)["startTime"], -9)),
    )


@breakage("cond-kubelet-owned-set", "update-conditions-stay")
def condition_comes_later(events, random):
    index = next((i for i, e in enumerate(events[:-1]) if ours(e) and condition(e, "Initialized")), None)
    if index is None or not condition(events[index + 1], "Initialized") or meta(events[index]) is None:
        return False
    if meta(events[index])["uid"] != meta(events[index + 1])["uid"]:
        return False
    without_condition(events[index], "Initialized")
    return True


@breakage("cstate-starttime-immutable")
def acknowledged_later(events, random):
    index = next((i for i, e in enumerate(events[:-1]) if ours(e) and status(e).get("startTime")), None)
    if index is None or meta(events[index])["uid"] != meta(events[index + 1])["uid"]:
        return False
    del status(events[index])["startTime"]
    return True


@breakage("cond-ready-copies-containersready")
def unready_for_no_reason(events, random):
    def fits(e):
        ready = condition(e, "Ready") or {}
        return ready.get("reason") == "ContainersNotReady" and ready["status"] == "False" and not unreachable(e)

    return on_event(
        events, random, fits, lambda e: [condition(e, "Ready").pop(field, None) for field in ("reason", "message")]
    )


@breakage("cond-initialized-podcompleted", "cond-initialized-no-init", "cond-initialized-true")
def completed_though_failed(events, random):
    def fits(e):
        plain = (
            not status(e).get("reason")
            and not meta(e).get("deletionTimestamp")
            and not condition(e, "DisruptionTarget")
        )
        return status(e)["phase"] == "Failed" and plain and (condition(e, "Initialized") or {}).get("status") == "True"

    return on_event(events, random, fits, lambda e: condition(e, "Initialized").update(reason="PodCompleted"))


@breakage("cond-disruptiontarget-reasons")
def disruption_uncertain(events, random):
    return on_event(
        events,
        random,
        lambda e: condition(e, "DisruptionTarget"),
        lambda e: condition(e, "DisruptionTarget").update(status="Unknown"),
    )


@breakage("sched-nominated-until-bound")
def nominated_though_bound(events, random):
    return on_event(
        events, random, lambda e: spec(e).get("nodeName"), lambda e: status(e).update(nominatedNodeName="node-z")
    )


@breakage("phase-reason-preserved")
def end_explained_anew(events, random):
    return changed(
        events,
        random,
        lambda p, e: (
            status(p)["phase"] == status(e)["phase"] in ("Failed", "Succeeded") and not status(e).get("reason")
        ),
        lambda e: status(e).update(message="it was time"),
    )


@breakage("phase-failed", "phase-succeeded")
def ends_though_due_to_start_again(events, random):
    def ended(e):
        plain = spec(e)["restartPolicy"] == "Never" and not any(c.get("restartPolicy") for c in spec(e)["containers"])
        alone = not status(e).get("reason") and condition(e, "DisruptionTarget") is None
        return ours(e) and status(e)["phase"] == "Failed" and alone and plain and failed(e)

    def failed(e):
        ends = [c["state"].get("terminated") for c in containers(e)]
        return all(ends) and any(end["exitCode"] for end in ends)

    if any(meta(e).get("deletionTimestamp") for e in events):
        return False
    return everywhere(events, random, ended, lambda e: spec(e).update(restartPolicy="OnFailure"))


@breakage("term-immediate-cases")
def finished_and_yet_given_a_grace(events, random):
    def fits(p, e):
        return (
            status(p)["phase"] in ("Failed", "Succeeded")
            and not meta(p).get("deletionTimestamp")
            and not meta(e).get("deletionTimestamp")
        )

    def delete(e):
        meta(e).update(
            deletionTimestamp=shifted(events[-1]["receivedAt"][:19] + "Z", 30),
            deletionGracePeriodSeconds=30,
            generation=meta(e)["generation"] + 1,
        )

    return changed(events, random, fits, delete)


@breakage("update-generation")
def generation_forgotten(events, random):
    return changed(events, random, lambda p, e: meta(p).get("generation"), lambda e: meta(e).update(generation=0))


@breakage("restart-policy-values", "update-spec-immutable")
def restarts_sometimes(events, random):
    return everywhere(events, random, lambda e: True, lambda e: spec(e).update(restartPolicy="Sometimes"))


@breakage("init-unique-names", "status-lists-the-spec")
def two_containers_of_one_name(events, random):
    def double(e):
        spec(e)["initContainers"] = [*(spec(e).get("initContainers") or []), dict(spec(e)["containers"][0])]

    return everywhere(events, random, lambda e: True, double)


@breakage("probe-one-mechanism")
def probed_in_two_ways(events, random):
    def probe(e):
        return next((c["readinessProbe"] for c in spec(e)["containers"] if c.get("readinessProbe")), None)

    return everywhere(events, random, probe, lambda e: probe(e).update(tcpSocket={"port": 80}))


@breakage("init-no-probes-no-lifecycle")
def init_container_probed(events, random):
    def first(e):
        inits = spec(e).get("initContainers") or []
        return next((c for c in inits if c.get("restartPolicy") != "Always"), None)

    probe = {
        "exec": {"command": ["x"]},
        "periodSeconds": 9,
        "timeoutSeconds": 1,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    return everywhere(events, random, first, lambda e: first(e).update(readinessProbe=probe))


@breakage("probe-initial-delay-from-start")
def ready_before_the_first_check(events, random):
    def ready(e):
        if (condition(e, "ContainersReady") or {}).get("status") != "True":
            return None
        by_name = {c["name"]: c for c in spec(e)["containers"]}
        return next((by_name[c["name"]] for c in containers(e) if by_name[c["name"]].get("readinessProbe")), None)

    index = pick(random, (i for i, e in enumerate(events) if ours(e) and ready(e)))
    if index is None:
        return False
    name = ready(events[index])["name"]
    for event in events:
        for c in spec(event)["containers"]:
            if c["name"] == name and meta(event)["uid"] == meta(events[index])["uid"]:
                c["readinessProbe"]["initialDelaySeconds"] = 90_000
    return True
