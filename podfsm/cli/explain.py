"""`podfsm explain`: why a Pod is as it is. As `kubectl podfsm explain NAME` it asks kubectl for the Pod."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from podfsm.cli.main import BAD_INPUT, FINE, complain
from podfsm.cli.options import HELP, feature_gates_option, kubernetes_option, read_gates
from podfsm.errors import InputError
from podfsm.explain import explain
from podfsm.explain.words import as_data, as_text
from podfsm.kube.decode import decode
from podfsm.kube.document import Document
from podfsm.kube.objects import Pod
from podfsm.kube.read import documents_of, read_documents

PLUGIN = "PODFSM_KUBECTL_PLUGIN"
"""Set by the executable `kubectl-podfsm`: arguments are names of Pods."""


@click.command("explain", context_settings=HELP)
@click.argument("pods", nargs=-1, required=True, metavar="POD...")
@click.option("-n", "--namespace", metavar="NAME", help="As `kubectl podfsm explain`: the namespace to look in.")
@click.option("--context", metavar="NAME", help="As `kubectl podfsm explain`: the kubeconfig context to use.")
@click.option("--now", metavar="TIME", help="The present, as 2026-01-31T12:00:00Z. Default: the clock.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@kubernetes_option
@feature_gates_option
def command(
    pods: tuple[str, ...],
    namespace: str | None,
    context: str | None,
    now: str | None,
    output: str,
    kubernetes: str,
    feature_gates: str,
) -> int:
    """Say what a Pod is doing, which rule holds it there, what has to happen next, and when at the earliest.

    A POD is a file with Pods (JSON or YAML, single or in lists), or `-` for standard input; with `kubectl podfsm
    explain` it is the name of a Pod in the cluster. READY, STATUS and RESTARTS are printed as kubectl prints them.

    \b
    Examples:
      kubectl get pod web -o json | podfsm explain -
      kubectl podfsm explain web -n shop
    """
    gates = read_gates(kubernetes, feature_gates)
    present = _present(now)
    told: list[Any] = []
    others: list[str] = []
    for document in _documents(pods, namespace, context):
        if document.kind != "Pod":
            others.append(f"{document.source}: no Pod, but a {document.kind}")
            continue
        if "status" not in document.raw:  # what a cluster has stored may have newer fields, but no misspelt ones
            from podfsm.cli.warn import warn_misspelt

            warn_misspelt((document,))
        explained = explain(decode(document, Pod), now=present, gates=gates)
        if output == "json":
            told.append(as_data(explained))
            continue
        sys.stdout.write(("\n" if told else "") + as_text(explained, present))
        told.append(None)
    if output == "json" and told:
        sys.stdout.write(json.dumps(told[0] if len(told) == 1 else told, indent=2, ensure_ascii=False) + "\n")
    if told:
        return FINE
    more = f" (and {len(others) - 1} objects more that are none)" if len(others) > 1 else ""
    return complain(others[0] + more) if others else BAD_INPUT


def _present(text: str | None) -> datetime:
    if text is None:
        return datetime.now(tz=UTC)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InputError("not a time", source="--now", expected="2026-01-31T12:00:00Z", found=repr(text)) from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _documents(pods: Sequence[str], namespace: str | None, context: str | None) -> Iterator[Document]:
    plugin = bool(os.environ.get(PLUGIN))
    for name in pods:
        if plugin and name != "-" and not Path(name).is_file():
            yield from documents_of(_asked(name, namespace, context), f"kubectl get pod {name}")
        elif not plugin and (namespace is not None or context is not None):
            hint = "use `kubectl podfsm explain NAME`, or a file"
            raise InputError("only for Pods in a cluster", source="--namespace, --context", hint=hint)
        else:
            yield from read_documents(name)


def _asked(name: str, namespace: str | None, context: str | None) -> str:
    """What kubectl says of a Pod. Raises InputError with its complaint."""
    import subprocess  # files need none

    command = ["kubectl", "get", "pod", name.removeprefix("pod/").removeprefix("pods/"), "-o", "json"]
    command += ["--namespace", namespace] if namespace is not None else []
    command += ["--context", context] if context is not None else []
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    except FileNotFoundError:
        raise InputError("kubectl is not installed", source=f"pod {name}", hint="or give a file") from None
    if answer.returncode:
        raise InputError("kubectl could not get it", source=f"pod {name}", found=answer.stderr.strip())
    return answer.stdout
