"""Advice on probes and hooks, with the times they take worked out."""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.engine.rule import Rule, derivation, docs, example
from podfsm.kube.objects import (
    Container,
    ContainerPort,
    ExecAction,
    GRPCAction,
    Lifecycle,
    LifecycleHandler,
    PodSpec,
    Probe,
    SleepAction,
)
from podfsm.rules.advice import NOTE, WARNING, Advice, Remarks, Subject
from podfsm.rules.timings import timing_constant

_AREA = "advice"
_PROBES = "concepts/workloads/pods/probes.md"


def _long_lived(subject: Subject) -> Iterator[tuple[str, Container]]:
    """App containers and sidecars with their paths."""
    for index, container in enumerate(subject.spec.containers):
        yield f"containers[{index}]", container
    for index, container in enumerate(subject.spec.initContainers):
        if subject.sidecars and container.restartPolicy == "Always":
            yield f"initContainers[{index}]", container


def seconds_to_failure(probe: Probe) -> int:
    """How long after the container's start a probe that never succeeds fails for good: its budget, in seconds."""
    return probe.initialDelaySeconds + (probe.failureThreshold - 1) * probe.periodSeconds + probe.timeoutSeconds


def _seconds_to_notice(probe: Probe) -> int:
    """How long a container that stops answering goes unnoticed at most."""
    return probe.failureThreshold * probe.periodSeconds + probe.timeoutSeconds


def _probe(*, initialDelaySeconds: int = 0, timeoutSeconds: int = 1, failureThreshold: int = 3) -> Probe:  # noqa: N803
    return Probe(
        grpc=GRPCAction(80),
        initialDelaySeconds=initialDelaySeconds,
        timeoutSeconds=timeoutSeconds,
        periodSeconds=10,
        successThreshold=1,
        failureThreshold=failureThreshold,
    )


def _of(**fields: object) -> Subject:
    return Subject(PodSpec((Container("app", **fields),), terminationGracePeriodSeconds=30))  # type: ignore[arg-type]


@derivation(
    "advice-startup-probe",
    area=_AREA,
    cites=[docs(_PROBES), docs("tasks/configure-pod-container/configure-liveness-readiness-startup-probes.md")],
    examples=[
        example(
            _of(livenessProbe=_probe(initialDelaySeconds=5)),
            gives=(
                Advice(
                    "containers[0].livenessProbe",
                    NOTE,
                    "kills a container that does not answer 26 s after its start; "
                    "one that may start slower needs a startup probe",
                ),
            ),
        ),
        example(_of(livenessProbe=_probe(), startupProbe=_probe()), gives=()),
        example(_of(), gives=()),
    ],
)
def slow_start(subject: Subject) -> Remarks:
    """A liveness probe without a startup probe also limits how long a start may take: a slow one is killed for ever."""
    return tuple(
        Advice(
            f"{path}.livenessProbe",
            NOTE,
            f"kills a container that does not answer {seconds_to_failure(container.livenessProbe)} s after its start; "
            "one that may start slower needs a startup probe",
        )
        for path, container in _long_lived(subject)
        if container.livenessProbe is not None and container.startupProbe is None
    )


def _check(probe: Probe) -> tuple[object, ...]:
    return probe.exec, probe.httpGet, probe.tcpSocket, probe.grpc


@derivation(
    "advice-liveness-after-readiness",
    area=_AREA,
    cites=[docs(_PROBES)],
    examples=[
        example(
            _of(livenessProbe=_probe(), readinessProbe=_probe()),
            gives=(
                Advice(
                    "containers[0].livenessProbe",
                    WARNING,
                    "makes the readiness probe's check and restarts after 31 s, no later than that takes the container "
                    "out of service (31 s); a higher failureThreshold leaves time to recover",
                ),
            ),
        ),
        example(_of(livenessProbe=_probe(failureThreshold=6), readinessProbe=_probe()), gives=()),
        example(_of(livenessProbe=_probe(), readinessProbe=Probe(exec=ExecAction(("x",)))), gives=()),
    ],
)
def restarts_too_soon(subject: Subject) -> Remarks:
    """A liveness probe that makes the readiness probe's check should be the more patient one of the two."""
    found = []
    for path, container in _long_lived(subject):
        live, ready = container.livenessProbe, container.readinessProbe
        if live is None or ready is None or _check(live) != _check(ready):
            continue
        restart, out = _seconds_to_notice(live), _seconds_to_notice(ready)
        if restart <= out:
            text = (
                f"makes the readiness probe's check and restarts after {restart} s, no later than that takes the "
                f"container out of service ({out} s); a higher failureThreshold leaves time to recover"
            )
            found.append(Advice(f"{path}.livenessProbe", WARNING, text))
    return tuple(found)


@derivation(
    "advice-liveness-grace",
    area=_AREA,
    cites=[docs(_PROBES)],
    examples=[
        example(
            Subject(PodSpec((Container("app", livenessProbe=_probe()),), terminationGracePeriodSeconds=300)),
            gives=(
                Advice(
                    "containers[0].livenessProbe",
                    NOTE,
                    "a hung container is noticed within 31 s, but may then take 300 s to be stopped; "
                    "the probe can have a terminationGracePeriodSeconds of its own",
                ),
            ),
        ),
        example(_of(livenessProbe=_probe()), gives=()),
    ],
)
def slow_stop(subject: Subject) -> Remarks:
    """After a liveness failure the container has the Pod's whole grace period to end, unless the probe sets its own."""
    grace = subject.spec.terminationGracePeriodSeconds or 0
    return tuple(
        Advice(
            f"{path}.livenessProbe",
            NOTE,
            f"a hung container is noticed within {_seconds_to_notice(container.livenessProbe)} s, but may then take "
            f"{grace} s to be stopped; the probe can have a terminationGracePeriodSeconds of its own",
        )
        for path, container in _long_lived(subject)
        if container.livenessProbe is not None
        and container.livenessProbe.terminationGracePeriodSeconds is None
        and grace > 2 * _seconds_to_notice(container.livenessProbe)
    )


