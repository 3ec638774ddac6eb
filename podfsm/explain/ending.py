"""The end of a Pod: over, being deleted, or about to end; and what will happen to it whatever it does."""

from __future__ import annotations

from datetime import timedelta

from podfsm.explain.look import Look, lost, statuses_of
from podfsm.explain.model import Next, Part, Reason
from podfsm.kube.objects import Pod, PodCondition
from podfsm.rules.kubectl_columns import human_duration
from podfsm.rules.phase_counts import FAILED, TERMINAL
from podfsm.rules.reasons import DISRUPTED, ended_because


def over(look: Look) -> Part | None:
    """A Pod in a terminal phase: why, and who removes it."""
    pod, status = look.pod, look.pod.status
    if status.phase not in TERMINAL:
        return None
    holds = [_cause(look)]
    follows = []
    unknown: tuple[str, ...] = ()
    if status.reason and ended_because(status.reason) is None:
        unknown = (f"what the reason {status.reason!r} means: it is none that Kubernetes 1.36 gives",)
    if pod.metadata.deletionTimestamp is not None:
        holds += _finalizers(pod)
        if pod.metadata.finalizers:
            follows.append(_freed())
        else:
            follows.append(Next("its kubelet has cleaned up and the object goes", "kubelet", "term-api-removal"))
    else:
        owner = next((ref.kind for ref in pod.metadata.ownerReferences if ref.controller), "")
        text = f"its {owner} or garbage collection removes the object" if owner else "somebody deletes the object"
        follows.append(Next(text, "controller" if owner else "user", "phase-terminal-sticky"))
    return Part(f"over: {status.phase}", tuple(holds), tuple(follows), unknown)


def _cause(look: Look) -> Reason:
    """Why a Pod is over."""
    pod, status = look.pod, look.pod.status
    known = ended_because(status.reason)
    message = f" ({status.message})" if status.message else ""
    if known is not None:
        return Reason(known[0], known[1] + message)
    if status.phase != FAILED:
        return Reason("phase-succeeded", "every app container has exited 0")
    for condition in pod.status.conditions:
        if condition.type == "DisruptionTarget" and condition.status == "True":
            words = DISRUPTED.get(condition.reason, condition.reason)
            return Reason("cond-disruptiontarget-reasons", f"it was disrupted: {words}{message}")
    for listed, rule in (
        (status.initContainerStatuses, "phase-init-failed-never"),
        (status.containerStatuses, "phase-failed"),
    ):
        for one in listed:
            end = one.state.terminated
            if end is not None and end.exitCode:
                return Reason(rule, f"ended with exit code {end.exitCode} ({end.reason}) for good", one.name)
    text = (
        f"was failed with reason {status.reason}{message}" if status.reason else "was failed from outside, or deleted"
    )
    return Reason("phase-failed", text)


def _finalizers(pod: Pod) -> list[Reason]:
    if not pod.metadata.finalizers:
        return []
    names = ", ".join(pod.metadata.finalizers)
    return [Reason("term-finalizers-hold", f"the object stays until these finalizers are removed: {names}")]


def _freed() -> Next:
    return Next("who set the finalizers removes them, and the object goes", "controller", "term-finalizers-hold")


def deleting(look: Look) -> Part | None:
    """A Pod with a deletionTimestamp: what still runs, and what holds the object."""
    pod = look.pod
    stamp, grace = pod.metadata.deletionTimestamp, pod.metadata.deletionGracePeriodSeconds or 0
    if stamp is None:
        return None
    holds = [
        Reason("term-deletion-timestamp", f"was deleted with a grace of {grace} s, which ends at its deletionTimestamp")
    ]
    holds += [
        Reason("term-flow-order", "still runs: its preStop hook, its turn or its stop signal is under way", status.name)
        for status in statuses_of(pod)
        if status.state.running is not None
    ]
    if lost(look):
        text = "its kubelet cannot be reached, so nobody can say that its containers have stopped"
        holds.insert(0, Reason("node-unreachable-stuck-terminating", text))
        what = "the kubelet returns, the Node is deleted or tainted out-of-service, or the Pod is deleted by force"
        return Part("being deleted on a lost node", tuple(holds), (Next(what, "node", holds[0].rule),))
    holds += _finalizers(pod)
    follows: list[Next] = []
    unknown: tuple[str, ...] = ()
    latest = stamp + timedelta(seconds=2)
    if any(status.state.running is not None for status in statuses_of(pod)):
        what = "its containers end by themselves or are killed, at least 2 s after their signal"
        follows.append(Next(what, "process", "term-min-2s", latest=latest))
    if not pod.spec.nodeName:
        holds.append(
            Reason("term-immediate-cases", "has no node, so that nothing of it runs and nothing is waited for")
        )
    else:
        follows.append(Next("the phase becomes terminal", "kubelet", "phase-deleted-terminal-first"))
        if look.now is not None and look.now > latest + _LATE:
            over = human_duration(round((look.now - latest).total_seconds()))
            unknown = (f"why it is still there, {over} after the end of its grace: {_HINDRANCES}",)
    gone = Next("the object goes", "kubelet", "term-api-removal")
    follows.append(_freed() if pod.metadata.finalizers else gone)
    return Part("being deleted", tuple(holds), tuple(follows), unknown)


_LATE = timedelta(seconds=30)
"""What a kubelet may take for its last steps before it is worth a word."""
_HINDRANCES = "a hook or pull under way, a runtime that does not answer or a volume that is in use show in Events only"


def ending(look: Look) -> Part | None:
    """A Pod whose kubelet has decided that it ends, while the API still shows the old phase."""
    ready = look.conditions.get("Ready")
    if ready is None or ready.reason not in ("PodFailed", "PodCompleted"):
        return None
    how = "Failed" if ready.reason == "PodFailed" else "Succeeded"
    running = [status.name for status in statuses_of(look.pod) if status.state.running is not None]
    text = f"its kubelet has decided that it ends as {how}; the old phase is shown until everything has stopped"
    still = f"what still runs has stopped ({', '.join(running)}) and " if running else ""
    follows = Next(f"{still}the phase becomes {how}", "kubelet", "phase-terminal-after-containers-stop")
    unknown = ("why it ends: status.reason comes with the terminal phase",) if running else ()
    return Part(f"ending as {how}", (Reason("phase-terminal-after-containers-stop", text),), (follows,), unknown)


def due_later(pod: Pod) -> tuple[Next, ...]:
    """What will happen at a known time whatever the Pod does."""
    found = []
    start, seconds = pod.status.startTime, pod.spec.activeDeadlineSeconds
    if start is not None and seconds is not None and pod.status.phase not in TERMINAL:
        due = start + timedelta(seconds=seconds)
        found.append(Next("its deadline passes and it is failed", "kubelet", "deadline-enforced", due))
    return tuple(found)


def announced(pod: Pod) -> tuple[Reason, ...]:
    """What the condition DisruptionTarget announces."""
    said: PodCondition | None = next((c for c in pod.status.conditions if c.type == "DisruptionTarget"), None)
    if said is None or said.status != "True" or pod.status.phase in TERMINAL:
        return ()
    return (Reason("cond-disruptiontarget-reasons", f"is to go: {DISRUPTED.get(said.reason, said.reason)}"),)
