"""Comparing a run with a recording of a real cluster: all that a user saw, in order, and nothing else at the end.

A recording coalesces, so the run may show more in between.
"""

import gzip
import json

from podfsm.kube.read import read_documents
from podfsm.simulate import prepare
from podfsm.simulate.output import object_of


def recorded(path):
    """The events of a recording."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def simulated(path):
    """The events of a run of its scenario."""
    steps = prepare(read_documents(path))
    return [{"type": one.type, "object": object_of(one)} for step in steps for one in step.snapshots]


def parts(event):
    """What an event shows of each part of the Pod: phase, containers, conditions. No times, ids or messages."""
    if event["type"] == "DELETED":
        return {"phase": "deleted"}
    pod, status = event["object"], event["object"].get("status") or {}
    phase = status.get("phase", "Pending"), status.get("reason", "")
    shown = {"phase": (*phase, "deletionTimestamp" in pod["metadata"])}
    for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for one in status.get(key) or ():
            shown[one["name"]] = (_state(one["state"]), one.get("restartCount", 0), _state(one.get("lastState")))
            shown[one["name"] + " ready"] = bool(one.get("ready")), bool(one.get("started"))
    for one in status.get("conditions") or ():
        shown["condition " + one["type"]] = one["status"], one.get("reason", "")
    return shown


def _state(state):
    for kind, detail in (state or {}).items():
        return kind, detail.get("reason", ""), detail.get("exitCode")
    return None


def sequences(events):
    """What each part showed one after the other, repetitions left out."""
    found = {}
    for event in events:
        for name, shown in parts(event).items():
            sequence = found.setdefault(name, [])
            if not sequence or sequence[-1] != shown:
                sequence.append(shown)
    return found


def differences(real, run):
    """In words, what the run does not show of a recording, or shows at its end and the recording does not."""
    seen, shown = sequences(real), sequences(run)
    found = [f"{name} was never recorded" for name in shown.keys() - seen.keys()]
    for name, sequence in seen.items():
        rest = iter(shown.get(name, ()))
        found += [f"{name}: no {item} in this order" for item in sequence if item not in rest][:1]
        if name in shown and shown[name][-1] != sequence[-1]:
            found.append(f"{name} ends as {shown[name][-1]}, not as {sequence[-1]}")
    return found
