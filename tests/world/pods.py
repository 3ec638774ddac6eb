"""Random Pods and what happens to them: valid manifests with a Scenario, as plain objects, for hypothesis."""

from typing import Any

from attrs import frozen
from hypothesis import strategies as st

from podfsm.kube.document import Document

IMAGE = "registry.example/app:1"
OTHER = "registry.example/app:2"
LATE = "registry.example/late:1"
SLOW = "registry.example/slow:1"
NONE = "registry.example/none:1"
IMAGES = {
    LATE: {"error": "NotFound", "until": "15s"},
    SLOW: {"pullTakes": "4s"},
    NONE: {"absent": True},
    OTHER: {"pullTakes": "0.5s"},
}
GATE = "example.com/checked"
SHORT = ("400ms", "1s", "2.5s", "3s", "5.9s", "11s")
TIMES = st.sampled_from(SHORT)


@frozen
class Case:
    """A Pod named p and its Scenario, in JSON form."""

    pod: dict[str, Any]
    scenario: dict[str, Any]

    @property
    def documents(self):
        """As if they had been read."""
        return [Document(raw) for raw in (self.pod, self.scenario)]


def often(strategy, otherwise=None):
    """One time in two."""
    return st.one_of(st.just(otherwise), strategy)


def seldom(strategy, otherwise=None):
    """About one time in six."""
    return st.integers(0, 5).flatmap(lambda n: strategy if n == 5 else st.just(otherwise))


def rarely(strategy):
    """About one time in twenty."""
    return st.integers(0, 19).flatmap(lambda n: strategy if n == 19 else st.none())


def mapping(**parts):
    """A mapping without the keys that came out as None."""
    return st.fixed_dictionaries(parts).map(lambda d: {k: v for k, v in d.items() if v is not None})


STOPS = mapping(
    takes=st.sampled_from(["0s", "50ms", "2s", "4.2s", "9s", "forever"]), exit=st.sampled_from([0, 137, 143])
)
ATTEMPT = mapping(
    run=st.sampled_from([*SHORT, *SHORT, "forever", "forever"]),
    exit=st.sampled_from([0, 0, 1, 1, 3, 42, 88, 137]),
    reason=rarely(st.just("OOMKilled")),
    startError=rarely(st.just("no such file")),
    createError=rarely(st.just("no such device")),
    startTakes=rarely(st.just("1.5s")),
    stop=often(STOPS),
)
ATTEMPTS = st.lists(ATTEMPT, min_size=1, max_size=3)
PREPARES = st.tuples(
    st.lists(ATTEMPT, max_size=1), mapping(run=TIMES, exit=st.sampled_from([0, 0, 0, 0, 0, 1, 42]), stop=often(STOPS))
).map(lambda parts: [*parts[0], parts[1]])
"""Attempts of an init container: most of them come to a good end."""
WINDOWS = st.lists(
    mapping(
        attempt=seldom(st.sampled_from([0, 1])),
        **{"from": often(TIMES)},
        to=often(st.sampled_from(["12s", "20s", "31s"])),
        result=st.sampled_from(["success", "failure", "failure", "error"]),
        takes=seldom(st.sampled_from(["500ms", "2.4s", "forever"])),
    ),
    min_size=1,
    max_size=2,
)
HOOKS = st.one_of(
    st.builds(lambda: {"exec": {"command": ["hook"]}}),
    st.sampled_from([1, 3]).map(lambda n: {"sleep": {"seconds": n}}),
)
RULES = st.lists(
    st.fixed_dictionaries({
        "action": st.sampled_from(["Restart", "RestartAllContainers"]),
        "exitCodes": st.fixed_dictionaries({
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.sampled_from([[42], [88], [0, 1], [137, 143]]),
        }),
    }),
    max_size=2,
)  # fmt: skip


def probes(kind):
    """A probe with short times."""
    return mapping(
        exec=st.just({"command": ["check"]}),
        periodSeconds=st.sampled_from([1, 2, 3, 5]),
        failureThreshold=st.sampled_from([1, 1, 2, 3]),
        successThreshold=seldom(st.just(2)) if kind == "readinessProbe" else st.none(),
        initialDelaySeconds=seldom(st.sampled_from([2, 5])),
        timeoutSeconds=seldom(st.just(2)),
        terminationGracePeriodSeconds=st.none() if kind == "readinessProbe" else seldom(st.just(1)),
    )


@st.composite
def containers(draw, name, role):
    """One container of a role: app, init, sidecar or ephemeral."""
    made = draw(
        mapping(
            name=st.just(name),
            image=st.sampled_from([IMAGE] * 26 + [LATE, LATE, SLOW, NONE, "Not A Name"]),
            imagePullPolicy=seldom(st.sampled_from(["Always", "Always", "Never"])),
        )
    )
    if role in ("app", "sidecar"):
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if draw(st.integers(0, 3)) == 0:
                made[kind] = draw(probes(kind))
        hooks = draw(mapping(postStart=seldom(HOOKS), preStop=seldom(HOOKS)))
        if hooks:
            made["lifecycle"] = hooks
    if role == "sidecar":
        made["restartPolicy"] = "Always"
        if draw(st.integers(0, 5)) == 0:
            made["restartPolicyRules"] = draw(RULES)
    elif role != "ephemeral" and draw(st.integers(0, 3)) == 0:
        choices = ["Never", "OnFailure"] + ["Always"] * (role == "app")
        made["restartPolicy"] = draw(st.sampled_from(choices))
        rules = draw(RULES)
        if rules:
            made["restartPolicyRules"] = rules
    if draw(st.integers(0, 24)) == 0:
        made["env"] = [{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}}]
    return made


