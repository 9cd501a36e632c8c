"""A lock lets one in at a time; who waits comes in when the other has left."""

import threading

import pytest

from hmgpu.core.errors import BusyError
from hmgpu.core.lock import held


def test_another_is_turned_away_or_waits(tmp_path):
    entered = []

    def waits() -> None:
        with held(tmp_path / "lock", lambda: "busy", keep=True, wait=True):
            entered.append("the other")

    with held(tmp_path / "lock", lambda: "busy", keep=True):
        with pytest.raises(BusyError, match="busy"), held(tmp_path / "lock", lambda: "busy", keep=True):
            pass
        other = threading.Thread(target=waits)
        other.start()
        other.join(0.2)
        entered.append("this one")
    other.join()
    assert entered == ["this one", "the other"]
