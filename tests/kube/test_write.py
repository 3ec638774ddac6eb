"""Typed objects written as the API server prints them: recorded Pods come back to the byte."""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube import objects
from podfsm.kube.decode import convert
from podfsm.kube.objects import Container, ContainerStatus, Pod, PodCondition, PodStatus, SleepAction
from podfsm.kube.write import (
    condition_json,
    container_status_json,
    dump_json,
    status_json,
    timestamp,
    to_json,
    with_status,
)

RECORDED = [json.loads(line) for line in (Path(__file__).parents[1] / "data/kube/pods.jsonl").read_text().splitlines()]
IDS = [f"{number}-{raw['status']['phase']}" for number, raw in enumerate(RECORDED)]
INSTANTS = st.integers(0, 10**9).map(lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
TEXTS = st.text("abc", max_size=3)


def values(annotation):
    """Anything a field may hold."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return st.one_of([values(each) for each in arguments])
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin in (dict, Mapping):
        return st.dictionaries(TEXTS, TEXTS if arguments[1] is Any else values(arguments[1]), max_size=2)
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return built(annotation)
    return {
        type(None): st.none(),
        objects.Time: INSTANTS,
        str: TEXTS,
        bool: st.booleans(),
        int: st.integers(-(2**31), 2**31),
        float: st.just(0.5),
    }[annotation]


def built(type_):
    fields = {field.name: values(field.type) for field in msgspec.structs.fields(type_)}
    if type_ is Container:  # written as {} where there are none
        fields["resources"] = built(objects.ResourceRequirements)
    return st.builds(type_, **fields)


STATUSES = built(PodStatus)


@pytest.mark.parametrize("raw", RECORDED, ids=IDS)
def test_a_recorded_status_comes_back_to_the_byte_foreign_fields_included(raw):
    before = copy.deepcopy(raw)
    made = with_status(raw, convert(raw, Pod).status)
    assert dump_json(made) == dump_json(raw)
    assert raw == before


@pytest.mark.parametrize("raw", RECORDED, ids=IDS)
def test_a_recorded_spec_comes_back_to_the_byte_as_far_as_it_is_read(raw):
    made = to_json(convert(raw, Pod))
    known = {key: value for key, value in raw["spec"].items() if key in made["spec"]}
    assert json.dumps(made["spec"]) == json.dumps(known)
    assert json.dumps(made["metadata"]) == json.dumps(
        {key: value for key, value in raw["metadata"].items() if value != {}}
    )
    assert list(made) == list(raw)


@given(STATUSES)
def test_every_status_comes_back_as_it_went(status):
    assert convert(status_json(status), PodStatus) == status


@given(built(Container))
def test_every_container_comes_back_as_it_went(container):
    assert convert(to_json(container), Container) == container


@given(built(objects.ObjectMeta))
def test_all_metadata_come_back_as_they_went(metadata):
    assert convert(to_json(metadata), objects.ObjectMeta) == metadata


@given(STATUSES, STATUSES)
def test_a_new_status_leaves_nothing_of_the_old_one(old, new):
    raw = with_status({"kind": "Pod"}, old)
    assert with_status(raw, new) == {"kind": "Pod", "status": status_json(new)}


def test_what_is_written_even_when_empty():
    assert container_status_json(ContainerStatus(name="a")) == {
        "name": "a",
        "state": {},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": "",
        "imageID": "",
    }
    assert condition_json(PodCondition("Ready", "True")) == {
        "type": "Ready",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": None,
    }
    assert to_json(SleepAction()) == {"seconds": 0}
    assert status_json(PodStatus()) == {}


def test_foreign_fields_stay_with_their_container():
    raw = {
        "status": {
            "phase": "Running",
            "resources": {},
            "containerStatuses": [{"name": "a", "resources": {"x": 1}}, {"name": "gone", "user": {}}],
        }
    }
    status = PodStatus(phase="Failed", containerStatuses=(ContainerStatus(name="b"), ContainerStatus(name="a")))
    made = with_status(raw, status)["status"]
    assert list(made) == ["phase", "containerStatuses", "resources"]
    assert [each.get("resources") for each in made["containerStatuses"]] == [None, {"x": 1}]


def test_instants_are_written_in_utc_and_whole_seconds():
    east = timezone(timedelta(hours=2))
    assert timestamp(datetime(2026, 1, 1, 2, 0, 0, 999999, tzinfo=east)) == "2026-01-01T00:00:00Z"
    assert timestamp(datetime(26, 1, 1, tzinfo=UTC)) == "0026-01-01T00:00:00Z"
