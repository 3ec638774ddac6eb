"""What the API server fills in, measured against Pods as they were recorded right after their creation."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.defaults import created_pod, default_container, default_pod, default_probe
from podfsm.kube.images import default_pull_policy, image_tag

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data/kube/created.jsonl").read_text().splitlines()]
IDS = [case["from"] + "-" + case["manifest"]["metadata"]["name"] for case in CASES]
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
SET_UP = ("command", "lifecycle")
"""What the recording's own set-up put into the containers."""


def pod(**spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [], **spec}}


def app(**fields):
    return {"name": "app", "image": "app:1", **fields}


def comparable(spec):
    """The spec without what the recording's set-up changed, as text: the order of the keys counts."""
    spec = copy.deepcopy(spec)
    spec.pop("automountServiceAccountToken", None)
    for key in ("containers", "initContainers"):
        for container in spec.get(key, ()):
            for each in SET_UP:
                container.pop(each, None)
            for probe in PROBES:
                for handler in ("exec", "httpGet", "tcpSocket"):
                    container.get(probe, {}).pop(handler, None)
    return json.dumps(spec)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_manifest_becomes_what_was_recorded(case):
    before = copy.deepcopy(case["manifest"])
    made = created_pod(case["manifest"], priority_classes=case["priorityClasses"])
    assert comparable(made["spec"]) == comparable(case["created"]["spec"])
    assert made["metadata"]["generation"] == case["created"]["metadata"]["generation"] == 1
    assert made["status"]["phase"] == case["created"]["status"]["phase"]
    assert case["manifest"] == before


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_defaults_given_twice_are_given_once(case):
    once = default_pod(case["manifest"])
    assert default_pod(once) == once


def test_the_status_stays_and_nulls_go():
    made = default_pod({**pod(restartPolicy=None, nodeName=None), "status": {"phase": "Running"}})
    assert made["spec"]["restartPolicy"] == "Always"
    assert "nodeName" not in made["spec"]
    assert made["status"] == {"phase": "Running"}
    assert made["metadata"] == {"name": "p", "namespace": "default"}
    assert created_pod(made)["status"] == {"phase": "Pending"}


