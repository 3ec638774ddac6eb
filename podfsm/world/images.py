"""Images: is it there, may it be pulled, how does the pull go.

Source: pkg/kubelet/images/image_manager.go EnsureImageExists.
"""

from __future__ import annotations

import re

from attrs import frozen

from podfsm.kube.objects import Container
from podfsm.rules import image_backoff
from podfsm.rules.container_state import StartError
from podfsm.world.firing import fire, image_facts
from podfsm.world.model import Model
from podfsm.world.pod import Draft

_NAME = re.compile(r"[a-z0-9]+([._/:@-]+[a-zA-Z0-9_]+)*")


@frozen
class Answer:
    """`pulling_for`: come back after so many seconds; `error`: why there is no image, and when it is tried again."""

    error: StartError | None = None
    retry_at: float | None = None
    pulling_for: float = 0.0


PRESENT = Answer()


def ensure(m: Model, d: Draft, container: Container, *, waited: bool) -> Answer:
    """See to the image of a container that is about to be created. `waited`: the pull asked for before is over."""
    image = container.image
    script = d.scripts.image(image)
    if not valid_name(image):
        message = f"couldn't parse image name {image!r}"
        d.event("Warning", "InspectFailed", message, container.name)
        return Answer(StartError("InvalidImageName", message))
    present = image in d.pulled or not (script.absent or script.error or script.pull_takes)
    if container.imagePullPolicy == "Never" or (present and container.imagePullPolicy != "Always"):
        if present:
            d.event("Normal", "Pulled", f'Container image "{image}" already present on machine', container.name)
            return PRESENT
        message = f'Container image "{image}" is not present with pull policy of Never'
        d.event("Warning", "ErrImageNeverPull", message, container.name)
        return Answer(StartError("ErrImageNeverPull", message))
    if not waited:
        refused = _in_back_off(m, d, container)
        if refused is not None:
            return refused
        fire(m, d, "image", image, "pull", image_facts(d, container))
        d.event("Normal", "Pulling", f'Pulling image "{image}"', container.name)
        d.first_pull.setdefault(image, d.now)
        if script.pull_takes:
            return Answer(pulling_for=script.pull_takes)
    return _pulled(m, d, container)


def _in_back_off(m: Model, d: Draft, container: Container) -> Answer | None:
    image = container.image
    retry_at = image_backoff.retry_at(d.image_backoffs.get(image), now=d.now)
    if retry_at is None:
        return None
    fire(m, d, "image", image, "back_off", image_facts(d, container, retry_at=retry_at))
    message = f'Back-off pulling image "{image}"'
    d.event("Normal", "BackOff", message, container.name)
    return Answer(StartError("ImagePullBackOff", message), retry_at=retry_at)


def _pulled(m: Model, d: Draft, container: Container) -> Answer:
    """The pull has ended, one way or the other."""
    image = container.image
    script = d.scripts.image(image)
    if script.absent or (script.error and d.now - d.first_pull[image] < script.until):
        d.image_backoffs[image] = image_backoff.failed(d.image_backoffs.get(image), now=d.now)
        fire(m, d, "image", image, "fail", image_facts(d, container))
        message = f'failed to pull image "{image}": {script.error or "NotFound"}'
        d.event("Warning", "Failed", message, container.name)
        return Answer(StartError("ErrImagePull", message))
    fire(m, d, "image", image, "pulled", image_facts(d, container))
    d.event("Normal", "Pulled", f'Successfully pulled image "{image}"', container.name)
    d.pulled |= {image}
    return PRESENT


def valid_name(image: str) -> bool:
    """Whether an image reference can be parsed: lower-case path, then an optional tag or digest."""
    name = image.rsplit("@", 1)[0]
    path = name.rsplit(":", 1)[0] if ":" in name.rsplit("/", 1)[-1] else name
    return bool(_NAME.fullmatch(image)) and path == path.lower()
