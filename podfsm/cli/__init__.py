"""The command line. One module a verb; `main` is the entry point.

The front page is plain text, so that `podfsm --help` need not load what the verbs need.
"""

from __future__ import annotations

import os
import sys

FRONT_PAGE = """\
Usage: podfsm VERB [OPTIONS] [ARGS]...

The Kubernetes Pod lifecycle as executable, citable rules. Without a cluster:
what will this Pod do, and which rule is behind it?

Verbs:
  simulate    run manifests on a virtual clock and print what happens when
  check       find where recorded Pods depart from the rules
  explain     say why a Pod is as it is, and what has to happen next
  lint        find what the API server would refuse in manifests, and what will surprise
  explore     run every behaviour of a Pod within bounds, and say how each may end
  diagram     draw a state machine: mermaid, dot, svg, png, plantuml, scxml, xstate
  rules       list the rules, show one with its sources, compare two versions
  eval        answer one question about the lifecycle over JSON lines
  verify      check the invariants of the lifecycle, over podfsm or an implementation of your own
  completion  print the completion script for bash, zsh or fish

Options:
  --version   print the version and stop
  -h, --help  print this page and stop; `podfsm VERB --help` tells more

Examples:
  podfsm simulate web.yaml                what will this Pod do?
  podfsm rules show backoff-sequence      how long does a restart wait, and who says so?
  podfsm diagram container -o mermaid     the states of a container, as a picture
"""

_FRONT = {(): 0, ("-h",): 0, ("--help",): 0}


def main() -> None:
    """Run the command line and leave with its exit status."""
    arguments = tuple(sys.argv[1:])
    if arguments in _FRONT and "_PODFSM_COMPLETE" not in os.environ:
        sys.exit(_print_front_page())
    from podfsm.cli.main import run

    sys.exit(run(arguments))


def _print_front_page() -> int:
    try:
        sys.stdout.write(FRONT_PAGE)
        sys.stdout.flush()
    except BrokenPipeError:
        return closed_pipe()
    return 0


def closed_pipe() -> int:
    """The reader went away: nothing more can be said, and the interpreter must not try at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 141
