"""A small implementation of the Pod lifecycle that owes nothing to podfsm: one class, looked after once a second.

It exists to show that the protocol of `podfsm verify` can be met by others, and that the suite finds their bugs: three
can be switched on. It knows init containers, restart policies with back-off, readiness gates, deadlines and deletion.
"""

import copy
from datetime import UTC, datetime, timedelta

START = datetime(2030, 5, 1, tzinfo=UTC)
INITS_AT_ONCE, NO_COUNT, GATES_IGNORED = "all init containers at once", "restarts are not counted", "gates are ignored"
BUGS = (INITS_AT_ONCE, NO_COUNT, GATES_IGNORED)
FOREVER = float("inf")


class Process:
    """One container: its runs so far, and the one under way."""

    def __init__(self, spec, script):
        self.spec, self.script = spec, script
        self.run = None  # (number, started, ends, exit code) of the run under way
        self.ended = self.before = None  # (number, started, finished, exit code) of the last one, and the one before
        self.number = -1
        self.delay = 0
        self.restarted = None

    def start(self, now):
        self.number += 1
        attempts = self.script.get("attempts") or [{"run": "forever"}]
        attempt = attempts[min(self.number, len(attempts) - 1)]
        takes = FOREVER if attempt.get("run", "forever") == "forever" else float(attempt["run"])
        self.run = (self.number, now, now + takes, attempt.get("exit", 0))

    def end(self, now, code):
        number, started, _, _ = self.run
        self.before, self.ended, self.run = self.ended, (number, started, now, code), None

    def due(self, now):
        """Whether a restart may come: at once the first time, then after 10, 20, 40 ... 300 s."""
        if self.restarted is not None and self.ended[2] - self.restarted > 600:
            self.delay = 0
        if now < self.ended[2] + self.delay:
            return False
        self.delay, self.restarted = min(300, self.delay * 2 or 10), now
        return True


class TinyCluster:
    lacks = frozenset(
        {
            "config",
            "deadlines",
            "ephemeral",
            "finalizers",
            "hooks",
            "images",
            "node-loss",
            "patch",
            "probes",
            "resize",
            "restart-rules",
            "scheduling-gates",
            "sidecars",
            "start-errors",
            "versions",
        }
    )
    epoch = START

    def __init__(self, bug=None):
        self.bug, self.now = bug, 0.0
        self.scripts, self.pods, self.count = {}, {}, 0

    # the protocol

    def script(self, target, behaviour):
        self.scripts[target] = behaviour

    def create(self, manifest):
        pod = copy.deepcopy(dict(manifest))
        name = pod["metadata"]["name"]
        self.count += 1
        pod["metadata"].update(uid=f"tiny-{self.count}", namespace="default")
        pod["spec"].setdefault("restartPolicy", "Always")
        pod["spec"].setdefault("terminationGracePeriodSeconds", 30)
        pod["status"] = {"phase": "Pending", "qosClass": "BestEffort"}
        self.pods[name] = TinyPod(self, name, pod)

    def delete(self, pod, grace=None):
        if pod in self.pods:
            self.pods[pod].delete(grace)

    def patch(self, pod, body, *, subresource="", kind="strategic"):
        if pod not in self.pods or subresource != "status" or kind != "strategic":
            raise NotImplementedError("only conditions can be patched")
        for new in body["status"]["conditions"]:
            self.pods[pod].written[new["type"]] = {"lastTransitionTime": stamp(self.now), **new}
        self.pods[pod].report()

    def advance(self, seconds):
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, float(int(self.now) + 1))
            for pod in list(self.pods.values()):
                pod.look()

    def read(self, pod):
        return copy.deepcopy(self.pods[pod].raw) if pod in self.pods else None