def scripts(name, container):
    """What one container does."""
    ends = name.startswith("i") and container.get("restartPolicy") != "Always"
    parts = {"pod": st.just("p"), "container": st.just(name), "attempts": PREPARES if ends else often(ATTEMPTS)}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        if kind in container:
            parts[kind] = often(WINDOWS)
    for kind in ("postStart", "preStop"):
        if kind in container.get("lifecycle", {}):
            parts[kind] = often(WINDOWS)
    return mapping(**parts)


def patches(pod):
    """Patches that the API server would take."""
    names = [c["name"] for c in pod["spec"]["containers"]]
    inits = [c["name"] for c in pod["spec"]["initContainers"]]

    def image(group):
        return lambda name: {
            "patch": "pods/p",
            "body": {"spec": {group: [{"name": name, "image": OTHER}]}},
        }

    gate = {"status": {"conditions": [{"type": GATE, "status": "True"}]}}
    choices = [
        st.sampled_from(names).map(image("containers")),
        st.just({"patch": "pods/p/status", "body": gate}),
        st.just({"patch": "pods/p", "body": {"metadata": {"labels": {"a": "b"}}}}),
        st.just({"patch": "pods/p", "type": "merge", "body": {"metadata": {"finalizers": None}}}),
        st.just({"patch": "pods/p", "body": {"spec": {"activeDeadlineSeconds": 4}}}),
        st.just({"patch": "pods/p", "type": "merge", "body": {"spec": {"schedulingGates": None}}})
        if "schedulingGates" in pod["spec"]
        else st.nothing(),
        st.sampled_from(inits).map(image("initContainers")) if inits else st.nothing(),
    ]
    return st.one_of(choices)


@st.composite
def steps(draw, pod, ephemeral):
    """What users do, in order of time."""
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    acts = [{"at": "0s", "create": settings}] if draw(st.booleans()) else [{"at": "9s", "create": settings}]
    grace = often(st.sampled_from([0, 1, 3, 8]))
    deletes = mapping(delete=st.just("pods/p"), gracePeriodSeconds=grace)
    for _ in range(draw(st.integers(0, 3))):
        act = draw(st.one_of(patches(pod), deletes, patches(pod)))
        acts.append({"at": draw(st.sampled_from(["10ms", "500ms", "1.2s", "4s", "6.6s", "9.8s", "17s", "30s"])), **act})
    if ephemeral is not None:
        body = {"spec": {"ephemeralContainers": [ephemeral]}}
        acts.append(
            {"at": draw(st.sampled_from(["1s", "5.2s", "13s"])), "patch": "pods/p/ephemeralcontainers", "body": body}
        )
    return acts


def shorten_sleeps(spec):
    """A hook may not sleep longer than the grace period."""
    grace = spec.get("terminationGracePeriodSeconds", 30)
    for container in (*spec["containers"], *spec["initContainers"]):
        for hook in container.get("lifecycle", {}).values():
            if "sleep" in hook and hook["sleep"]["seconds"] > grace:
                hook.clear()
                hook["exec"] = {"command": ["hook"]}


@st.composite
def cases(draw, *, most_apps=3, most_inits=3):
    """A whole case."""
    apps = [draw(containers(f"a{n}", "app")) for n in range(draw(st.integers(1, most_apps)))]
    inits = [
        draw(containers(f"i{n}", draw(st.sampled_from(["init", "sidecar"]))))
        for n in range(draw(st.integers(0, most_inits)))
    ]
    spec = draw(
        mapping(
            restartPolicy=often(st.sampled_from(["Always", "OnFailure", "Never"])),
            terminationGracePeriodSeconds=often(st.sampled_from([0, 1, 4, 8])),
            activeDeadlineSeconds=seldom(st.sampled_from([5, 20])),
            readinessGates=seldom(st.just([{"conditionType": GATE}])),
            schedulingGates=rarely(st.just([{"name": "example.com/hold"}])),
            hostNetwork=seldom(st.just(True)),
            volumes=rarely(st.just([{"name": "v", "configMap": {"name": "settings"}}])),
        )
    )
    spec.update(containers=apps, initContainers=inits)
    shorten_sleeps(spec)
    metadata = {"name": "p", **draw(mapping(finalizers=seldom(st.just(["example.com/keep"]))))}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    ephemeral = draw(seldom(containers("e", "ephemeral")))
    every = [*apps, *inits, *([ephemeral] if ephemeral else [])]
    sandbox = draw(seldom(mapping(failsUntil=often(st.just("8s")), takes=often(st.just("2s")), diesAfter=often(TIMES))))
    acts = draw(steps(pod, ephemeral))
    spoken_of = str([pod, acts])  # a script for an image that nothing uses is an error
    scenario = {
        "apiVersion": "podfsm.dev/v1alpha1",
        "kind": "Scenario",
        "metadata": {"name": "case"},
        "spec": {
            "duration": "90s",
            "images": {name: how for name, how in IMAGES.items() if f"'{name}'" in spoken_of},
            "pods": [{"pod": "p", "sandbox": sandbox}] if sandbox else [],
            "containers": [draw(scripts(c["name"], c)) for c in every],
            "steps": acts,
        },
    }
    return Case(pod, scenario)
