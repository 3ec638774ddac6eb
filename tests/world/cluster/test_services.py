"""Services in a run: which Pods are endpoints when, and in which slices; what is refused."""

import json

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podfsm.errors import InputError
from podfsm.kube.document import Document
from podfsm.kube.services import ServiceSpec
from podfsm.rules.gates import gates_for
from podfsm.rules.services import endpoint_behind
from podfsm.simulate import prepare
from podfsm.simulate.output import writer
from tests.world.cluster.runs import Run, container, node, owner, pod, service

READY = {"ready": True, "serving": True, "terminating": False}
UNREADY = {"ready": False, "serving": False, "terminating": False}
LEAVING = {"ready": False, "serving": True, "terminating": True}
SLOW = [{"container": "app", "attempts": [{"stop": {"takes": "5s"}}]}]
PROBED = {"containers": [container(readinessProbe={"exec": {"command": ["x"]}, "periodSeconds": 1})]}
WEB = {"app": "web"}


def test_an_endpoint_follows_its_pods_readiness():
    """Rules probe-endpointslice and service-selector."""
    failing = [{"container": "app", "readinessProbe": [{"to": "5s", "result": "failure"}]}]
    run = Run(service(), pod("a", labels=WEB, **PROBED), pod("other", labels={"app": "db"}), containers=failing)
    assert run.endpoints(at=0) == {}
    assert run.endpoints(at=3) == {"a": UNREADY}
    assert run.endpoints() == {"a": READY}


def test_a_readiness_gate_keeps_traffic_away():
    gate = {"status": {"conditions": [{"type": "example.com/lb", "status": "True"}]}}
    run = Run(
        service(), pod("a", labels=WEB, readinessGates=[{"conditionType": "example.com/lb"}]),
        steps=[{"at": 10, "patch": "pods/a/status", "body": gate}],
    )  # fmt: skip
    assert run.endpoints(at=9) == {"a": UNREADY}
    assert run.endpoints() == {"a": READY}


def test_a_pod_that_is_deleted_serves_on_until_it_has_stopped():
    """Rules term-endpoint and service-terminating-listed."""
    run = Run(service(), pod("a", labels=WEB), containers=SLOW, steps=[{"at": 10, "delete": "pods/a"}])
    assert run.endpoints(at=12) == {"a": LEAVING}
    assert run.endpoints() == {}
    assert len(run.slices()) == 1, "an empty slice says that there is no endpoint"


@pytest.mark.parametrize(("version", "leaving"), [("1.21", {}), ("1.22", {"a": LEAVING})])
def test_terminating_endpoints_by_version(version, leaving):
    run = Run(
        service(),
        pod("a", labels=WEB),
        containers=SLOW,
        steps=[{"at": 10, "delete": "pods/a"}],
        kubernetes=version,
    )
    assert run.endpoints(at=12) == leaving
    assert ("serving" in run.endpoints(at=9)["a"]) == bool(leaving)


def test_unready_addresses_are_published_on_request():
    run = Run(
        service(publishNotReadyAddresses=True), pod("a", labels=WEB, **PROBED), duration=30,
        containers=[{"container": "app", "readinessProbe": [{"result": "failure"}]}],
    )  # fmt: skip
    assert run.endpoints() == {"a": {**UNREADY, "ready": True}}


def test_a_finished_pod_is_no_endpoint():
    run = Run(
        service(), pod("a", labels=WEB, restartPolicy="Never"),
        containers=[{"container": "app", "attempts": [{"run": "8s", "exit": 0}]}],
    )  # fmt: skip
    assert run.endpoints(at=5) == {"a": READY}
    assert run.endpoints() == {}


@pytest.mark.parametrize(
    "spec", [{"selector": None}, {"type": "ExternalName", "externalName": "db.example", "ports": []}]
)
def test_a_service_without_selected_pods_is_left_to_others(spec):
    own = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "mine", "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [{"addresses": ["192.0.2.7"]}], "ports": [{"port": 80}],
    }  # fmt: skip
    run = Run(service(**spec), own, pod("a", labels=WEB))
    assert [raw["metadata"]["name"] for raw in run.slices()] == ["mine"]


