"""Guards of the machines around a Pod: nodes, Jobs, evictions, PodPreset admission, resizes.

What they decide on is worked out by the rules of those areas; here it is only asked.
"""

from __future__ import annotations

from podfsm.engine.rule import docs, guard, source
from podfsm.engine.verdict import Verdict, wait_until
from podfsm.rules.cluster_facts import AdmissionFacts, EvictionFacts, JobFacts, NodeFacts, ResizeFacts

_NODES = docs("concepts/architecture/nodes.md#condition")
_NODE_CONTROLLER = "pkg/controller/nodelifecycle/node_lifecycle_controller.go"
_EVICTION = docs("concepts/scheduling-eviction/api-eviction.md#how-api-initiated-eviction-works")
_PRESETS = docs("concepts/workloads/pods/podpreset.md#how-it-works")
_PLUGIN = source("plugin/pkg/admission/podpreset/admission.go", "Admit")


@guard(
    "node-reports-ready",
    area="node-loss",
    machine="node",
    cites=[_NODES, source("pkg/kubelet/nodestatus/setters.go", "ReadyCondition")],
    allows=[NodeFacts()],
    refuses=[NodeFacts(reported="False"), NodeFacts(reported="Unknown")],
)
def reports_ready(facts: NodeFacts) -> bool:
    """A node is Ready once its kubelet says so; that also ends its being lost."""
    return facts.reported == "True"


@guard(
    "node-reports-not-ready",
    area="node-loss",
    machine="node",
    cites=[_NODES, source("pkg/kubelet/nodestatus/setters.go", "ReadyCondition")],
    allows=[NodeFacts(reported="False")],
    refuses=[NodeFacts(), NodeFacts(reported="Unknown")],
)
def reports_not_ready(facts: NodeFacts) -> bool:
    """A node whose kubelet runs but whose runtime or network does not is not Ready: Ready is False."""
    return facts.reported == "False"


@guard(
    "node-silent",
    area="node-loss",
    machine="node",
    cites=[_NODES, source(_NODE_CONTROLLER, "tryUpdateNodeHealth")],
    allows=[NodeFacts(reported="Unknown", now=50.0, silent_at=50.0)],
    refuses=[
        NodeFacts(reported="Unknown", now=49.0, silent_at=50.0),
        NodeFacts(reported="False", now=50.0, silent_at=50.0),
        NodeFacts(reported="Unknown"),
    ],
)
def silent(facts: NodeFacts) -> bool | Verdict:
    """A node counts as unreachable only when it has been silent for the whole grace period."""
    if facts.reported != "Unknown" or facts.silent_at is None:
        return False
    return True if facts.now >= facts.silent_at else wait_until(facts.silent_at, "the node may still report")


@guard(
    "job-ends-after-its-pods",
    area="controllers",
    machine="job",
    cites=[
        docs("concepts/workloads/controllers/job.md#terminal-job-conditions"),
        source("pkg/controller/job/job_controller.go", "trackJobStatusAndRemoveFinalizers"),
    ],
    since="1.31",
    allows=[JobFacts()],
    refuses=[JobFacts(terminating=1)],
)
def pods_are_gone(facts: JobFacts) -> bool:
    """A Job gets its final condition, Complete or Failed, only when none of its Pods terminates any more.

    Until then SuccessCriteriaMet or FailureTarget says how it will end. Before 1.31 it did not wait.
    """
    return facts.terminating == 0


@guard(
    "eviction-granted",
    area="disruption-budget",
    machine="eviction",
    cites=[_EVICTION, source("pkg/registry/core/pod/storage/eviction.go", "Create")],
    allows=[EvictionFacts()],
    refuses=[EvictionFacts(code=429), EvictionFacts(code=500)],
)
def granted(facts: EvictionFacts) -> bool:
    """A Pod is evicted when the eviction API answers with 201."""
    return facts.code < 300


@guard(
    "eviction-refused",
    area="disruption-budget",
    machine="eviction",
    cites=[_EVICTION, source("pkg/registry/core/pod/storage/eviction.go", "checkAndDecrement")],
    allows=[EvictionFacts(code=429), EvictionFacts(code=500)],
    refuses=[EvictionFacts()],
)
def refused(facts: EvictionFacts) -> bool:
    """An eviction that is not granted changes nothing of the Pod; whoever asked may ask again."""
    return facts.code >= 300


