"""PodPresets, which existed until 1.19: what is injected into a Pod at its creation, and when nothing is.

Everything works on objects in raw JSON form, since presets carry fields that nothing else here reads. `admit` is the
whole admission step, made of the rules above it. Sources are of the last form of the admission plugin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.engine.versions import Version
from podfsm.errors import NotModelled
from podfsm.kube.objects import LabelSelector
from podfsm.kube.selector import matches

Json = Mapping[str, Any]

LAST = Version(1, 19)
"""The last version that serves PodPresets."""
ANNOTATION = "podpreset.admission.kubernetes.io"
EXCLUDE = f"{ANNOTATION}/exclude"
MIRROR = "kubernetes.io/config.mirror"

_PAGE = "concepts/workloads/pods/podpreset.md"
_HOW = docs(f"{_PAGE}#how-it-works")
_PLUGIN = "plugin/pkg/admission/podpreset/admission.go"

_A1, _A2 = {"name": "A", "value": "1"}, {"name": "A", "value": "2"}
_DATA, _CACHE = {"name": "data", "mountPath": "/data"}, {"name": "cache", "mountPath": "/data"}


def _preset(name: str = "p", **spec: Any) -> Json:
    return {"metadata": {"name": name, "resourceVersion": "7"}, "spec": spec}


@derivation(
    "preset-removed",
    cites=[docs(_PAGE)],
    seed=12,
    observable="no annotation of a preset on new Pods",
    examples=[example(Version(1, 19), gives=True), example(Version(1, 20), gives=False)],
)
def served(version: Version) -> bool:
    """PodPreset (settings.k8s.io/v1alpha1) was alpha from 1.6 to 1.19 and is gone since 1.20.

    A mutating admission webhook or policy takes its place.
    """
    return version <= LAST


def require_served(version: Version) -> None:
    """Raise NotModelled where PodPresets no longer exist."""
    if not served(version):
        raise NotModelled(
            f"PodPreset was removed in Kubernetes 1.20, and this is {version}: use --kubernetes 1.19 or older, "
            "or put what the preset injects into the Pods"
        )


@derivation(
    "preset-enable",
    cites=[docs(f"{_PAGE}#enable-pod-preset"), source(_PLUGIN, "Register")],
    until="1.19",
    seed=12,
    examples=[example(True, True, gives=True), example(True, False, gives=False), example(False, True, gives=False)],
)
def enabled(api: bool, plugin: bool) -> bool:
    """Presets work only where both the API settings.k8s.io/v1alpha1 and the admission plugin PodPreset are switched on.

    Both are off by default.
    """
    return api and plugin


@derivation(
    "preset-scope",
    cites=[_HOW, source(_PLUGIN, "Admit")],
    until="1.19",
    seed=13,
    examples=[
        example({"labels": {"app": "web"}}, gives=True),
        example({"annotations": {EXCLUDE: "true"}}, gives=False),
        example({"annotations": {EXCLUDE: "false"}}, gives=True),
        example({"annotations": {MIRROR: "x"}}, gives=False),
    ],
)
def in_scope(metadata: Json) -> bool:
    """Presets touch Pods only when they are created, and neither mirror Pods nor those that are excluded.

    That is: annotated podpreset.admission.kubernetes.io/exclude: "true". Of the presets those of the Pod's namespace
    whose selector matches its labels count (`matching`).
    """
    annotations = metadata.get("annotations") or {}
    return MIRROR not in annotations and annotations.get(EXCLUDE) != "true"


def matching(metadata: Json, presets: Iterable[Json]) -> tuple[Json, ...]:
    """The presets whose selector matches the Pod's labels, in the order given; a selector without terms matches all."""
    labels = metadata.get("labels") or {}
    return tuple(
        preset
        for preset in presets
        if matches(msgspec.convert((preset.get("spec") or {}).get("selector") or {}, LabelSelector), labels)
    )


@derivation(
    "preset-identical-ok",
    cites=[docs("tasks/inject-data-application/podpreset.md"), source(_PLUGIN, "mergeEnv")],
    until="1.19",
    seed=13,
    examples=[
        example([_A1], [_A1], "env", gives=([_A1], ())),
        example([], [_A1], "env", gives=([_A1], ())),
        example([_A1], [_A2], "env", gives=([_A1], ("env A",))),
    ],
)
def merged(own: Sequence[Json], injected: Iterable[Json], what: str) -> tuple[list[Json], tuple[str, ...]]:
    """What is there already with the same name and the same content is no conflict and is not added again.

    Gives the list with what is new at its end, and the conflicts. envFrom entries have no name: they are all appended.
    """
    found = {each.get("name"): each for each in own}
    result, conflicts = list(own), []
    for item in injected:
        name = item.get("name")
        if name not in found:
            found[name] = item
            result.append(item)
        elif _plain(found[name]) != _plain(item):
            conflicts.append(f"{what} {name}")
    return result, tuple(conflicts)


