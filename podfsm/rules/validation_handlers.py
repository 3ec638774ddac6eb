"""Validation of probes and lifecycle hooks, after defaulting.

Source: `pkg/apis/core/validation/validation.go` (validateProbe, validateHandler, validateLifecycle).
"""

from __future__ import annotations

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, HTTPGetAction, Lifecycle, LifecycleHandler, Probe
from podfsm.rules.hooks import sleep_accepted
from podfsm.rules.names import is_header, is_port
from podfsm.rules.problems import FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, Problem, Problems

_ORDER = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_NUMBERS = {
    "initialDelaySeconds": "probe-default-initial-delay",
    "timeoutSeconds": "probe-default-timeout",
    "periodSeconds": "probe-default-period",
    "successThreshold": "probe-default-success-threshold",
    "failureThreshold": "probe-default-failure-threshold",
}
_GRACE = "terminationGracePeriodSeconds"
_OVERRIDE = "probe-grace-override"


def probe_problems(container: Container, path: str) -> Problems:
    """All three probes of a container."""
    if container.livenessProbe is not None:
        yield from _probe(container.livenessProbe, f"{path}.livenessProbe")
        yield from _once(container.livenessProbe, f"{path}.livenessProbe")
    if container.readinessProbe is not None:
        at = f"{path}.readinessProbe"
        yield from _probe(container.readinessProbe, at)
        if container.readinessProbe.terminationGracePeriodSeconds is not None:
            yield Problem(
                f"{at}.{_GRACE}", INVALID, "a readiness probe stops nothing, so it has no grace period", _OVERRIDE
            )
    if container.startupProbe is not None:
        yield from _probe(container.startupProbe, f"{path}.startupProbe")
        yield from _once(container.startupProbe, f"{path}.startupProbe")


def _once(probe: Probe, path: str) -> Problems:
    if probe.successThreshold != 1:
        rule = "probe-default-success-threshold"
        yield Problem(f"{path}.successThreshold", INVALID, "must be 1 for liveness and startup probes", rule)


def _probe(probe: Probe, path: str) -> Problems:
    yield from _handler(probe, path, "probe-one-mechanism")
    for name, rule in _NUMBERS.items():
        if getattr(probe, name) < 0:
            yield Problem(f"{path}.{name}", INVALID, "must not be negative", rule)
    if probe.terminationGracePeriodSeconds is not None and probe.terminationGracePeriodSeconds <= 0:
        yield Problem(f"{path}.{_GRACE}", INVALID, "must be above 0", _OVERRIDE)


def hook_problems(lifecycle: Lifecycle, grace: int, path: str, gates: Gates) -> Problems:
    """PostStart and preStop; `grace` is the Pod's grace period in seconds."""
    for name in ("postStart", "preStop"):
        hook = getattr(lifecycle, name)
        if hook is not None:
            yield from _handler(hook, f"{path}.{name}", "hook-types")
            yield from _sleep(hook, grace, f"{path}.{name}", gates)


def _sleep(hook: LifecycleHandler, grace: int, path: str, gates: Gates) -> Problems:
    zero = gates.on("PodLifecycleSleepActionAllowZero")
    if hook.sleep is not None and _actions(hook)[0] == "sleep" and not sleep_accepted(hook.sleep.seconds, grace, zero):
        why = f"must be {0 if zero else 1} to {grace} s, the Pod's grace period"
        yield Problem(f"{path}.sleep", INVALID, why, "hook-sleep")


def _actions(handler: Probe | LifecycleHandler) -> list[str]:
    return [name for name in _ORDER if getattr(handler, name, None) is not None]


def _handler(handler: Probe | LifecycleHandler, path: str, rule: str) -> Problems:
    """Exactly one kind of action, and that one in order; of several the first counts."""
    given = _actions(handler)
    if not given:
        yield Problem(path, REQUIRED, "names no action", rule)
        return
    for name in given[1:]:
        yield Problem(f"{path}.{name}", FORBIDDEN, f"there is {given[0]} already", rule)
    at = f"{path}.{given[0]}"
    if handler.exec is not None:
        if not handler.exec.command:
            yield Problem(f"{at}.command", REQUIRED, "there is no command")
    elif handler.httpGet is not None:
        yield from _http(handler.httpGet, at)
    elif given[0] in ("tcpSocket", "grpc"):
        yield from _port(getattr(handler, given[0]).port, at)


def _http(action: HTTPGetAction, path: str) -> Problems:
    if not action.path:
        yield Problem(f"{path}.path", REQUIRED, "there is no path")
    yield from _port(action.port, path)
    if action.scheme not in ("HTTP", "HTTPS"):
        yield Problem(f"{path}.scheme", NOT_SUPPORTED, "must be HTTP or HTTPS")
    for header in action.httpHeaders:
        if not is_header(header.name):
            yield Problem(f"{path}.httpHeaders", INVALID, f"{header.name!r} is no name of a header")


def _port(port: int | str, path: str) -> Problems:
    if not is_port(port):
        yield Problem(f"{path}.port", INVALID, f"{port!r} is neither a port from 1 to 65535 nor the name of one")
