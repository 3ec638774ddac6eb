"""The Scenario document: how images, processes, probes, hooks and sandboxes behave, and what users do when.

Format: docs/reference/scenario.md. Unknown keys are refused, so that a misspelt one is never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from podfsm.errors import InputError, UnknownName, close_to, nearest
from podfsm.kube.document import Document
from podfsm.kube.quantity import parse_quantity
from podfsm.kube.words import described, quoted
from podfsm.rules.gates import NEWEST, gates_for
from podfsm.simulate.reader import Reader
from podfsm.world.scripts import (
    DEFAULT_STOP_EXIT,
    DEFAULT_STOP_TAKES,
    FOREVER,
    Attempt,
    ContainerScript,
    Environment,
    ImageScript,
    Memory,
    SandboxScript,
    Window,
)

API_VERSION = "podfsm.dev/v1alpha1"
CHECKS = ("startupProbe", "readinessProbe", "livenessProbe", "postStart", "preStop")
HOOKS = ("postStart", "preStop")
RESULTS = ("success", "failure", "error")
IMAGE_ERRORS = ("NotFound", "Unauthorized", "Unavailable")
ACTIONS = ("create", "delete", "patch", "evict", "kubelet", "network", "shutdown")
MACHINE = ("kubelet", "network", "shutdown")
"""Actions on a node."""
PATCH_TYPES = ("strategic", "merge", "json")
PROPAGATION = ("Background", "Foreground", "Orphan")


@frozen
class ScenarioStep:
    """What somebody does `at` seconds after the manifests were applied."""

    at: float
    action: str
    target: str = ""
    """`pods/p`, `pods/p/status`, `pods[0]`, `pods/*`; for actions on nodes: what happens, such as stop or down."""
    kind: str = "strategic"
    body: Any = None
    grace: int | None = None
    node: str = ""
    shutdown: tuple[float, float] = (0.0, 0.0)
    """Seconds in which the kubelet may end Pods, and how many of them at the end are for critical ones."""
    propagation: str = ""
    path: str = ""
    """Where in the document the step stands, for messages."""


@frozen
class Scenario:
    """A whole scenario. `duration` is in seconds; None leaves it to the caller."""

    name: str = ""
    description: str = ""
    kubernetes: str | None = None
    feature_gates: Mapping[str, bool] = field(factory=dict)
    duration: float | None = None
    environment: Environment = field(factory=Environment)
    steps: tuple[ScenarioStep, ...] = ()
    document: Document | None = field(default=None, repr=False, eq=False)


def read_scenario(document: Document) -> Scenario:
    """A Scenario document as a value. Raises InputError with file, line and path."""
    if document.apiVersion != API_VERSION:
        raise document.error(
            "unknown version of Scenario", "apiVersion", expected=API_VERSION, found=document.apiVersion
        )
    spec = Reader(document, document.raw.get("spec") or {}, "spec")
    environment = Environment(
        images=_images(spec),
        containers=spec.items("containers", _container),
        sandboxes=dict(spec.items("pods", _sandbox)),
    )
    version, gates = _version(spec), _gates(spec)
    _check_gates(spec, version, gates)
    scenario = Scenario(
        name=document.name,
        description=spec.text("description"),
        kubernetes=version,
        feature_gates=gates,
        duration=spec.seconds("duration", 0.0) or None,
        environment=environment,
        steps=tuple(sorted(spec.items("steps", _step), key=lambda step: step.at)),
        document=document,
    )
    spec.close()
    return scenario


def _version(spec: Reader) -> str | None:
    version = spec.get("kubernetes")
    if version is not None and not isinstance(version, str):
        found = described(version)
        raise spec.error(
            "wrong type", "kubernetes", expected='text such as "1.36"', found=found, hint="put it in quotes"
        )
    return version


def _check_gates(spec: Reader, version: str | None, gates: Mapping[str, bool]) -> None:
    """The version must be one that is modelled, and the gates must exist in it."""
    try:
        gates_for(version or str(NEWEST), gates)
    except UnknownName as error:
        hint = nearest(error.name, error.known)
        raise spec.error("no feature gate of this name", "featureGates", found=quoted(error.name), hint=hint) from error
    except InputError as error:
        key = "featureGates" if error.problem.startswith("feature gate") else "kubernetes"
        raise spec.error(error.problem, key, expected=error.expected, found=error.found) from error


def _gates(spec: Reader) -> dict[str, bool]:
    gates = spec.get("featureGates")
    if gates is None:
        return {}
    if not isinstance(gates, dict) or not all(isinstance(value, bool) for value in gates.values()):
        raise spec.error("wrong type", "featureGates", expected="gate names with true or false")
    return {str(name): value for name, value in gates.items()}


def _images(spec: Reader) -> dict[str, ImageScript]:
    found = {}
    for name, image in spec.entries("images"):
        error = image.choice("error", IMAGE_ERRORS, "")
        found[name] = ImageScript(
            error=error,
            until=image.seconds("until", FOREVER, forever=True),
            pull_takes=image.seconds("pullTakes", 0.0),
            absent=image.flag("absent"),
        )
        image.close()
    return found


def _sandbox(pod: Reader) -> tuple[str, SandboxScript]:
    sandbox = pod.part("sandbox")
    script = SandboxScript(
        fails_until=sandbox.seconds("failsUntil", 0.0),
        fails_from=sandbox.seconds("failsFrom", 0.0),
        takes=sandbox.seconds("takes", 0.0),
        dies_after=sandbox.seconds("diesAfter", FOREVER, forever=True),
    )
    sandbox.close()
    return _name(pod, "pod"), script


def _container(container: Reader) -> ContainerScript:
    return ContainerScript(
        container=_name(container, "container"),
        pod=container.text("pod"),
        attempts=container.items("attempts", _attempt),
        windows={check: container.items(check, _window) for check in CHECKS if container.has(check)},
        memory=container.items("memory", _memory),
    )


def _name(reader: Reader, key: str) -> str:
    found = reader.text(key)
    if not found:
        raise reader.error(f"no {key}", expected=f"the name of a {key}")
    return found


def _attempt(attempt: Reader) -> Attempt:
    stop = attempt.part("stop")
    takes = stop.seconds("takes", DEFAULT_STOP_TAKES, forever=True)
    stop_exit = stop.number("exit", DEFAULT_STOP_EXIT, 0, 255)
    stop.close()
    return Attempt(
        run=attempt.seconds("run", FOREVER, forever=True),
        exit=attempt.number("exit", 0, 0, 255) or 0,
        reason=attempt.text("reason"),
        message=attempt.text("message"),
        start_error=attempt.text("startError"),
        create_error=attempt.text("createError"),
        start_takes=attempt.seconds("startTakes", 0.0),
        stop_takes=takes,
        stop_exit=DEFAULT_STOP_EXIT if stop_exit is None else stop_exit,
    )


def _window(window: Reader) -> Window:
    return Window(
        result=window.choice("result", RESULTS, "success"),
        attempt=window.number("attempt", None, 0, 1_000_000),
        start=window.seconds("from", 0.0),
        end=window.seconds("to", FOREVER, forever=True),
        takes=window.seconds("takes", 0.0, forever=True),
    )


def _memory(use: Reader) -> Memory:
    given = use.get("amount")
    with use.document.locating(use.at("amount")):
        amount = parse_quantity(given) if given is not None else None
    if amount is None or amount < 0:
        raise use.error("wrong value", "amount", expected="an amount of memory such as 512Mi", found=described(given))
    return Memory(
        amount=int(amount),
        attempt=use.number("attempt", None, 0, 1_000_000),
        start=use.seconds("from", 0.0),
        end=use.seconds("to", FOREVER, forever=True),
    )


def _step(step: Reader) -> ScenarioStep:
    named = [action for action in ACTIONS if step.has(action)]
    if len(named) != 1:
        found = ", ".join(named) or ", ".join(map(str, step.value)) or "nothing"
        raise step.error("not a step", expected="exactly one of " + ", ".join(ACTIONS), found=found, hint=_meant(step))
    action = named[0]
    value = step.get(action)
    if action == "create":
        Reader(step.document, value, step.at("create")).part("metadata")
    made = ScenarioStep(
        at=step.seconds("at", 0.0),
        action=action,
        target="" if action == "create" else step.text(action),
        kind=step.choice("type", PATCH_TYPES, "strategic") if action == "patch" else "",
        body=value if action == "create" else step.get("body") if action == "patch" else None,
        grace=step.number("gracePeriodSeconds", None, -1, 2**31 - 1) if action in ("delete", "evict") else None,
        node=step.text("node") if action in MACHINE else "",
        shutdown=_grace_periods(step) if action == "shutdown" else (0.0, 0.0),
        propagation=step.choice("propagationPolicy", PROPAGATION, "Background") if action == "delete" else "",
        path=step.path,
    )
    if action == "patch" and made.body is None:
        raise step.error("no body", "body", expected="the patch")
    return made


def _meant(step: Reader) -> str:
    """The action that a key of a step is most likely to be, misspelt."""
    strange = [str(key) for key in step.value if key not in step.known]
    return next((nearest(key, ACTIONS) for key in strange if close_to(key, ACTIONS)), "")


def name_of(raw: Mapping[str, Any]) -> str:
    """The name of an object in JSON form; "" if it has none."""
    return str((raw.get("metadata") or {}).get("name") or "")


def _grace_periods(step: Reader) -> tuple[float, float]:
    """As shutdownGracePeriod and shutdownGracePeriodCriticalPods of a kubelet's configuration."""
    whole, critical = step.seconds("gracePeriod", 0.0), step.seconds("criticalGracePeriod", 0.0)
    if (whole > 0) != (step.value.get("shutdown") == "graceful"):
        raise step.error("wrong value", "gracePeriod", expected="more than 0 s for a graceful shutdown, and only there")
    if critical > whole:
        raise step.error("wrong value", "criticalGracePeriod", expected="no more than gracePeriod")
    return whole, critical
