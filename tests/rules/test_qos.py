"""Quality of service classes."""

import pytest

from podfsm.kube.objects import Container, PodSpec, ResourceRequirements
from podfsm.rules.gates import gates_for
from podfsm.rules.qos import qos_class

FULL = {"cpu": "1", "memory": "1Gi"}


def container(requests=None, limits=None):
    return Container("c", resources=ResourceRequirements(requests or {}, limits or {}))


def spec(*containers, init=(), pod=None):
    return PodSpec(containers=containers, initContainers=init, resources=pod)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (spec(container(FULL, FULL)), "Guaranteed"),
        (spec(container({}, FULL)), "Guaranteed"),
        (spec(container({"cpu": "1000m", "memory": "1Gi"}, FULL)), "Guaranteed"),
        (spec(container(FULL)), "Burstable"),
        (spec(container(FULL, FULL), container()), "Burstable"),
        (spec(container(FULL, FULL), init=(container(),)), "Burstable"),
        (spec(container({"nvidia.com/gpu": "1"})), "BestEffort"),
        (spec(container({"cpu": "0"})), "BestEffort"),
        (spec(container(FULL, FULL), pod=ResourceRequirements()), "BestEffort"),
        (spec(container(), pod=ResourceRequirements({}, FULL)), "Guaranteed"),
    ],
)
def test_classes(given, expected):
    assert qos_class(given, gates_for()) == expected


def test_resources_of_the_pod_count_where_they_exist():
    given = spec(container(FULL, FULL), pod=ResourceRequirements({"cpu": "1"}))
    assert qos_class(given, gates_for("1.32")) == "Guaranteed"
    assert qos_class(given, gates_for("1.34")) == "Burstable"
