"""Instances of containers that change, are forgotten or counted wrong."""

from tests.check.breakages.tools import (
    STATUSES,
    breakage,
    containers,
    instance,
    later,
    named,
    previous,
    shifted,
    state,
    undisturbed,
)


@breakage("instance-keeps")
def image_of_an_instance_changes(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return (
            before and before.get("containerID") and before["containerID"] == c.get("containerID") and c.get("imageID")
        )

    _index, one = instance(events, random, fits)
    if one is None:
        return False
    one["imageID"] = "sha256:" + "0" * 64
    return True


@breakage("cstate-terminated-fields", "instance-keeps", "instance-times", "instance-remembered")
def ended_while_seen_running(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return (
            before
            and before.get("containerID") == c.get("containerID")
            and state(before) == "running"
            and state(c) == "terminated"
            and c["state"]["terminated"].get("finishedAt")
        )

    _index, one = instance(events, random, fits)
    if one is None:
        return False
    one["state"]["terminated"]["finishedAt"] = shifted(one["state"]["terminated"]["finishedAt"], -3000)
    return True


@breakage("instance-remembered", "instance-keeps", "status-ready-runs", "cstate-no-leave-terminated")
def started_container_waits_again(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return before and state(before) == "running" and state(c) == "running" and not c.get("lastState")

    _index, one = instance(events, random, fits)
    if one is None:
        return False
    one.update(state={"waiting": {"reason": "ContainerCreating"}}, ready=False, started=False)
    return True


@breakage("instance-counted")
def restart_count_falls(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return before and before["restartCount"] > 0

    _index, one = instance(events, random, fits, STATUSES[:2])
    if one is None:
        return False
    one["restartCount"] = 0
    return True


@breakage("instance-counted")
def restart_not_counted(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return (
            before
            and before.get("containerID")
            and before["containerID"] != c.get("containerID")
            and before["restartCount"] < c["restartCount"]
            and undisturbed(events, i)
            and (c.get("lastState") or {}).get("terminated", {}).get("reason") != "RestartingAllContainers"
        )

    index, one = instance(events, random, fits)
    if one is None:
        return False
    for event in later(events, index):
        named(event, one["name"])["restartCount"] -= 1
    return True


@breakage("instance-counted")
def restart_counted_without_one(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return (
            before
            and before.get("containerID")
            and before["containerID"] == c.get("containerID")
            and state(c) == state(before) == "running"
        )

    index, one = instance(events, random, fits)
    if one is None:
        return False
    for event in later(events, index):
        named(event, one["name"])["restartCount"] += 1
    return True


@breakage("instance-counted")
def restart_count_jumps(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        last = (c.get("lastState") or {}).get("terminated") or {}
        return (
            before
            and before.get("containerID")
            and before["containerID"] == last.get("containerID") != c.get("containerID")
            and undisturbed(events, i)
            and last.get("reason") != "RestartingAllContainers"
        )

    index, one = instance(events, random, fits)
    if one is None:
        return False
    for event in later(events, index):
        named(event, one["name"])["restartCount"] += 4
    return True


@breakage("restart-independent", "instance-counted", "instance-keeps", "instance-ids", "instance-remembered")
def new_instance_out_of_nothing(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return (
            before
            and before.get("containerID")
            and before["containerID"] == c.get("containerID")
            and state(c) == state(before) == "running"
            and undisturbed(events, i)
        )

    index, one = instance(events, random, fits)
    if one is None:
        return False
    old = one["containerID"]
    for event in later(events, index):
        for each in containers(event, STATUSES):
            if each.get("containerID") == old:
                each["containerID"] = old[:-6] + "abcdef"
    return True


@breakage("instance-keeps")
def start_time_of_an_instance_moves(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return before and before.get("containerID") == c.get("containerID") and state(before) == state(c) == "running"

    _index, one = instance(events, random, fits, STATUSES)
    if one is None:
        return False
    one["state"]["running"]["startedAt"] = shifted(one["state"]["running"]["startedAt"], 5)
    return True


@breakage("instance-keeps")
def exit_code_changes_afterwards(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return (
            before
            and before.get("containerID")
            and before["containerID"] == c.get("containerID")
            and state(before) == state(c) == "terminated"
        )

    _index, one = instance(events, random, fits, STATUSES)
    if one is None:
        return False
    one["state"]["terminated"]["exitCode"] = (one["state"]["terminated"]["exitCode"] + 1) % 256
    return True


@breakage("instance-keeps", "cstate-no-leave-terminated", "ephemeral-runs-once")
def ended_instance_runs_again(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        return (
            before
            and before.get("containerID")
            and before["containerID"] == c.get("containerID")
            and state(before) == state(c) == "terminated"
        )

    _index, one = instance(events, random, fits, STATUSES)
    if one is None:
        return False
    one["state"] = {"running": {"startedAt": one["state"]["terminated"].get("startedAt")}}
    return True


@breakage("instance-times")
def ends_before_it_starts(events, random):
    _index, one = instance(
        events,
        random,
        lambda i, c: state(c) == "terminated" and (c["state"]["terminated"].get("startedAt") or "1970") > "1971",
        STATUSES,
    )
    if one is None:
        return False
    end = one["state"]["terminated"]
    end["finishedAt"] = shifted(end["startedAt"], -60)
    return True


@breakage("instance-times", "backoff-sequence")
def starts_before_the_last_end(events, random):
    _index, one = instance(
        events,
        random,
        lambda i, c: state(c) == "running" and (c.get("lastState") or {}).get("terminated", {}).get("finishedAt"),
    )
    if one is None:
        return False
    one["state"]["running"]["startedAt"] = shifted(one["lastState"]["terminated"]["finishedAt"], -1)
    return True


@breakage("instance-remembered")
def last_end_forgotten(events, random):
    index, one = instance(
        events,
        random,
        lambda i, c: state(c) == "running" and (c.get("lastState") or {}).get("terminated") and previous(events, i),
        STATUSES[:2],
    )
    if one is None:
        return False
    for event in later(events, index):
        named(event, one["name"])["lastState"] = {}
    return True


@breakage("instance-remembered")
def last_end_retold(events, random):
    def fits(i, c):
        before = previous(events, i) and named(previous(events, i), c["name"])
        last = (c.get("lastState") or {}).get("terminated")
        return (
            last
            and before
            and state(before) == "terminated"
            and before["state"]["terminated"].get("containerID") == last.get("containerID")
        )

    index, one = instance(events, random, fits)
    if one is None:
        return False
    for event in later(events, index):
        last = (named(event, one["name"]).get("lastState") or {}).get("terminated")
        if (
            last
            and last.get("containerID") == one["lastState"]["terminated"]["containerID"]
            and last is not one["lastState"]["terminated"]
        ):
            last["exitCode"] = 77
    one["lastState"]["terminated"]["exitCode"] = 77
    return True