def test_labels_and_selectors_decide_anew():
    steps = [
        {"at": 10, "patch": "pods/a", "type": "merge", "body": {"metadata": {"labels": {"app": "db"}}}},
        {"at": 20, "patch": "services/web", "type": "merge", "body": {"spec": {"selector": {"app": "db"}}}},
    ]
    run = Run(service(), pod("a", labels=WEB), pod("b", labels=WEB), steps=steps)
    assert run.endpoints(at=9) == {"a": READY, "b": READY}
    assert run.endpoints(at=19) == {"b": READY}
    assert run.endpoints() == {"a": READY}


def test_slices_go_with_their_service_and_come_back_when_somebody_deletes_them():
    run = Run(service(), pod("a", labels=WEB), steps=[{"at": 10, "delete": "endpointslices/*"}])
    assert run.endpoints(at=9) == run.endpoints() == {"a": READY}
    run = Run(service(), pod("a", labels=WEB), steps=[{"at": 10, "delete": "services/web"}])
    assert run.slices() == []


def test_a_slice_takes_a_hundred_endpoints():
    run = Run(service(), owner("ReplicaSet", "web", replicas=120), duration=60)
    assert sorted(len(raw["endpoints"]) for raw in run.slices()) == [20, 100]
    assert len(run.endpoints()) == 120
    less = {"at": 20, "patch": "replicasets/web", "type": "merge", "body": {"spec": {"replicas": 0}}}
    run = Run(service(), owner("ReplicaSet", "web", replicas=120), duration=90, steps=[less])
    assert [raw["endpoints"] for raw in run.slices()] == [[]]


def test_pods_whose_named_port_differs_are_in_slices_of_their_own():
    """Rule service-target-port."""
    pods = [
        pod(name, labels=WEB, containers=[container(ports=[{"name": "http", "containerPort": number}])])
        for name, number in (("a", 8080), ("b", 9090), ("c", 8080))
    ]
    run = Run(service(ports=[{"port": 80, "targetPort": "http"}]), *pods)
    found = {raw["ports"][0]["port"]: len(raw["endpoints"]) for raw in run.slices()}
    assert found == {8080: 2, 9090: 1}


def test_a_pod_whose_node_object_is_gone_is_no_endpoint():
    """Rule service-node-gone."""
    run = Run(node("a"), service(), pod("p", labels=WEB), steps=[{"at": 10, "delete": "nodes/a"}], duration=25)
    assert run.endpoints(at=9) == {"p": READY}
    assert run.endpoints() == {}


def test_a_lost_nodes_endpoints_turn_unready():
    web = pod("p", labels=WEB, nodeSelector={"kubernetes.io/hostname": "a"})
    steps = [{"at": 20, "kubelet": "stop", "node": "a"}]
    run = Run(node("a"), node("b"), service(), web, steps=steps, duration=100)
    assert run.endpoints(at=60) == {"p": READY}
    assert run.endpoints() == {"p": UNREADY}


def test_a_rollout_never_leaves_the_service_without_a_ready_endpoint():
    change = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}}
    steps = [{"at": 20, "patch": "deployments/web", "body": change}]
    run = Run(service(), owner("Deployment", "web", replicas=3), steps=steps)
    instants = [event.at for step in run.steps for event in step.things if event.at > 10]
    assert instants
    assert all(sum(c["ready"] for c in run.endpoints(at=at).values()) >= 2 for at in instants)


def changed(target, **body):
    return {"patch": target, "type": "merge", "body": body}


ANYTHING = st.one_of(
    st.sampled_from("abcd").map(lambda name: {"delete": f"pods/{name}"}),
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["web", "db"])).map(
        lambda both: changed(f"pods/{both[0]}", metadata={"labels": {"app": both[1]}})
    ),
    st.sampled_from(["web", "db"]).map(lambda app: changed("services/web", spec={"selector": {"app": app}})),
    st.booleans().map(lambda flag: changed("services/web", spec={"publishNotReadyAddresses": flag})),
    st.sampled_from(["http", 80]).map(
        lambda port: changed("services/web", spec={"ports": [{"port": 80, "targetPort": port}]})
    ),
    st.just({"delete": "endpointslices/*"}),
)


