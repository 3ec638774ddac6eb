"""The node that a run without Node objects assumes: one that fits every Pod and has a kubelet."""

from __future__ import annotations

ANY_NODE = "node-1"
