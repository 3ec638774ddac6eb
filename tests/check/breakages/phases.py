"""Broken phases."""

from tests.check.breakages.tools import (
    breakage,
    containers,
    gone_over,
    later,
    meta,
    ours,
    pick,
    previous,
    spec,
    state,
    status,
    unreachable,
)


@breakage("phase-terminal-sticky")
def phase_leaves_terminal(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if i
            and status(e).get("phase") in ("Succeeded", "Failed")
            and (p := previous(events, i))
            and status(p).get("phase") == status(e)["phase"]
        ),
    )
    if index is None:
        return False
    status(events[index])["phase"] = "Running"
    return True


@breakage("phase-terminal-sticky", "phase-failed", "phase-succeeded")
def phase_swaps_terminal(events, random):
    index = pick(random, (i for i, e in enumerate(events) if status(e).get("phase") == "Succeeded" and ours(e)))
    if index is None:
        return False
    for event in later(events, index):
        status(event)["phase"] = "Failed"
    return not meta(events[index]).get("deletionTimestamp")


@breakage("phase-succeeded", "phase-failed", "cond-containersready-terminal", "phase-terminal-sticky")
def succeeded_despite_failure(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if status(e).get("phase") == "Failed"
            and ours(e)
            and any(state(c) == "terminated" and c["state"]["terminated"]["exitCode"] for c in containers(e))
        ),
    )
    if index is None:
        return False
    for event in later(events, index):
        status(event)["phase"] = "Succeeded"
    return True


@breakage("phase-running", "phase-forward-only")
def running_shown_pending(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if status(e).get("phase") == "Running"
            and ours(e)
            and any(state(c) == "running" for c in containers(e))
            and not spec(e).get("initContainers")
        ),
    )
    if index is None:
        return False
    status(events[index])["phase"] = "Pending"
    return True


@breakage("phase-pending")
def pending_shown_running(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if status(e).get("phase") == "Pending"
            and containers(e)
            and all(state(c) == "waiting" and not c.get("lastState") for c in containers(e))
        ),
    )
    if index is None:
        return False
    status(events[index])["phase"] = "Running"
    return True


@breakage("phase-unknown-deprecated")
def phase_unknown(events, random):
    index = pick(random, (i for i, e in enumerate(events) if status(e).get("phase") == "Running"))
    if index is None:
        return False
    status(events[index])["phase"] = "Unknown"
    return True


@breakage("phase-terminating-not-a-phase")
def phase_of_kubectl(events, random):
    index = pick(random, range(len(events)))
    status(events[index])["phase"] = random.choice(["Terminating", "CrashLoopBackOff", "Completed", "Init:0/1"])
    return True


@breakage("phase-terminal-after-containers-stop")
def terminal_while_running(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if status(e).get("phase") == "Running"
            and not gone_over(e)
            and not unreachable(e)
            and any(state(c) == "running" for c in containers(e))
        ),
    )
    if index is None:
        return False
    status(events[index])["phase"] = "Failed"
    return True


@breakage("phase-reason-preserved")
def reason_changes_in_the_end(events, random):
    index = pick(
        random,
        (
            i
            for i, e in enumerate(events)
            if i
            and status(e).get("reason")
            and (p := previous(events, i))
            and status(p).get("reason") == status(e)["reason"]
            and status(p)["phase"] in ("Failed", "Succeeded")
        ),
    )
    if index is None:
        return False
    status(events[index])["reason"] = "Shutdown"
    return True


@breakage("phase-pending")
def runs_nowhere(events, random):
    index = pick(
        random,
        (i for i, e in enumerate(events) if not spec(e).get("nodeName") and not meta(e).get("deletionTimestamp")),
    )
    if index is None:
        return False
    status(events[index])["phase"] = random.choice(["Running", "Succeeded"])
    return True
