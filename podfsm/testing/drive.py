"""Running a case against a cluster: every call limited in time, everything it says looked at before it is believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from podfsm.errors import InputError
from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.kube.times import EPOCH
from podfsm.rules.gates import gates_for
from podfsm.testing.case import Case
from podfsm.testing.history import Accepted, Happened, History, Seen
from podfsm.testing.limits import OutOfTime, call_limited
from podfsm.testing.protocol import lacking

TICK = 1.0
"""How often a cluster without `watch` is read, in seconds of its time."""


@frozen
class Misbehaviour:
    """What an implementation did that no implementation may do. `kind`: raised, hung, malformed or time."""

    kind: str
    call: str
    what: str
    at: float = 0.0

    def __str__(self) -> str:
        return f"{self.call} at {self.at:g} s: {self.what}"


class Stopped(Exception):
    """The case cannot go on; `Run.wrong` says why."""


@define
class Outcome:
    """What came of a case."""

    histories: tuple[History, ...] = ()
    misbehaviours: list[Misbehaviour] = field(factory=list)


@define
class Run:
    """One case under way. `keep` says whether Events and transitions are collected as well."""

    case: Case
    factory: Callable[[], Any]
    limit: float = 10.0
    keep: bool = True
    now: float = 0.0
    cluster: Any = None
    lacks: frozenset[str] = frozenset()
    seen: dict[tuple[str, str], list[Seen]] = field(factory=dict)
    shown: dict[str, Seen] = field(factory=dict)
    happened: dict[str, list[Happened]] = field(factory=dict)
    accepted: dict[str, list[Accepted]] = field(factory=dict)
    wrong: list[Misbehaviour] = field(factory=list)

    def run(self) -> Outcome:
        """From the first script to the end of the case; what was seen until something went wrong counts."""
        try:
            self.begin()
            for step in self.case.steps:
                if float(step["at"]) > self.case.duration:
                    break
                self.wait(float(step["at"]))
                self.act(step)
            self.wait(self.case.duration)
        except Stopped:
            pass
        return self.outcome()

    def begin(self) -> None:
        """Make the cluster, tell it how things behave, create the Pods. Raises Stopped."""
        self.cluster = self._call("the factory", self.factory)
        self.lacks = lacking(self.cluster)
        for target, behaviour in self.case.scripts():
            self._call("script", self.cluster.script, target, behaviour)
        for manifest in self.case.pods:
            self._call("create", self.cluster.create, manifest)
        self._look()

    def wait(self, until: float) -> None:
        """Let time pass; a cluster without a watch is read once a tick. Raises Stopped."""
        while self.now < until:
            target = until if "watch" not in self.lacks else min(until, self.now + TICK)
            passed, self.now = target - self.now, target
            self._call("advance", self.cluster.advance, passed)
            self._look()

    def act(self, step: Mapping[str, Any]) -> None:
        """Carry out one step of a Scenario now. Raises Stopped."""
        self._act(step)
        self._look()

    def outcome(self) -> Outcome:
        """What was seen so far."""
        return Outcome(tuple(self._history(key) for key in self.seen), self.wrong)

    def _act(self, step: Mapping[str, Any]) -> None:
        if "create" in step:
            self._call("create", self.cluster.create, step["create"])
            return
        action = "delete" if "delete" in step else "patch"
        _, name, *rest = str(step[action]).split("/")
        if name not in self.shown or self.shown[name].type == "DELETED":
            return  # the API would answer that there is none
        if action == "delete":
            self._call("delete", self.cluster.delete, name, step.get("gracePeriodSeconds"))
        else:
            self._call(
                "patch",
                self.cluster.patch,
                name,
                step["body"],
                subresource=rest[0] if rest else "",
                kind=step.get("type", "strategic"),
            )

    def _look(self) -> None:
        """Take in what the cluster shows."""
        if "watch" in self.lacks:
            for name in self._names():
                self._compare(name, self._call("read", self.cluster.read, name))
        else:
            for event in self._listed("watch"):
                self._add(event["type"], float(event["at"]), event["object"], "watch")
        if self.keep and "events" not in self.lacks:
            for event in self._listed("events"):
                told = Happened(float(event["at"]), event["reason"], event["message"], event.get("container", ""))
                self.happened.setdefault(event["pod"], []).append(told)
        if self.keep and "transitions" not in self.lacks:
            for one in self._listed("transitions"):
                values = {name: one[name] for name in ("machine", "instance", "trigger", "source", "dest")}
                made = Accepted(at=float(one["at"]), rules=tuple(one["rules"]), **values)
                self.accepted.setdefault(one["pod"], []).append(made)

    def _names(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.case.pods]

    def _listed(self, method: str) -> list[dict[str, Any]]:
        """What a draining method gives, if it is a list of objects with what has to be in them."""
        listed = self._call(method, getattr(self.cluster, method))
        if not isinstance(listed, Sequence) or isinstance(listed, (str, bytes)):
            self._fail("malformed", method, f"gave {type(listed).__name__}; expected a list")
        needs = _NEEDS[method]
        for one in listed:
            if not isinstance(one, Mapping) or (missing := [key for key in needs if key not in one]):
                what = f"without {', '.join(missing)}" if isinstance(one, Mapping) else type(one).__name__
                self._fail("malformed", method, f"gave an entry {what}")
        return list(listed)

    def _compare(self, name: str, raw: Any) -> None:
        """One read: a change is what differs from the read before."""
        before = self.shown.get(name)
        if raw is None:
            if before is not None and before.type != "DELETED":
                self._store(Seen(self.now, "DELETED", before.pod))
            return
        kind = "ADDED" if before is None or before.type == "DELETED" else "MODIFIED"
        self._add(kind, self.now, raw, "read")

    def _add(self, kind: str, at: float, raw: Any, call: str) -> None:
        if not isinstance(raw, Mapping):
            self._fail("malformed", call, f"gave {type(raw).__name__} for a Pod; expected an object")
        try:
            pod = convert(dict(raw), Pod)
        except InputError as error:
            self._fail("malformed", call, f"gave a malformed Pod: {error}")
        if not pod.metadata.name or not pod.status.phase:
            self._fail("malformed", call, "gave a Pod without metadata.name or status.phase")
        before = self.shown.get(pod.metadata.name)
        if before is not None and at < before.at - 1e-6:
            self._fail("time", call, f"went back in time, from {before.at:g} s to {at:g} s")
        if at > self.now + 1e-6:
            self._fail("time", call, f"tells of {at:g} s, which is still to come")
        if before is None or (before.pod, before.type) != (pod, kind):
            self._store(Seen(at, kind, pod))

    def _store(self, seen: Seen) -> None:
        self.shown[seen.pod.metadata.name] = seen
        self.seen.setdefault((seen.pod.metadata.name, seen.pod.metadata.uid), []).append(seen)

    def _call(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return call_limited(self.limit, function, *args, **kwargs)
        except OutOfTime:
            self._fail("hung", name, f"took longer than {self.limit:g} s")
        except Exception as error:  # noqa: BLE001 - anything an implementation raises is reported
            self._fail("raised", name, f"raised {type(error).__name__}: {error}")

    def _fail(self, kind: str, call: str, what: str) -> Any:
        self.wrong.append(Misbehaviour(kind, call, " ".join(what.split()), self.now))
        raise Stopped

    def _history(self, key: tuple[str, str]) -> History:
        name = key[0]
        spec = self.case.spec
        return History(
            name=name,
            seen=tuple(self.seen[key]),
            case=self.case,
            gates=gates_for(str(spec.get("kubernetes", "1.36")), spec.get("featureGates", {})),
            happened=tuple(self.happened.get(name, ())),
            accepted=tuple(self.accepted.get(name, ())),
            lacks=self.lacks,
            epoch=getattr(self.cluster, "epoch", EPOCH),
            whole="watch" not in self.lacks,
            ends=self.now,
        )


_NEEDS = {
    "watch": ("type", "at", "object"),
    "events": ("at", "pod", "reason", "message"),
    "transitions": ("at", "pod", "machine", "instance", "trigger", "source", "dest", "rules"),
}


def run_case(case: Case, factory: Callable[[], Any], *, limit: float = 10.0, keep: bool = True) -> Outcome:
    """Run a case against a new cluster. `limit`: seconds that one call may take (0: any)."""
    return Run(case, factory, limit, keep).run()
