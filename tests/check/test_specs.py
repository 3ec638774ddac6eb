"""Specs that no controller, and no API server, lets through."""

import pytest
from msgspec.structs import replace

from podfsm.check.specs import spec_breaches
from podfsm.kube.objects import Container, ObjectMeta, OwnerReference, Pod, PodSpec, ResourceRequirements
from podfsm.rules.controllers import daemon_tolerations
from podfsm.rules.gates import gates_for

APP = Container(name="app", image="web:1", imagePullPolicy="IfNotPresent", terminationMessagePolicy="File")
SPEC = PodSpec(containers=(APP,), restartPolicy="Always", dnsPolicy="ClusterFirst", terminationGracePeriodSeconds=30)
DAEMON = replace(SPEC, tolerations=daemon_tolerations(()))


def of(kind, spec=SPEC, name="web-1", version="7"):
    """A Pod that a controller called web owns."""
    owner = OwnerReference("apps/v1", kind, "web", "o", controller=True)
    metadata = ObjectMeta(name=name, uid="u", resourceVersion=version, generation=1, ownerReferences=(owner,))
    return Pod(metadata=metadata, spec=spec)


def named(pod):
    return {breach.rule for breach in spec_breaches(pod, gates_for())}


@pytest.mark.parametrize(
    ("pod", "rule"),
    [
        (of("ReplicaSet", replace(SPEC, restartPolicy="Never")), "ctl-always-only"),
        (of("StatefulSet", replace(SPEC, restartPolicy="OnFailure")), "ctl-always-only"),
        (of("Job"), "ctl-job-policy"),
        (of("ReplicaSet", replace(SPEC, activeDeadlineSeconds=9)), "deadline-not-in-controllers"),
        (of("DaemonSet"), "ctl-daemonset-tolerations"),
    ],
)
def test_controllers_make_no_such_pod(pod, rule):
    assert named(pod) == {rule}


@pytest.mark.parametrize(
    "pod",
    [
        of("ReplicaSet"),
        of("DaemonSet", DAEMON),
        of("Job", replace(SPEC, restartPolicy="Never")),
        of("ReplicaSet", replace(SPEC, restartPolicy="Never"), name="adopted"),
    ],
)
def test_what_controllers_make_is_in_order(pod):
    assert named(pod) == set()


def test_requests_take_the_limits():
    limited = replace(APP, resources=ResourceRequirements(limits={"cpu": "1"}))
    assert named(of("ReplicaSet", replace(SPEC, containers=(limited,)))) == {"qos-requests-default-to-limits"}


def test_what_was_never_stored_is_not_held_against_its_spec():
    assert named(of("ReplicaSet", PodSpec(restartPolicy="Sometimes"), version="")) == set()
