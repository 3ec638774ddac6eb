"""The site: Sphinx with MyST and furo. Warnings are errors in CI."""

project = "podfsm"
copyright = "the podfsm authors"
author = "the podfsm authors"

extensions = ["myst_parser", "sphinxcontrib.mermaid"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "podfsm"

myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
suppress_warnings = ["misc.highlighting_failure"]
