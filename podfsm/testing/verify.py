"""The suite as a whole: cases run against an implementation, every invariant asked, machines walked, all of it counted.

Everything follows from profile and seed; nothing depends on time, so that two runs give the same report.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from attrs import define, field, frozen

from podfsm.errors import UnknownName
from podfsm.rules.catalogue import all_rules
from podfsm.testing.case import Case
from podfsm.testing.choose import Seeded
from podfsm.testing.cluster import make_cluster
from podfsm.testing.coverage import Coverage, noting_rules
from podfsm.testing.drive import Misbehaviour, Outcome, run_case
from podfsm.testing.invariants import Invariant, all_invariants
from podfsm.testing.laws import all_laws
from podfsm.testing.protocol import lacking
from podfsm.testing.scenarios import case, long_case
from podfsm.testing.shrink import shrink
from podfsm.testing.walks import Breach, Walked, gates_before, walk_machines

CALL_LIMIT = 10.0
"""Seconds that one call of somebody else's implementation may take."""


@frozen
class Profile:
    """How much is tried: random cases, long ones (a quarter of an hour of virtual time and more), steps of a walk."""

    name: str
    cases: int
    long_cases: int
    steps: int
    effort: int = 300
    """Tries to shrink each counterexample."""


PROFILES = {
    "quick": Profile("quick", 2_500, 40, 5_000),
    "ci": Profile("ci", 12_000, 200, 20_000),
    "deep": Profile("deep", 150_000, 2_000, 200_000, 1_000),
}
"""quick takes about a minute on one core, ci about five, deep an hour and more."""

CRASHES = 25
"""After so many misbehaviours of one kind cases are no longer run: an implementation that hangs takes its time."""


@define
class Line:
    """What came of one invariant or law. `looked`: how many things it looked at; `cases`: in how many cases."""

    name: str
    says: str
    checks: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    """Capabilities that the implementation lacks and this needs; then it was not checked."""
    cases: int = 0
    looked: int = 0
    broken: int = 0
    first: str = ""
    """What the first breach was, as the smallest counterexample shows it."""
    where: Case | None = None
    """The smallest counterexample; None for a law, and while nothing is broken."""

    @property
    def verdict(self) -> str:
        """broken, not checked, not exercised or kept."""
        if self.broken:
            return "broken"
        if self.lacks:
            return "not checked"
        return "kept" if self.looked else "not exercised"


@define
class Report:
    """What a verification found."""

    implementation: str
    profile: Profile
    seed: int
    lacks: frozenset[str] = frozenset()
    invariants: dict[str, Line] = field(factory=dict)
    laws: dict[str, Line] = field(factory=dict)
    behaviour: dict[str, Line] = field(factory=dict)
    """Misbehaviours by kind and call."""
    coverage: Coverage = field(factory=Coverage)
    """By whole Pods."""
    walked: Coverage = field(factory=Coverage)
    """By walks of the machines."""
    cases: int = 0
    snapshots: int = 0
    stopped: str = ""
    """Why not all cases were run."""

    @property
    def failures(self) -> list[Line]:
        """Everything that is broken."""
        lines = (*self.behaviour.values(), *self.invariants.values(), *self.laws.values())
        return [line for line in lines if line.broken]


Progress = Callable[[int, int], None]


