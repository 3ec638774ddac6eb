"""What becomes of a status that the kubelet has derived: what it writes of it, and what it leaves behind."""

import pytest

from podfsm.kube.objects import (
    PodCondition,
    PodStatus,
)
from podfsm.kube.times import instant
from podfsm.rules.condition_list import by_type
from podfsm.rules.status_merge import merge_status
from podfsm.rules.terminate import terminate_status
from tests.rules.statuses import (
    NEW,
    containers,
    ends,
    pod,
    runs,
    shown,
    spec,
    waits,
)


def test_the_write_withholds_phase_reason_and_disruption_while_containers_could_run():
    target = PodCondition("DisruptionTarget", "True", "TerminationByKubelet", lastTransitionTime=instant(3))
    api = PodStatus(phase="Running", reason="old", conditions=(PodCondition("example.com/lb", "True"),))
    wanted = PodStatus(
        phase="Failed",
        reason="Evicted",
        conditions=(target, PodCondition("Ready", "True", lastTransitionTime=instant(1), observedGeneration=2)),
    )
    held = merge_status(api, wanted, could_run=True, gates=NEW, now=8.0)
    assert (held.phase, held.reason) == ("Running", "old")
    assert [c.type for c in held.conditions] == ["example.com/lb", "Ready"]
    written = merge_status(api, wanted, could_run=False, gates=NEW, now=8.0)
    assert (written.phase, written.reason) == ("Failed", "Evicted")
    found = by_type(written.conditions)
    assert found["DisruptionTarget"].lastTransitionTime == instant(8)
    assert (found["Ready"].status, found["Ready"].reason, found["Ready"].observedGeneration) == (
        "False",
        "PodFailed",
        2,
    )
    assert found["ContainersReady"].reason == "PodFailed"


@pytest.mark.parametrize(
    ("init", "apps", "initialized"),
    [
        ((), (shown("app", waits()),), True),
        ((shown("init", ends(0)),), (shown("app", waits()),), True),
        ((shown("init", runs()),), (shown("app", waits()),), False),
        ((shown("init", waits()),), (shown("app", waits(), ends(1)),), True),
    ],
)
def test_what_nobody_saw_end_has_ended_with_137_if_the_pod_had_initialized(init, apps, initialized):
    given = spec("app", init=containers(*[s.name for s in init]))
    last = PodStatus(phase="Pending", initContainerStatuses=init, containerStatuses=apps)
    status = terminate_status(pod(given, last), gates=NEW)
    assert status.phase == "Failed"
    assert (status.containerStatuses[0].state.terminated is not None) is initialized
    assert all(s.state.terminated is not None for s in status.initContainerStatuses)


def test_only_init_containers_up_to_the_last_that_shows_a_start_are_ended():
    inits = (shown("a", waits()), shown("b", runs()), shown("c", waits()))
    given = spec("app", init=containers("a", "b", "c"))
    status = terminate_status(pod(given, PodStatus(phase="Pending", initContainerStatuses=inits)), gates=NEW)
    assert [s.state.terminated is not None for s in status.initContainerStatuses] == [True, True, False]


def test_a_static_pod_keeps_its_phase():
    here = pod(spec("app"), PodStatus(phase="Running"), annotations={"kubernetes.io/config.source": "file"})
    assert terminate_status(here, gates=NEW).phase == "Running"
