"""What breakages are made of.

A breakage takes watch events (plain JSON, its own copy) and a random source, changes them in place and says whether it
found something to break. `BREAKAGES` maps its name to it and to the rules that may be named for it.
"""

from datetime import datetime, timedelta

BREAKAGES = {}
STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def breakage(*rules):
    """Register under its name, with the ids of the rules of which one must be among the findings."""

    def register(function):
        BREAKAGES[function.__name__] = (function, rules)
        return function

    return register


def status(event):
    return event["object"].get("status", {})


def meta(event):
    return event["object"]["metadata"]


def spec(event):
    return event["object"]["spec"]


def condition(event, kind):
    return next((one for one in status(event).get("conditions", []) if one["type"] == kind), None)


def containers(event, lists=("containerStatuses",)):
    return [one for name in lists for one in status(event).get(name) or []]


def state(one):
    return next(iter(one.get("state") or {"none": {}}))


def uid(event):
    return meta(event).get("uid")


def later(events, index):
    """The events of the same Pod from `index` on."""
    return [event for event in events[index:] if uid(event) == uid(events[index])]


def previous(events, index):
    return next((event for event in reversed(events[:index]) if uid(event) == uid(events[index])), None)


def named(event, name):
    return next((one for one in containers(event, STATUSES) if one["name"] == name), None)


def pick(random, found):
    found = list(found)
    return random.choice(found) if found else None


def shifted(text, seconds):
    return (datetime.fromisoformat(text) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ours(event):
    """Whether a kubelet wrote the status: recordings of lost nodes hold statuses written by hand."""
    return bool(containers(event)) and all(
        one.get("containerID") or state(one) == "waiting" for one in containers(event)
    )


def gone_over(event):
    return any(
        c["type"] == "DisruptionTarget" and c.get("reason") == "DeletionByPodGC"
        for c in status(event).get("conditions", [])
    )


def unreachable(event):
    ready = condition(event, "Ready")
    return ready is not None and ready["status"] == "False" and not ready.get("reason")


def flip(events, random, kind, value, when=lambda event: True, reason=""):
    def fits(event):
        one = condition(event, kind)
        return one is not None and one["status"] != value and ours(event) and not gone_over(event) and when(event)

    index = pick(random, (i for i, e in enumerate(events) if fits(e)))
    if index is None:
        return False
    one = condition(events[index], kind)
    one["status"] = value
    for field in ("reason", "message"):
        one.pop(field, None)
    if reason:
        one["reason"] = reason
    return True


def gates_of(event):
    names = {gate["conditionType"] for gate in spec(event).get("readinessGates") or []}
    return sorted((one["type"], one["status"]) for one in status(event).get("conditions", []) if one["type"] in names)


def instance(events, random, when, lists=("containerStatuses",)):
    """A random (event, container status) that fits, with its place."""
    found = [
        (i, one) for i, event in enumerate(events) if ours(event) for one in containers(event, lists) if when(i, one)
    ]
    return random.choice(found) if found else (None, None)


def undisturbed(events, i):
    """Whether the sandbox is the first one."""
    before = previous(events, i)
    made = {
        (condition(event, "PodReadyToStartContainers")["lastTransitionTime"], status(event).get("podIP"))
        for event in events[: i + 1]
        if uid(event) == uid(events[i])
        and (condition(event, "PodReadyToStartContainers") or {}).get("status") == "True"
    }
    if len({at for at, _ in made}) > 1 or len({ip for _, ip in made if ip}) > 1:
        return False
    one, other = condition(before, "PodReadyToStartContainers"), condition(events[i], "PodReadyToStartContainers")
    if not (one and other) or status(before).get("podIP") != status(events[i]).get("podIP"):
        return False
    return one["status"] == other["status"] == "True" and one["lastTransitionTime"] == other["lastTransitionTime"]


def rules_free(event):
    every = spec(event)["containers"] + (spec(event).get("initContainers") or [])
    return not any(c.get("restartPolicyRules") for c in every)


def delay_of(c):
    began, ended = c["state"]["running"]["startedAt"], c["lastState"]["terminated"]["finishedAt"]
    return (datetime.fromisoformat(began) - datetime.fromisoformat(ended)).total_seconds()


def earlier_crash(events, index, c):
    """Whether the restart before this one was seen to follow an exit that was seen as well."""
    for i, event in enumerate(events[:index]):
        one, before = named(event, c["name"]), previous(events, i)
        was = before and named(before, c["name"])
        if (
            uid(event) == uid(events[index])
            and one
            and was
            and state(one) == "running"
            and one["restartCount"] == c["restartCount"] - 1 == was["restartCount"] + 1
            and state(was) != "running"
            and undisturbed(events, i)
        ):
            return True
    return False


def changed(events, random, fits, change):
    index = pick(random, (i for i, e in enumerate(events) if (p := previous(events, i)) is not None and fits(p, e)))
    if index is None:
        return False
    for event in later(events, index):
        change(event)
    return True


def undelete(event):
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        meta(event).pop(field, None)


def container_of(event, name):
    """The container of this name as the spec has it."""
    every = spec(event)["containers"] + (spec(event).get("initContainers") or [])
    return next((one for one in every if one["name"] == name), {})


def without_condition(event, kind):
    status(event)["conditions"] = [one for one in status(event)["conditions"] if one["type"] != kind]
