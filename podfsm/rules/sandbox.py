"""The Pod sandbox: when it has to be made anew."""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.kube.objects import PodSpec
from podfsm.rules.facts import Sandbox


def sandbox_changed(spec: PodSpec, sandboxes: Sequence[Sandbox]) -> tuple[bool, int, str]:
    """Whether the Pod needs a new sandbox, the attempt number in use or to use, and the newest sandbox's id.

    `sandboxes` come newest first. A new one is needed if there is none, if not exactly one is ready or that is not the
    newest, if the Pod's use of the node's network changed, or if a Pod network gave no address (PodSandboxChanged).
    """
    if not sandboxes:
        return True, 0, ""
    newest = sandboxes[0]
    ready = sum(sandbox.ready for sandbox in sandboxes)
    if ready > 1:
        return True, newest.attempt + 1, newest.id
    if not newest.ready:
        return True, newest.attempt + 1, newest.id
    if newest.host_network != spec.hostNetwork:
        return True, newest.attempt + 1, ""
    if not spec.hostNetwork and newest.ip == "":
        return True, newest.attempt + 1, newest.id
    return False, newest.attempt, newest.id
