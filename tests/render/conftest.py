"""The real readers of diagrams: Mermaid and XState in Node, Graphviz, PlantUML. A missing one fails, it never skips."""

import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

NPM = Path(__file__).parent / "npm"


# The schemas need two packages that a test run without the development tools does not have.
collect_ignore = [] if all(map(find_spec, ("jsonschema", "lxml"))) else ["test_schemas.py"]


def program(name, package):
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed: install {package}, or leave these tests out with -m 'not {package}'")
    return found


class Readers:
    """Asks tests/render/npm/answer.mjs."""

    def __init__(self, node):
        self.process = subprocess.Popen(
            [node, "answer.mjs"], cwd=NPM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, kind, text, **more):
        self.process.stdin.write(json.dumps({"kind": kind, "text": text, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "gives" in answer, f"{answer}\n{text}"
        return answer["gives"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


@pytest.fixture(scope="session")
def readers():
    node = program("node", "npm")
    if not (NPM / "node_modules" / "xstate4").is_dir():
        fetched = subprocess.run([program("npm", "npm"), "ci"], cwd=NPM, capture_output=True, text=True, check=False)
        assert fetched.returncode == 0, fetched.stderr
    made = Readers(node)
    yield made
    made.close()


@pytest.fixture(scope="session")
def graphviz():
    """`graphviz(text)`: the graph as Graphviz itself reads it."""
    dot = program("dot", "graphviz")

    def read(text):
        done = subprocess.run([dot, "-Tjson0"], input=text.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode() + text
        assert not done.stderr, done.stderr.decode() + text
        return json.loads(done.stdout)

    return read


@pytest.fixture(scope="session")
def plantuml():
    """`plantuml(texts)`: for each diagram what PlantUML takes it for, such as STATE."""
    tool = program("plantuml", "plantuml")

    def check(texts):
        command = [tool, "-headless", "-pipe", "-syntax"]
        done = subprocess.run(command, input="".join(texts).encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode().split("\n")

    return check
