"""Deletions and deadlines that do not end a Pod as they should."""

from tests.check.breakages.tools import (
    breakage,
    changed,
    condition,
    containers,
    later,
    meta,
    pick,
    previous,
    shifted,
    spec,
    state,
    status,
    undelete,
)


@breakage("update-deletion-final", "term-worker-one-way")
def deletion_taken_back(events, random):
    return changed(events, random, lambda p, e: meta(p).get("deletionTimestamp") and e["type"] != "DELETED", undelete)


@breakage("update-deletion-final")
def deletion_put_off(events, random):
    return changed(
        events,
        random,
        lambda p, e: (
            meta(p).get("deletionTimestamp")
            and meta(p).get("deletionGracePeriodSeconds") == meta(e).get("deletionGracePeriodSeconds")
        ),
        lambda e: meta(e).update(deletionTimestamp=shifted(meta(e)["deletionTimestamp"], 60)),
    )


@breakage("update-deletion-final")
def grace_grows(events, random):
    return changed(
        events,
        random,
        lambda p, e: meta(p).get("deletionTimestamp") and meta(e).get("deletionGracePeriodSeconds"),
        lambda e: meta(e).update(deletionGracePeriodSeconds=meta(e)["deletionGracePeriodSeconds"] + 100),
    )


@breakage("watch-deleted-last")
def event_after_deleted(events, random):
    index = pick(random, (i for i, e in enumerate(events) if e["type"] == "DELETED"))
    if index is None:
        return False
    again = {"type": "MODIFIED", "receivedAt": events[index]["receivedAt"], "object": dict(events[index]["object"])}
    again["object"]["metadata"] = dict(
        meta(events[index]), resourceVersion=str(int(meta(events[index])["resourceVersion"]) + 1)
    )
    events.insert(index + 1, again)
    return True


@breakage("deadline-enforced")
def deadline_without_one(events, random):
    if not any(status(e).get("reason") == "DeadlineExceeded" for e in events):
        return False
    for event in events:
        spec(event).pop("activeDeadlineSeconds", None)
    return True


@breakage("deadline-enforced")
def deadline_too_early(events, random):
    if not any(status(e).get("reason") == "DeadlineExceeded" for e in events):
        return False
    for event in events:
        if spec(event).get("activeDeadlineSeconds"):
            spec(event)["activeDeadlineSeconds"] += 3600
    return True


@breakage("update-generation")
def deletion_without_a_generation(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if meta(e).get("deletionTimestamp") and (p := previous(events, i)) and not meta(p).get("deletionTimestamp")
        ),
    )
    if index is None:
        return False
    for event in later(events, index):
        meta(event)["generation"] = meta(previous(events, index))["generation"]
        status(event)["observedGeneration"] = min(status(event).get("observedGeneration", 0), meta(event)["generation"])
    return True


@breakage("deadline-enforced")
def deadline_ignored(events, random):
    def fits(e):
        starts = [c["state"]["running"]["startedAt"] for c in containers(e) if state(c) == "running"]
        ready = condition(e, "Ready")
        begin = status(e).get("startTime")
        return (
            ready
            and ready.get("reason") != "PodFailed"
            and starts
            and begin
            and max(starts) > shifted(begin, 150)
            and not meta(e).get("deletionTimestamp")
        )

    if not any(fits(e) for e in events):
        return False
    for event in events:
        spec(event)["activeDeadlineSeconds"] = 2
    return True