def _plain(value: Any) -> Any:
    """The value without the fields that say nothing, as the API server compares."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items() if each not in (None, "", 0, False, [])}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _paths(own: Sequence[Json], injected: Iterable[Json]) -> tuple[str, ...]:
    """The mount paths that two different mounts claim."""
    found = {each.get("mountPath"): each for each in own}
    return tuple(
        f"volumeMount path {mount.get('mountPath')}"
        for mount in injected
        if _plain(found.setdefault(mount.get("mountPath"), mount)) != _plain(mount)
    )


def _all(presets: Iterable[Json], key: str) -> list[Json]:
    return [item for preset in presets for item in (preset.get("spec") or {}).get(key) or ()]


@derivation(
    "preset-injects",
    cites=[_HOW, source(_PLUGIN, "applyPodPresetsOnPod")],
    until="1.19",
    seed=12,
    observable="spec.containers[].env, envFrom, volumeMounts; spec.volumes",
    examples=[
        example({"name": "c"}, [_preset(env=[_A1])], gives={"name": "c", "env": [_A1]}),
        example({"name": "c", "env": [_A2]}, [_preset()], gives={"name": "c", "env": [_A2]}),
        example(
            {"name": "c", "envFrom": [{"prefix": "x"}]},
            [_preset(envFrom=[{"prefix": "x"}], volumeMounts=[_DATA])],
            gives={"name": "c", "envFrom": [{"prefix": "x"}, {"prefix": "x"}], "volumeMounts": [_DATA]},
        ),
    ],
)
def injected(container: Json, presets: Sequence[Json]) -> dict[str, Any]:
    """All containers, init ones too, get the presets' env, envFrom and volumeMounts; the Pod gets the volumes."""
    result = dict(container)
    for key in ("env", "volumeMounts"):
        items = merged(container.get(key) or [], _all(presets, key), key)[0]
        if items:
            result[key] = items
    sources = [*(container.get("envFrom") or []), *_all(presets, "envFrom")]
    return {**result, "envFrom": sources} if sources else result


@derivation(
    "preset-conflict-all-or-nothing",
    cites=[_HOW, source(_PLUGIN, "safeToApplyPodPresetsOnPod")],
    until="1.19",
    seed=13,
    observable="no annotation",
    documented="only the preset at fault is left out",
    examples=[
        example({"containers": [{"env": [_A1]}]}, [_preset(env=[_A2])], gives=("env A",)),
        example({"containers": [{}]}, [_preset(env=[_A1]), _preset("q", env=[_A2])], gives=("env A",)),
        example(
            {"containers": [{"volumeMounts": [_DATA]}]},
            [_preset(volumeMounts=[_CACHE])],
            gives=("volumeMount path /data",),
        ),
        example({"containers": [{}]}, [_preset(env=[_A1]), _preset("q", volumeMounts=[_DATA])], gives=()),
    ],
)
def conflicts_in(spec: Json, presets: Sequence[Json]) -> tuple[str, ...]:
    """All matching presets are tried together first; any conflict, also between two of them, and none is applied.

    A conflict is an environment variable, volume or mount of the same name, or a mount at the same path, with other
    content. The Pod is created all the same, unchanged. Gives the conflicts, sorted, each once.
    """
    found = set(merged(spec.get("volumes") or [], _all(presets, "volumes"), "volume")[1])
    mounts = _all(presets, "volumeMounts")
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        own = container.get("volumeMounts") or []
        found.update(merged(container.get("env") or [], _all(presets, "env"), "env")[1])
        found.update(merged(own, mounts, "volumeMount")[1])
        found.update(_paths(own, mounts))
    return tuple(sorted(found))


@derivation(
    "preset-conflict-report",
    cites=[_HOW, source(_PLUGIN, "Admit")],
    until="1.19",
    seed=13,
    documented="an event on the Pod tells of the conflict",
    examples=[
        example((), gives=""),
        example(("env A", "volume v"), gives="no preset applied, conflicts over: env A, volume v"),
    ],
)
def warning(conflicts: Sequence[str]) -> str:
    """A conflict shows in the API server's log and nowhere else; only the very first version made an event of it.

    Gives what would be logged, in our words; nothing if there is no conflict.
    """
    return f"no preset applied, conflicts over: {', '.join(conflicts)}" if conflicts else ""


@derivation(
    "preset-annotation",
    cites=[_HOW, source(_PLUGIN, "applyPodPresetsOnPod")],
    until="1.19",
    seed=13,
    observable="metadata.annotations",
    examples=[example([_preset("db")], gives={"podpreset.admission.kubernetes.io/podpreset-db": "7"})],
)
def annotations_for(presets: Iterable[Json]) -> dict[str, str]:
    """Each preset that is applied leaves an annotation podpreset.admission.kubernetes.io/podpreset-NAME on the Pod.

    Its value is the preset's resourceVersion.
    """
    metadata = [preset.get("metadata") or {} for preset in presets]
    return {f"{ANNOTATION}/podpreset-{each.get('name')}": each.get("resourceVersion") or "" for each in metadata}


@frozen
class Admitted:
    """What became of a Pod: `result` is applied, conflict, nomatch or skipped; `pod` is the raw Pod that is stored."""

    result: str
    pod: Json
    conflicts: tuple[str, ...] = ()


def admit(pod: Json, presets: Sequence[Json]) -> Admitted:
    """The admission of a new Pod; `presets` are those of its namespace, applied in this order."""
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    if not in_scope(metadata):
        return Admitted("skipped", pod)
    chosen = matching(metadata, presets)
    if not chosen:
        return Admitted("nomatch", pod)
    conflicts = conflicts_in(spec, chosen)
    if conflicts:
        return Admitted("conflict", pod, conflicts)
    spec = {key: [injected(c, chosen) for c in value] if key in _LISTS else value for key, value in spec.items()}
    volumes = merged(spec.get("volumes") or [], _all(chosen, "volumes"), "volume")[0]
    if volumes:
        spec["volumes"] = volumes
    annotations = {**(metadata.get("annotations") or {}), **annotations_for(chosen)}
    return Admitted("applied", {**pod, "metadata": {**metadata, "annotations": annotations}, "spec": spec})


_LISTS = ("containers", "initContainers")
