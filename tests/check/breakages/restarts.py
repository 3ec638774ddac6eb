"""Restarts that may not be."""

from tests.check.breakages.tools import (
    STATUSES,
    breakage,
    containers,
    delay_of,
    earlier_crash,
    instance,
    later,
    named,
    ours,
    previous,
    rules_free,
    shifted,
    spec,
    state,
    status,
    undisturbed,
)


@breakage("cstate-no-leave-terminated", "term-no-start-after")
def restarts_under_never(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        mine = next((one for one in spec(events[i])["containers"] if one["name"] == c["name"]), {})
        return (
            spec(events[i]).get("restartPolicy") == "Never"
            and not mine.get("restartPolicy")
            and rules_free(events[i])
            and before
            and state(before) == state(c) == "terminated"
        )

    _index, one = instance(events, random, fits)
    if one is None:
        return False
    end = one["state"]["terminated"]
    one.update(
        lastState={"terminated": end}, restartCount=one["restartCount"] + 1, containerID="containerd://" + "e" * 64
    )
    one["state"] = (
        {"running": {"startedAt": shifted(end["finishedAt"], 400)}}
        if end.get("finishedAt")
        else {"waiting": {"reason": "CrashLoopBackOff"}}
    )
    return True


@breakage(
    "restart-never",
    "restart-onfailure-done",
    "term-no-start-after",
    "term-worker-one-way",
    "restart-not-when-deleting",
    "deadline-enforced",
    "cstate-no-leave-terminated",
)
def policy_turns_never(events, random):
    """The whole trace says Never, although a container was restarted."""

    def restarted(event):
        return any(
            (c.get("lastState") or {}).get("terminated")
            and state(c) == "running"
            and c["lastState"]["terminated"].get("reason") != "RestartingAllContainers"
            and not any(
                p in next((s for s in spec(event)["containers"] if s["name"] == c["name"]), {})
                for p in ("livenessProbe", "startupProbe")
            )
            for c in containers(event)
        )

    if not any(
        restarted(e)
        and previous(events, i)
        and undisturbed(events, i)
        and not restarted(previous(events, i))
        and ours(e)
        for i, e in enumerate(events)
    ):
        return False
    if len({str([(c.get("image"), c.get("resources")) for c in spec(e)["containers"]]) for e in events}) > 1 or not all(
        rules_free(e) for e in events
    ):
        return False
    for event in events:
        spec(event)["restartPolicy"] = "Never"
        for container in spec(event)["containers"]:
            container.pop("restartPolicy", None)
    return True


@breakage("backoff-sequence")
def back_off_ignored(events, random):
    """From the third start on each start comes right after the exit before."""

    def crashes(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        last = (c.get("lastState") or {}).get("terminated")
        return (
            before
            and state(c) == "running"
            and last
            and c["restartCount"] >= 2
            and before["restartCount"] == c["restartCount"] - 1
            and state(before) != "running"
            and undisturbed(events, i)
            and earlier_crash(events, i, c)
            and last.get("reason") != "RestartingAllContainers"
            and delay_of(c) > 5
        )

    index, one = instance(events, random, crashes)
    if one is None:
        return False
    instance_id, begin = one["containerID"], shifted(one["lastState"]["terminated"]["finishedAt"], 1)
    for event in later(events, index):
        each = named(event, one["name"])
        if each and each.get("containerID") == instance_id and state(each) in ("running", "terminated"):
            each["state"][state(each)]["startedAt"] = begin
        last = ((each or {}).get("lastState") or {}).get("terminated")
        if last and last.get("containerID") == instance_id:
            last["startedAt"] = begin
    return True


@breakage(
    "restart-independent",
    "instance-counted",
    "instance-remembered",
    "instance-keeps",
    "cstate-no-leave-terminated",
    "term-no-start-after",
    "phase-terminal-after-containers-stop",
)
def runs_after_the_end(events, random):
    index, one = instance(
        events, random, lambda i, c: status(events[i])["phase"] in ("Succeeded", "Failed") and state(c) == "terminated"
    )
    if one is None or previous(events, index) is None:
        return False
    one.update(
        containerID="containerd://" + "d" * 64,
        state={
            "running": {
                "startedAt": shifted(one["state"]["terminated"].get("finishedAt") or "2026-11-22T14:00:00Z", 30)
            }
        },
    )
    return True


@breakage("ephemeral-runs-once")
def ephemeral_restarts(events, random):
    _index, one = instance(events, random, lambda i, c: state(c) == "terminated", STATUSES[2:])
    if one is None:
        return False
    one.update(restartCount=1, containerID="containerd://" + "c" * 64)
    return True
