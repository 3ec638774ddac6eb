"""Hypothesis strategies: Pods, cases, legal traces, histories of containers. They shrink towards what is simple."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import strategies as st

from podfsm.testing import manifests, scenarios
from podfsm.testing.case import Case
from podfsm.testing.choose import Drawn
from podfsm.testing.cluster import SimulatedCluster
from podfsm.testing.drive import Run

Json = dict[str, Any]
DrawFn = st.DrawFn


@st.composite
def pods(
    draw: DrawFn, *, name: str = "p", features: Collection[str] | None = None, lacks: Collection[str] = ()
) -> Json:
    """Pod manifests as users write them, each of which the API server would accept.

    `features` out of `podfsm.testing.manifests.FEATURES` says what they are about (a few, unless given); nothing that
    needs a capability in `lacks` is used.
    """
    choose = Drawn(draw)
    about = manifests.features(choose, lacks) if features is None else list(features)
    return manifests.pod(choose, name, about)


@st.composite
def containers(draw: DrawFn, *, name: str = "app", features: Collection[str] = manifests.FEATURES) -> Json:
    """Containers of a Pod: probes, hooks, policies and rules of their own."""
    return manifests.container(Drawn(draw), name, features)


@st.composite
def cases(draw: DrawFn, *, lacks: Collection[str] = ()) -> Case:
    """Pods with how their environment behaves and what users do to them when; see `Case`."""
    return scenarios.case(Drawn(draw), lacks)


@st.composite
def legal_traces(draw: DrawFn, *, lacks: Collection[str] = ()) -> list[Json]:
    """Watch events of a correct cluster (`type`, `at` in seconds, `object`), for a Pod or two from beginning to end."""
    made = draw(cases(lacks=lacks))
    kept: list[Json] = []
    run = Run(made, lambda: _Recorded(kept), limit=0, keep=False)
    run.run()
    return kept


class _Recorded(SimulatedCluster):
    """A cluster that keeps a copy of all watch events."""

    def __init__(self, kept: list[Json]) -> None:
        super().__init__()
        self._kept = kept

    def watch(self) -> list[Json]:
        events = super().watch()
        self._kept.extend(events)
        return events


@st.composite
def container_histories(draw: DrawFn, *, lacks: Collection[str] = ()) -> list[Json]:
    """The statuses of one container in the order in which the API shows them, each other than the one before."""
    shown: dict[str, list[Json]] = {}
    for event in draw(legal_traces(lacks=lacks)):
        status = event["object"].get("status", {})
        for group in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
            for one in status.get(group, ()):
                seen = shown.setdefault(f"{event['object']['metadata']['name']}/{one['name']}", [])
                if not seen or seen[-1] != one:
                    seen.append(one)
    names = sorted(shown)
    return shown[draw(st.sampled_from(names))] if names else []
