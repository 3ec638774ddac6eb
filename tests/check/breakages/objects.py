"""Objects changed as the API server lets nobody change them."""

from tests.check.breakages.tools import (
    breakage,
    changed,
    containers,
    meta,
    pick,
    shifted,
    spec,
    status,
    uid,
)


@breakage("phase-uid-identity", "sched-once")
def moves_to_another_node(events, random):
    return changed(
        events,
        random,
        lambda p, e: spec(p).get("nodeName") and spec(e).get("nodeName"),
        lambda e: spec(e).update(nodeName="elsewhere"),
    )


@breakage("update-spec-immutable")
def restart_policy_changes(events, random):
    return changed(
        events,
        random,
        lambda p, e: True,
        lambda e: spec(e).update(restartPolicy="Never" if spec(e)["restartPolicy"] != "Never" else "Always"),
    )


@breakage("update-spec-immutable", "status-lists-the-spec")
def container_renamed(events, random):
    return changed(events, random, lambda p, e: True, lambda e: spec(e)["containers"][0].update(name="renamed"))


@breakage("update-spec-immutable", "status-lists-the-spec")
def container_added(events, random):
    return changed(
        events, random, lambda p, e: True, lambda e: spec(e)["containers"].append({"name": "another", "image": "x:1"})
    )


@breakage("cstate-starttime-immutable")
def start_time_changes(events, random):
    return changed(
        events,
        random,
        lambda p, e: status(p).get("startTime") and status(e).get("startTime"),
        lambda e: status(e).update(startTime=shifted(status(e)["startTime"], -9)),
    )


@breakage("qos-immutable")
def qos_class_changes(events, random):
    other = {"BestEffort": "Guaranteed", "Burstable": "BestEffort", "Guaranteed": "Burstable"}
    return changed(
        events,
        random,
        lambda p, e: status(p).get("qosClass") and status(e).get("qosClass"),
        lambda e: status(e).update(qosClass=other[status(e)["qosClass"]]),
    )


@breakage("update-metadata-immutable")
def creation_changes(events, random):
    return changed(
        events,
        random,
        lambda p, e: True,
        lambda e: meta(e).update(creationTimestamp=shifted(meta(e)["creationTimestamp"], 100)),
    )


@breakage("update-generation")
def generation_falls(events, random):
    return changed(
        events, random, lambda p, e: (meta(p).get("generation") or 0) > 1, lambda e: meta(e).update(generation=1)
    )


@breakage("update-generation")
def observed_ahead(events, random):
    return changed(
        events,
        random,
        lambda p, e: status(e).get("observedGeneration"),
        lambda e: status(e).update(observedGeneration=meta(e)["generation"] + 3),
    )


@breakage("update-spec-one-way", "status-after-binding")
def gate_added(events, random):
    return changed(
        events, random, lambda p, e: True, lambda e: spec(e).update(schedulingGates=[{"name": "late.example.com/gate"}])
    )


@breakage("status-after-binding")
def containers_without_a_node(events, random):
    if not any(containers(e) for e in events):
        return False
    for event in events:
        spec(event).pop("nodeName", None)
    return True


@breakage("watch-order")
def events_swapped(events, random):
    def fits(i):
        return (
            i
            and uid(events[i]) == uid(events[i - 1])
            and events[i]["type"] == events[i - 1]["type"] == "MODIFIED"
            and meta(events[i])["resourceVersion"] != meta(events[i - 1])["resourceVersion"]
        )

    index = pick(random, (i for i in range(len(events)) if fits(i)))
    if index is None:
        return False
    events[index - 1], events[index] = events[index], events[index - 1]
    return True


@breakage("cstate-timestamps-seconds")
def half_seconds(events, random):
    index = pick(random, (i for i, e in enumerate(events) if status(e).get("startTime")))
    if index is None:
        return False
    status(events[index])["startTime"] = status(events[index])["startTime"].replace("Z", ".500Z")
    return True


@breakage("watch-one-uid-a-name")
def uid_changes(events, random):
    return changed(
        events, random, lambda p, e: e["type"] == "MODIFIED", lambda e: meta(e).update(uid="0" * 8 + meta(e)["uid"][8:])
    )


@breakage("qos-guaranteed", "qos-burstable", "qos-besteffort")
def qos_class_wrong(events, random):
    if not all(status(e).get("qosClass") for e in events):
        return False
    for event in events:
        status(event)["qosClass"] = "BestEffort" if status(event)["qosClass"] == "Guaranteed" else "Guaranteed"
    return True
