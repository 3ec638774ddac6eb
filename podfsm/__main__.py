"""`python -m podfsm` is `podfsm`."""

from podfsm.cli import main

main()
