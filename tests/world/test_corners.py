"""Things that happen at once or in each other's way; random Pods have found them."""

import yaml

from podfsm.simulate import simulate

IMAGE = "registry.example/app:1"
SMALL = {"requests": {"memory": "64Mi"}}


def run(tmp_path, spec, *, until=60.0, **scenario):
    """One Pod named p under a Scenario."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    told = {"apiVersion": "podfsm.dev/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}, "spec": scenario}
    file = tmp_path / "m.yaml"
    file.write_text(yaml.safe_dump_all([pod, told]))
    return simulate(file, until=until)


def pulled(done, container):
    return [(round(one.at, 2), one.trigger) for one in done.fired if one.instance == container]


def counts(done, container):
    """Each restart count that was shown, once."""
    shown = []
    for snapshot in done.snapshots:
        for status in (*snapshot.pod.status.initContainerStatuses, *snapshot.pod.status.containerStatuses):
            if status.name == container and status.restartCount not in shown[-1:]:
                shown.append(status.restartCount)
    return shown


def test_another_image_and_other_resources_at_once_are_one_restart(tmp_path):
    memory = {"resourceName": "memory", "restartPolicy": "RestartContainer"}
    body = [{"name": "app", "image": "registry.example/app:2"}]
    more = [{"name": "app", "resources": {"requests": {"memory": "96Mi"}}}]
    done = run(
        tmp_path,
        {"containers": [{"name": "app", "image": IMAGE, "resizePolicy": [memory], "resources": SMALL}]},
        steps=[
            {"at": "4s", "patch": "pods/p", "type": "strategic", "body": {"spec": {"containers": body}}},
            {"at": "4s", "patch": "pods/p/resize", "type": "strategic", "body": {"spec": {"containers": more}}},
        ],
    )
    stops = [trigger for _, trigger in pulled(done, "app") if trigger in ("replace", "resize_restart")]
    assert stops == ["replace"]
    assert counts(done, "app") == [0, 1]


def test_a_sidecar_that_ends_during_its_hook_gets_no_signal(tmp_path):
    hook = {"preStop": {"exec": {"command": ["do"]}}}
    slow = {"preStop": {"sleep": {"seconds": 1}}}
    done = run(
        tmp_path,
        {
            "initContainers": [{"name": "proxy", "image": IMAGE, "restartPolicy": "Always", "lifecycle": hook}],
            "containers": [{"name": "app", "image": IMAGE, "lifecycle": slow}],
        },
        containers=[{"container": "proxy", "attempts": [{"run": "1s"}], "preStop": [{"takes": "1s"}]}],
        steps=[{"at": "500ms", "delete": "pods/p"}],
    )
    assert "wait_turn" not in [trigger for _, trigger in pulled(done, "proxy")]
    assert done.snapshots[-1].type == "DELETED"


def test_who_is_done_in_a_new_sandbox_is_restarted_by_its_own_rule_only(tmp_path):
    rule = {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [2]}}

    def triggers(*rules):
        entry = {"name": "app", "image": IMAGE, "restartPolicy": "OnFailure", "restartPolicyRules": list(rules)}
        spec = {"containers": [entry, {"name": "web", "image": IMAGE}]}
        done = run(
            tmp_path,
            spec,
            pods=[{"pod": "p", "sandbox": {"diesAfter": "1s"}}],
            containers=[{"container": "app", "attempts": [{"run": "0s"}]}],
        )
        return {trigger for at, trigger in pulled(done, "app") if at > 1}

    assert "restart" in triggers(rule)
    assert not {"restart", "renew"} & triggers()


def test_a_gate_written_while_the_kubelet_is_busy_is_seen_with_its_own_write(tmp_path):
    for version in ("1.33", "1.36"):
        written = {"conditions": [{"type": "example.com/lb", "status": "True"}]}
        done = run(
            tmp_path,
            {
                "initContainers": [{"name": "setup", "image": IMAGE}],
                "containers": [{"name": "app", "image": IMAGE, "lifecycle": {"postStart": {"sleep": {"seconds": 3}}}}],
                "readinessGates": [{"conditionType": "example.com/lb"}],
            },
            kubernetes=version,
            containers=[{"container": "setup", "attempts": [{"run": "2s"}]}],
            steps=[{"at": "4s", "patch": "pods/p/status", "type": "strategic", "body": {"status": written}}],
        )
        ready = [c.status for c in done.final("default/p").status.conditions if c.type == "Ready"]
        assert ready == ["True"], version


def test_the_newest_of_all_removed_records_is_counted_on(tmp_path):
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [42]}}
    entry = {"name": "app", "image": IMAGE, "restartPolicy": "OnFailure", "restartPolicyRules": [rule]}
    attempts = [{"run": "1s", "exit": code} for code in (1, 1, 42, 1)]
    done = run(tmp_path, {"containers": [entry]}, containers=[{"container": "app", "attempts": [*attempts, {}]}])
    assert counts(done, "app") == [0, 1, 2, 3, 4]


def test_a_restart_of_all_leaves_resizes_for_later(tmp_path):
    memory = {"resourceName": "memory", "restartPolicy": "RestartContainer"}
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "NotIn", "values": [42]}}
    more = [{"name": "proxy", "resources": {"requests": {"memory": "96Mi"}}}]
    done = run(
        tmp_path,
        {
            "initContainers": [
                {
                    "name": "proxy",
                    "image": IMAGE,
                    "restartPolicy": "Always",
                    "resizePolicy": [memory],
                    "resources": SMALL,
                }
            ],
            "containers": [{"name": "app", "image": IMAGE, "restartPolicy": "OnFailure", "restartPolicyRules": [rule]}],
        },
        until=20.0,
        containers=[{"container": "app", "attempts": [{"run": "1s"}]}],
        steps=[{"at": "2s", "patch": "pods/p/resize", "type": "strategic", "body": {"spec": {"initContainers": more}}}],
    )
    assert "reset" in [trigger for _, trigger in pulled(done, "proxy")]
