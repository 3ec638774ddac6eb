"""Every form that Pods are recorded in gives the same observations; what is broken is said, and the rest is read."""

import gzip
import io
import json

import pytest
import yaml

from podfsm.check.event import Observation, Relist
from podfsm.check.readers import Trouble, observations, read_stream
from podfsm.check.readers.events import EventReader
from podfsm.kube.limits import Limits
from tests.check.traces import events, findings

NAME = "delete-grace"


def read(text, **limits):
    data = text if isinstance(text, bytes) else text.encode()
    return list(read_stream(io.BytesIO(data), "in", limits=Limits(**limits)))


def pods(found):
    return [one for one in found if isinstance(one, Observation)]


def troubles(found):
    return [one for one in found if isinstance(one, Trouble)]


def lines(watched=None):
    return [json.dumps(event) for event in watched or events(NAME)]


def same(found):
    """Whether these are the Pods of the recording, in their order."""
    assert troubles(found) == []
    expected = [event["object"]["metadata"]["resourceVersion"] for event in events(NAME)]
    return [one.pod.metadata.resourceVersion for one in pods(found)] == expected


FORMS = {
    "one a line": lambda: "\n".join(lines()),
    "concatenated": lambda: "".join(lines()),
    "indented": lambda: "\n".join(json.dumps(event, indent=4) for event in events(NAME)),
    "byte order mark": lambda: "\ufeff" + "\n".join(lines()),
    "blank lines": lambda: "\n\n" + "\n\n".join(lines()) + "\n\n",
    "windows": lambda: "\r\n".join(lines()),
    "list": lambda: json.dumps({"kind": "List", "apiVersion": "v1", "items": [e["object"] for e in events(NAME)]}),
    "typed list": lambda: json.dumps(
        {"kind": "PodList", "apiVersion": "v1", "items": [e["object"] | {"kind": "Pod"} for e in events(NAME)]},
        indent=1,
    ),
    "array of Pods": lambda: json.dumps([event["object"] for event in events(NAME)]),
    "array of events": lambda: json.dumps(events(NAME), indent=2),
    "pods": lambda: "\n".join(json.dumps(event["object"]) for event in events(NAME)),
    "yaml": lambda: "---\n".join(yaml.safe_dump(event["object"]) for event in events(NAME)),
    "table": lambda: json.dumps({"kind": "Table", "rows": [{"object": e["object"]} for e in events(NAME)]}),
    "table in events": lambda: "\n".join(
        json.dumps({"type": e["type"], "object": {"kind": "Table", "rows": [{"object": e["object"]}]}})
        for e in events(NAME)
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_form_is_read(form):
    assert same(read(FORMS[form]()))


def test_types_and_times_are_those_of_the_events():
    found = pods(read("\n".join(lines())))
    assert [one.type for one in found] == [event["type"] for event in events(NAME)]
    assert all(one.at is not None for one in found)
    assert [one.place.line for one in found] == list(range(1, len(found) + 1))


def test_gzip_is_unpacked(tmp_path):
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress("\n".join(lines()).encode()))
    assert same(list(observations([str(path)])))


def test_zstd_is_unpacked(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "a.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress("\n".join(lines()).encode()))
    assert same(list(observations([str(path)])))


def test_zstd_frames_follow_one_another(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "a.zst"
    path.write_bytes(b"".join(zstandard.ZstdCompressor().compress(f"{line}\n".encode()) for line in lines()))
    assert same(list(observations([str(path)])))


def test_cut_zstd_gives_what_there_is_and_says_so(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "a.zst"
    whole = b"".join(zstandard.ZstdCompressor().compress(f"{line}\n".encode()) for line in lines())
    path.write_bytes(whole[:-9])
    found = list(observations([str(path)]))
    assert len(pods(found)) == len(lines()) - 1
    assert "cannot be read" in str(troubles(found))


def test_gzip_that_is_broken_inside_is_said(tmp_path):
    packed = bytearray(gzip.compress("\n".join(lines()).encode()))
    packed[12:40] = b"\xff" * 28
    (tmp_path / "broken.gz").write_bytes(packed)
    found = list(observations([str(tmp_path / "broken.gz")]))
    assert "cannot be read" in str(troubles(found))


def test_cut_gzip_gives_what_there_is(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress("\n".join(lines()).encode())[:-40])
    found = list(observations([str(path)]))
    assert len(troubles(found)) == 1


def test_bookmarks_are_passed_over_and_410_means_a_new_list():
    texts = lines()
    bookmark = {"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": "9"}}}
    gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
    found = read("\n".join([texts[0], json.dumps(bookmark), json.dumps(gone), *texts]))
    assert [type(one) for one in found[:3]] == [Observation, Relist, Observation]
    assert findings([one for one in found if not isinstance(one, Trouble)]) == []


AUDIT = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete"}


def audited(watched, **change):
    for event in watched:
        verb = {"ADDED": "create", "MODIFIED": "patch", "DELETED": "delete"}[event["type"]]
        metadata = event["object"]["metadata"]
        reference = {"resource": "pods", "namespace": metadata["namespace"], "name": metadata["name"]}
        if verb == "patch":
            reference["subresource"] = "status"
        yield {
            **AUDIT, "verb": verb, "objectRef": reference, "responseStatus": {"code": 200},
            "responseObject": event["object"], "stageTimestamp": event["receivedAt"], **change,
        }  # fmt: skip


def test_audit_log_is_read():
    found = read("\n".join(map(json.dumps, audited(events(NAME)))))
    assert same(found)
    assert pods(found)[0].type == "ADDED"
    assert pods(found)[-1].type == "DELETED"
    assert findings(pods(found)) == []


def test_audit_events_of_other_things_are_passed_over():
    others = [
        next(audited(events(NAME), verb="get")),
        next(audited(events(NAME), stage="RequestReceived")),
        next(audited(events(NAME), responseStatus={"code": 409})),
        next(audited(events(NAME), objectRef={"resource": "nodes", "name": "n"})),
    ]
    found = read("\n".join(map(json.dumps, others)))
    assert pods(found) == []


def test_audit_log_at_level_request_is_patched_together():
    first = events(NAME)[0]["object"]
    reference = {"resource": "pods", "namespace": first["metadata"]["namespace"], "name": first["metadata"]["name"]}
    request = {**AUDIT, "level": "Request", "objectRef": reference, "responseStatus": {"code": 200}}
    binding = {"target": {"kind": "Node", "name": "node-a"}}
    patch = {"status": {"phase": "Failed", "reason": "Evicted"}}
    found = read(
        "\n".join(
            map(
                json.dumps,
                [
                    {**request, "verb": "create", "requestObject": first},
                    {**request, "verb": "create", "requestObject": binding,
                     "objectRef": {**reference, "subresource": "binding"}},
                    {**request, "verb": "patch", "requestObject": patch,
                     "objectRef": {**reference, "subresource": "status"}},
                ],
            )
        )
    )  # fmt: skip
    assert [one.type for one in pods(found)] == ["ADDED", "MODIFIED", "MODIFIED"]
    last = pods(found)[-1].pod
    assert (last.spec.nodeName, last.status.phase, last.status.reason) == ("node-a", "Failed", "Evicted")


def test_what_audited_requests_give_is_no_old_version():
    """A patched object has a resourceVersion that the log does not tell."""
    watched = events(NAME)
    reference = {"resource": "pods", "namespace": "n", "name": "p"}
    logged = [{**AUDIT, "verb": "create", "objectRef": reference, "responseObject": watched[0]["object"]}]
    reference = {key: watched[0]["object"]["metadata"][key] for key in ("namespace", "name")} | {"resource": "pods"}
    logged += [
        {**AUDIT, "verb": "patch", "objectRef": reference, "requestObject": {"metadata": {"labels": {"a": text}}}}
        for text in ("b", "c")
    ]
    found = pods(read("\n".join(map(json.dumps, logged))))
    assert [one.pod.metadata.labels.get("a") for one in found] == [None, "b", "c"]
    assert [bool(one.pod.metadata.resourceVersion) for one in found] == [True, False, False]
    assert findings(found) == []


@pytest.mark.parametrize("verb", [[], {}, 3])
def test_audit_event_of_no_verb_is_passed_over(verb):
    odd = {**AUDIT, "verb": verb, "objectRef": {"resource": "pods"}}
    assert pods(read(json.dumps(odd))) == []


def test_kwok_recording_is_read():
    patch = {
        "apiVersion": "action.kwok.x-k8s.io/v1alpha1",
        "kind": "ResourcePatch",
        "resource": {"version": "v1", "resource": "pods"},
        "target": {"name": "p", "namespace": "d"},
    }
    documents = [
        {**patch, "method": "create", "durationNanosecond": 1, "template": {"spec": {"containers": [{"name": "a"}]}}},
        {**patch, "method": "patch", "durationNanosecond": 10**9, "template": {"status": {"phase": "Running"}}},
        {**patch, "method": "delete", "durationNanosecond": 2 * 10**9},
    ]
    found = read("---\n".join(map(yaml.safe_dump, documents)))
    assert [(one.type, one.pod.status.phase) for one in found] == [
        ("ADDED", ""),
        ("MODIFIED", "Running"),
        ("DELETED", "Running"),
    ]
    assert (found[2].at - found[1].at).total_seconds() == 1


def test_must_gather_folder_is_read_once(tmp_path):
    pod = events(NAME)[3]["object"]
    core = tmp_path / "quay-io-sha" / "namespaces" / "shop" / "core"
    single = core.parent / "pods" / pod["metadata"]["name"]
    for folder in (core, single):
        folder.mkdir(parents=True)
    (core / "pods.yaml").write_text(yaml.safe_dump({"kind": "PodList", "apiVersion": "v1", "items": [pod]}))
    (single / f"{pod['metadata']['name']}.yaml").write_text(yaml.safe_dump(pod))
    (core / "configmaps.yaml").write_text("not: [read")
    found = list(observations([str(tmp_path)]))
    assert len(pods(found)) == 1
    assert troubles(found) == []


def test_cluster_info_dump_is_read(tmp_path):
    (tmp_path / "default").mkdir()
    pod = events(NAME)[3]["object"]
    (tmp_path / "default" / "pods.json").write_text(json.dumps({"kind": "PodList", "items": [pod]}))
    (tmp_path / "default" / "events.json").write_text("{")
    (tmp_path / "nodes.json").write_text("{}")
    found = list(observations([str(tmp_path)]))
    assert len(pods(found)) == 1


def broken_in_the_middle():
    texts = lines()
    return "\n".join([texts[0], texts[1][:100], *texts[2:]])


BAD = {
    "empty": ("", "is empty"),
    "spaces": ("  \n\n ", "is empty"),
    "binary": (b"\x00\x01\x02{", "binary data"),
    "text": ("hello there", "not a Kubernetes object"),
    "no kind": ('{"a": 1}', "no kind"),
    "number": ("[1]", "not an object"),
    "array in an array": ("[[{}]]", "not an object"),
    "empty array": ("[]", "holds no Pod"),
    "unknown type": ('{"type": "CHANGED", "object": {}}', "unknown type of event"),
    "watch error": ('{"type": "ERROR", "object": {"code": 500, "message": "no"}}', "the watch reported an error"),
    "cut in the middle": (broken_in_the_middle(), "cut off"),
    "cut at the end": ("\n".join(lines())[:-30], "cut off"),
    "not a pod": ('{"type": "ADDED", "object": {"kind": "Pod", "spec": {"containers": 5}}}', "not a Pod"),
    "NaN": ('{"type": "ADDED", "object": {"kind": "Pod", "metadata": {"generation": NaN}}}', "NaN"),
    "deep": ('{"type": "ADDED", "object": {"kind": "Pod", "x": ' + "[" * 5000 + "]" * 5000 + "}}", "nested too deeply"),
    "deeper": ('{"kind": "Pod", "x": ' + "[" * 200000 + "]" * 200000 + "}", "nested too deeply"),
    "wrong time": (
        '{"type": "ADDED", "object": {"kind": "Pod", "metadata": {"creationTimestamp": "yesterday"}}}',
        "creationTimestamp",
    ),
    "bad utf-8": (
        b'{"type": "ADDED", "object": {"kind": "Pod", "metadata": {"name": "\xff"}}}',
        "not UTF-8 text",
    ),
    "half a character": (
        '{"type": "ADDED", "object": {"kind": "Pod", "metadata": {"name": "\\ud800"}}}',
        "a lone surrogate",
    ),
    "time without a zone": (
        '{"type": "ADDED", "object": {"kind": "Pod", "status": {"startTime": "2026-01-01T00:00:00"}}}',
        "status.startTime: a time without a zone",
    ),
    "object of no kind": ('{"type": "ADDED", "object": {"metadata": {"name": "p"}}}', "no kind"),
    "rows of no table": ('{"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": 3}', "rows of a table"),
    "audited by nothing": (
        json.dumps(
            {
                **AUDIT,
                "verb": "create",
                "objectRef": {"resource": "pods", "name": "p", "subresource": "binding"},
                "requestObject": {"target": 5},
            }
        ),
        "target is no object",
    ),
    "audited metadata": (
        json.dumps(
            {
                **AUDIT,
                "verb": "create",
                "objectRef": {"resource": "pods", "name": "p"},
                "requestObject": {"kind": "Pod", "spec": {}, "metadata": [1]},
            }
        ),
        "metadata is no object",
    ),
    "kwok metadata": (
        (
            '{"apiVersion": "action.kwok.x-k8s.io/v1", "method": "create", "resource": {"resource": "pods"},'
            ' "target": {}, "template": {"metadata": 7}}'
        ),
        "metadata is no object",
    ),
    "services only": ('{"kind": "ServiceList", "apiVersion": "v1", "items": []}', "holds no Pod"),
    "kwok patch of nothing": (
        '{"apiVersion": "action.kwok.x-k8s.io/v1", "method": "patch", "resource": {"resource": "pods"}, "target": {}}',
        "not there",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_located_complaint(name):
    text, complaint = BAD[name]
    found = troubles(read(text))
    assert any(complaint in str(one) for one in found), found
    assert all(str(one).startswith("in") for one in found)
    assert len(found) <= 2


def test_the_rest_is_read_after_a_broken_event():
    found = read(broken_in_the_middle())
    assert len(troubles(found)) == 1
    assert troubles(found)[0].line == 2
    assert len(pods(found)) == len(lines()) - 1


def test_a_broken_indented_event_costs_only_itself():
    texts = [json.dumps(event, indent=2) for event in events(NAME)]
    found = read("\n".join([texts[0], texts[1][: len(texts[1]) // 2], *texts[2:]]))
    assert len(troubles(found)) == 1
    assert len(pods(found)) == len(texts) - 1


def test_a_line_that_is_too_long_is_passed_over():
    texts = lines()
    longest = max(map(len, texts))
    found = read(
        "\n".join([texts[0], '{"type":"ADDED","object":"' + "x" * 3 * longest + '"}', *texts[1:]]), size=2 * longest
    )
    assert [str(one) for one in troubles(found) if "too long" in str(one)]
    assert len(pods(found)) == len(texts)


def test_unknown_fields_and_reasons_and_unicode_are_no_trouble():
    watched = events(NAME)
    for event in watched:
        event["object"]["metadata"]["labels"] = {"näme": "日本 🎈"}
        event["object"]["spec"]["fieldOfTheFuture"] = {"x": [1]}
        event["object"]["status"]["moreOfIt"] = "y"
    found = read("\n".join(lines(watched)))
    assert same(found)
    assert findings(pods(found)) == []


def test_unknown_fields_are_said_once_where_that_is_asked_for():
    watched = events(NAME)
    for event in watched[2:]:
        event["object"]["spec"]["nodeNam"] = "x"
        event["object"]["spec"]["containers"][0]["imagine"] = "x"
    found = list(read_stream(io.BytesIO("\n".join(lines(watched)).encode()), "in", strict=True))
    said = troubles(found)
    assert [(one.line, one.harmless) for one in said] == [(3, True), (3, True)]
    assert "unknown field spec.nodeNam; did you mean nodeName?" in str(said)
    assert len(pods(found)) == len(watched)


def test_missing_file_and_folder_without_pods_are_said(tmp_path):
    assert "no such file" in str(next(observations([str(tmp_path / "none")])))
    assert "holds no file with Pods" in str(next(observations([str(tmp_path)])))


def event(kind="MODIFIED", uid="1", spec='{"nodeName": "a"}'):
    return f'{{"type": "{kind}", "object": {{"kind": "Pod", "metadata": {{"uid": "{uid}"}}, "spec": {spec}}}}}'.encode()


def test_a_spec_that_stays_is_decoded_once():
    reader = EventReader()
    first, again, other = (reader.read(event(uid=uid))[1].spec for uid in ("1", "1", "2"))
    assert first is again
    assert first == other
    assert reader.read(event(spec='{"nodeName": "b"}'))[1].spec.nodeName == "b"
    assert reader.read(event())[1].spec == first


def test_a_spec_is_remembered_as_long_as_its_pod_lives_and_of_so_many_only(monkeypatch):
    monkeypatch.setattr("podfsm.check.readers.events._SPECS", 2)
    reader = EventReader()
    kept = reader.read(event())[1].spec
    assert reader.read(event("DELETED"))[1].spec is kept
    kept = reader.read(event())[1].spec
    reader.read(event(uid="2"))
    assert reader.read(event())[1].spec is kept
    reader.read(event(uid="3"))
    assert reader.read(event())[1].spec is not kept


@pytest.mark.parametrize("spec", ["null", "[]", '{"nodeName": 1}', '{"nodeName": null}'])
def test_a_spec_that_does_not_fit_is_left_to_the_reader_that_says_where(spec):
    assert EventReader().read(event(spec=spec)) is None
