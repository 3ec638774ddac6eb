"""History level: what one write cannot do to a Pod, beside what its conditions and containers tell."""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.check.finding import Breach
from podfsm.check.ladder import REASON as CRASH_LOOP
from podfsm.check.words import state_words
from podfsm.kube.objects import Pod
from podfsm.rules.condition_list import LIFECYCLE, of_type
from podfsm.rules.instance_counts import sandbox_anew, sandbox_since
from podfsm.rules.instances import later, pairs, statuses_of
from podfsm.rules.phase import TERMINAL


def _lost_id_breaches(before: Pod, after: Pod) -> Iterator[Breach]:
    """Containers that wait to start again, and no longer name the instance that has ended in the same sandbox."""
    if any(one.restartPolicyRules for one in (*after.spec.containers, *after.spec.initContainers)):
        return  # a restart of all containers removes what has ended
    for was, now in pairs(before, after):
        waiting, last = now.state.waiting, now.lastState.terminated
        if not was.containerID or now.containerID or waiting is None or waiting.reason != CRASH_LOOP or last is None:
            continue
        in_it = later(last.finishedAt, sandbox_since(after))
        if last.containerID == was.containerID and in_it and not sandbox_anew(before, after):
            seen = f"{state_words(now)}, containerID gone"
            yield Breach("instance-keeps", seen, "the id of the instance that has ended", now.name)


def _late_breaches(before: Pod, after: Pod) -> Iterator[Breach]:
    """What a kubelet writes with its first status, and which comes with a later one."""
    old, new = before.status, after.status
    if not old.containerStatuses:
        return
    if old.startTime is None and new.startTime is not None:
        yield Breach("cstate-starttime-immutable", "startTime comes after container statuses", "with the first status")
    if any(one.state.running is not None for one in statuses_of(before)):
        return  # a newer kubelet may have taken over
    if not old.hostIP and new.hostIP:
        yield Breach("status-address-stays", "hostIP comes after container statuses", "with the first status")
    for address, was, now in (("hostIP", old.hostIPs, new.hostIPs), ("podIP", old.podIPs, new.podIPs)):
        if getattr(old, address) and getattr(new, address) and now and not was:
            yield Breach("status-address-stays", f"{address}s comes after {address}", "together with it")
    there = {condition.type for condition in old.conditions}
    if len(there & LIFECYCLE) > 1:
        for kind in sorted(({condition.type for condition in new.conditions} & LIFECYCLE) - there):
            yield Breach(
                "cond-kubelet-owned-set", f"{kind} comes after {', '.join(sorted(there))}", "all in one status"
            )


def _image_breaches(before: Pod, after: Pod) -> Iterator[Breach]:
    """Containers whose image was not named at first."""
    for was, now in pairs(before, after):
        if now.containerID and now.image and not was.image:
            yield Breach("instance-keeps", "no image, and then one", "the image throughout", now.name)


def write_breaches(before: Pod, after: Pod) -> Iterator[Breach]:
    """Deletions that wait where they take effect at once, and a condition that lost its reason."""
    old, new = before.metadata, after.metadata
    if old.deletionTimestamp is None and new.deletionTimestamp is not None and new.deletionGracePeriodSeconds:
        bound = before.spec.nodeName or after.spec.nodeName
        if not bound or before.status.phase in TERMINAL:
            state = f"in phase {before.status.phase}" if bound else "without a node"
            seen = f"a grace of {new.deletionGracePeriodSeconds} s of a Pod {state}"
            yield Breach("term-immediate-cases", seen, "a grace of 0")
    yield from _lost_id_breaches(before, after)
    yield from _late_breaches(before, after)
    yield from _image_breaches(before, after)
    was, now = of_type(before.status.conditions, "Ready"), of_type(after.status.conditions, "Ready")
    if was is None or now is None or was is now or not was.reason or now.reason:
        return
    if was.status == now.status == "False" and was.lastTransitionTime == now.lastTransitionTime:
        seen = f"Ready False {was.reason} -> Ready False without a reason"
        yield Breach("cond-ready-copies-containersready", seen, "the node controller only takes away a Ready")
