"""PodPresets, typed and frozen: what of them must decode. They are applied in raw form (`podfsm.rules.pod_preset`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podfsm.kube.defaults import default_pod
from podfsm.kube.objects import EnvVar, LabelSelector, ObjectMeta, Struct

API_VERSION = "settings.k8s.io/v1alpha1"


class PodPresetSpec(Struct, frozen=True):
    selector: LabelSelector = LabelSelector()
    env: tuple[EnvVar, ...] = ()
    envFrom: tuple[dict[str, Any], ...] = ()
    volumes: tuple[dict[str, Any], ...] = ()
    volumeMounts: tuple[dict[str, Any], ...] = ()


class PodPreset(Struct, frozen=True):
    apiVersion: str = API_VERSION
    kind: str = "PodPreset"
    metadata: ObjectMeta = ObjectMeta()
    spec: PodPresetSpec = PodPresetSpec()


def default_preset(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A PodPreset as a new object: what it injects has the defaults of a Pod, for only so can the two be compared."""
    spec = dict(raw.get("spec") or {})
    parts = ("env", "envFrom", "volumeMounts")
    container = {key: spec[key] for key in parts if spec.get(key)}
    whole = default_pod({"spec": {"containers": [container], "volumes": spec.get("volumes") or []}})["spec"]
    defaulted = whole["containers"][0] | {"volumes": whole.get("volumes")}
    return {**raw, "spec": {**spec, **{key: defaulted[key] for key in (*parts, "volumes") if spec.get(key)}}}
