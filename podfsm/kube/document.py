"""One Kubernetes object as it was read: its JSON form, and where each part of it stands in the input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import field, frozen

from podfsm.errors import InputError
from podfsm.kube.locate import Origin
from podfsm.kube.paths import Step, steps_of


@frozen
class Document:
    """A Kubernetes object in JSON form (`raw`, not to be changed) and its place in the input.

    `source` is a file name, `<stdin>`, or "" for an object made in the program. An item of a `List` is a document of
    its own: `within` says where in the text it is.
    """

    raw: dict[str, Any]
    source: str = ""
    origin: Origin | None = field(default=None, repr=False, eq=False)
    within: tuple[Step, ...] = field(default=(), repr=False, eq=False)

    @property
    def kind(self) -> str:
        """The object's kind; "" if it has none."""
        return str(self.raw.get("kind") or "")

    @property
    def apiVersion(self) -> str:  # noqa: N802 - the API's own name
        """The object's API group and version; "" if it has none."""
        return str(self.raw.get("apiVersion") or "")

    @property
    def name(self) -> str:
        """`metadata.name`; "" if there is none."""
        metadata = self.raw.get("metadata")
        return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""

    @property
    def line(self) -> int | None:
        """The line at which the object begins."""
        return self.place()[0]

    def place(self, path: str = "") -> tuple[int | None, int | None]:
        """Line and column of a path such as `spec.containers[0].image`; of the object itself for "".

        A path that is not in the text gives the place of the nearest part around it that is. Looked up when asked.
        """
        if self.origin is None:
            return None, None
        return self.origin.place((*self.within, *steps_of(path)))

    def error(self, problem: str, path: str = "", **fields: str) -> InputError:
        """A complaint about this object, located. `fields`: expected, found, hint."""
        line, column = self.place(path)
        return InputError(problem, source=self.source, line=line, column=column, path=path, **fields)

    @contextmanager
    def locating(self, below: str = "") -> Iterator[None]:
        """Add source, line and column to the InputErrors raised inside that know only a path.

        `below` is the path of the part that the code inside works on.
        """
        try:
            yield
        except InputError as error:
            if not error.source:
                separator = "." if below and error.path and not error.path.startswith("[") else ""
                error.path = below + separator + error.path
                error.source = self.source
                error.line, error.column = self.place(error.path)
            raise
