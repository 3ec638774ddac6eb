"""Controllers: which Pods count, and how Jobs take failures."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import (
    ContainerState,
    ContainerStateTerminated,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
)
from podfsm.kube.workload_defaults import default_workload
from podfsm.kube.workloads import (
    Job,
    JobSpec,
    OnExitCodes,
    OnPodCondition,
    PodFailurePolicy,
    PodFailurePolicyRule,
)
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for
from podfsm.rules.job_failures import replaces_only_failed, restarts_of
from podfsm.rules.taint_eviction import stays_for
from podfsm.rules.taints import Taint
from podfsm.rules.validation_jobs import job_problems

RULES = all_rules()
DELETED = datetime(2026, 1, 1, tzinfo=UTC)


def status(name, code, restarts=0):
    return ContainerStatus(name, ContainerState(terminated=ContainerStateTerminated(code)), restartCount=restarts)


def pod(phase="Failed", *statuses, init=(), conditions=(), deleting=False):
    return Pod(
        metadata=ObjectMeta(deletionTimestamp=DELETED if deleting else None),
        status=PodStatus(phase=phase, containerStatuses=statuses, initContainerStatuses=init, conditions=conditions),
    )


def test_delays_double_up_to_ten_minutes():
    delays = [RULES["ctl-job-pod-backoff"](count) for count in range(9)]
    assert delays == [0, 10, 20, 40, 80, 160, 320, 600, 600]


@given(failed=st.integers(0, 9), restarts=st.integers(0, 9), limit=st.none() | st.integers(0, 7))
def test_limits(failed, restarts, limit):
    most = 6 if limit is None else limit
    assert RULES["ctl-job-backoff-limit"](failed, restarts, limit, "Never") == (failed > most)
    both = RULES["ctl-job-backoff-limit"](failed, restarts, limit, "OnFailure")
    assert both == (failed > most or restarts >= max(1, most))


def test_restarts_of_unfinished_pods_count():
    running = pod("Running", status("a", 1, 2), init=(status("i", 0, 3),))
    assert restarts_of([running, pod("Failed", status("a", 1, 9))]) == 5


def rule(action, *codes, operator="In", container=None, condition=None):
    if condition is not None:
        return PodFailurePolicyRule(action, onPodConditions=(OnPodCondition(condition, "True"),))
    return PodFailurePolicyRule(action, OnExitCodes(container, operator, codes))


@pytest.mark.parametrize(
    ("rules", "given_pod", "action"),
    [
        ([rule("FailJob", 42)], pod("Failed", status("a", 42)), "FailJob"),
        ([rule("FailJob", 42, container="b")], pod("Failed", status("a", 42)), None),
        ([rule("Count", 42, operator="NotIn")], pod("Failed", status("a", 1)), "Count"),
        ([rule("Count", 42, operator="NotIn")], pod("Failed", status("a", 0)), None),
        ([rule("FailJob", 7)], pod("Failed", init=(status("i", 7),)), "FailJob"),
        (
            [rule("Ignore", condition="DisruptionTarget"), rule("FailJob", 42)],
            pod("Failed", status("a", 42), conditions=(PodCondition("DisruptionTarget", "True"),)),
            "Ignore",
        ),
        ([rule("Ignore", condition="DisruptionTarget")], pod("Failed", status("a", 1)), None),
    ],
)
def test_the_first_rule_that_is_met_decides(rules, given_pod, action):
    found = RULES["ctl-job-failure-policy"](PodFailurePolicy(tuple(rules)), given_pod)
    assert (found and found.action) == action


@pytest.mark.parametrize(
    ("spec", "only_failed"),
    [
        (JobSpec(), False),
        (JobSpec(podReplacementPolicy="TerminatingOrFailed"), False),
        (JobSpec(podReplacementPolicy="Failed"), True),
        (JobSpec(podFailurePolicy=PodFailurePolicy()), True),
    ],
)
def test_when_a_leaving_pod_counts_as_failed(spec, only_failed):
    assert replaces_only_failed(spec) is only_failed
    assert RULES["ctl-job-failed-count"](pod("Running", deleting=True), only_failed) is not only_failed
    assert RULES["ctl-job-failed-count"](pod("Failed"), only_failed)


def test_who_holds_a_place():
    counts = RULES["ctl-terminating-not-counted"]
    assert counts(pod("Pending"))
    assert not counts(pod("Running", deleting=True))
    assert not counts(pod("Succeeded"))
    assert counts(pod("Running", deleting=True), "StatefulSet")


def test_daemons_stay_on_lost_nodes():
    tolerations = RULES["ctl-daemonset-tolerations"](())
    assert stays_for([Taint("node.kubernetes.io/unreachable", "", "NoExecute")], tolerations) is None
    assert len(RULES["ctl-daemonset-tolerations"](tolerations, True)) == len(tolerations) + 1


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never", "Sometimes"])
@pytest.mark.parametrize("failures", [{}, {"podFailurePolicy": {"rules": []}}])
def test_job_policies_are_judged_alike(policy, failures):
    template = {"spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": policy}}
    job = msgspec.convert(default_workload({"kind": "Job", "spec": {"template": template, **failures}}), Job)
    assert (not list(job_problems(job, gates_for()))) == RULES["ctl-job-policy"](job.spec)
    assert RULES["ctl-always-only"](job.spec.template.spec) == (policy == "Always")


def test_what_is_filled_in():
    spec = default_workload({"kind": "Job", "spec": {"parallelism": 2}})["spec"]
    assert "completions" not in spec
    assert (spec["backoffLimit"], spec["podReplacementPolicy"]) == (6, "TerminatingOrFailed")
    assert default_workload({"kind": "Deployment"})["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == "25%"
    assert default_workload({"kind": "CronJob"})["spec"]["jobTemplate"]["spec"]["completions"] == 1


def test_preempted_pods_are_told():
    assert RULES["sched-preemption"]("mine").message.startswith("mine: ")
