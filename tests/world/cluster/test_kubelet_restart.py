"""What a kubelet that starts anew has forgotten, and what it finds again."""

import pytest

from tests.world.cluster.runs import Run, container, node, pod

CHECK = {"exec": {"command": ["x"]}, "periodSeconds": 10, "failureThreshold": 3}


def restart(at, back):
    return [{"at": at, "kubelet": "stop", "node": "a"}, {"at": back, "kubelet": "start", "node": "a"}]


def stopping(takes, steps, **spec):
    script = [{"container": "app", "attempts": [{"run": "forever", "stop": {"takes": takes}}]}]
    deleted = [{"at": 10, "delete": "pods/p"}, *steps]
    return Run(node("a"), pod("p", terminationGracePeriodSeconds=20, **spec), containers=script, steps=deleted)


def starts(run):
    """When each instance of the container was first seen to run."""
    seen = {}
    for shown in run.snapshots:
        for one in shown.pod.status.containerStatuses:
            if one.state.running is not None:
                seen.setdefault(one.restartCount, shown.at)
    return list(seen.values())


def test_a_crash_loop_begins_anew():
    crash = [{"container": "app", "attempts": [{"run": "1s", "exit": 1}]}]
    times = starts(Run(node("a"), pod("p"), containers=crash, steps=restart(60, 62)))
    assert 62 < times[4] < 63, "it had 40 s to wait"
    assert 10 < times[5] - times[4] < 13, "as long as after the first crash"


def test_a_pull_that_failed_is_tried_at_once():
    bad = pod("p", containers=[container(image="late:1")])
    images = {"late:1": {"error": "NotFound", "until": "200s"}}
    run = Run(node("a"), bad, images=images, steps=restart(230, 231), duration=300)
    assert 231 < starts(run)[0] < 232
    assert starts(Run(node("a"), bad, images=images, duration=300)) == []


def test_probes_count_from_nothing():
    script = [{"container": "app", "readinessProbe": [{"from": "38s", "to": "300s", "result": "failure"}]}]
    probed = pod("p", containers=[container(readinessProbe=CHECK)])

    def lost(steps):
        run = Run(node("a"), probed, containers=script, steps=steps)
        return next(at for at, told in run.story("p") if at > 10 and told == "Ready=False:ContainersNotReady")

    assert 60 <= lost([]) < 61
    assert 73 <= lost(restart(52, 53)) < 74, "three failures after the restart, though two came before"


@pytest.mark.parametrize(("version", "lost"), [("1.34", [53]), ("1.36", [])])
def test_a_ready_container_stays_ready_from_1_35_on(version, lost):
    probed = pod("p", containers=[container(readinessProbe={**CHECK, "successThreshold": 2})])
    run = Run(node("a"), probed, steps=restart(52, 53), kubernetes=version)
    unready = [int(at) for at, told in run.story("p") if told == "ContainersReady=False:ContainersNotReady"]
    assert [at for at in unready if at > 20] == lost


def test_a_stop_begins_again_with_the_full_grace():
    assert 45 <= stopping("forever", restart(15, 25)).when("p", "Failed") < 46
    assert 30 <= stopping("forever", []).when("p", "Failed") < 31


def test_a_process_that_has_its_signal_answers_whoever_asks():
    assert 19 <= stopping("9s", restart(15, 16)).when("p", "Failed") < 20
    assert 25 <= stopping("9s", restart(15, 25)).when("p", "Failed") < 26, "nobody looked before"
    assert 34 <= stopping("24s", restart(15, 20)).when("p", "Failed") < 35, "its grace was made longer"


def test_a_hook_is_called_twice():
    hook = {"containers": [container(lifecycle={"preStop": {"sleep": {"seconds": 8}}})]}
    assert 24 <= stopping("1s", restart(13, 15), **hook).when("p", "Failed") < 25


def test_a_start_that_goes_on_has_its_probes():
    failing = [{"container": "app", "readinessProbe": [{"to": "30s", "result": "failure"}]}]
    probed = pod("p", containers=[container(image="slow:1", readinessProbe=CHECK)])
    images = {"slow:1": {"pullTakes": "6s"}}
    run = Run(node("a"), probed, containers=failing, images=images, steps=restart(2, 4), duration=60)
    assert run.when("p", "Running") < 10
    assert 36 < run.when("p", "Ready=True:") < 50


def test_a_machine_that_goes_off_while_it_pulls_begins_anew():
    slow = pod("p", containers=[container(image="slow:1")])
    steps = [{"at": 2, "shutdown": "sudden", "node": "a"}, {"at": 20, "kubelet": "start", "node": "a"}]
    run = Run(node("a"), slow, images={"slow:1": {"pullTakes": "6s"}}, steps=steps, duration=60)
    assert 26 < run.when("p", "Running") < 27
    assert run.pods()[0].status.containerStatuses[0].restartCount == 0


def test_a_sidecar_that_ends_in_its_hook_needs_no_turn():
    hook = container(lifecycle={"preStop": {"exec": {"command": ["x"]}}})
    spec = {"initContainers": [{**hook, "name": "side", "restartPolicy": "Always"}]}
    scripts = [
        {"container": "app", "attempts": [{"run": "forever", "stop": {"takes": "9s"}}]},
        {"container": "side", "attempts": [{"run": "12s", "exit": 1}], "preStop": [{"takes": "8s"}]},
    ]
    run = Run(node("a"), pod("p", **spec), containers=scripts, steps=[{"at": 10, "delete": "pods/p"}])
    assert 19 <= run.when("p", "Failed") < 20
