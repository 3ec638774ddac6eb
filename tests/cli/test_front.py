"""The front page, messages, statuses and streams that all verbs share."""

import re
import signal
import subprocess
import sys

import click
import pytest

from podfsm.cli import FRONT_PAGE
from podfsm.cli import main as main_module
from podfsm.cli.main import VERBS
from podfsm.cli.main import podfsm as front
from podfsm.errors import InputError


def commands(group=front, path=()):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands())


def test_front_page_lists_exactly_the_verbs():
    block = FRONT_PAGE.split("Verbs:\n")[1].split("\n\n")[0]
    assert tuple(line.split()[0] for line in block.splitlines()) == VERBS


def test_front_page_is_the_same_with_and_without_click(podfsm):
    assert podfsm("--help").out == podfsm("-h").out == FRONT_PAGE
    shown = subprocess.run([sys.executable, "-m", "podfsm", "--help"], capture_output=True, text=True, check=True)
    assert shown.stdout == FRONT_PAGE


def test_front_page_loads_no_library():
    code = (
        "import sys; sys.argv[1:] = ['--help']\nfrom podfsm.cli import main\ntry: main()\nfinally: print(*sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(shown.stdout.splitlines()[-1].split())
    assert not loaded & {"click", "rich", "attrs", "msgspec", "yaml", "transitions", "podfsm.rules"}


def test_version(podfsm):
    assert re.fullmatch(r"podfsm \d+\.\d+\.\d+\n", podfsm("--version").out)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_verb_explains_itself(podfsm, path):
    shown = podfsm(*path, "--help")
    assert shown.status == 0
    assert shown.out.startswith(f"Usage: podfsm {' '.join(path)}")
    assert f"podfsm {path[0]}" in shown.out.split("\n", 1)[1], "no example"
    for parameter in COMMANDS[path].params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["ruls"], "no verb 'ruls'; did you mean rules? (see `podfsm --help`)"),
        (
            ["xyz"],
            "no verb 'xyz'; known: check, completion, diagram",
        ),
        (["--colour"], "no such option"),
        (["rules", "shw"], "no such command 'shw'"),
        (["rules", "list", "--are", "x"], "no such option"),
        (["completion", "tcsh"], "invalid value for"),
    ],
)
def test_bad_usage_is_one_line(podfsm, arguments, complaint):
    assert complaint in podfsm(*arguments).complaint


def test_interrupted_is_130_and_silent(podfsm, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(main_module.podfsm, "invoke", interrupted)
    shown = podfsm("rules")
    assert (shown.status, shown.out, shown.err) == (130, "", "")


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (InputError("not a Pod", source="a.yaml", line=3, column=5, path="kind"), "a.yaml:3:5: kind: not a Pod"),
        (FileNotFoundError(2, "No such file or directory", "a.yaml"), "a.yaml: No such file or directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_errors_are_one_line(podfsm, monkeypatch, error, complaint):
    def failing(*_arguments, **_options):
        raise error

    monkeypatch.setattr(main_module.podfsm, "invoke", failing)
    assert podfsm("rules").complaint == complaint


@pytest.mark.parametrize("arguments", [["rules", "list"], ["--help"], ["rules", "list", "--format", "json"]], ids=str)
def test_closed_pipe_is_141_and_silent(process, arguments):
    with process(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141


def heeds_interrupts():
    """A test run in the background ignores them, and its children would too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupt_from_outside_leaves_no_traceback(process):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with process("eval", "probe-result", **pipes, preexec_fn=heeds_interrupts) as running:
        running.stdin.write(b'{"id": 1}\n')
        running.stdin.flush()
        assert b"not a case" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate()
    assert (running.returncode, out, err) == (130, b"", b"")


def test_no_colours_unless_on_a_terminal(podfsm, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in podfsm("rules", "list").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(podfsm, shell):
    assert "_PODFSM_COMPLETE" in podfsm("completion", shell).out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("podfsm ", {"simulate", "rules"}),
        ("podfsm rules show restart-al", {"restart-always"}),
        ("podfsm eval pod-ph", {"pod-phase"}),
        ("podfsm diagram init", {"init_container"}),
    ],
)
def test_completion_offers_names(process, monkeypatch, words, offered):
    monkeypatch.setenv("_PODFSM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    out, _ = process(stdout=subprocess.PIPE, text=True).communicate()
    assert offered <= {line.split(",")[1] for line in out.splitlines()}
