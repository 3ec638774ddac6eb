"""PodPresets in a run: applied at admission to every new Pod, refused where they no longer exist."""

import pytest

from podfsm.errors import InputError, NotModelled
from podfsm.kube.read import documents_of
from podfsm.simulate import prepare
from tests.world.cluster.runs import Run, container, owner, pod

NOTE = "podpreset.admission.kubernetes.io/podpreset-"
A = {"name": "A", "value": "1"}


def preset(name="p", *, selector=None, **spec):
    whole = {"selector": {} if selector is None else {"matchLabels": selector}, "env": [A], **spec}
    kind = {"apiVersion": "settings.k8s.io/v1alpha1", "kind": "PodPreset"}
    return {**kind, "metadata": {"name": name}, "spec": whole}


def run(*objects, **options):
    return Run(*objects, kubernetes="1.19", duration=30, **options)


def env_of(pod):
    return {each.name: each.value for each in pod.spec.containers[0].env}


def by_name(run):
    return {pod.metadata.name: pod for pod in run.pods()}


def test_presets_reach_the_pods_that_they_select():
    """Rules preset-injects, preset-annotation and preset-enable."""
    done = run(preset(selector={"app": "web"}), pod("a", labels={"app": "web"}), pod("b"))
    found = by_name(done)
    assert env_of(found["a"]) == {"A": "1"}
    assert list(found["a"].metadata.annotations) == [f"{NOTE}p"]
    assert env_of(found["b"]) == found["b"].metadata.annotations == {}


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController", "Deployment", "DaemonSet", "Job"])
def test_pods_of_controllers_get_them_too(kind):
    policy = {"restartPolicy": "Never"} if kind == "Job" else {}
    done = run(preset(), owner(kind, "web", template=policy))
    assert [env_of(each) for each in done.pods()] == [{"A": "1"}]


def test_other_namespaces_have_presets_of_their_own():
    other = preset()
    other["metadata"]["namespace"] = "other"
    assert env_of(run(other, pod("a")).pods()[0]) == {}


def test_a_conflict_leaves_the_pod_as_it_is_and_is_told():
    """Rules preset-conflict-all-or-nothing and preset-conflict-report."""
    mine = pod("a", containers=[container(env=[{"name": "A", "value": "mine"}])])
    done = run(preset(), preset("q", env=[{"name": "B", "value": "2"}]), mine)
    assert env_of(done.pods()[0]) == {"A": "mine"}
    assert done.pods()[0].metadata.annotations == {}
    assert done.notes == ["at 0 s: default/a: no preset applied, conflicts over: env A (rule preset-conflict-report)"]


def test_what_the_api_fills_in_is_no_conflict():
    """Rule preset-identical-ok: the same volume, once with its defaults spelt out."""
    config = {"name": "v", "configMap": {"name": "c"}}
    mine = pod("a", volumes=[{**config, "configMap": {"name": "c", "defaultMode": 420}}])
    done = run(preset(env=[], volumes=[config]), mine)
    assert done.notes == []
    assert list(done.pods()[0].metadata.annotations) == [f"{NOTE}p"]


def test_excluded_pods_are_left_alone():
    """Rule preset-scope."""
    mine = pod("a")
    mine["metadata"]["annotations"] = {"podpreset.admission.kubernetes.io/exclude": "true"}
    assert env_of(run(preset(), mine).pods()[0]) == {}


def test_only_pods_created_later_see_a_new_preset():
    steps = [
        {"at": 5, "create": preset("late")},
        {"at": 10, "create": pod("b")},
        {"at": 12, "delete": "podpresets/late"},
        {"at": 15, "create": pod("c")},
    ]
    found = by_name(run(pod("a"), steps=steps))
    assert [env_of(found[name]) for name in "abc"] == [{}, {"A": "1"}, {}]


def refused(text, version="1.36"):
    with pytest.raises(NotModelled) as error:
        prepare(documents_of(text, "m.yaml"), kubernetes=version)
    return str(error.value)


OBJECT = "{apiVersion: settings.k8s.io/v1alpha1, kind: PodPreset, metadata: {name: p}}"
POD = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}]}}"


def test_from_1_20_on_they_are_refused_with_their_place():
    """Rule preset-removed."""
    said = refused(f"{POD}\n---\n{OBJECT}\n", "1.20")
    assert said.startswith("m.yaml:3:")
    assert "PodPreset was removed in Kubernetes 1.20" in said
    assert "--kubernetes 1.19" in said
    script = "{apiVersion: podfsm.dev/v1alpha1, kind: Scenario, metadata: {name: s}, spec: {steps: [\n"
    assert refused(f"{POD}\n---\n{script}{{at: 1s, create: {OBJECT}}}]}}}}\n").startswith("m.yaml:4:")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"apiVersion": "v1"}, "apiVersion: no PodPreset in"),
        ({"spec": {"env": {"A": "1"}}}, "spec.env"),
        ({"spec": {"selector": {"matchLabels": ["x"]}}}, "spec.selector.matchLabels"),
        ({"metadata": {}}, "without a name"),
    ],
)
def test_presets_that_are_wrong_are_located(change, says):
    with pytest.raises(InputError, match=says):
        run(pod("a"), {**preset(), **change})
