"""Evaluators of restarts and starts where measured cases do not reach: missing keys and wrong names."""

import pytest

from podfsm.errors import UnknownName
from podfsm.evaluate import evaluate
from podfsm.rules.gates import gates_for


def test_asking_for_a_container_that_is_not_there_says_which_are():
    given = {"container": "ap", "pod": {"spec": {"containers": [{"name": "app"}]}}}
    with pytest.raises(UnknownName, match="did you mean app"):
        evaluate("restart-decision", given, gates_for())


def test_missing_keys_mean_zero():
    limits = {"initialSeconds": 10, "maxSeconds": 300, "expirySeconds": 600}
    answer = evaluate("crash-backoff", {**limits, "steps": [{"now": 0}, {"now": 5}]}, gates_for())
    assert answer["steps"][1] == {"inBackOff": True, "delaySeconds": 10, "retryAt": 10}
    assert evaluate("compute-pod-actions", {"pod": {}}, gates_for())["createSandbox"]
