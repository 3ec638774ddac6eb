"""Manifests and scenarios that the tests of the command line start from."""

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: app, image: "example/app:1"}]}
"""
HEAD = "apiVersion: podfsm.dev/v1alpha1\nkind: Scenario\nmetadata: {name: s}\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "example/app:1"}]}}
"""


def scenario(spec):
    """A manifest with a Pod and a Scenario; the spec stands in line 9."""
    return f"{POD}---\n{HEAD}spec: {spec}\n"


def step(text):
    return scenario(f"{{steps: [{{at: 1s, {text}}}]}}")


def container(text):
    return scenario(f"{{containers: [{{container: app, {text}}}]}}")
