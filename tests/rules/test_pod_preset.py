"""PodPresets: selection, merging, conflicts, and their end in 1.20."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.engine.versions import Version
from podfsm.errors import NotModelled
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for
from podfsm.rules.pod_preset import admit, require_served

RULES = all_rules()


def preset(name="p", labels=None, **spec):
    selector = {} if labels is None else {"matchLabels": labels}
    return {"metadata": {"name": name, "resourceVersion": "3"}, "spec": {"selector": selector, **spec}}


def pod(*containers, annotations=None, **spec):
    return {
        "metadata": {"name": "web", "labels": {"app": "web"}, "annotations": annotations or {}},
        "spec": {"containers": list(containers or [{"name": "app"}]), **spec},
    }


def env(name, value="1"):
    return {"name": name, "value": value}


def test_everything_is_injected_and_noted():
    mount, volume = {"name": "cache", "mountPath": "/cache"}, {"name": "cache", "emptyDir": {}}
    chosen = preset(env=[env("A")], envFrom=[{"prefix": "x"}], volumeMounts=[mount], volumes=[volume])
    admitted = admit(pod({"name": "app"}, initContainers=[{"name": "init"}]), [chosen])
    spec = admitted.pod["spec"]
    assert admitted.result == "applied"
    for container in (*spec["containers"], *spec["initContainers"]):
        assert container["env"] == [env("A")]
        assert container["envFrom"] == [{"prefix": "x"}]
        assert container["volumeMounts"] == [mount]
    assert spec["volumes"] == [volume]
    assert admitted.pod["metadata"]["annotations"] == {"podpreset.admission.kubernetes.io/podpreset-p": "3"}


@pytest.mark.parametrize("key", ["podpreset.admission.kubernetes.io/exclude", "kubernetes.io/config.mirror"])
def test_some_pods_are_left_alone(key):
    given_pod = pod(annotations={key: "true"})
    assert admit(given_pod, [preset(env=[env("A")])]) == admit(given_pod, []).__class__("skipped", given_pod)


def test_the_selector_decides():
    assert admit(pod(), [preset(labels={"app": "db"}, env=[env("A")])]).result == "nomatch"
    assert admit(pod(), [preset(labels={"app": "web"}, env=[env("A")])]).result == "applied"


def test_one_conflict_stops_every_preset():
    given_pod = pod({"name": "app", "env": [env("B", "mine")]})
    admitted = admit(given_pod, [preset("a", env=[env("A")]), preset("b", env=[env("B")])])
    assert admitted.result == "conflict"
    assert admitted.conflicts == ("env B",)
    assert admitted.pod is given_pod
    assert "env B" in RULES["preset-conflict-report"](admitted.conflicts)


@pytest.mark.parametrize(
    ("mine", "theirs", "conflicts"),
    [
        ({"name": "a", "mountPath": "/x"}, {"name": "a", "mountPath": "/y"}, ("volumeMount a",)),
        ({"name": "a", "mountPath": "/x"}, {"name": "b", "mountPath": "/x"}, ("volumeMount path /x",)),
        ({"name": "a", "mountPath": "/x"}, {"name": "a", "mountPath": "/x", "readOnly": False}, ()),
        (
            {"name": "a", "mountPath": "/x"},
            {"name": "a", "mountPath": "/x", "readOnly": True},
            ("volumeMount a", "volumeMount path /x"),
        ),
    ],
)
def test_mounts(mine, theirs, conflicts):
    given_pod = pod({"name": "app", "volumeMounts": [mine]})
    assert admit(given_pod, [preset(volumeMounts=[theirs])]).conflicts == conflicts


def test_volumes_conflict_in_the_pod():
    given_pod = pod(volumes=[{"name": "v", "emptyDir": {}}])
    assert admit(given_pod, [preset(volumes=[{"name": "v", "hostPath": {"path": "/"}}])]).conflicts == ("volume v",)


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("12")), max_size=4, unique_by=lambda pair: pair[0]))
def test_applying_twice_adds_no_variable_twice(pairs):
    presets = [preset(env=[env(*pair) for pair in pairs])]
    once = admit(pod(), presets)
    assert once.result == "applied"
    assert admit(once.pod, presets).pod["spec"]["containers"] == once.pod["spec"]["containers"]


@pytest.mark.parametrize("version", ["1.20", "1.36"])
def test_they_are_gone(version):
    with pytest.raises(NotModelled, match="removed in Kubernetes"):
        require_served(Version.parse(version))
    assert not RULES["preset-injects"].in_force(gates_for(version))


def test_they_were_there():
    require_served(Version.parse("1.19"))
    assert RULES["preset-injects"].in_force(gates_for("1.19"))
    assert RULES["preset-scope"]({})
    assert not RULES["preset-enable"](True, False)
