"""The checker's own ways: duplicates, older events, restarted watches, versions, and what a finding says."""

import io
import json
import random
from datetime import datetime, timedelta

import pytest

from podfsm import check
from podfsm.check import Checker, Observation, Relist
from podfsm.check.alike import Steps
from podfsm.check.asked import ASKED_OTHERWISE, Asked, asked
from podfsm.check.readers import read_stream
from podfsm.check.reads import EVERYTHING, METADATA, SPEC, changed, reads
from podfsm.check.shapes import Shapes
from podfsm.errors import InputError
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for
from tests.check.breakages import BREAKAGES
from tests.check.traces import RECORDINGS, events, findings, seen


def test_check_is_lazy_and_public():
    def watched():
        yield from seen(events("init3"))[:2]
        raise AssertionError("read too far")

    assert next(check(iter(())), None) is None
    with pytest.raises(AssertionError, match="too far"):
        list(check(watched()))


def test_check_hands_out_what_could_not_be_read():
    broken = b'{"kind": "Pod", "metadata": {"name": "web"}, "status": {"phase": "Gone"}}\n{"kind": "Pod", '
    told = []
    found = list(check(read_stream(io.BytesIO(broken), "in"), troubles=told.append))
    assert [one.line for one in told] == [2]
    assert "phase-terminating-not-a-phase" in {one.rule for one in found}
    with pytest.raises(InputError, match="in:2: the last value is cut off"):
        list(check(read_stream(io.BytesIO(broken), "in")))


def test_repeated_events_and_time_that_goes_back_are_notes():
    watched = events("two-always")
    twice = seen([*watched[:5], watched[4], *watched[5:]])
    assert [(one.rule, one.severity, one.place.line) for one in findings(twice)] == [("watch-order", "note", 6)]
    watched[6]["receivedAt"] = watched[0]["receivedAt"]
    assert {(one.rule, one.severity) for one in findings(seen(watched))} == {("watch-order", "note")}


@pytest.mark.parametrize("name", RECORDINGS[:8])
def test_a_recording_with_a_clock_of_its_own_gives_nothing(name):
    """Before the Pod was created nobody can have seen it: KWOK counts from 0, and clocks are set wrong."""
    watched = events(name)
    for event in watched:
        event["receivedAt"] = (datetime.fromisoformat(event["receivedAt"]) - timedelta(days=400)).isoformat()
    assert findings(seen(watched)) == []


