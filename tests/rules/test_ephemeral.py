"""Ephemeral containers: started once, at any time, and never changed."""

import pytest

from podfsm.kube.objects import (
    Container,
    ContainerPort,
    Lifecycle,
    ObjectMeta,
    Pod,
    PodSpec,
    Probe,
    ResizePolicy,
    ResourceRequirements,
)
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import ContainerFacts, Role, RuntimeState

RULES = all_rules()

APP = Container(name="app")
ONE, TWO = Container(name="one", image="a:1"), Container(name="two", image="a:1")


def with_ephemeral(*containers):
    return PodSpec(containers=(APP,), initContainers=(Container(name="init"),), ephemeralContainers=containers)


def test_list_only_grows_in_any_order():
    allowed = RULES["ephemeral-append-only"]
    assert allowed(with_ephemeral(ONE), with_ephemeral(TWO, ONE))
    assert not allowed(with_ephemeral(ONE), with_ephemeral(TWO))
    assert not allowed(with_ephemeral(ONE), with_ephemeral(Container(name="one", image="a:2")))
    assert not RULES["ephemeral-not-at-create"](with_ephemeral(ONE))


@pytest.mark.parametrize(
    "field",
    [
        {"ports": (ContainerPort(containerPort=80),)},
        {"resources": ResourceRequirements(limits={"cpu": "1"})},
        {"lifecycle": Lifecycle()},
        {"livenessProbe": Probe()},
        {"startupProbe": Probe()},
        {"resizePolicy": (ResizePolicy(),)},
        {"restartPolicy": "Always"},
    ],
)
def test_forbidden_fields(field):
    assert RULES["ephemeral-forbidden-fields"](ONE)
    assert not RULES["ephemeral-forbidden-fields"](Container(name="one", **field))


@pytest.mark.parametrize(("target", "exists"), [("app", True), ("init", True), ("", True), ("one", False)])
def test_target_is_an_app_or_init_container(target, exists):
    spec = with_ephemeral(Container(name="one", targetContainerName=target))
    assert RULES["ephemeral-target"](spec) is exists


@pytest.mark.parametrize("state", list(RuntimeState))
def test_started_once(state):
    judge = RULES["ephemeral-never-restart"].judge
    assert judge(ContainerFacts(role=Role.EPHEMERAL))
    assert not judge(ContainerFacts(role=Role.EPHEMERAL, instance=state))


def test_does_not_wait_for_initialisation():
    judge = RULES["ephemeral-start-during-init"].judge
    assert judge(ContainerFacts(role=Role.EPHEMERAL, earlier_done=False))
    assert not judge(ContainerFacts(role=Role.INIT, earlier_done=False))


def test_not_on_static_pods():
    mirror = ObjectMeta(annotations={"kubernetes.io/config.mirror": "x"})
    assert not RULES["ephemeral-no-static"](Pod(metadata=mirror, spec=with_ephemeral(ONE)))
    assert RULES["ephemeral-no-static"](Pod(spec=with_ephemeral(ONE)))


def test_not_counted_for_resources():
    names = [container.name for container in RULES["ephemeral-no-qos"](with_ephemeral(ONE))]
    assert names == ["app", "init"]
