"""Back-offs that are said to be other than they are."""

import re

from podfsm.rules.crash_backoff import stated_delay
from tests.check.breakages.tools import breakage, containers, instance, later, named, rules_free, undisturbed

LISTS = ("initContainerStatuses", "containerStatuses")


def waiting(c):
    return (c.get("state") or {}).get("waiting") or {}


def looping(c):
    return waiting(c).get("reason") == "CrashLoopBackOff" and bool(c.get("containerID"))


def delay(c):
    return stated_delay(waiting(c)["message"])


def reworded(events, random, change, when=lambda i, c: True):
    """Change the message of one back-off, as long as it lasts."""
    index, one = instance(events, random, lambda i, c: looping(c) and when(i, c), LISTS)
    if one is None:
        return False
    old = one["state"]["waiting"]["message"]
    for event in later(events, index):
        c = named(event, one["name"])
        if c is None or waiting(c).get("message") != old or c["lastState"] != one["lastState"]:
            break
        if c is not one:
            c["state"]["waiting"]["message"] = change(c, old)
    one["state"]["waiting"]["message"] = change(one, old)
    return True


def said(seconds):
    return lambda c, old: re.sub(r"^back-off \S+", f"back-off {seconds}", old)


@breakage("backoff-sequence")
def backs_off_between_the_steps(events, random):
    return reworded(events, random, said("15s"))


@breakage("backoff-sequence")
def backs_off_for_half_a_minute(events, random):
    return reworded(events, random, said("30s"))


@breakage("backoff-base", "backoff-sequence")
def backs_off_for_less_than_the_first_step(events, random):
    return reworded(events, random, said("5s"))


@breakage("backoff-cap")
def backs_off_beyond_the_cap(events, random):
    return reworded(events, random, said("5m20s"))


@breakage("backoff-sequence")
def skips_steps(events, random):
    def exact(i, c):
        every = [one for event in events[: i + 1] for one in containers(event, LISTS)]
        plain = all("restartPolicyRules" not in str(event["object"]["spec"]) for event in events[: i + 1])
        hindered = any(
            waiting(one).get("reason") not in (None, "CrashLoopBackOff", "ContainerCreating", "PodInitializing")
            for one in every
        )
        start = events[0]["type"] == "ADDED" and not containers(events[0], LISTS)
        calm = all(
            undisturbed(events, j)
            for j in range(i, 0, -1)
            if any(one.get("containerID") for one in containers(events[j - 1], LISTS))
        )
        return start and plain and not hindered and calm and delay(c) == 10 * 2 ** (c["restartCount"] - 1) < 150

    return reworded(events, random, said("2m40s"), exact)


@breakage("backoff-sequence")
def changes_while_it_lasts(events, random):
    def lasts(i, c):
        before = named(events[i - 1], c["name"]) if i else None
        return before is not None and looping(before) and before["lastState"] == c["lastState"] and delay(c) == 10

    _, one = instance(events, random, lambda i, c: looping(c) and lasts(i, c), LISTS)
    if one is None:
        return False
    one["state"]["waiting"]["message"] = said("20s")(one, one["state"]["waiting"]["message"])
    return True


@breakage("backoff-reason")
def backs_off_for_another_container(events, random):
    return reworded(events, random, lambda c, old: old.replace(f"container={c['name']}", "container=other"))


@breakage("backoff-reason")
def backs_off_in_words_of_its_own(events, random):
    return reworded(events, random, lambda c, old: "it keeps crashing")


@breakage("instance-keeps")
def waits_without_its_id(events, random):
    def fits(i, c):
        return looping(c) and i > 0 and undisturbed(events, i) and rules_free(events[i])

    _, one = instance(events, random, fits, LISTS)
    if one is None or one["lastState"]["terminated"].get("containerID") != one["containerID"]:
        return False
    del one["containerID"]
    return True
