"""Many recordings at once: in turn, in processes of this machine, or on a Dask cluster. The findings are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

from podfsm.check.finding import Finding
from podfsm.check.readers import Trouble
from podfsm.check.recording import Order, Outcome, Tally, recording, whole
from podfsm.errors import InputError

Found = Iterator[tuple[Tally, Finding | Trouble | None]]
"""What was found with the tally it belongs to; None closes a recording."""


def in_turn(orders: Sequence[Order]) -> Found:
    """One recording after the other, each finding as soon as it is known."""
    for order in orders:
        tally = Tally(order.path)
        for one in recording(order, tally):
            yield tally, one
        yield tally, None


def in_processes(orders: Sequence[Order], workers: int) -> Found:
    """Up to `workers` recordings at a time, given in the order asked for."""
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(max_workers=min(workers, len(orders))) as pool:
        yield from _told(pool.map(whole, orders))


def on_dask(orders: Sequence[Order], address: str) -> Found:
    """The recordings on a Dask cluster, whose workers must see the files. Raises InputError without dask."""
    try:
        distributed = import_module("dask.distributed")
    except ImportError:
        hint = "pip install 'podfsm[scale]'"
        raise InputError("dask.distributed is not installed", source="--dask", hint=hint) from None
    with distributed.Client(address) as client:
        yield from _told(future.result() for future in client.map(whole, orders, pure=False))


def _told(outcomes: Iterable[Outcome]) -> Found:
    for outcome in outcomes:
        for one in outcome.found:
            yield outcome.tally, one
        yield outcome.tally, None
