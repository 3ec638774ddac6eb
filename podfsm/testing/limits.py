"""A time limit for calls into code that is not ours."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


class OutOfTime(BaseException):
    """The call took longer than it may. Not an Exception, so that a broad `except` does not swallow it."""


def call_limited(seconds: float, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call and give what it gives. Raises OutOfTime after so many seconds (0: no limit).

    In the main thread the call is interrupted, and goes on being interrupted until it gives up. Elsewhere, and where
    there are no timers, it is left behind in a thread of its own.
    """
    if seconds <= 0:
        return function(*args, **kwargs)
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        return _interrupted(seconds, function, args, kwargs)
    return _left_behind(seconds, function, args, kwargs)


def _interrupted(seconds: float, function: Callable[..., T], args: Any, kwargs: Any) -> T:
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        return function(*args, **kwargs)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime


def _left_behind(seconds: float, function: Callable[..., T], args: Any, kwargs: Any) -> T:
    answer: list[T] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            answer.append(function(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - handed to the caller
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise OutOfTime
    if raised:
        raise raised[0]
    return answer[0]
