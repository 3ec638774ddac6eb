"""Rules: one function each, with statement, citation, versions and examples in one place.

A rule's docstring is its statement (first paragraph) and its remarks (the rest). The decorators below register it under
its id; everything else (pages, findings, free tests, `podfsm rules show`) is read from the registered value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from attrs import field, frozen

from podfsm.engine.verdict import HOLDS, Verdict
from podfsm.engine.versions import Gates, Version
from podfsm.errors import GuardCrashed, UnknownName

KINDS = ("guard", "derivation", "invariant", "validation", "timing", "default")
"""guard: may a transition fire. derivation: what follows from the facts. invariant: what always holds.
validation: what the API server refuses. timing: when something happens. default: what is assumed if nothing is said."""

DOCS = "https://kubernetes.io/docs/"


@frozen
class Citation:
    """Where a rule can be read: a documentation page or an identifier in the source."""

    kind: str
    where: str
    what: str = ""

    def __str__(self) -> str:
        return f"{self.where}:{self.what}" if self.what else self.where

    @property
    def url(self) -> str:
        """The page's address; empty for source citations."""
        return DOCS + self.where.replace(".md", "/") if self.kind == "docs" else ""


def docs(page: str) -> Citation:
    """A documentation page, as the path below content/en/docs with its anchor."""
    return Citation("docs", page)


def source(path: str, name: str = "") -> Citation:
    """An identifier in the Kubernetes 1.36.2 tree."""
    return Citation("source", path, name)


@frozen
class Example:
    """`function(*given, **also) == gives`."""

    given: tuple[Any, ...]
    gives: Any
    also: dict[str, Any] = field(factory=dict)


def example(*given: Any, gives: Any, **also: Any) -> Example:
    """One worked case of a derivation, timing or default."""
    return Example(given, gives, also)


@frozen(eq=False)
class Rule:
    """A registered rule. Calling it calls its function; `judge` asks a guard and gets a named Verdict."""

    id: str
    kind: str
    area: str
    machines: tuple[str, ...]
    statement: str
    remarks: str
    function: Callable[..., Any]
    cites: tuple[Citation, ...]
    since: str
    until: str | None
    gate: str | None
    without_gate: str | None
    seed: int | None
    observable: str
    documented: str
    """How the documentation differs from what 1.36 does; empty when they agree."""
    allows: tuple[Any, ...]
    refuses: tuple[Any, ...]
    examples: tuple[Example, ...]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @property
    def authority(self) -> str:
        """documented, implemented (the code alone says so, or says otherwise), or both."""
        has_docs = any(cite.kind == "docs" for cite in self.cites)
        has_source = any(cite.kind == "source" for cite in self.cites)
        if self.documented or not has_docs:
            return "implemented"
        return "both" if has_source else "documented"

    def in_force(self, gates: Gates) -> bool:
        """Whether the rule applies at this version with these gates."""
        if self.without_gate is not None and gates.on(self.without_gate):
            return False
        if self.gate is not None:
            return gates.on(self.gate)
        since, until = self.since, self.until
        return (not since or gates.at_least(since)) and (until is None or gates.version <= Version.parse(until))

    def judge(self, facts: Any) -> Verdict:
        """Ask a guard. A guard that raises is `GuardCrashed`, never a refusal."""
        try:
            answer = self.function(facts)
        except Exception as crash:
            raise GuardCrashed(f"guard {self.id} raised {type(crash).__name__}: {crash}") from crash
        if answer is True or answer is HOLDS:
            return HOLDS
        if answer is False:
            return Verdict(False, rule=self.id, because=self.statement)
        if isinstance(answer, Verdict):
            return answer.by(self.id)
        raise GuardCrashed(f"guard {self.id} answered {answer!r}; expected a bool or a Verdict")


