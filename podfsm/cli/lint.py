"""`podfsm lint`: what the API server would refuse in manifests, and what will surprise."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence

import click

from podfsm.cli.options import HELP, bold, coloured, feature_gates_option, kubernetes_option, read_gates
from podfsm.kube.document import Document
from podfsm.kube.read import read_documents
from podfsm.lint import ERROR, NOTE, SEVERITIES, WARNING, Finding, is_linted, lint
from podfsm.rules.catalogue import all_rules

_COLOURS = {ERROR: "red", WARNING: "yellow", NOTE: "cyan"}
_SCENARIO = "Scenario"


@click.command("lint", context_settings=HELP)
@click.argument("manifests", nargs=-1, required=True, metavar="MANIFEST...")
@click.option("--format", "-o", "form", type=click.Choice(("text", "json")), default="text", help="How to print it.")
@click.option("--strict", is_flag=True, help="Notes count too: exit with 1 if there are any.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave out the findings of this rule; may be repeated.")
@kubernetes_option
@feature_gates_option
def command(
    manifests: tuple[str, ...], form: str, strict: bool, ignore: tuple[str, ...], kubernetes: str, feature_gates: str
) -> int:
    """Say what the API server would refuse in MANIFEST..., and what will surprise, with rule and place.

    A MANIFEST is YAML or JSON with Pods, Jobs, Deployments and the like, PodDisruptionBudgets, Services and Nodes;
    `-` is standard input. Errors are refusals, warnings are likely mistakes, notes are worth knowing. The exit
    status is 1 if there are errors or warnings.

    \b
    Examples:
      podfsm lint web.yaml
      podfsm lint deploy/*.yaml --kubernetes 1.28 --ignore advice-bare-pod
      kubectl get deployments -o yaml | podfsm lint - --format json
    """
    gates = read_gates(kubernetes, feature_gates)
    for name in ignore:
        _ = all_rules()[name]  # complains about a name that does not exist
    documents = [document for name in manifests for document in read_documents(name)]
    found = [each for each in lint(documents, gates) if each.rule not in ignore]
    if form == "json":
        click.echo(json.dumps([each.as_data() for each in found], indent=2, ensure_ascii=False))
    else:
        for each in found:
            click.echo(_line(each))
        _summary(documents, found)
    counted = SEVERITIES if strict else (ERROR, WARNING)
    return int(any(each.severity in counted for each in found))


def _line(found: Finding) -> str:
    severity = click.style(found.severity, fg=_COLOURS[found.severity]) if coloured() else found.severity
    kind = f" ({found.type})" if found.type else ""
    return f"{found.place}: {severity}: {found.why}{kind} [{bold(found.rule)}]"


def _summary(documents: Sequence[Document], found: Sequence[Finding]) -> None:
    """What was looked at and what was not, on standard error."""
    passed = sorted({each.kind for each in documents if not is_linted(each)} - {_SCENARIO})
    if passed:
        click.echo(f"podfsm: not looked at: {', '.join(passed)}", err=True)
    counts = Counter(each.severity for each in found)
    said = ", ".join(f"{counts[name]} {name}{'s' * (counts[name] != 1)}" for name in SEVERITIES if counts[name])
    looked = sum(map(is_linted, documents))
    click.echo(f"podfsm: {looked} object{'s' * (looked != 1)}: {said or 'nothing to say'}", err=True)
    sys.stderr.flush()
