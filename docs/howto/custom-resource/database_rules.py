"""The rules of the Database resource, in a registry of their own."""

from attrs import frozen

from podfsm import Registry, Verdict, guard, refuse, wait_until

RULES = Registry()


@frozen
class DatabaseFacts:
    """What the rules may look at. Times are seconds on the caller's clock."""

    now: float = 0.0
    volume_bound: bool = False
    replicas_ready: int = 0
    replicas_wanted: int = 1
    failures: int = 0
    failed_at: float = 0.0
    backup_at: float | None = None
    connections: int = 0


@guard(
    "volume-first",
    machine="database",
    cites=[],
    allows=[DatabaseFacts(volume_bound=True)],
    refuses=[DatabaseFacts()],
    registry=RULES,
)
def volume_first(facts: DatabaseFacts) -> bool:
    """Servers are set up only once the volume is bound."""
    return facts.volume_bound


@guard(
    "retry-later",
    machine="database",
    cites=[],
    allows=[DatabaseFacts(), DatabaseFacts(now=10, failures=1), DatabaseFacts(now=300, failures=99)],
    refuses=[DatabaseFacts(now=9, failures=1), DatabaseFacts(now=19, failures=2), DatabaseFacts(now=299, failures=99)],
    registry=RULES,
)
def retry_later(facts: DatabaseFacts) -> bool | Verdict:
    """After a failure the operator waits 10 s, then twice as long each time, at most 300 s."""
    delay = min(10.0 * 2 ** min(facts.failures - 1, 10), 300.0) if facts.failures > 0 else 0.0
    due = facts.failed_at + delay
    return facts.now >= due or wait_until(due, f"{facts.failures} failures in a row")


@guard(
    "enough-replicas",
    machine="database",
    cites=[],
    allows=[DatabaseFacts(replicas_ready=1), DatabaseFacts(replicas_ready=3, replicas_wanted=3)],
    refuses=[DatabaseFacts(), DatabaseFacts(replicas_ready=2, replicas_wanted=3)],
    registry=RULES,
)
def enough_replicas(facts: DatabaseFacts) -> bool:
    """A database is ready when all its replicas are."""
    return facts.replicas_ready >= facts.replicas_wanted


@guard(
    "replicas-lost",
    machine="database",
    cites=[],
    allows=[DatabaseFacts(replicas_ready=2, replicas_wanted=3)],
    refuses=[DatabaseFacts(replicas_ready=3, replicas_wanted=3)],
    registry=RULES,
)
def replicas_lost(facts: DatabaseFacts) -> bool:
    """A database is degraded while a replica is missing."""
    return facts.replicas_ready < facts.replicas_wanted


@guard(
    "fresh-backup",
    machine="database",
    cites=[],
    allows=[DatabaseFacts(now=3600, backup_at=0)],
    refuses=[DatabaseFacts(), DatabaseFacts(now=3601, backup_at=0)],
    registry=RULES,
)
def fresh_backup(facts: DatabaseFacts) -> bool | Verdict:
    """An upgrade needs a backup that is at most an hour old."""
    if facts.backup_at is None:
        return refuse("there is no backup")
    return facts.now - facts.backup_at <= 3600


@guard(
    "nobody-connected",
    machine="database",
    cites=[],
    allows=[DatabaseFacts()],
    refuses=[DatabaseFacts(connections=1)],
    registry=RULES,
)
def nobody_connected(facts: DatabaseFacts) -> bool:
    """A database is removed only after the last connection is closed."""
    return facts.connections == 0
