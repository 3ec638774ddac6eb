"""PodPresets, typed and frozen: what of them must decode. They are applied in raw form (`podfsm.rules.pod_preset`)."""

from __future__ import annotations

from typing import Any

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
