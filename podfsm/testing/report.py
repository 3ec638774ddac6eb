"""A verification as text, as JSON, and as JUnit XML; and its counterexamples as Scenario files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from podfsm.machines import machine_spec
from podfsm.rules.catalogue import all_rules
from podfsm.testing.coverage import all_arrows, rare, rules_unreached, states_reached, unreached
from podfsm.testing.protocol import CAPABILITIES
from podfsm.testing.verify import Line, Report, totals

WIDTH = 38


def text(report: Report, files: dict[str, str] | None = None, *, details: bool = True) -> Iterator[str]:
    """The report, line by line. `files`: where counterexamples were written, by the name of what they break."""
    files = files or {}
    yield f"{report.implementation}: profile {report.profile.name}, seed {report.seed}"
    yield f"{report.cases} cases, {report.snapshots} snapshots of Pods"
    if report.stopped:
        yield f"stopped early: {report.stopped}"
    yield from _lacking(report)
    if details:
        yield ""
        yield f"{'invariant':{WIDTH}} {'verdict':13} {'cases':>7} {'looked at':>9}  rules"
        yield from _lines(report.invariants.values())
        if report.laws:
            yield ""
            yield f"{'law of the machines':{WIDTH}} {'verdict':13} {'':7} {'offered':>9}  rules"
            yield from _lines(report.laws.values())
        yield from _coverage(report)
    yield from _failures(report, files)
    yield ""
    yield _summary(report)


def _lacking(report: Report) -> Iterator[str]:
    known = [name for name in sorted(report.lacks) if name in CAPABILITIES]
    if known:
        yield ""
        yield "what it cannot do, by its own account, and what was therefore not checked:"
    for name in known:
        lines = [line.name for line in report.invariants.values() if name in line.lacks]
        yield f"  {name}: {CAPABILITIES[name]}"
        yield f"    {', '.join(lines) if lines else 'no invariant of its own; cases do without'}"


def _lines(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        cases = str(line.cases) if not line.name.startswith("decision") else ""
        yield f"{line.name:{WIDTH}} {line.verdict:13} {cases:>7} {line.looked:>9}  {', '.join(line.checks)}"


def _coverage(report: Report) -> Iterator[str]:
    yield ""
    if "transitions" in report.lacks:
        yield "coverage of states and transitions: not known, it does not tell of transitions"
    else:
        yield f"{'coverage':22} {'states':>9} {'transitions':>13} {'in walks':>10}"
        reached = states_reached(report.coverage.arrows)
        for name, arrows in all_arrows().items():
            states = machine_spec(name).state_names
            fired = sum(bool(report.coverage.arrows.get(arrow)) for arrow in arrows)
            walked = sum(bool(report.walked.arrows.get(arrow)) for arrow in arrows)
            there = len(reached[name] & set(states))
            parts = _part(there, len(states)), _part(fired, len(arrows)), _part(walked, len(arrows))
            yield f"{name:22} {parts[0]:>9} {parts[1]:>13} {parts[2]:>10}"
        yield from _arrows("never fired by a Pod:", [(arrow, 0) for arrow in unreached(report.coverage.arrows)])
        yield from _arrows("hardly ever:", rare(report.coverage.arrows))
    yield from _rules(report)


def _part(some: int, whole: int) -> str:
    return f"{some}/{whole}"


def _arrows(title: str, arrows: list[tuple[Any, int]]) -> Iterator[str]:
    if arrows:
        yield f"  {title}"
    for (machine, source, trigger, dest, rules), times in arrows:
        often = f" ({times})" if times else ""
        yield f"    {machine}: {source} -> {dest}, {trigger} [{', '.join(rules)}]{often}"


def _rules(report: Report) -> Iterator[str]:
    reached = report.coverage.rules | report.walked.rules
    everything = [rule.id for rule in all_rules()]
    left = rules_unreached(reached)
    count = len(everything) - sum(map(len, left.values()))
    yield f"rules asked: {count} of {len(everything)}; not asked:" if left else f"rules asked: all {count}"
    for area, names in left.items():
        yield f"  {area}: {', '.join(names)}"


def _failures(report: Report, files: dict[str, str]) -> Iterator[str]:
    for line in report.failures:
        yield ""
        yield f"BROKEN {line.name}: {line.says}"
        yield f"  {line.broken} times; the smallest: {line.first}"
        if line.checks:
            yield f"  rules: {', '.join(line.checks)}"
        if line.name in files:
            yield f"  podfsm simulate {files[line.name]}"


def _summary(report: Report) -> str:
    parts = []
    for what, lines in (("invariants", report.invariants), ("laws", report.laws)):
        if lines:
            found = totals(lines)
            told = ", ".join(f"{found[v]} {v}" for v in ("kept", "broken", "not exercised", "not checked") if found[v])
            parts.append(f"{len(lines)} {what}: {told}")
    wrong = sum(line.broken for line in report.behaviour.values())
    parts.append(f"misbehaviours: {wrong}" if wrong else "no misbehaviour")
    return "; ".join(parts)


def file_name(line: Line) -> str:
    """The name of a counterexample's file."""
    return re.sub(r"[^a-z0-9]+", "-", line.name.lower()).strip("-") + ".yaml"


