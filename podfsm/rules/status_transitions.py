"""Which changes of a container's status the API server and the kubelet accept: those that do not leave `terminated`.

Phases are not looked at by either. A container may leave terminated only if its policy and exit code let it run again;
the API server names the fields it refuses, the kubelet stops at the first container and drops the whole status.
"""

from __future__ import annotations

