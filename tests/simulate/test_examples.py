"""What each example is there to show, it shows."""

import pytest

from podfsm.data import specs_folder
from podfsm.simulate import simulate


def run(name):
    return simulate(specs_folder() / "examples" / f"{name}.yaml")


def phases(run, name):
    """(seconds, phase) of a Pod at each change of its phase, by the beginning of its name."""
    found = []
    for shown in run.snapshots:
        phase = shown.pod.status.phase
        if shown.pod.metadata.name.startswith(name) and (not found or found[-1][1] != phase):
            found.append((shown.at, phase))
    return found


def exits(run, name):
    """(seconds, exit code) of a container's instances."""
    return [one.at for one in run.fired if one.trigger == "exit" and one.instance == name]


@pytest.mark.parametrize(
    ("name", "pod", "init", "ends"),
    [
        ("wait-for-service", "web", "wait-for-database", 1),
        ("register-with-server", "worker", "register", 3),
        ("sleep-before-start", "web", "wait", 1),
        ("clone-repository", "site", "clone", 2),
        ("render-template", "web", "render", 1),
    ],
)
def test_the_app_starts_after_its_init_container_has_succeeded(name, pod, init, ends):
    done = run(name)
    ended = exits(done, init)
    assert len(ended) == ends
    started = [one.at for one in done.fired if (one.machine, one.pod) == ("container", f"default/{pod}")]
    assert min(started) >= (ended[0] if name == "clone-repository" else ended[-1])


def test_the_database_is_an_endpoint_before_the_app_starts():
    done = run("wait-for-service")
    [running] = [at for at, phase in phases(done, "web") if phase == "Running"]
    assert max(event.at for event in done.things) < running


def test_a_drain_waits_for_the_budget():
    done = run("quorum-drain")
    assert [note for note in done.notes if "zk-1 is answered with 429" in note]
    members = [s for s in done.snapshots if s.pod.metadata.name.startswith("zk")]
    last = {s.pod.metadata.name: s for s in members}
    assert sorted(name for name, s in last.items() if s.type != "DELETED") == ["zk-2", "zk-3"]


def test_a_rollout_without_unavailable_pods_stops_at_a_bad_image():
    done = run("deployment-rollout")
    last = {s.pod.metadata.name: s for s in done.snapshots}
    alive = [s.pod for s in last.values() if s.type != "DELETED"]
    images = sorted(pod.spec.containers[0].image[-3:] for pod in alive)
    assert images == ["1.5", "1.5", "1.5", "1.6"]


def test_a_daemon_on_every_node_even_a_cordoned_one():
    done = run("daemon-set")
    last = {s.pod.metadata.name: s for s in done.snapshots}
    alive = [s.pod for s in last.values() if s.type != "DELETED"]
    assert sorted(pod.spec.nodeName for pod in alive) == ["node-a", "node-b", "node-c"]
    assert {pod.spec.containers[0].image[-3:] for pod in alive} == {"2.1"}


def test_a_disruption_is_ignored_and_exit_code_42_ends_the_job():
    done = run("job-failure-policy")
    names = list(dict.fromkeys(s.pod.metadata.name for s in done.snapshots))
    assert len(names) == 2
    assert done.final(f"default/{names[1]}").status.containerStatuses[0].state.terminated.exitCode == 42


def test_a_lost_nodes_pod_is_replaced_after_350_seconds_and_goes_when_the_node_is_back():
    done = run("node-loss")
    deleted = next(s for s in done.snapshots if s.pod.metadata.deletionTimestamp is not None)
    gone = next(s for s in done.snapshots if s.type == "DELETED")
    assert 350 <= deleted.at - 20 < 360
    assert 500 <= gone.at < 502


def test_one_replica_has_to_wait_for_its_zone():
    done = run("topology-spread")
    waiting = [
        s.pod.metadata.name for s in done.snapshots if any(c.reason == "Unschedulable" for c in s.pod.status.conditions)
    ]
    assert len(set(waiting)) == 1
    assert done.final(f"default/{waiting[0]}").spec.nodeName == "node-c"


def test_presets_show_in_the_pods_that_they_select():
    done = run("pod-preset")
    found = {s.pod.metadata.name.split("-")[0]: s.pod for s in done.snapshots}
    env = {name: {each.name: each.value for each in pod.spec.containers[0].env} for name, pod in found.items()}
    assert env == {
        "web": {"DB_HOST": "db.example", "LOG_LEVEL": "info"},
        "own": {"LOG_LEVEL": "debug"},
        "excluded": {},
        "backend": {},
    }


def test_traffic_stops_at_an_unready_and_at_a_deleted_pod():
    done = run("service-traffic")
    ready = [
        (round(event.at), sum(each["conditions"]["ready"] for each in event.thing.raw["endpoints"]))
        for event in done.things
    ]
    assert [count for at, count in ready if at > 10] == [1, 2, 1, 1]


def test_room_goes_to_the_more_important_resize_first():
    done = run("in-place-resize")
    begun = [(one.pod, round(one.at)) for one in done.fired if (one.machine, one.trigger) == ("resize", "begin")]
    assert begun == [("default/db", 61), ("default/web", 100)]
    [bound] = [s.at for s in done.snapshots if s.pod.metadata.name == "late" and s.pod.status.phase == "Running"]
    assert 100 < bound < 101
    assert [note for note in done.notes if "resize of default/db refused" in note]


def test_a_deleted_namespace_takes_everything_along():
    done = run("namespace-deletion")
    gone = [shown.at for shown in done.snapshots if shown.type == "DELETED"]
    assert len(gone) == 2
    states = [(one.at, one.dest) for one in done.fired if one.machine == "namespace"]
    assert states == [(10.0, "Terminating"), (12.0, "Terminating"), (pytest.approx(31, abs=0.1), "Gone")]
    assert max(gone) < states[-1][0]
    (note,) = done.notes
    assert "create of shop/late is refused" in note
