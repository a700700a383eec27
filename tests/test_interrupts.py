"""Ctrl-C waits for the end of a block; a second one does not."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from symbackprop.interrupts import interrupted_afterwards


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupted(times: int) -> list[int]:
    """How often Ctrl-C came before the block went on no more."""
    came: list[int] = []

    def run() -> None:
        with interrupted_afterwards():
            for number in range(times):
                interrupt()
                came.append(number)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return came


def test_first_waits_and_a_second_does_not() -> None:
    assert interrupted(1) == [0]
    assert interrupted(3) == [0]


def test_others_handle_it_as_they_like() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with interrupted_afterwards():
            interrupt()
            assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_no_other_thread_is_interrupted() -> None:
    inside: list[object] = []

    def run() -> None:
        with interrupted_afterwards():
            inside.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert inside == [signal.default_int_handler]
