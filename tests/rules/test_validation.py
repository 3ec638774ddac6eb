"""Validation as the API server does it: one fault each, and that the rules' own predicates see it too."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.defaults import default_pod
from podfsm.kube.objects import Container, ContainerRestartRule, ExitCodes, Pod
from podfsm.kube.workload_defaults import default_workload
from podfsm.kube.workloads import TYPES
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for
from podfsm.rules.names import is_label, is_port_name, is_qualified, is_variable
from podfsm.rules.validation import ephemeral_problems, pod_problems
from podfsm.rules.validation_restart import restart_problems
from podfsm.rules.validation_workloads import workload_problems

RULES = all_rules()
NOW, OLD = gates_for(), gates_for("1.32")


def pod(container=None, gates=NOW, **spec):
    raw = {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "app", "image": "i", **(container or {})}], **spec},
    }
    return msgspec.convert(default_pod(raw, pod_level_resources=gates.on("PodLevelResources")), Pod)


def found(given, gates=NOW):
    return [(problem.field, problem.type) for problem in pod_problems(given, gates)]


def only(field, kind="Invalid", at="spec.containers[0]."):
    return [(f"{at}{field}", kind)]


def test_a_plain_pod_is_fine():
    assert found(pod()) == []
    assert found(pod(), OLD) == []


@pytest.mark.parametrize(
    ("container", "field", "kind"),
    [
        ({"name": ""}, "name", "Required"),
        ({"name": "A"}, "name", "Invalid"),
        ({"image": ""}, "image", "Required"),
        ({"image": "a "}, "image", "Invalid"),
        ({"imagePullPolicy": "Maybe"}, "imagePullPolicy", "NotSupported"),
        ({"terminationMessagePolicy": "No"}, "terminationMessagePolicy", "NotSupported"),
        ({"ports": [{"containerPort": 0}]}, "ports[0].containerPort", "Required"),
        ({"ports": [{"containerPort": 1, "hostPort": 70000}]}, "ports[0].hostPort", "Invalid"),
        ({"ports": [{"containerPort": 1, "protocol": "X"}]}, "ports[0].protocol", "NotSupported"),
        (
            {"ports": [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]},
            "ports[1].name",
            "Duplicate",
        ),
        ({"env": [{"name": ""}]}, "env[0].name", "Required"),
        ({"env": [{"name": "A", "value": "1", "valueFrom": {}}]}, "env[0].valueFrom", "Invalid"),
        ({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, "volumeMounts[0].name", "NotFound"),
        ({"livenessProbe": {}}, "livenessProbe", "Required"),
        ({"livenessProbe": {"exec": {}}}, "livenessProbe.exec.command", "Required"),
        ({"livenessProbe": {"httpGet": {"port": "UP"}}}, "livenessProbe.httpGet.port", "Invalid"),
        ({"livenessProbe": {"httpGet": {"port": 1, "scheme": "ftp"}}}, "livenessProbe.httpGet.scheme", "NotSupported"),
        ({"startupProbe": {"grpc": {"port": 1}, "successThreshold": 2}}, "startupProbe.successThreshold", "Invalid"),
        (
            {"readinessProbe": {"grpc": {"port": 1}, "terminationGracePeriodSeconds": 5}},
            "readinessProbe.terminationGracePeriodSeconds",
            "Invalid",
        ),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}, "lifecycle.preStop.sleep", "Invalid"),
        (
            {"lifecycle": {"preStop": {"exec": {"command": ["a"]}, "sleep": {"seconds": 99}}}},
            "lifecycle.preStop.sleep",
            "Forbidden",
        ),
        ({"restartPolicy": "Sometimes"}, "restartPolicy", "NotSupported"),
        ({"resources": {"limits": {"foo": "1"}, "requests": {"foo": "1"}}}, "resources.limits[foo]", "Invalid"),
        ({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}, "resources.requests", "Invalid"),
        ({"resources": {"requests": {"a.b/c": "2"}}}, "resources.limits", "Required"),
        ({"resources": {"limits": {"a.b/c": "0.5"}, "requests": {"a.b/c": "1"}}}, "resources.requests", "Invalid"),
        ({"resources": {"limits": {"hugepages-2Mi": "2Mi"}}}, "resources", "Forbidden"),
        ({"resizePolicy": [{"resourceName": "gpu", "restartPolicy": "NotRequired"}]}, "resizePolicy", "NotSupported"),
    ],
)
def test_one_fault_of_a_container(container, field, kind):
    assert (f"spec.containers[0].{field}", kind) in found(pod(container))


@pytest.mark.parametrize(
    ("spec", "field", "kind"),
    [
        ({"activeDeadlineSeconds": 0}, "activeDeadlineSeconds", "Invalid"),
        ({"restartPolicy": "always"}, "restartPolicy", "NotSupported"),
        ({"dnsPolicy": "None"}, "dnsConfig", "Required"),
        ({"dnsPolicy": "None", "dnsConfig": {"searches": ["a"]}}, "dnsConfig.nameservers", "Required"),
        ({"volumes": [{"name": "v"}, {"name": "v"}]}, "volumes[1].name", "Duplicate"),
        ({"readinessGates": [{"conditionType": "a b"}]}, "readinessGates[0].conditionType", "Invalid"),
        ({"schedulingGates": [{"name": "a"}, {"name": "a"}]}, "schedulingGates[1]", "Duplicate"),
        ({"schedulingGates": [{"name": "a"}], "nodeName": "n"}, "nodeName", "Forbidden"),
        ({"nodeName": "N!"}, "nodeName", "Invalid"),
        ({"nodeSelector": {"a b": "c"}}, "nodeSelector", "Invalid"),
        ({"ephemeralContainers": [{"name": "d", "image": "i"}]}, "ephemeralContainers", "Forbidden"),
        ({"tolerations": [{"key": "k", "operator": "Exists", "value": "v"}]}, "tolerations[0].operator", "Invalid"),
        ({"tolerations": [{"key": "k", "tolerationSeconds": 1}]}, "tolerations[0].effect", "Invalid"),
        ({"initContainers": [{"name": "app", "image": "i"}]}, "initContainers[0].name", "Duplicate"),
        (
            {"initContainers": [{"name": "x", "image": "i", "readinessProbe": {"grpc": {"port": 1}}}]},
            "initContainers[0].readinessProbe",
            "Forbidden",
        ),
    ],
)
def test_one_fault_of_a_spec(spec, field, kind):
    assert found(pod(**spec)) == only(field, kind, "spec.")


def test_containers_may_be_missing_altogether():
    assert found(msgspec.convert({"spec": {"restartPolicy": "Always", "dnsPolicy": "Default"}}, Pod)) == [
        ("spec.containers", "Required")
    ]


def test_host_ports_are_claimed_once():
    port = {"containerPort": 80, "hostPort": 80}
    assert found(pod({"ports": [port, port]})) == only("ports[1].hostPort", "Duplicate")
    assert found(pod({"ports": [{**port, "hostPort": 81}]}, hostNetwork=True)) == only("ports[0].containerPort")


@pytest.mark.parametrize(("version", "kind"), [("1.32", "Forbidden"), ("1.36", None)])
def test_container_level_policies_are_new(version, kind):
    gates = gates_for(version)
    given = pod({"restartPolicy": "Never", "restartPolicyRules": [{"action": "x"}]}, gates)
    assert (("spec.containers[0].restartPolicy", kind) in found(given, gates)) == (kind is not None)


@pytest.mark.parametrize(("version", "ok"), [("1.32", False), ("1.36", True)])
def test_no_sleep_at_all(version, ok):
    gates = gates_for(version)
    assert (found(pod({"lifecycle": {"preStop": {"sleep": {"seconds": 0}}}}), gates) == []) is ok


@given(
    policy=st.none() | st.sampled_from(["Always", "Never"]),
    rules=st.lists(
        st.builds(
            ContainerRestartRule,
            st.sampled_from(["Restart", "RestartAllContainers", "Stop"]),
            st.none() | st.builds(ExitCodes, st.sampled_from(["In", "Is"]), st.just((1,))),
        ),
        max_size=22,
    ),
)
def test_restart_rules_are_judged_alike(policy, rules):
    container = Container("app", restartPolicy=policy, restartPolicyRules=tuple(rules))
    problems = list(restart_problems(container, "c", NOW, init=False))
    assert (not problems) == RULES["restart-rules-validation"](container)


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "zone", "host"]), st.sampled_from(["DoNotSchedule", "x"]), st.integers(-1, 2)),
        max_size=3,
    )
)
def test_spread_constraints_are_judged_alike(rows):
    given_pod = pod(
        topologySpreadConstraints=[
            {"topologyKey": key, "whenUnsatisfiable": when, "maxSkew": skew} for key, when, skew in rows
        ]
    )
    assert (not found(given_pod)) == RULES["spread-fields"](given_pod.spec.topologySpreadConstraints)


def test_ephemeral_containers_only_grow():
    debug = {"name": "d", "image": "i"}

    def change(*containers, gates=NOW):
        new = pod(ephemeralContainers=list(containers))
        old = pod(ephemeralContainers=[debug])
        return [(each.field, each.type) for each in ephemeral_problems(new, old.spec, gates)]

    assert change({"name": "e", "image": "i"}, debug) == []
    assert change() == only("ephemeralContainers", "Forbidden", "spec.")
    assert change({**debug, "tty": True}) == only("ephemeralContainers", "Forbidden", "spec.")
    assert change(debug, {"name": "app", "image": "i"}) == only("ephemeralContainers[1].name", "Duplicate", "spec.")
    assert change(debug, {**debug, "name": "e", "targetContainerName": "x"}) == only(
        "ephemeralContainers[1].targetContainerName", "NotFound", "spec."
    )
    limited = {**debug, "name": "e", "resources": {"limits": {"cpu": "1"}}}
    assert change(debug, limited) == only("ephemeralContainers[1].resources", "Forbidden", "spec.")


def owner(kind, template=None, **spec):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}} | (
        template or {}
    )
    raw = default_workload({"kind": kind, "metadata": {"name": "w"}, "spec": {"template": template, **spec}})
    return [(each.field, each.type) for each in workload_problems(msgspec.convert(raw, TYPES[kind]), NOW)]


SELECTOR = {"matchLabels": {"a": "b"}}


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"])
def test_pods_that_are_to_stay(kind):
    assert owner(kind, selector=SELECTOR) == []
    assert owner(kind) == only("selector", "Required", "spec.")
    assert owner(kind, selector={}) == only("selector", "Invalid", "spec.")
    assert owner(kind, selector={"matchLabels": {"x": "y"}}) == only("template.metadata.labels", "Invalid", "spec.")
    ending = {"restartPolicy": "Never", "activeDeadlineSeconds": 5, "containers": [{"name": "c", "image": "i"}]}
    assert owner(kind, {"spec": ending}, selector=SELECTOR) == [
        ("spec.template.spec.activeDeadlineSeconds", "Forbidden"),
        ("spec.template.spec.restartPolicy", "NotSupported"),
    ]


UNORDERED = {"operator": "In", "values": [2, 1, 1]}


def job_template(policy):
    return {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": policy}}


@pytest.mark.parametrize(
    ("policy", "spec", "expected"),
    [
        ("Never", {}, []),
        ("Always", {}, only("template.spec.restartPolicy", "Required", "spec.")),
        ("Sometimes", {}, only("template.spec.restartPolicy", "NotSupported", "spec.")),
        ("OnFailure", {"podFailurePolicy": {}}, only("template.spec.restartPolicy", "Invalid", "spec.")),
        ("Never", {"completionMode": "Indexed", "parallelism": 2}, only("completions", "Required", "spec.")),
        ("Never", {"backoffLimitPerIndex": 1}, only("backoffLimitPerIndex", "Invalid", "spec.")),
        ("Never", {"backoffLimit": -1}, only("backoffLimit", "Invalid", "spec.")),
        (
            "Never",
            {"podFailurePolicy": {"rules": [{"action": "Ignore"}]}},
            only("podFailurePolicy.rules[0]", "Invalid", "spec."),
        ),
        (
            "Never",
            {
                "podFailurePolicy": {
                    "rules": [{"action": "Count", "onExitCodes": {"operator": "In", "values": [2, 1, 1]}}]
                }
            },
            [
                ("spec.podFailurePolicy.rules[0].onExitCodes.values", "Invalid"),
                ("spec.podFailurePolicy.rules[0].onExitCodes.values[2]", "Duplicate"),
            ],
        ),
    ],
)
def test_jobs(policy, spec, expected):
    assert owner("Job", job_template(policy), **spec) == expected


def test_rollouts_can_move():
    stuck = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}
    assert owner("Deployment", selector=SELECTOR, strategy=stuck) == only(
        "strategy.rollingUpdate.maxUnavailable", "Invalid", "spec."
    )
    assert owner("Deployment", selector=SELECTOR, minReadySeconds=700) == only(
        "progressDeadlineSeconds", "Invalid", "spec."
    )


def test_the_oldest_controller_takes_its_labels_from_the_template():
    assert owner("ReplicationController") == []
    assert owner("ReplicationController", selector={"x": "y"}) == only("template.metadata.labels", "Invalid", "spec.")


@pytest.mark.parametrize(
    ("name", "label", "qualified", "port"),
    [
        ("web-1", True, True, True),
        ("Web", False, True, False),
        ("8080", True, True, False),
        ("a--b", True, True, False),
        ("a.b/c", False, True, False),
        ("a/b/c", False, False, False),
        ("", False, False, False),
        ("a" * 64, False, False, False),
    ],
)
def test_names(name, label, qualified, port):
    assert (is_label(name), is_qualified(name), is_port_name(name)) == (label, qualified, port)


def test_environment_variables_were_stricter_once():
    assert is_variable("a b", relaxed=True)
    assert not is_variable("a b", relaxed=False)
    assert not is_variable("a=b", relaxed=True)