@guard(
    "eviction-toleration-over",
    area="node-loss",
    machine="eviction",
    cites=[
        docs("concepts/scheduling-eviction/taint-and-toleration.md#taint-based-evictions"),
        source("pkg/controller/tainteviction/taint_eviction.go", "processPodOnNode"),
    ],
    allows=[EvictionFacts(now=300.0, due_at=300.0)],
    refuses=[EvictionFacts(now=299.0, due_at=300.0), EvictionFacts()],
)
def toleration_over(facts: EvictionFacts) -> bool | Verdict:
    """A Pod on a node with a NoExecute taint is deleted when its toleration of it is used up, and not before."""
    if facts.due_at is None:
        return False
    return True if facts.now >= facts.due_at else wait_until(facts.due_at, "the taint is still tolerated")


@guard(
    "preset-skips",
    area="pod-preset",
    machine="preset_admission",
    cites=[_PRESETS, _PLUGIN],
    allows=[AdmissionFacts(in_scope=False, matching=1)],
    refuses=[AdmissionFacts(), AdmissionFacts(matching=1, conflicts=1)],
)
def skips(facts: AdmissionFacts) -> bool:
    """A Pod that is excluded, or mirrors a static one, is stored as it came."""
    return not facts.in_scope


@guard(
    "preset-selects-none",
    area="pod-preset",
    machine="preset_admission",
    cites=[_PRESETS, _PLUGIN],
    allows=[AdmissionFacts()],
    refuses=[AdmissionFacts(matching=1), AdmissionFacts(in_scope=False)],
)
def selects_none(facts: AdmissionFacts) -> bool:
    """A Pod that no preset of its namespace selects is stored as it came."""
    return facts.in_scope and facts.matching == 0


@guard(
    "preset-conflicts",
    area="pod-preset",
    machine="preset_admission",
    cites=[_PRESETS, _PLUGIN],
    allows=[AdmissionFacts(matching=2, conflicts=1)],
    refuses=[AdmissionFacts(matching=2), AdmissionFacts(), AdmissionFacts(in_scope=False, matching=1, conflicts=1)],
)
def conflicting(facts: AdmissionFacts) -> bool:
    """A Pod that one of the presets that select it contradicts is stored as it came; none of them is applied."""
    return facts.in_scope and facts.matching > 0 and facts.conflicts > 0


@guard(
    "preset-applies",
    area="pod-preset",
    machine="preset_admission",
    cites=[_PRESETS, _PLUGIN],
    allows=[AdmissionFacts(matching=1), AdmissionFacts(matching=3)],
    refuses=[AdmissionFacts(), AdmissionFacts(matching=1, conflicts=1), AdmissionFacts(in_scope=False, matching=1)],
)
def applies(facts: AdmissionFacts) -> bool:
    """All presets that select a Pod are applied together where nothing contradicts."""
    return facts.in_scope and facts.matching > 0 and facts.conflicts == 0


@guard(
    "resize-differs",
    area="resize",
    machine="resize",
    cites=[
        docs("concepts/workloads/pods/pod-condition.md#pod-resize-conditions"),
        source("pkg/kubelet/kubelet_pods.go", "determinePodResizeStatus"),
    ],
    gate="InPlacePodVerticalScaling",
    allows=[ResizeFacts(differs=True)],
    refuses=[ResizeFacts()],
)
def differs(facts: ResizeFacts) -> bool:
    """A resize is in progress while some container runs with other resources than were allocated to it."""
    return facts.differs


@guard(
    "resize-done",
    area="resize",
    machine="resize",
    cites=[
        docs("concepts/workloads/pods/pod-condition.md#pod-resize-conditions"),
        source("pkg/kubelet/kubelet_pods.go", "determinePodResizeStatus"),
    ],
    gate="InPlacePodVerticalScaling",
    allows=[ResizeFacts()],
    refuses=[ResizeFacts(differs=True)],
)
def settled(facts: ResizeFacts) -> bool:
    """A resize is over once every container runs with what was allocated to it, or runs no more."""
    return not facts.differs