class Registry:
    """Rules by id. One registry is shared by the package; a user's own rules may live in another."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}

    def add(self, rule: Rule) -> None:
        """Register; an id is used once and never again."""
        if rule.id in self._rules:
            raise ValueError(f"rule {rule.id} is registered twice")
        if rule.kind not in KINDS:
            raise UnknownName("rule kind", rule.kind, KINDS)
        self._rules[rule.id] = rule

    def __getitem__(self, rule_id: str) -> Rule:
        try:
            return self._rules[rule_id]
        except KeyError:
            raise UnknownName("rule", rule_id, self._rules) from None

    def __contains__(self, rule_id: object) -> bool:
        return rule_id in self._rules

    def __iter__(self) -> Iterator[Rule]:
        return iter(sorted(self._rules.values(), key=lambda rule: rule.id))

    def __len__(self) -> int:
        return len(self._rules)


REGISTRY = Registry()


def rule(
    kind: str,
    rule_id: str,
    *,
    cites: Sequence[Citation],
    machine: str | Iterable[str] = (),
    area: str | None = None,
    since: str = "",
    until: str | None = None,
    gate: str | None = None,
    without_gate: str | None = None,
    seed: int | None = None,
    observable: str = "",
    documented: str = "",
    allows: Sequence[Any] = (),
    refuses: Sequence[Any] = (),
    examples: Sequence[Example] = (),
    registry: Registry | None = None,
) -> Callable[[Callable[..., Any]], Rule]:
    """Register the decorated function as a rule of `kind`; the decorators below are this with the kind filled in.

    `since` is the first minor version it holds in ("" = longer than podfsm looks back); `gate` the feature gate that
    switches it on, if one does (then the gate decides, not `since`), `without_gate` the one that puts another rule in
    its place. `allows` and `refuses` hold facts for which a guard, invariant or validation holds and does not;
    `examples` hold worked cases of the other kinds.
    """

    def register(function: Callable[..., Any]) -> Rule:
        statement, _, remarks = inspect.cleandoc(function.__doc__ or "").partition("\n\n")
        if not statement:
            raise ValueError(f"rule {rule_id} has no statement: give its function a docstring")
        made = Rule(
            id=rule_id,
            kind=kind,
            area=area or function.__module__.rsplit(".", 1)[-1].replace("_", "-"),
            machines=(machine,) if isinstance(machine, str) else tuple(machine),
            statement=" ".join(statement.split()),
            remarks=remarks.strip(),
            function=function,
            cites=tuple(cites),
            since=since,
            until=until,
            gate=gate,
            without_gate=without_gate,
            seed=seed,
            observable=observable,
            documented=documented,
            allows=tuple(allows),
            refuses=tuple(refuses),
            examples=tuple(examples),
        )
        (registry if registry is not None else REGISTRY).add(made)
        return made

    return register


def guard(rule_id: str, **about: Any) -> Callable[[Callable[..., Any]], Rule]:
    """A condition of a transition: `function(facts) -> bool | Verdict`. Needs `machine`, `allows` and `refuses`."""
    return rule("guard", rule_id, **about)


def derivation(rule_id: str, **about: Any) -> Callable[[Callable[..., Any]], Rule]:
    """What follows from the facts: any pure function. Needs `examples`."""
    return rule("derivation", rule_id, **about)


def invariant(rule_id: str, **about: Any) -> Callable[[Callable[..., Any]], Rule]:
    """What holds in every snapshot or between two: `function(...) -> bool`. Needs `allows` and `refuses`."""
    return rule("invariant", rule_id, **about)


def validation(rule_id: str, **about: Any) -> Callable[[Callable[..., Any]], Rule]:
    """What the API server accepts: `function(object) -> bool`. Needs `allows` and `refuses`."""
    return rule("validation", rule_id, **about)


def timing(rule_id: str, **about: Any) -> Callable[[Callable[..., Any]], Rule]:
    """When something happens: a pure function giving seconds or an instant. Needs `examples`."""
    return rule("timing", rule_id, **about)


def default(rule_id: str, **about: Any) -> Callable[[Callable[..., Any]], Rule]:
    """What is assumed when nothing is said: a pure function. Needs `examples`."""
    return rule("default", rule_id, **about)
