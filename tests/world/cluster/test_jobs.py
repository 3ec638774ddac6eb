"""Jobs: completions, failures, back-off, indexes, policies, suspension, deadlines, time to live."""

import pytest

from podfsm.rules.job_progress import INDEX
from tests.world.cluster.runs import Run, owner

KEY = "Job/default/j"


def job(policy="Never", **spec):
    return owner("Job", "j", template={"restartPolicy": policy}, **spec)


def exits(code, run="2s"):
    return [{"container": "app", "attempts": [{"run": run, "exit": code}]}]


def created(run):
    return [s.at for s in run.snapshots if s.type == "ADDED"]


def ended(run):
    """The reasons of the conditions that hold at the end, by type."""
    return {c["type"]: c["reason"] for c in run.status(KEY)["conditions"] if c["status"] == "True"}


def test_completions_two_at_a_time():
    run = Run(job(completions=3, parallelism=2), containers=exits(0))
    assert len(created(run)) == 3
    assert created(run)[2] > 3
    assert run.status(KEY)["succeeded"] == 3
    assert "Complete" in ended(run)
    assert all("batch.kubernetes.io/job-tracking" not in p.metadata.finalizers for p in run.pods())


def test_failures_are_tried_again_after_growing_pauses_until_the_limit():
    run = Run(job(backoffLimit=2), containers=exits(1), duration=200)
    _first, second, third = created(run)
    assert 12 <= second < 13, "10 s after the exit at 2 s"
    assert third - second == pytest.approx(22, abs=1)
    assert ended(run)["Failed"] == "BackoffLimitExceeded"
    assert run.status(KEY)["failed"] == 3


def test_restarts_in_place_count_under_onfailure():
    run = Run(job("OnFailure", backoffLimit=1), containers=exits(1))
    assert len(created(run)) == 1
    assert ended(run)["Failed"] == "BackoffLimitExceeded"


def test_each_index_has_its_own_limit():
    run = Run(job(completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=1), containers=exits(1))
    assert sorted(p.metadata.annotations[INDEX] for p in run.pods()) == ["0", "0", "1", "1"]
    assert run.status(KEY)["failedIndexes"] == "0,1"
    assert run.status(KEY)["failed"] == 4
    assert ended(run)["Failed"] == "FailedIndexes"


def test_a_failure_policy_ends_the_job_at_once():
    """Rule ctl-job-failure-policy."""
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    run = Run(job(podFailurePolicy={"rules": [rule]}), containers=exits(42))
    assert len(created(run)) == 1
    assert ended(run)["Failed"] == "PodFailurePolicy"


def test_an_ignored_disruption_costs_nothing():
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    run = Run(
        job(backoffLimit=0, podFailurePolicy={"rules": [rule]}),
        containers=exits(0, "20s"), steps=[{"at": 8, "evict": "pods/*"}],
    )  # fmt: skip
    assert len(created(run)) == 2
    assert run.status(KEY).get("failed", 0) == 0
    assert "Complete" in ended(run)


def test_success_of_one_index_may_be_enough():
    scripts = [{"container": "app", "attempts": [{"run": "5s", "exit": 0}]}]
    run = Run(
        job(
            completions=3, parallelism=1, completionMode="Indexed", successPolicy={"rules": [{"succeededIndexes": "0"}]}
        ),
        containers=scripts,
    )
    assert ended(run)["Complete"] == "SuccessPolicy"
    assert run.status(KEY)["completedIndexes"] == "0"


def test_suspension_deletes_the_pods_and_resuming_makes_new_ones_at_once():
    steps = [
        {"at": at, "patch": "jobs/j", "type": "merge", "body": {"spec": {"suspend": value}}}
        for at, value in ((8, True), (18, False))
    ]
    run = Run(job(), containers=exits(0, "12s"), steps=steps)
    assert 18 <= created(run)[1] < 18.1
    assert run.status(KEY)["succeeded"] == 1
    assert run.status(KEY).get("failed", 0) == 0


def test_the_deadline_of_a_job_ends_its_pods():
    run = Run(job(activeDeadlineSeconds=10), containers=exits(0, "forever"))
    assert ended(run)["Failed"] == "DeadlineExceeded"
    assert next(s.at for s in run.snapshots if s.pod.metadata.deletionTimestamp) == pytest.approx(10, abs=1.1)


def test_a_finished_job_goes_when_its_time_to_live_is_over():
    run = Run(job(ttlSecondsAfterFinished=15), containers=exits(0))
    assert KEY not in run.cluster.things
    assert run.pods() == []


def test_a_job_that_another_controller_manages_is_left_alone():
    run = Run(job(managedBy="example.com/queue"), containers=exits(0))
    assert (run.pods(), run.status(KEY)) == ([], {})
    assert ended(Run(job(managedBy="kubernetes.io/job-controller"), containers=exits(0)))["Complete"]


def test_a_suspended_job_may_still_be_told_where_to_run_and_with_what():
    resources = {"containers": [{"name": "app", "resources": {"requests": {"cpu": "2"}}}]}
    asked = {"nodeSelector": {"kubernetes.io/hostname": "node-1"}, **resources}
    steps = [
        {"at": 2, "patch": "jobs/j", "body": {"spec": {"template": {"spec": asked}}}},
        {"at": 4, "patch": "jobs/j", "body": {"spec": {"suspend": False}}},
    ]
    run = Run(job(suspend=True), containers=exits(0), steps=steps)
    (made,) = run.pods()
    assert made.spec.nodeSelector == asked["nodeSelector"]
    assert str(made.spec.containers[0].resources.requests["cpu"]) == "2"


def test_an_indexed_job_grows_with_its_parallelism():
    steps = [{"at": 2, "patch": "jobs/j", "body": {"spec": {"parallelism": 3, "completions": 3}}}]
    run = Run(job(completionMode="Indexed", parallelism=2, completions=2), containers=exits(0), steps=steps)
    assert run.status(KEY)["completedIndexes"] == "0-2"


def test_the_pods_of_a_deleted_job_go_though_they_were_held():
    run = Run(job(), steps=[{"at": 10, "delete": "jobs/j"}])
    assert run.pods() == []
