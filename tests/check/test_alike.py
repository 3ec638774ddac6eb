"""Of Pods that live alike one is judged: what counts as alike, and what has to be compared each time all the same."""

import json
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from podfsm.check import Checker, Observation, alike
from podfsm.check.judge import Judge
from podfsm.check.reads import names_in
from podfsm.engine.rule import Registry, invariant
from podfsm.kube.decode import convert
from podfsm.kube.objects import ObjectMeta, Pod
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for
from tests.check.breakages import BREAKAGES
from tests.check.traces import RECORDINGS, events, seen

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
NAMES = re.compile(r"(?<=://)[0-9a-f]{8,}|\b10\.\d+\.\d+\.\d+\b")
"""What instances and addresses are called."""


def elsewhere(name, days):
    """A recording as if other Pods had done the same on another day, on another node."""
    text = json.dumps(events(name))
    for uid in sorted({event["object"]["metadata"]["uid"] for event in events(name)}):
        text = text.replace(uid, uid[::-1])
    for node in sorted({event["object"]["spec"].get("nodeName") or "" for event in events(name)} - {""}):
        text = text.replace(f'odeName": "{node}"', f'odeName": "{node}-{days}"')
    return json.loads(NAMES.sub(another, TIME.sub(lambda found: later(found[0], days), text)))


def another(found):
    old = found[0]
    return f"10.99.{sum(old.encode()) % 200}.{old.rpartition('.')[2]}" if "." in old else old[::-1]


def later(stamp, days):
    moved = datetime.fromisoformat(stamp) + timedelta(days=days)
    return moved.astimezone(UTC).isoformat().replace("+00:00", "Z")


def found_in(checker, observations):
    return [finding for one in observations for finding in checker.see(one)]


def tell(findings):
    return [(one.rule, one.place.number, one.seen, one.allowed, one.severity, one.path) for one in findings]


@pytest.mark.parametrize("name", RECORDINGS)
def test_what_lives_alike_is_not_judged_again(name, monkeypatch):
    checker = Checker(gates_for())
    assert found_in(checker, seen(events(name))) == []
    monkeypatch.setattr(Judge, "first", None)
    monkeypatch.setattr(Judge, "next", None)
    assert found_in(checker, seen(elsewhere(name, 9))) == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_times_that_lie_after_the_recording_are_found_in_what_lives_alike(name):
    checker = Checker(gates_for())
    found_in(checker, seen(events(name)))
    early = elsewhere(name, 1)
    for event in early:
        created = event["object"]["metadata"]["creationTimestamp"]
        event["receivedAt"] = (datetime.fromisoformat(created) - timedelta(seconds=100)).isoformat()
    fresh = found_in(Checker(gates_for()), seen(early))
    assert tell(found_in(checker, seen(early))) == tell(fresh)


def test_a_late_recording_of_what_lives_alike_is_judged_by_its_own_clock():
    """Each event arrives ten minutes after the one before, as if the kubelet's status had stood still."""
    for name in RECORDINGS:
        checker = Checker(gates_for())
        found_in(checker, seen(events(name)))
        slow = elsewhere(name, 2)
        for number, event in enumerate(slow):
            created = datetime.fromisoformat(event["object"]["metadata"]["creationTimestamp"])
            event["receivedAt"] = (created + timedelta(minutes=10 * number + 1)).isoformat()
        assert tell(found_in(checker, seen(slow))) == tell(found_in(Checker(gates_for()), seen(slow)))


def test_what_is_forgotten_is_judged_anew(monkeypatch):
    """With room for a single step the same is found as with plenty."""
    monkeypatch.setattr(alike, "_MOST", 1)
    checker = Checker(gates_for())
    names = sorted(BREAKAGES)[::9]
    for name in names:
        for recording in RECORDINGS[::5]:
            watched = elsewhere(recording, len(name))
            if BREAKAGES[name][0](watched, random.Random(1)):
                for event in watched:
                    event["object"]["metadata"]["uid"] += name
                    event["object"]["metadata"]["namespace"] = name
                assert tell(found_in(checker, seen(watched))) == tell(found_in(Checker(gates_for()), seen(watched)))


def test_no_invariant_reads_what_is_not_told():
    """Labels are in no sight; a rule that reads them would be answered for other Pods."""
    for rule in all_rules():
        if rule.kind == "invariant":
            assert not {"labels", "generateName"} & (names_in(rule.function) or set()), rule.id


def statuses(watched, kind):
    """The container statuses of a recording that are in a state, each with what that state says."""
    for event in watched:
        for status in event["object"]["status"].get("containerStatuses", ()):
            if kind in status["state"]:
                yield status, status["state"][kind]


def named_by_token(watched, token):
    """Every container mounts the volume of the service account's token."""
    name = f"kube-api-access-{token}"
    for event in watched:
        spec = event["object"]["spec"]
        spec["volumes"] = [{"name": name, "projected": {}}]
        for container in spec["containers"]:
            container["volumeMounts"] = [{"name": name, "readOnly": True, "mountPath": "/token"}]
    return watched


