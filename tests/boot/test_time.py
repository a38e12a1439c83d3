# SPDX-License-Identifier: MIT
"""dom0's clocks: exact where the emulator's are, and never going back."""
import re

import pytest

from rig import tools_disk, unpack_tools

TSC_PER_NS = 1  # under instruction counting QEMU's TSC runs at 1 GHz


def numbers(text):
    return {k: int(v) for k, v in re.findall(r"(\w+)=(-?\d+)", text)}


def test_no_drift(boot):
    """A minute of virtual time, in which idle time passes at once."""
    m = boot(hv_args="", dom0_args="domus.rescue", smp=1, nic=False, cpu="EPYC",
             args=["-icount", "shift=1,sleep=off", "-rtc", "clock=vm", *tools_disk()])
    m.to_prompt(r"rescue:~# ", 400)
    m.run("modprobe -a virtio_pci virtio_blk")
    unpack_tools(m)
    got = numbers(m.run("clocks drift 60", 400))
    true_ns = got["tsc"] / TSC_PER_NS
    assert 59e9 < true_ns < 70e9
    for clock in ("mono_ns", "raw_ns"):
        ppm = (got[clock] / true_ns - 1) * 1e6
        print(f"{clock}: {ppm:+.2f} ppm")
        assert abs(ppm) < 100, f"{clock} drifts by {ppm:+.1f} ppm"


def test_wall_clock(dom0):
    """dom0 has the time of the board's clock."""
    import time
    assert abs(int(dom0.run("date +%s")) - time.time()) < 60 + 30


@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.matrix)])
def test_monotonic_across_cpus(dom0, seconds):
    got = numbers(dom0.run(f"clocks mono {seconds}", seconds + 60, ok=False))
    assert got["cpus"] == 4 and got["samples"] > 10000
    assert got["backwards"] == 0, got


def test_sleep_lasts(dom0):
    """A sleep is not shorter than asked for, by a clock that does not depend on timers."""
    got = numbers(dom0.run("clocks drift 5"))
    assert 5e9 <= got["mono_ns"] < 8e9