class TinyPod:
    """One Pod on the node."""

    def __init__(self, cluster, name, raw):
        self.cluster, self.name, self.raw = cluster, name, raw
        self.inits = [self.process(c) for c in raw["spec"].get("initContainers", ())]
        self.apps = [self.process(c) for c in raw["spec"]["containers"]]
        self.written, self.conditions, self.kill_at, self.bound = {}, {}, None, False

    def process(self, spec):
        return Process(spec, self.cluster.scripts.get(f"containers/{self.name}/{spec['name']}", {}))

    @property
    def now(self):
        return self.cluster.now

    def restarts(self, process, *, init):
        policy, code = self.raw["spec"]["restartPolicy"], process.ended[3]
        if init:
            return policy != "Never" and code != 0
        return policy == "Always" or (policy == "OnFailure" and code != 0)

    def delete(self, grace):
        meta, spec = self.raw["metadata"], self.raw["spec"]
        grace = spec["terminationGracePeriodSeconds"] if grace is None else grace
        if "deletionTimestamp" in meta and grace >= meta["deletionGracePeriodSeconds"]:
            return
        if grace == 0 or not self.bound or self.raw["status"]["phase"] in ("Succeeded", "Failed"):
            del self.cluster.pods[self.name]
            return
        meta.update(deletionTimestamp=stamp(self.now + grace), deletionGracePeriodSeconds=grace)
        for process in (*self.inits, *self.apps):
            if process.run:
                self.stop(process, grace)

    def stop(self, process, grace):
        """Send the signal: the process answers as scripted, or is killed when its grace is over."""
        attempts = process.script.get("attempts") or [{}]
        stop = attempts[min(process.number, len(attempts) - 1)].get("stop", {})
        takes = FOREVER if stop.get("takes") == "forever" else float(stop.get("takes", 0))
        number, started, ends, code = process.run
        last = self.now + max(2, grace)
        answer = (self.now + takes, stop.get("exit", 143)) if takes <= max(2, grace) else (last, 137)
        process.run = (number, started, *min((ends, code), answer))

    def look(self):
        """What a kubelet does once a second."""
        for process in (*self.inits, *self.apps):
            if process.run and process.run[2] <= self.now:
                process.end(process.run[2], process.run[3])
        if not self.bound:
            self.bound = True
            self.raw["spec"]["nodeName"] = "tiny"
        deleted = "deletionTimestamp" in self.raw["metadata"]
        if not deleted and self.raw["status"]["phase"] not in ("Succeeded", "Failed"):
            self.start_what_is_due()
        self.report()
        running = any(process.run for process in (*self.inits, *self.apps))
        if deleted and not running and self.raw["status"]["phase"] in ("Succeeded", "Failed"):
            self.gone = getattr(self, "gone", 0) + 1
            if self.gone > 1:
                del self.cluster.pods[self.name]

    def start_what_is_due(self):
        for process in self.inits:
            if process.run is None and process.ended is None:
                process.start(self.now)
            elif process.run is None and process.ended[3] != 0:
                if not self.restarts(process, init=True):
                    return
                if process.due(self.now):
                    process.start(self.now)
            done = process.run is None and process.ended is not None and process.ended[3] == 0
            if not done and self.cluster.bug != INITS_AT_ONCE:
                return
        if any(process.run or process.ended[3] for process in self.inits):
            return
        for process in self.apps:
            if process.run is None:
                first = process.ended is None
                if first or (self.restarts(process, init=False) and process.due(self.now)):
                    process.start(self.now)

    def report(self):
        status = self.raw["status"]
        if not self.bound:
            status["conditions"] = [*self.written.values()]
            return
        if status["phase"] in ("Succeeded", "Failed"):
            return
        status["phase"] = self.phase()
        status.setdefault("startTime", stamp(self.now))
        status["initContainerStatuses"] = [self.status_of(process, init=True) for process in self.inits]
        apps = sorted((self.status_of(process, init=False) for process in self.apps), key=lambda one: one["name"])
        status["containerStatuses"] = apps
        if not self.inits:
            del status["initContainerStatuses"]
        self.put_conditions(apps)

    def phase(self):
        deleted = "deletionTimestamp" in self.raw["metadata"]
        if any(process.run for process in (*self.inits, *self.apps)):
            ran = all(process.run or process.ended for process in self.apps)
            return "Running" if ran else "Pending"
        stuck = [p for p in self.inits if p.ended and p.ended[3] and (deleted or not self.restarts(p, init=True))]
        over = all(p.ended and (deleted or not self.restarts(p, init=False)) for p in self.apps)
        if stuck or over or deleted:
            good = over and not stuck and all(process.ended[3] == 0 for process in self.apps)
            return "Succeeded" if good else "Failed"
        return "Running" if all(process.ended for process in self.apps) else "Pending"

    def status_of(self, process, *, init):
        name, number = process.spec["name"], process.number
        shown = {
            "name": name,
            "image": process.spec["image"],
            "imageID": "",
            "ready": False,
            "started": bool(process.run),
            "restartCount": 0 if self.cluster.bug == NO_COUNT else max(0, number),
            "lastState": {},
        }
        if number >= 0:
            shown["containerID"] = run_id(self.name, name, number)
        ended = process.ended
        if process.run:
            shown["state"] = {"running": {"startedAt": stamp(process.run[1])}}
            shown["ready"] = not init
            if ended:
                shown["lastState"] = {"terminated": self.termination(name, ended)}
        elif ended:
            shown["state"] = {"terminated": self.termination(name, ended)}
            if process.before:
                shown["lastState"] = {"terminated": self.termination(name, process.before)}
            shown["ready"] = init and ended[3] == 0
        else:
            reason = "PodInitializing" if self.inits else "ContainerCreating"
            shown["state"] = {"waiting": {"reason": reason}}
        return shown

    def termination(self, name, ended):
        number, started, finished, code = ended
        return {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "containerID": run_id(self.name, name, number),
            "startedAt": stamp(started),
            "finishedAt": stamp(finished),
        }

    def put_conditions(self, apps):
        over = self.raw["status"]["phase"] in ("Succeeded", "Failed")
        ready = all(one["ready"] for one in apps) and not over
        inits = all(p.run is None and p.ended and p.ended[3] == 0 for p in self.inits)
        gates = [gate["conditionType"] for gate in self.raw["spec"].get("readinessGates", ())]
        if self.cluster.bug == GATES_IGNORED:
            gates = []
        open_ = all(self.written.get(gate, {}).get("status") == "True" for gate in gates)
        alive = not over
        wanted = {
            "PodScheduled": (self.bound, ""),
            "PodReadyToStartContainers": (alive and self.bound, ""),
            "Initialized": (inits, "" if inits else "ContainersNotInitialized"),
            "ContainersReady": (ready, "" if ready else "ContainersNotReady"),
            "Ready": (
                ready and open_,
                "" if ready and open_ else "ReadinessGatesNotReady" if ready else "ContainersNotReady",
            ),
        }
        for kind, (holds, reason) in wanted.items():
            old, status = self.conditions.get(kind, {}), "True" if holds else "False"
            since = old.get("lastTransitionTime") if old.get("status") == status else stamp(self.now)
            self.conditions[kind] = {"type": kind, "status": status, "reason": reason, "lastTransitionTime": since}
        self.raw["status"]["conditions"] = [*self.conditions.values(), *self.written.values()]


def run_id(pod, container, number):
    return f"tiny://{pod}-{container}-{number}"


def stamp(seconds):
    return f"{START + timedelta(seconds=int(seconds)):%Y-%m-%dT%H:%M:%SZ}"


def make_cluster():
    return TinyCluster()


def with_inits_at_once():
    return TinyCluster(INITS_AT_ONCE)


def without_count():
    return TinyCluster(NO_COUNT)


def ignoring_gates():
    return TinyCluster(GATES_IGNORED)
