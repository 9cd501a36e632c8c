"""Ctrl-C and SIGTERM wait for the end of the block and are not lost."""

import ctypes
import signal
import threading

import pytest

from hmgpu.core.interrupts import exit_on_signals, interrupts_held

pytestmark = pytest.mark.usefixtures("signals_exit")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_in_a_callback_takes_effect_at_the_end(number, code):
    seen = []

    def work() -> None:
        with interrupts_held() as interrupted:

            def callback() -> int:
                signal.raise_signal(number)
                seen.append(interrupted())
                return 1

            seen.append(interrupted())
            seen.append(ctypes.CFUNCTYPE(ctypes.c_int)(callback)())

    handler = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended:
        work()
    assert ended.value.code == code
    assert seen == [False, True, 1]
    assert signal.getsignal(number) is handler


def test_the_signal_takes_effect_instead_of_the_error_that_it_caused():
    def work() -> None:
        with interrupts_held():
            signal.raise_signal(signal.SIGTERM)
            raise ValueError("there are no rows")

    with pytest.raises(SystemExit) as ended:
        work()
    assert ended.value.code == 143


def test_without_a_signal_nothing_happens():
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(ValueError, match="its own"), interrupts_held():
        raise ValueError("its own")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_another_thread_can_use_the_block_and_holds_nothing_back():
    seen = []

    def work() -> None:
        with interrupts_held() as interrupted:
            seen.append(interrupted())

    handler = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
    assert signal.getsignal(signal.SIGTERM) is handler


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        exit_on_signals()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
