"""Memory is seen while it is held, in this process and in its children."""

import subprocess
import sys
import time

from hmgpu.runs.memory import resident, watched

MIB = 2**20
HOLD = "held = bytearray(b'x') * (200 << 20); print('there', flush=True); input()"


def test_what_was_held_for_a_moment_is_seen():
    before = resident()
    with watched() as peak:
        held = bytearray(b"x") * (200 * MIB)
        time.sleep(0.5)
        del held
    assert 190 * MIB < peak.bytes - before < 400 * MIB
    assert peak.gib == round(peak.bytes / 2**30, 2)


def test_children_count():
    before = resident()
    child = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"there\n"
        assert resident() - before > 190 * MIB
    finally:
        child.kill()
        child.wait()
    assert resident() - before < 100 * MIB
