"""DisruptionTarget: who sets it, for what, and how long it lasts (rules cond-disruptiontarget-*)."""

from __future__ import annotations

import pytest

from podfsm.rules.disruption_target import Cause, announced, disruption_reason, stale_at


@pytest.mark.parametrize("cause", list(Cause))
def test_exactly_the_announced_causes_have_a_reason(cause):
    """cond-disruptiontarget-reasons and cond-disruptiontarget-not-for-self-inflicted say the same of every cause."""
    assert bool(disruption_reason(cause)) == announced(cause)


def test_the_kubelets_own_condition_never_goes_stale():
    """cond-disruptiontarget-stale-2m concerns what the control plane announced and did not carry out."""
    assert stale_at(0.0, "TerminationByKubelet", False, False) is None
    assert stale_at(0.0, "PreemptionByScheduler", False, False) == 120.0
    assert stale_at(0.0, "PreemptionByScheduler", True, False) is None