def write_counterexamples(report: Report, folder: Path) -> dict[str, str]:
    """Write every counterexample into the folder, which is made if need be; where, by the name of what is broken."""
    written = {}
    for line in report.failures:
        if line.where is None:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file_name(line)
        says = (
            f"{line.name}: {line.says}\nshown by {report.implementation}: {line.first}\nrules: {', '.join(line.checks)}"
        )
        path.write_text(line.where.to_yaml(path.stem, says), encoding="utf-8")
        written[line.name] = path.as_posix()
    return written


def junit(report: Report, files: dict[str, str] | None = None) -> str:
    """The report as JUnit XML: a suite each for behaviour, invariants and laws."""
    files = files or {}
    suites = (("behaviour", report.behaviour), ("invariants", report.invariants), ("laws", report.laws))
    body = "".join(_suite(name, list(lines.values()), files) for name, lines in suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="podfsm verify">\n{body}</testsuites>\n'


def _suite(name: str, lines: list[Line], files: dict[str, str]) -> str:
    failures = sum(1 for line in lines if line.broken)
    skipped = sum(1 for line in lines if line.verdict in ("not checked", "not exercised"))
    counts = f'tests="{len(lines)}" failures="{failures}" errors="0" skipped="{skipped}"'
    head = f'  <testsuite name="podfsm.{name}" {counts}>\n'
    return head + "".join(_test_case(name, line, files) for line in lines) + "  </testsuite>\n"


def _test_case(suite: str, line: Line, files: dict[str, str]) -> str:
    head = f'    <testcase classname="podfsm.{suite}" name={quoteattr(line.name)}'
    if line.verdict == "kept":
        return head + "/>\n"
    if line.broken:
        more = f"{line.says}\nrules: {', '.join(line.checks)}\n{files.get(line.name, '')}"
        inner = f"<failure message={quoteattr(_printable(line.first))}>{escape(_printable(more))}</failure>"
    else:
        why = f"lacks {', '.join(line.lacks)}" if line.lacks else "nothing of the kind came up"
        inner = f"<skipped message={quoteattr(why)}/>"
    return f"{head}>\n      {inner}\n    </testcase>\n"


def _printable(words: str) -> str:
    """The text without characters that XML cannot hold."""
    return "".join(c if c in "\n\t" or ord(c) >= 32 else "?" for c in words)


def data(report: Report, files: dict[str, str] | None = None) -> dict[str, Any]:
    """The report as plain data, for JSON."""
    files = files or {}
    groups = {"behaviour": report.behaviour, "invariants": report.invariants, "laws": report.laws}
    found: dict[str, Any] = {
        "implementation": report.implementation,
        "profile": report.profile.name,
        "seed": report.seed,
        "cases": report.cases,
        "snapshots": report.snapshots,
        "lacks": sorted(report.lacks),
        "stopped": report.stopped,
    }
    for group, lines in groups.items():
        found[group] = [
            {
                "name": line.name,
                "says": line.says,
                "rules": list(line.checks),
                "verdict": line.verdict,
                "cases": line.cases,
                "looked": line.looked,
                "broken": line.broken,
                "first": line.first,
                "counterexample": files.get(line.name, ""),
            }
            for line in lines.values()
        ]
    found["neverFired"] = [
        {"machine": m, "from": s, "trigger": t, "to": d, "rules": list(r)}
        for m, s, t, d, r in unreached(report.coverage.arrows)
    ]
    found["rulesNotAsked"] = rules_unreached(report.coverage.rules | report.walked.rules)
    return found


__all__ = ["data", "file_name", "junit", "text", "write_counterexamples"]