@settings(max_examples=30, deadline=None)
@given(what=st.lists(ANYTHING, max_size=8), unready=st.sets(st.sampled_from("abcd")))
def test_slices_kept_up_to_date_are_those_made_at_once(what, unready):
    """Whatever happened before, the endpoints at the end are what the rules make of the Pods at the end."""
    pods = [pod(name, labels=WEB, **PROBED) for name in "abcd"]
    scripts = [{"pod": name, "container": "app", "readinessProbe": [{"result": "failure"}]} for name in sorted(unready)]
    steps = [{"at": 4 + 2 * number, **step} for number, step in enumerate(what)]
    run = Run(service(), *pods, containers=scripts, steps=steps, duration=60)
    spec = msgspec.convert(run.cluster.things["Service/default/web"].raw["spec"], ServiceSpec)
    expected = {}
    for each in run.pods():
        if each.metadata.labels["app"] == spec.selector["app"]:
            found = endpoint_behind(each, spec, gates_for(), node_exists=True)
            expected[each.metadata.name] = found and attrs.asdict(found)
    assert run.endpoints() == expected


def told(*objects, version="1.36", steps=(), containers=()):
    """(seconds, who, what) of every line about Services."""
    script = {
        "apiVersion": "podfsm.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"},
        "spec": {"duration": "60s", "steps": list(steps), "containers": list(containers), "kubernetes": version},
    }  # fmt: skip
    simulation = prepare([Document(raw) for raw in (*objects, script)])
    changes = json.loads("\n".join(writer("json")(simulation, False)))["changes"]
    about = [c for c in changes if c["subject"] == "Service" or c["subject"].startswith("endpoint")]
    return [(round(c["at"]), c["pod"], c["text"], c["rules"]) for c in about]


def test_the_timeline_says_where_traffic_ends():
    """Rule service-traffic: the last Pod serves while it leaves; before 1.26 it did not."""
    lines = told(service(), pod("a", labels=WEB), steps=[{"at": "10s", "delete": "pods/a"}], containers=SLOW)
    assert lines == [
        (0, "default/web", "no traffic: no endpoint is ready", ["service-traffic"]),
        (0, "default/a", "ready", ["probe-endpointslice"]),
        (0, "default/web", "traffic to a", ["service-traffic"]),
        (10, "default/a", "terminating, still serving", ["term-endpoint"]),
        (15, "default/a", "removed", ["term-endpoint"]),
        (15, "default/web", "no traffic: no endpoint is ready", ["service-traffic"]),
    ]
    old = told(
        service(), pod("a", labels=WEB), steps=[{"at": "10s", "delete": "pods/a"}], containers=SLOW, version="1.25"
    )
    assert (10, "default/web", "no traffic: no endpoint is ready", ["service-traffic"]) in old


def test_a_watch_shows_slices_only_if_asked():
    def kinds(**options):
        simulation = prepare([Document(raw) for raw in (service(), pod("a", labels=WEB))])
        events = [json.loads(line) for line in writer("watch")(simulation, False, **options)]
        return [(event["type"], event["object"]["kind"]) for event in events]

    assert {kind for _, kind in kinds()} == {"Pod"}
    assert [one for one in kinds(endpoints=True) if one[1] == "Pod"] == kinds()
    assert kinds(endpoints=True).count(("ADDED", "EndpointSlice")) == 1


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"ports": []}, "spec.ports"),
        ({"ports": [{"port": 0}]}, r"spec.ports\[0\].port"),
        ({"ports": [{"port": 80}, {"port": 81}]}, r"spec.ports\[0\].name"),
        ({"ports": [{"port": 80, "targetPort": 70000}]}, "targetPort"),
        ({"ports": [{"port": 80, "protocol": "HTTP"}]}, "protocol"),
        ({"type": "Internal"}, "spec.type"),
        ({"type": "ExternalName"}, "spec.externalName"),
        ({"selector": ["web"]}, "spec.selector"),
    ],
)
def test_services_that_are_wrong_are_located(spec, says):
    wrong = service()
    wrong["spec"] |= spec
    with pytest.raises(InputError, match=says):
        Run(pod("a"), wrong)