@pytest.mark.parametrize("name", RECORDINGS[:8])
def test_one_time_gone_back_is_one_note(name):
    watched = events(name)
    watched[len(watched) // 2]["receivedAt"] = "2020-01-01T00:00:00+00:00"
    assert [finding.severity for finding in findings(seen(watched))] in ([], ["note"])


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_out_of_range_is_said_with_its_place(stamp):
    watched = events("delete-grace")
    deleting = next(event for event in watched if "deletionTimestamp" in event["object"]["metadata"])
    deleting["receivedAt"] = stamp
    deleting["object"]["metadata"].update(deletionTimestamp=stamp, deletionGracePeriodSeconds=-(10**12))
    with pytest.raises(InputError, match="out of range") as raised:
        findings(seen(watched))
    assert raised.value.line == watched.index(deleting) + 1


def test_the_mark_of_a_lost_node_may_have_no_time():
    watched = events("delete-grace")[:5]
    for event in watched[-2:]:
        for condition in event["object"]["status"]["conditions"]:
            if condition["type"] in ("Ready", "ContainersReady"):
                condition.update(lastTransitionTime=None, status="False" if condition["type"] == "Ready" else "True")
                condition.pop("reason", None)
    assert "no time" in str([finding.seen for finding in findings(seen(watched))])


def test_times_are_compared_on_one_clock():
    """A recorder whose clock is ahead, and a kubelet that was cut off for a while, are no finding."""
    ahead = events("two-always")
    for event in ahead:
        event["receivedAt"] = (datetime.fromisoformat(event["receivedAt"]) + timedelta(minutes=5)).isoformat()
    assert findings(seen(ahead)) == []
    behind = events("two-always")
    for event in behind:
        event["receivedAt"] = (datetime.fromisoformat(event["receivedAt"]) - timedelta(seconds=90)).isoformat()
    assert findings(seen(behind)) == []


def test_a_kubelet_that_was_cut_off_tells_of_changes_long_ago():
    """The node controller marks the Pod; then the kubelet is back, with a change of before that."""
    watched = events("fail-never")
    last = next(i for i, e in enumerate(watched) if e["object"]["status"]["phase"] == "Running")
    running = watched[last]
    while True:
        following = next(e for e in watched[last + 1 :])
        if following["object"]["status"].get("conditions") != running["object"]["status"].get("conditions"):
            break
        last += 1
        running = following
    marked = json.loads(json.dumps(running))
    marked["object"]["metadata"]["resourceVersion"] += "0"
    late = datetime.fromisoformat(running["receivedAt"]) + timedelta(minutes=10)
    marked["receivedAt"] = late.isoformat()
    ready = next(c for c in marked["object"]["status"]["conditions"] if c["type"] == "Ready")
    ready.update(status="False", lastTransitionTime=late.replace(microsecond=0).isoformat())
    rest = watched[last + 1 :]
    for event in rest:
        event["object"]["metadata"]["resourceVersion"] += "00"
        event["receivedAt"] = (late + timedelta(minutes=1)).isoformat()
    assert findings(seen([*watched[: last + 1], marked, *rest])) == []


def test_events_of_many_pods_may_be_mixed():
    mixed = [one for name in RECORDINGS for one in seen(events(name))]
    mixed.sort(key=lambda one: one.at)
    assert findings(mixed) == []


def test_a_watch_that_begins_anew_forgets_what_is_gone():
    watched = seen(events("two-always"))
    checker = Checker(gates_for())
    for one in (watched[5], Relist(), Relist(), watched[6]):
        assert list(checker.see(one)) == []
    assert checker.alive == 1
    for one in (Relist(), Relist()):
        list(checker.see(one))
    assert checker.alive == 0


def test_older_added_events_are_a_list_out_of_a_cache():
    watched = seen(events("two-always"))
    old = Observation("ADDED", watched[3].pod, watched[3].place)
    assert findings([*watched[:8], old, *watched[8:]]) == []


def test_finding_says_where_what_and_who_says_so():
    watched = events("fail-never")
    breakage, _ = BREAKAGES["restarts_under_never"]
    assert breakage(watched, random.Random(0))
    found = {one.rule: one for one in findings(seen(watched))}
    one = found["cstate-no-leave-terminated"]
    assert (one.severity, one.authority) == ("error", "both")
    assert one.place.source == "trace"
    assert one.place.line > 1
    assert one.place.pod.endswith("/p")
    assert one.place.container
    assert one.place.at is not None
    assert "terminated Error" in one.seen
    assert "restart" in one.allowed
    assert one.path[0] == "Exited"
    assert one.path[-1] == "Running"


def test_what_stays_broken_is_reported_once():
    watched = events("two-always")
    for event in watched[5:]:
        event["object"]["status"]["phase"] = "Unknown"
    found = [one for one in findings(seen(watched)) if one.rule == "phase-unknown-deprecated"]
    assert len(found) == 1


def test_the_version_decides():
    watched = events("restart-container-policy")
    assert findings(seen(watched)) == []
    assert findings(seen(watched), "1.30")  # containers had no policy of their own then


class Whole(Shapes):
    """Shapes that remember nothing: everything is judged each time."""

    class Nothing(frozenset):
        def add(self, one):
            pass

    def __init__(self):
        super().__init__()
        self.fine = self.Nothing()

    def number(self, pod, spec):
        self._next += 1
        return self._next


class Unlike(Steps):
    """No step is like another."""

    def look(self, known, seen, shown):
        return None, None


def moved_away(watched):
    """The events as of other Pods in another namespace."""
    for event in watched:
        metadata = event["object"]["metadata"]
        metadata["uid"], metadata["namespace"] = f"{metadata['uid']}-b", "elsewhere"
    return seen(watched)


@pytest.fixture(scope="module")
def warm():
    """A checker that has seen every recording."""
    checker = Checker(gates_for())
    assert [one for name in RECORDINGS for event in seen(events(name)) for one in checker.see(event)] == []
    return checker


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_skipped_or_known_by_its_likes_is_in_order(name, warm):
    """All invariants asked of everything each time find the same as those told by shape and by what has changed.

    And the same as is found where only those steps are judged that are like none before.
    """
    breakage, _ = BREAKAGES[name]
    told = asked(all_rules(), gates_for())
    every = Asked(
        one_shaped=(),
        one_timed=tuple((*one[:2], EVERYTHING) for one in (*told.one_shaped, *told.one_timed)),
        two_shaped=(),
        two_timed=tuple((*two[:2], EVERYTHING) for two in (*told.two_shaped, *told.two_timed)),
    )
    for recording in RECORDINGS[len(name) % 4 :: 4]:
        watched = events(recording)
        if not breakage(watched, random.Random(3)):
            continue
        observed = moved_away(watched)
        quick, quicker, whole = (Checker(gates_for()) for _ in range(3))
        quick._judge._shapes, quick._steps = warm._judge._shapes, Unlike()
        quicker._judge._shapes, quicker._steps = warm._judge._shapes, warm._steps
        whole._judge._shapes, whole._judge._asked, whole._steps = Whole(), every, Unlike()
        found = found_by(whole, observed)
        assert found_by(quick, observed) == found
        assert found_by(quicker, observed) == found


def found_by(checker, observed):
    """What is found, once: what stays broken is said again only where it is asked again."""
    return {(one.rule, one.place.pod, one.place.container) for event in observed for one in checker.see(event)}


def test_every_invariant_in_force_is_asked():
    told = asked(all_rules(), gates_for())
    ids = [one[0] for group in (told.one_shaped, told.one_timed, told.two_shaped, told.two_timed) for one in group]
    in_force = {rule.id for rule in all_rules() if rule.kind == "invariant" and rule.in_force(gates_for())}
    assert set(ids) | ASKED_OTHERWISE == in_force
    assert all(about & EVERYTHING for _, _, about in (*told.one_timed, *told.two_timed))


def test_what_depends_on_times_or_ids_is_not_judged_by_shape():
    told = asked(all_rules(), gates_for())
    shaped = {rule for rule, _ in (*told.one_shaped, *told.two_shaped)}
    assert {"cond-order", "phase-terminal-sticky", "status-ready-runs"} <= shaped
    assert not shaped & {"instance-times", "instance-counted", "update-deletion-final", "status-after-binding"}


def test_snapshots_that_differ_in_times_and_ids_only_have_one_shape():
    shapes = Shapes()
    one = seen(events("two-always"))
    other = events("two-always")
    for event in other:
        event["object"]["metadata"]["uid"] = "another"
        for status in event["object"]["status"].get("containerStatuses", []):
            if status.get("containerID"):
                status["containerID"] = "containerd://other"
            if "running" in status["state"]:
                status["state"]["running"]["startedAt"] = "2030-01-01T00:00:00Z"
    numbers = [[shapes.number(o.pod, shapes.spec(o.pod.spec)) for o in watched] for watched in (one, seen(other))]
    assert numbers[0] == numbers[1]
    assert len(set(numbers[0])) > 5


def test_parts_that_a_function_reads_are_told_from_its_code():
    def named(pod):
        return pod.metadata.labels

    def through(pod):
        return any(named(pod) or container.image for container in pod.spec.containers)

    assert reads(named) == METADATA
    assert reads(through) & SPEC
    assert reads(lambda pod: getattr(pod, "anything")) == EVERYTHING  # noqa: B009 - on purpose


def test_changed_parts_are_told():
    watched = seen(events("two-always"))
    assert changed(watched[3].pod, watched[3].pod) == 0
    assert changed(watched[0].pod, watched[1].pod) & SPEC


ROW = {"restart-never", "backoff-sequence", "deadline-enforced", "phase-deleted-terminal-first"}


def test_rules_asked_outside_the_registry_of_invariants_exist():
    import ast
    from pathlib import Path

    import podfsm.check

    named = set()
    for path in Path(podfsm.check.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Breach" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    named.add(first.value)
    assert named > ROW - {"restart-never"}
    assert not [rule for rule in named if rule not in all_rules()]
