"""What `podfsm simulate` cannot read or take: one located complaint for each manifest, option and file."""

import gzip

import pytest

from tests.cli.manifests import DEPLOYMENT, HEAD, POD


def other(text):
    return text.replace('image: "example/app:1"', "image: 3")


NOT_OBJECTS = {
    "empty": ("", "m.yaml: is empty"),
    "blank": ("\n \n", "m.yaml: is empty"),
    "comments": ("# nothing\n---\n# more\n", "m.yaml: holds no object"),
    "text": ("hello\n", "m.yaml:1:1: not a Kubernetes object"),
    "no kind": ("apiVersion: v1\n", "no kind"),
    "no version": ("kind: Pod\n", "no apiVersion"),
    "not YAML": ("a: [1, 2\nb: }", "m.yaml:2:2: not YAML"),
    "binary": (b"\x00\x01\xff" * 99, "m.yaml: binary data"),
    "not UTF-8": (b"a: \xff\xfe\n", "m.yaml"),
    "nested": ("[" * 10_000_000, "nested too deeply"),
    "nested, closed": ("[" * 5_000_000 + "]" * 5_000_000, "nested too deeply"),
    "aliases": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + "kind: *i\n",
        "aliases",
    ),
    "a key twice": ("apiVersion: v1\nkind: Pod\nkind: Pod\n", "m.yaml:3:1"),
    "a list": ("[1, 2]\n", "not a Kubernetes object"),
    "a watch event": ('{"type": "ADDED", "object": {}}', "not a Kubernetes object"),
    "truncated": (POD.replace("}]}", "}"), "not YAML"),
}

NOT_PODS = {
    "StatefulSet": (
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\n",
        "m.yaml:2:1: kind: StatefulSet is not simulated",
    ),
    "misspelt kind": (POD.replace("kind: Pod", "kind: Podd"), "kind: Podd is not simulated; did you mean Pod?"),
    "kind in small letters": (POD.replace("kind: Pod", "kind: pod"), "did you mean Pod?"),
    "a kind of another group": (
        DEPLOYMENT.replace("apps/v1", "v1"),
        "m.yaml:1:1: apiVersion: no Deployment in 'v1'; write apps/v1",
    ),
    "a group that is long gone": (DEPLOYMENT.replace("apps/v1", "extensions/v1beta1"), "write apps/v1"),
    "somebody else's Pod": (POD.replace("v1", "example.com/v1", 1), "Pod of example.com/v1 is not simulated"),
    "an empty List": ("apiVersion: v1\nkind: List\nitems: []\n", "nothing to simulate; expected at least one Pod"),
    "a template": (POD.replace('"example/app:1"', "{{ .Values.image }}"), "a template that is not filled in?"),
    "a generated name": (POD.replace("name: web", "generateName: web-"), "of web- no name is made here"),
    "a long name": (POD.replace("name: web", f"name: {'w' * 254}"), "up to 253 lower-case letters"),
    "two ConfigMaps": (
        "---\n".join([POD, *["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"] * 2]),
        "m.yaml:12:12: metadata.name: a second ConfigMap of this name, found 'c'",
    ),
    "a template without the form of one": (
        DEPLOYMENT.replace('{containers: [{name: app, image: "example/app:1"}]}', "[x]"),
        "spec.template.spec: wrong type; expected an object, found a list",
    ),
    "no labels": (
        DEPLOYMENT.replace("{matchLabels: {app: web}}", "{matchLabels: {app: null}}"),
        "spec.selector: refused by the API server",
    ),
    "no Pod": ("apiVersion: v1\nkind: Node\nmetadata: {name: n}\n", "nothing to simulate"),
    "Scenario alone": (HEAD + "spec: {}\n", "nothing to simulate"),
    "Deployment without template": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n",
        "spec.template",
    ),
    "wrong type": (other(POD), "m.yaml:4:33: spec.containers[0].image: wrong type; expected text, found the number 3"),
    "containers no list": (POD.replace("[{", "{").replace("}]}", "}}"), "spec.containers: wrong type"),
    "no containers": (POD.split("spec", maxsplit=1)[0] + "spec: {}\n", "m.yaml:4:1: spec.containers: no containers"),
    "no image": (POD.replace(", image", ", imagee"), "spec.containers[0].image: refused by the API server"),
    "no name": (POD.replace("{name: web}", "{}"), "metadata.name: a Pod without a name"),
    "a name twice": (POD + "---\n" + POD, "m.yaml:8:12: metadata.name: a second Pod of this name, found 'default/web'"),
    "a container twice": (POD.replace("}]}", "}, {name: app, image: b}]}"), "a second container of this name"),
    "refused": (POD.replace("{containers", "{restartPolicy: Sometimes, containers"), "refused by the API server"),
}


@pytest.mark.parametrize(("text", "complaint"), (NOT_OBJECTS | NOT_PODS).values(), ids=NOT_OBJECTS | NOT_PODS)
def test_bad_manifests(refused, text, complaint):
    assert complaint in refused(text)


OPTIONS = {
    "until": (["--until", "-3s"], "--until: a negative duration"),
    "until a number": (["--until", "3"], "--until: not a duration"),
    "output": (["-o", "yaml"], "'yaml' is not one of"),
    "timing": (["--timing", "fast"], "'fast' is not one of"),
    "seed": (["--seed", "one"], "'one' is not a valid integer"),
    "kubernetes": (["--kubernetes", "1.99"], "expected 1.18 to 1.36, found 1.99"),
    "kubernetes a word": (["--kubernetes", "latest"], "found 'latest'"),
    "gate": (["--feature-gates", "SidecarContainer=true"], "did you mean SidecarContainers?"),
    "gate without value": (["--feature-gates", "SidecarContainers"], "expected NAME=true or NAME=false"),
    "no such option": (["--untill", "3s"], "no such option"),
    "scenario missing": (["--scenario", "nowhere.yaml"], "nowhere.yaml: no such file"),
}


@pytest.mark.parametrize(("options", "complaint"), OPTIONS.values(), ids=OPTIONS.keys())
def test_bad_options(refused, options, complaint):
    assert complaint in refused(POD, *options)


def test_no_manifest(podfsm):
    assert "MANIFEST" in podfsm("simulate").complaint


def test_a_folder(podfsm, tmp_path):
    (tmp_path / "pods.yaml").write_text(POD)
    assert "is a folder" in podfsm("simulate", tmp_path).complaint


def test_a_missing_file(podfsm, tmp_path):
    (tmp_path / "pod.yaml").write_text(POD)
    said = podfsm("simulate", tmp_path / "pods.yaml").complaint
    assert said.startswith(f"{tmp_path / 'pods.yaml'}: no such file; did you mean ")
    assert said.endswith("pod.yaml?")


def test_an_unreadable_file(podfsm, tmp_path):
    file = tmp_path / "broken.yaml.gz"
    file.write_bytes(gzip.compress(POD.encode())[:-9])
    assert str(file) in podfsm("simulate", file).complaint


def test_a_scenario_file_that_holds_no_scenario(podfsm, tmp_path):
    (tmp_path / "pod.yaml").write_text(POD)
    assert "Scenario" in podfsm("simulate", tmp_path / "pod.yaml", "--scenario", tmp_path / "pod.yaml").complaint


def test_a_scenario_file_with_two(podfsm, tmp_path):
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "two.yaml").write_text(f"{HEAD}---\n{HEAD}")
    shown = podfsm("simulate", tmp_path / "pod.yaml", "--scenario", tmp_path / "two.yaml")
    assert "two.yaml:5:1: a second Scenario" in shown.complaint