@define
class Verification:
    """One verification under way."""

    factory: Callable[[], Any]
    report: Report
    limit: float
    own: bool
    """Whether it is podfsm's own simulation, so that its machines are walked too."""
    progress: Progress = lambda _done, _all: None
    rules: set[str] = field(factory=set)

    def run(self) -> Report:
        """Cases, walks, counterexamples."""
        report = self.report
        report.lacks = self._lacks()
        for invariant in all_invariants():
            missing = tuple(sorted(invariant.needs & report.lacks))
            report.invariants[invariant.name] = Line(invariant.name, invariant.says, invariant.checks, missing)
        with noting_rules(report.coverage.rules):
            for number, made in enumerate(self._cases()):
                self._one(made)
                self.progress(number + 1, report.profile.cases + report.profile.long_cases)
                if report.stopped:
                    break
        if self.own:
            self._walk()
        self._shrink()
        return report

    def _lacks(self) -> frozenset[str]:
        outcome = run_case(Case(()), self.factory, limit=self.limit)
        if outcome.misbehaviours:
            return frozenset()
        return lacking(self.factory())

    def _cases(self) -> Iterator[Case]:
        """Long cases stand among the others, so that what they show is not left to the end."""
        profile, lacks, seed = self.report.profile, self.report.lacks, self.report.seed
        every = max(1, profile.cases // max(1, profile.long_cases))
        long = 0
        for number in range(profile.cases):
            yield case(Seeded(f"{seed}/{number}"), lacks)
            if number % every == every - 1 and long < profile.long_cases:
                long += 1
                yield long_case(Seeded(f"{seed}/long/{long}"), lacks)

    def _one(self, made: Case) -> None:
        report = self.report
        report.cases += 1
        outcome = run_case(made, self.factory, limit=self.limit)
        for wrong in outcome.misbehaviours:
            self._misbehaved(wrong, made)
        for history in outcome.histories:
            report.snapshots += len(history.seen)
            for one in history.accepted:
                report.coverage.note((one.machine, one.source, one.trigger, one.dest, one.rules))
        for invariant in all_invariants():
            self._ask(invariant, outcome, made)

    def _misbehaved(self, wrong: Misbehaviour, made: Case) -> None:
        name = f"{wrong.kind} in {wrong.call}"
        line = self.report.behaviour.setdefault(
            name, Line(name, "An implementation answers every call, and with sense.", ())
        )
        line.cases += 1
        line.looked += 1
        line.broken += 1
        if line.where is None:
            line.where, line.first = made, str(wrong)
        if line.broken >= CRASHES:
            self.report.stopped = f"{name} {CRASHES} times"

    def _ask(self, invariant: Invariant, outcome: Outcome, made: Case) -> None:
        line = self.report.invariants[invariant.name]
        looked = broken = 0
        for history in outcome.histories:
            for answer in invariant.answers(history):
                looked += 1
                if answer is not True:
                    broken += 1
                    if line.where is None:
                        line.where, line.first = made, str(answer)
        line.cases += bool(looked)
        line.looked += looked
        line.broken += broken
        if looked:
            self.report.coverage.rules.update(name for name in invariant.checks if name in all_rules())

    def _walk(self) -> None:
        steps, seed = self.report.profile.steps, str(self.report.seed)
        walked = walk_machines(seed, steps)
        for without in sorted({law.without for law in all_laws()} - {""}):
            asked = {law.machine for law in all_laws() if law.without == without}
            older = walk_machines(seed, steps, names=sorted(asked), decisions=(), gates=gates_before(without))
            walked.breaches += older.breaches
            walked.offered.update({name: times for name, times in older.offered.items() if name.endswith(without)})
        for arrow, times in walked.arrows.items():
            self.report.walked.arrows[arrow] += times
            self.report.walked.rules.update(arrow[4])
        for law in all_laws():
            self.report.laws[law.name] = _law_line(law.name, law.says, law.checks, walked)
            self.report.walked.rules.update(law.checks)

    def _shrink(self) -> None:
        effort = self.report.profile.effort
        by_name = {invariant.name: invariant for invariant in all_invariants()}
        for line in self.report.invariants.values():
            if line.where is not None:
                line.where, line.first = self._smallest(line, partial(self._breaks, by_name[line.name]), effort)
        for line in self.report.behaviour.values():
            # What hangs is not tried again and again.
            tries = 0 if line.name.startswith("hung") else effort
            if line.where is not None:
                line.where, line.first = self._smallest(line, partial(self._misbehaves, line), tries)

    def _smallest(self, line: Line, wrong: Callable[[Case], str], effort: int) -> tuple[Case, str]:
        assert line.where is not None
        smallest = shrink(line.where, lambda candidate: bool(wrong(candidate)), effort=effort)
        return smallest, (wrong(smallest) if effort else "") or line.first

    def _breaks(self, invariant: Invariant, made: Case) -> str:
        for history in run_case(made, self.factory, limit=self.limit).histories:
            if found := invariant.broken(history):
                return found[0]
        return ""

    def _misbehaves(self, line: Line, made: Case) -> str:
        for wrong in run_case(made, self.factory, limit=self.limit).misbehaviours:
            if f"{wrong.kind} in {wrong.call}" == line.name and _alike(str(wrong), line.first):
                return str(wrong)
        return ""


def _alike(one: str, other: str) -> bool:
    """Whether two complaints are the same but for names and numbers."""

    def plain(text: str) -> str:
        return re.sub(r"[\d.]+|'[^']*'", "", text)[:80]

    return plain(one) == plain(other)


def _law_line(name: str, says: str, checks: tuple[str, ...], walked: Walked) -> Line:
    breaches: list[Breach] = [breach for breach in walked.breaches if breach.law == name]
    line = Line(name, says, checks, cases=1, looked=walked.offered[name], broken=len(breaches))
    if breaches:
        shortest = min(breaches, key=lambda breach: (len(breach.facts), breach.facts))
        line.first = f"in {shortest.state or 'no state'}: {shortest.what}; {shortest.facts}"
    return line


def verify(
    factory: Callable[[], Any] = make_cluster,
    *,
    name: str = "podfsm's own simulation",
    profile: str = "quick",
    seed: int = 0,
    limit: float | None = None,
    cases: int | None = None,
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """Verify what `factory` makes: a new Cluster with each call.

    `limit`: seconds that one call may take, 0 for any; by default 10, and any for podfsm's own, whose report must not
    depend on the machine. `cases` overrides how many the profile runs. Raises UnknownName.
    """
    own = factory is make_cluster
    if limit is None:
        limit = 0.0 if own else CALL_LIMIT
    if profile not in PROFILES:
        raise UnknownName("profile", profile, PROFILES)
    chosen = PROFILES[profile]
    if cases is not None:
        chosen = Profile(chosen.name, cases, max(1, cases // 60), chosen.steps, chosen.effort)
    report = Report(name, chosen, seed)
    return Verification(factory, report, limit, own, progress).run()


def totals(lines: Mapping[str, Line]) -> Counter[str]:
    """How many lines have which verdict."""
    return Counter(line.verdict for line in lines.values())
