"""What the environment does: images, processes, probes, hooks and sandboxes, as a scenario scripts them.

Everything here is frozen data. What no script mentions behaves well: images pull at once, containers run for ever and
stop within 50 ms of the signal with exit code 143, probes and hooks succeed at once, sandboxes start at once.
Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from podfsm.kube.objects import Pod

FOREVER = float("inf")
DEFAULT_STOP_TAKES = 0.05
DEFAULT_STOP_EXIT = 143


@frozen
class Attempt:
    """One start of a container: how long it runs, how it ends, how it answers the stop signal."""

    run: float = FOREVER
    exit: int = 0
    reason: str = ""
    message: str = ""
    start_error: str = ""
    create_error: str = ""
    start_takes: float = 0.0
    stop_takes: float = DEFAULT_STOP_TAKES
    stop_exit: int = DEFAULT_STOP_EXIT

    def reason_for(self, exit_code: int) -> str:
        """The runtime's reason for an exit that it did not cause itself."""
        return "Completed" if exit_code == 0 else "Error"


@frozen
class Window:
    """Between `start` and `end` seconds after the container started, a check answers `result` after `takes` seconds."""

    result: str = "success"
    attempt: int | None = None
    start: float = 0.0
    end: float = FOREVER
    takes: float = 0.0


@frozen
class Memory:
    """Between `start` and `end` seconds after the container started, its processes use `amount` bytes."""

    amount: int
    attempt: int | None = None
    start: float = 0.0
    end: float = FOREVER


SUCCESS_AT_ONCE = Window()
RUNS_FOREVER = Attempt()


@frozen
class ContainerScript:
    """What one container does.

    `windows` is keyed by startupProbe, readinessProbe, livenessProbe, postStart, preStop.
    """

    container: str
    pod: str = ""
    attempts: tuple[Attempt, ...] = ()
    windows: Mapping[str, tuple[Window, ...]] = field(factory=dict)
    memory: tuple[Memory, ...] = ()

    def attempt(self, number: int) -> Attempt:
        """The script of the n-th start in the current sandbox, from 0; the last one repeats."""
        return self.attempts[min(number, len(self.attempts) - 1)] if self.attempts else RUNS_FOREVER

    def window(self, check: str, number: int, age: float) -> Window:
        """What a check answers, `age` seconds after the start of the n-th attempt; the first match wins."""
        for window in self.windows.get(check, ()):
            if (window.attempt is None or window.attempt == number) and window.start <= age < window.end:
                return window
        return SUCCESS_AT_ONCE

    def uses(self, number: int, age: float) -> int:
        """How many bytes of memory the n-th attempt uses, `age` seconds after its start; the first match wins."""
        for use in self.memory:
            if use.attempt in (None, number) and use.start <= age < use.end:
                return use.amount
        return 0


WELL_BEHAVED = ContainerScript("")


@frozen
class ImageScript:
    """How pulls of one image go. `until` counts from the first pull; after it pulls succeed."""

    error: str = ""
    until: float = FOREVER
    pull_takes: float = 0.0
    absent: bool = False


PRESENT = ImageScript()


@frozen
class SandboxScript:
    """How a Pod's sandboxes go: creation fails from and until (since first tried), takes, and the first one dies."""

    fails_until: float = 0.0
    fails_from: float = 0.0
    takes: float = 0.0
    dies_after: float = FOREVER


NORMAL_SANDBOX = SandboxScript()


@frozen
class Environment:
    """All scripts of a scenario."""

    images: Mapping[str, ImageScript] = field(factory=dict)
    containers: tuple[ContainerScript, ...] = ()
    sandboxes: Mapping[str, SandboxScript] = field(factory=dict)

    def for_pod(self, pod: Pod) -> PodScripts:
        """The scripts that concern one Pod, found by its name or, for a controller's Pod, its owner's name.

        A Deployment's name stands for those of its ReplicaSets.
        """
        owners = {owner.name for owner in pod.metadata.ownerReferences}
        mark = pod.metadata.labels.get("pod-template-hash")
        names = {"", pod.metadata.name, *owners, *(owner.removesuffix(f"-{mark}") for owner in owners if mark)}
        mine: dict[str, ContainerScript] = {}
        for script in self.containers:
            if script.pod in names and (script.pod or script.container not in mine):
                mine[script.container] = script
        sandbox = next(
            (self.sandboxes[name] for name in sorted(names, reverse=True) if name in self.sandboxes), NORMAL_SANDBOX
        )
        return PodScripts(self.images, mine, sandbox)


@frozen
class PodScripts:
    """The scripts of one Pod."""

    images: Mapping[str, ImageScript] = field(factory=dict)
    containers: Mapping[str, ContainerScript] = field(factory=dict)
    sandbox: SandboxScript = NORMAL_SANDBOX

    def container(self, name: str) -> ContainerScript:
        return self.containers.get(name, WELL_BEHAVED)

    def image(self, name: str) -> ImageScript:
        return self.images.get(name, PRESENT)
