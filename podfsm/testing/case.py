"""A case: Pods, how their environment behaves, and what users do to them when. Plain data, and a Scenario when written.

Durations are numbers of seconds, or `forever`, so that any implementation can read them; the Scenario that is written
spells them as Kubernetes does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from attrs import field, frozen

from podfsm.kube.document import Document
from podfsm.simulate.scenario import API_VERSION

Json = dict[str, Any]
FOREVER = float("inf")


def seconds(value: Any) -> float:
    """A duration of a case in seconds; infinity for `forever`."""
    return FOREVER if value == "forever" else float(value)


def spelled(value: Any) -> Any:
    """The same part of a Scenario's spec with its durations as Kubernetes writes them: 3s, 1500ms."""
    if isinstance(value, dict):
        return {key: _spelled_entry(key, part) for key, part in value.items()}
    return [spelled(part) for part in value] if isinstance(value, (list, tuple)) else value


def _spelled_entry(key: str, value: Any) -> Any:
    if key in ("body", "create"):
        return value
    if key in _DURATIONS and isinstance(value, (int, float)):
        return f"{value:g}s" if float(value).is_integer() else f"{round(value * 1000)}ms"
    return spelled(value)


_DURATIONS = frozenset(
    {
        "at",
        "diesAfter",
        "duration",
        "failsFrom",
        "failsUntil",
        "from",
        "pullTakes",
        "run",
        "startTakes",
        "takes",
        "to",
        "until",
    }
)


@frozen
class Case:
    """`pods`: manifests as users write them. `spec`: a Scenario's spec, its steps in order of time."""

    pods: tuple[Json, ...]
    spec: Json = field(factory=dict)

    @property
    def duration(self) -> float:
        """How long it goes on, in seconds."""
        return float(self.spec.get("duration", 60))

    @property
    def steps(self) -> list[Json]:
        """What users do, in order of time."""
        return sorted(self.spec.get("steps", ()), key=lambda step: float(step["at"]))

    def steps_of(self, action: str, pod: str, subresource: str = "") -> list[Json]:
        """The deletes or patches of one Pod."""
        target = f"pods/{pod}/{subresource}" if subresource else f"pods/{pod}"
        return [step for step in self.steps if step.get(action) == target]

    def scripts(self) -> list[tuple[str, Json]]:
        """What to tell a cluster before Pods are created: targets and behaviours, as `Cluster.script` takes them."""
        told: list[tuple[str, Json]] = []
        chosen: Json = {key: self.spec[key] for key in ("kubernetes", "featureGates") if key in self.spec}
        if chosen:
            told.append(("cluster", chosen))
        told += [(f"images/{image}", behaviour) for image, behaviour in self.spec.get("images", {}).items()]
        told += [(f"sandboxes/{entry['pod']}", entry["sandbox"]) for entry in self.spec.get("pods", ())]
        for entry in self.spec.get("containers", ()):
            rest = {key: value for key, value in entry.items() if key not in ("pod", "container")}
            told.append((f"containers/{entry['pod']}/{entry['container']}", rest))
        for step in self.steps:
            made = step.get("create", {})
            if made.get("kind", "Pod") != "Pod":
                told.append((f"absent/{made['kind']}/{made['metadata']['name']}", {}))
        return told

    def script_of(self, pod: str, container: str) -> Json:
        """How one container behaves; empty for one that behaves well."""
        entries = self.spec.get("containers", ())
        return next((e for e in entries if e["container"] == container and e.get("pod", pod) == pod), {})

    def documents(self, name: str = "case") -> list[Document]:
        """What `podfsm.simulate.prepare` takes."""
        scenario = {
            "apiVersion": API_VERSION,
            "kind": "Scenario",
            "metadata": {"name": name},
            "spec": spelled(self.spec),
        }
        return [Document(dict(raw)) for raw in (*self.pods, scenario)]

    def to_yaml(self, name: str = "case", says: str = "") -> str:
        """The case as a file that `podfsm simulate` replays. `says` becomes its comment, line by line."""
        comment = "".join(f"# {line}\n" for line in says.splitlines())
        plain = [json.loads(json.dumps(document.raw)) for document in self.documents(name)]
        return comment + yaml.safe_dump_all(plain, sort_keys=False, width=110)

    def size(self) -> int:
        """How much there is to read; what shrinking makes smaller."""
        return len(json.dumps([self.pods, self.spec]))


def pod_of(case: Case, name: str) -> Mapping[str, Any]:
    """The manifest of that name; empty if the case has none."""
    return next((pod for pod in case.pods if pod["metadata"]["name"] == name), {})