def without_back_off(watched):
    for status, running in statuses(watched, "running"):
        if status["restartCount"] > 1:
            running["startedAt"] = status["lastState"]["terminated"]["finishedAt"]
    return watched


def of_another_token(first, then):
    """What is remembered of a container is not that another Pod mounts another volume."""
    return named_by_token(first, "first"), without_back_off(named_by_token(then, "other"))


def named_like_a_token(first, then):
    """A container may be called like a generated volume; then its name counts."""
    first, then = json.loads(json.dumps([first, then]).replace("app", "kube-api-access-first"))
    for event in then:
        event["object"]["spec"]["containers"][0]["name"] = "kube-api-access-other"
    return first, then


def not_yet_stored(first, then):
    """What has no resourceVersion may lack what every stored Pod has."""
    for event in (first[0], then[0]):
        del event["object"]["status"]["qosClass"]
    del first[0]["object"]["metadata"]["resourceVersion"]
    return first[:1], then[:1]


def called_by_a_digit(first, then):
    """The name of a Pod may occur in the message beside it, in which it counts."""
    for watched, name in ((first, "1"), (then, "9")):
        for event in watched:
            event["object"]["metadata"]["name"] = name
            own = f"{name}_s({event['object']['metadata']['uid']})"
            for _, waiting in statuses([event], "waiting"):
                waiting["message"] = f"back-off {name}00s restarting failed container=app pod={own}"
    return first, then


def before_all_times(first, then):
    """Times of before 1971 stand for none, however long before its creation a Pod shows them."""
    for watched, start in ((first, "1970-12-30T00:00:00Z"), (then, later("1970-12-30T00:00:00Z", 9))):
        for _, end in statuses(watched, "terminated"):
            end["startedAt"] = start
    return first, then


def labelled(first, then):
    """An event in which a label was written as well does not date the status of the kubelet."""
    for event in first[4:]:
        event["object"]["metadata"]["labels"] = {"some": "label"}
    for event in then[4:]:
        event["receivedAt"] = (datetime.fromisoformat(event["receivedAt"]) + timedelta(minutes=10)).isoformat()
    return first, then


ALMOST = {
    of_another_token: "backoff-sequence",
    named_like_a_token: "status-lists-the-spec",
    not_yet_stored: "phase-initial-pending",
    called_by_a_digit: "backoff-cap",
    before_all_times: "status-times-follow",
    labelled: "cstate-terminated-fields",
}


@pytest.mark.parametrize("change", ALMOST)
def test_what_lives_almost_alike_is_judged(change):
    first, then = change(events("crashloop-always"), elsewhere("crashloop-always", 9))
    checker = Checker(gates_for())
    found_in(checker, seen(first))
    fresh = found_in(Checker(gates_for()), seen(then))
    assert ALMOST[change] in {one.rule for one in fresh}
    assert tell(found_in(checker, seen(then))) == tell(fresh)


def test_a_pod_whose_creation_is_dated_anew_lives_like_no_other():
    """Times would be counted from two dates; one rule finds the change, and is left out here."""
    rules = Registry()
    for rule in all_rules():
        if rule.id != "update-metadata-immutable":
            rules.add(rule)
    checker = Checker(gates_for(), rules)
    watched = events("crashloop-always")
    for event in watched[9:]:
        metadata = event["object"]["metadata"]
        metadata["creationTimestamp"] = later(metadata["creationTimestamp"], -1)
    assert found_in(checker, seen(watched)) == []
    assert [known.shown for known in checker._known.values()] == [None]


def test_rules_of_others_are_asked_of_every_pod():
    rules = Registry()

    @invariant("own-team", cites=[], allows=[], refuses=[], registry=rules)
    def of_a_team(pod):
        """Every Pod has a team."""
        return "team" in pod.metadata.labels

    first, then = events("two-never")[:1], elsewhere("two-never", 9)[:1]
    first[0]["object"]["metadata"]["labels"] = {"team": "a"}
    checker = Checker(gates_for(), rules)
    assert found_in(checker, seen(first)) == []
    assert [one.rule for one in found_in(checker, seen(then))] == ["own-team"]


def test_integers_of_any_size_are_told():
    for size in (2**63, 2**64, 10**30):
        metadata = ObjectMeta("a", uid="u", generation=size, creationTimestamp=datetime(2026, 1, 1, tzinfo=UTC))
        found_in(Checker(gates_for()), [Observation("ADDED", Pod(metadata=metadata))])


def test_what_is_kept_has_an_end(monkeypatch):
    """Also of a Pod that changes its annotations with each event, so that none of its steps is kept."""
    monkeypatch.setattr(alike, "_MOST", 10)
    checker = Checker(gates_for())
    pod = convert(events("two-never")[0]["object"], Pod)
    for number in range(50):
        metadata = replace(pod.metadata, resourceVersion="", annotations={"a": str(number % 2)})
        status = replace(pod.status, message=str(number))
        found_in(checker, [Observation("MODIFIED", replace(pod, metadata=metadata, status=status))])
        assert len(checker._steps._states) <= 10
