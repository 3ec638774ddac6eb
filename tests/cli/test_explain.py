"""`podfsm explain` and `kubectl podfsm explain` end to end."""

import gzip
import json
import os
import stat
from pathlib import Path

import pytest

RECORDINGS = Path(__file__).parents[1] / "data" / "recordings"
POD = RECORDINGS / "kubectl-get.json"
NOW = ("--now", "2026-11-22T14:22:00Z")


def test_a_pod_is_explained(podfsm):
    shown = podfsm("explain", POD, *NOW)
    assert shown.status == 0
    assert shown.out.startswith("default/fmt: running and ready\n")
    assert "READY 1/1   STATUS Running   RESTARTS 2 (" in shown.out
    assert "podfsm rules show cond-containersready" in shown.out


def test_standard_input_and_json(podfsm):
    shown = podfsm("explain", "-", "-o", "json", *NOW, given=POD.read_text())
    assert json.loads(shown.out)["columns"]["status"] == "Running"


def test_every_pod_of_a_list_is_explained(podfsm):
    listed = gzip.decompress((RECORDINGS / "kubectl-list.json.gz").read_bytes())
    shown = podfsm("explain", "-", *NOW, given=listed)
    assert shown.out.count("READY") == len(json.loads(listed)["items"])
    together = json.loads(podfsm("explain", "-", "-o", "json", *NOW, given=listed * 2).out)
    assert isinstance(together, list)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("", "is empty"),
        ('{"kind": ', "not JSON"),
        ('{"kind": "Service", "apiVersion": "v1"}', "<stdin>: no Pod, but a Service"),
        ('{"kind": "Pod", "apiVersion": "v1", "spec": {"containers": 3}}', "spec.containers"),
    ],
)
def test_bad_input(podfsm, given, complaint):
    assert complaint in podfsm("explain", "-", given=given).complaint


def test_bad_options(podfsm):
    assert "not a time" in podfsm("explain", POD, "--now", "noon").complaint
    assert "kubectl podfsm explain" in podfsm("explain", POD, "-n", "shop").complaint
    assert "no such file" in podfsm("explain", "web").complaint


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """A kubectl that answers for the Pod `fmt` only, and notes how it was called."""
    program = tmp_path / "kubectl"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/called\n'
        f'[ "$3" = fmt ] && exec cat {POD}\necho "pods \\"$3\\" not found" >&2\nexit 1\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PODFSM_KUBECTL_PLUGIN", "1")
    return tmp_path / "called"


def test_as_a_plug_in_it_asks_kubectl(podfsm, kubectl):
    shown = podfsm("explain", "pod/fmt", "-n", "shop", "--context", "east", *NOW)
    assert shown.out.startswith("default/fmt: running and ready")
    assert kubectl.read_text() == "get pod fmt -o json --namespace shop --context east\n"


def test_what_kubectl_complains_of_is_passed_on(podfsm, kubectl):
    assert 'pods "web" not found' in podfsm("explain", "web").complaint


def test_without_kubectl_it_says_so(podfsm, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PODFSM_KUBECTL_PLUGIN", "1")
    assert "kubectl is not installed" in podfsm("explain", "web").complaint