@derivation(
    "advice-startup-deadline",
    area=_AREA,
    cites=[docs(_PROBES), docs("concepts/workloads/pods/init-containers.md#detailed-behavior")],
    examples=[
        example(
            Subject(PodSpec((Container("app", startupProbe=_probe(failureThreshold=30)),), activeDeadlineSeconds=60)),
            gives=(
                Advice(
                    "containers[0].startupProbe",
                    WARNING,
                    "may wait 291 s for a start, but activeDeadlineSeconds ends the Pod after 60 s",
                ),
            ),
        ),
        example(_of(startupProbe=_probe()), gives=()),
    ],
)
def deadline_first(subject: Subject) -> Remarks:
    """A startup probe that is more patient than activeDeadlineSeconds never comes to its end."""
    deadline = subject.spec.activeDeadlineSeconds
    return tuple(
        Advice(
            f"{path}.startupProbe",
            WARNING,
            f"may wait {seconds_to_failure(container.startupProbe)} s for a start, "
            f"but activeDeadlineSeconds ends the Pod after {deadline} s",
        )
        for path, container in _long_lived(subject)
        if deadline is not None
        and container.startupProbe is not None
        and seconds_to_failure(container.startupProbe) >= deadline
    )


@derivation(
    "advice-probe-timeout",
    area=_AREA,
    cites=[docs(f"{_PROBES}#configure-probes")],
    examples=[
        example(
            _of(readinessProbe=_probe(timeoutSeconds=30)),
            gives=(
                Advice(
                    "containers[0].readinessProbe.timeoutSeconds",
                    NOTE,
                    "30 s is longer than periodSeconds: a check that hangs delays the next one, "
                    "so that three failures in a row take up to 90 s",
                ),
            ),
        ),
        example(_of(readinessProbe=_probe()), gives=()),
    ],
)
def checks_overlap(subject: Subject) -> Remarks:
    """Checks of one probe never overlap: a timeout longer than the period stretches it."""
    found = []
    for path, container in _long_lived(subject):
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe: Probe | None = getattr(container, name)
            if probe is not None and probe.timeoutSeconds > probe.periodSeconds:
                count = {1: "one failure takes", 3: "three failures in a row take"}.get(
                    probe.failureThreshold, f"{probe.failureThreshold} failures in a row take"
                )
                text = (
                    f"{probe.timeoutSeconds} s is longer than periodSeconds: a check that hangs delays the next one, "
                    f"so that {count} up to {probe.failureThreshold * probe.timeoutSeconds} s"
                )
                found.append(Advice(f"{path}.{name}.timeoutSeconds", NOTE, text))
    return tuple(found)


@derivation(
    "advice-readiness-probe",
    area=_AREA,
    cites=[docs(_PROBES)],
    examples=[
        example(
            _of(ports=(ContainerPort(containerPort=80),)),
            gives=(Advice("containers[0]", NOTE, "has ports but no readiness probe: it counts as ready once it runs"),),
        ),
        example(_of(ports=(ContainerPort(containerPort=80),), readinessProbe=_probe()), gives=()),
        example(_of(), gives=()),
    ],
)
def ready_too_soon(subject: Subject) -> Remarks:
    """Without a readiness probe a container is ready as soon as it runs, and gets traffic before it can serve it."""
    if subject.owner in ("Job", "CronJob"):
        return ()
    return tuple(
        Advice(path, NOTE, "has ports but no readiness probe: it counts as ready once it runs")
        for path, container in _long_lived(subject)
        if container.ports and container.readinessProbe is None
    )


_NAPPING = Lifecycle(preStop=LifecycleHandler(sleep=SleepAction(30)))


@derivation(
    "advice-prestop-sleep",
    area=_AREA,
    cites=[docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow")],
    examples=[
        example(
            _of(lifecycle=_NAPPING),
            gives=(
                Advice(
                    "containers[0].lifecycle.preStop.sleep",
                    WARNING,
                    "takes 30 s of the grace period of 30 s: 2 s are left between the stop signal and KILL",
                ),
            ),
        ),
        example(_of(), gives=()),
    ],
)
def nothing_left(subject: Subject) -> Remarks:
    """The preStop hook's time is taken from the grace period; whatever is left, at least 2 s, is for the process."""
    grace = subject.spec.terminationGracePeriodSeconds
    least = int(timing_constant("container-grace-min"))
    found = []
    for path, container in _long_lived(subject):
        hook = container.lifecycle.preStop if container.lifecycle is not None else None
        if grace and hook is not None and hook.sleep is not None and grace - hook.sleep.seconds <= least:
            text = (
                f"takes {hook.sleep.seconds} s of the grace period of {grace} s: "
                f"{least} s are left between the stop signal and KILL"
            )
            found.append(Advice(f"{path}.lifecycle.preStop.sleep", WARNING, text))
    return tuple(found)


PROBE_ADVICE: tuple[Rule, ...] = (
    slow_start,
    restarts_too_soon,
    slow_stop,
    deadline_first,
    checks_overlap,
    ready_too_soon,
    nothing_left,
)
"""Every rule above, in the order in which they are asked."""
