"""Which containers have changed between two snapshots, whatever happens to the lists that show them."""

import pytest

from podfsm.kube.objects import ContainerStatus, Pod, PodStatus
from podfsm.rules.instances import pairs

A, B = ContainerStatus("a"), ContainerStatus("b")
A1, B1 = ContainerStatus("a", restartCount=1), ContainerStatus("b", restartCount=1)


def snapshot(*apps, inits=()):
    return Pod(status=PodStatus(containerStatuses=apps, initContainerStatuses=inits))


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ((A, B), (A, B), []),
        ((A, B), (ContainerStatus("a"), B1), [(B, B1)]),
        ((A, B), (B, A), []),
        ((A, B), (B1, A), [(B, B1)]),
        ((A, B), (A1, ContainerStatus("c"), B1), [(A, A1), (B, B1)]),
        ((A, B), (B1,), [(B, B1)]),
        ((A,), (A1, B), [(A, A1)]),
        ((), (A,), []),
        ((A,), (), []),
    ],
)
def test_pairs(before, after, changed):
    assert pairs(snapshot(*before), snapshot(*after)) == changed


def test_pairs_of_all_kinds_of_containers():
    assert pairs(snapshot(A, inits=(B,)), snapshot(A1, inits=(B1,))) == [(B, B1), (A, A1)]