def test_probe_numbers_are_replaced_only_when_zero_or_absent():
    assert default_probe({"exec": {"command": ["x"]}, "periodSeconds": 3, "failureThreshold": 0}) == {
        "exec": {"command": ["x"]},
        "timeoutSeconds": 1,
        "periodSeconds": 3,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert default_probe({"httpGet": {"port": 80}})["httpGet"] == {"path": "/", "port": 80, "scheme": "HTTP"}
    assert default_probe({"grpc": {"port": 80}})["grpc"] == {"port": 80, "service": ""}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("app", "Always"),
        ("app:latest", "Always"),
        ("app:1", "IfNotPresent"),
        ("host:5000/app", "Always"),
        ("host:5000/a/b:1", "IfNotPresent"),
        ("Host.Example/app", "Always"),
        ("app@sha256:0123", "IfNotPresent"),
        ("app:latest@sha256:0123", "Always"),
        ("", "IfNotPresent"),
        ("Not/Valid", "IfNotPresent"),
        ("UPPER", "IfNotPresent"),
        ("a" * 64, "IfNotPresent"),
        ("app:", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image, policy):
    assert default_pull_policy(image) == policy
    assert default_container(app(image=image))["imagePullPolicy"] == policy
    assert default_container(app(image=image, imagePullPolicy="Never"))["imagePullPolicy"] == "Never"


@given(st.text("abcXYZ019./:@-_", max_size=20))
def test_every_image_has_a_tag_or_none(image):
    assert isinstance(image_tag(image), str)


def test_limits_become_requests_and_quantities_their_shortest_form():
    resources = {"limits": {"memory": "1024Mi", "cpu": 0.1}, "requests": {"cpu": "50m"}}
    made = default_container(app(resources=resources))
    assert made["resources"] == {
        "limits": {"cpu": "100m", "memory": "1Gi"},
        "requests": {"cpu": "50m", "memory": "1Gi"},
    }
    assert default_container(app(resources=resources), ephemeral=True)["resources"]["requests"] == {"cpu": "50m"}
    assert default_container(app(), ephemeral=True)["resources"] == {}


def test_a_quantity_that_is_none_is_left_for_validation():
    resources = {"limits": {"cpu": "much"}}
    made = default_pod(pod(containers=[app(resources=resources)], resources={"limits": {"cpu": "1"}}))
    assert made["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "much"}
    assert made["spec"]["resources"] == {"limits": {"cpu": "1"}}


def requests(cpu, **more):
    return {"image": "app:1", "resources": {"requests": {"cpu": cpu}}, **more}


def test_pod_level_requests_come_from_the_containers_at_their_busiest():
    spec = {
        "initContainers": [
            requests("100m", name="side", restartPolicy="Always"),
            requests("900m", name="init"),
        ],
        "containers": [requests("200m", name="a"), requests("0.3", name="b")],
        "resources": {"limits": {"cpu": 2, "memory": "64Mi"}},
    }
    made = default_pod(pod(**spec))
    assert made["spec"]["resources"]["requests"] == {"cpu": "1", "memory": "64Mi"}
    spec["initContainers"].pop()
    assert default_pod(pod(**spec))["spec"]["resources"]["requests"] == {"cpu": "600m", "memory": "64Mi"}
    assert "requests" not in default_pod(pod(**spec), pod_level_resources=False)["spec"]["resources"]


def test_huge_pages_of_containers_become_the_pods_limit():
    pages = {"limits": {"hugepages-2Mi": "4Mi"}}
    made = default_pod(pod(containers=[app(resources=pages)], resources={"requests": {"cpu": "1"}}))
    assert made["spec"]["resources"] == {
        "limits": {"hugepages-2Mi": "4Mi"},
        "requests": {"cpu": "1", "hugepages-2Mi": "4Mi"},
    }


NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"


@pytest.mark.parametrize(
    ("own", "added"),
    [
        ([], [NOT_READY, UNREACHABLE]),
        ([{"key": NOT_READY, "operator": "Exists", "effect": "NoExecute"}], [UNREACHABLE]),
        ([{"key": NOT_READY, "operator": "Exists", "effect": "NoSchedule"}], [NOT_READY, UNREACHABLE]),
        ([{"key": UNREACHABLE, "operator": "Exists"}], [NOT_READY]),
        ([{"operator": "Exists"}], []),
    ],
)
def test_lost_nodes_are_tolerated_for_five_minutes_unless_the_pod_says_otherwise(own, added):
    tolerations = default_pod(pod(tolerations=own))["spec"]["tolerations"]
    assert tolerations[: len(own)] == own
    assert [each["key"] for each in tolerations[len(own) :]] == added
    assert all(each["tolerationSeconds"] == 300 for each in tolerations[len(own) :])


def priority_class(name, value, **fields):
    return {"kind": "PriorityClass", "metadata": {"name": name}, "value": value, **fields}


def test_priority_comes_from_the_class():
    classes = [
        priority_class("high", 1000, preemptionPolicy="Never"),
        priority_class("more", 7, globalDefault=True),
        priority_class("usual", 5, globalDefault=True),
    ]

    def priority(**spec):
        made = default_pod(pod(**spec), priority_classes=classes)["spec"]
        return made.get("priorityClassName"), made.get("priority"), made.get("preemptionPolicy")

    assert priority() == ("usual", 5, "PreemptLowerPriority")
    assert priority(priorityClassName="high") == ("high", 1000, "Never")
    assert priority(priorityClassName="system-node-critical") == (
        "system-node-critical",
        2_000_001_000,
        "PreemptLowerPriority",
    )
    assert priority(priorityClassName="none-such") == ("none-such", None, None)


def test_the_host_network_opens_the_ports_on_the_host():
    ports = [{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081, "protocol": "UDP"}]
    (container,) = default_pod(pod(hostNetwork=True, containers=[app(ports=ports)]))["spec"]["containers"]
    assert [(each["hostPort"], each["protocol"]) for each in container["ports"]] == [(80, "TCP"), (8081, "UDP")]


def test_volumes_and_references():
    volumes = [{"name": "a"}, {"name": "b", "configMap": {"name": "c"}}, {"name": "h", "hostPath": {"path": "/"}}]
    env = [{"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    made = default_pod(pod(volumes=volumes, containers=[app(env=env)], serviceAccount="robot"))["spec"]
    assert made["volumes"][0] == {"name": "a", "emptyDir": {}}
    assert made["volumes"][1]["configMap"]["defaultMode"] == 420
    assert made["volumes"][2]["hostPath"]["type"] == ""
    assert made["containers"][0]["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert made["serviceAccountName"] == "robot"
