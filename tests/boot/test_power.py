# SPDX-License-Identifier: MIT
"""The machine goes off and starts again; dom0's CPUs come and go."""
import time

import pytest

from qemu import scale


def online(machine):
    return machine.run("cat /sys/devices/system/cpu/online").strip()


def wait_for(machine, want, seconds=30):
    end = time.monotonic() + seconds * scale()
    while online(machine) != want:
        assert time.monotonic() < end, f"CPUs {online(machine)} are online, not {want}"
        time.sleep(0.5)


def states(machine):
    """The third letter of each vcpu's state: p for one that is not online."""
    return "".join(r.split()[4][2] for r in machine.run("xl vcpu-list").splitlines()[1:])


def test_xl_vcpu_set(dom0):
    dom0.run("xl vcpu-set 0 1")
    wait_for(dom0, "0")
    assert states(dom0) == "-ppp"
    dom0.run("xl vcpu-set 0 2")
    wait_for(dom0, "0-1")
    assert states(dom0) == "--pp"
    dom0.run("xl vcpu-set 0 4")
    wait_for(dom0, "0-3")
    assert states(dom0) == "----"
    dom0.check_clean()


def test_sysfs_cpu(dom0):
    cpu1 = "/sys/devices/system/cpu/cpu1/online"
    dom0.run(f"echo 0 >{cpu1}")
    assert online(dom0) == "0,2-3" and states(dom0) == "-p--"
    assert dom0.run(f"cat {cpu1}").strip() == "0"
    dom0.run(f"echo 1 >{cpu1}")
    assert online(dom0) == "0-3" and states(dom0) == "----"
    # It works again: something runs there, and its timer ticks.
    assert dom0.run("taskset 2 sh -c 'sleep 0.2; echo ran'").strip() == "ran"
    dom0.check_clean()


@pytest.mark.matrix
def test_cpus_come_and_go_under_load(dom0):
    dom0.run("(storm 40 1 >/tmp/storm.out 2>&1 &)")
    for _ in range(10):
        for cpu in (1, 2, 3):
            dom0.run(f"echo 0 >/sys/devices/system/cpu/cpu{cpu}/online")
        for cpu in (1, 2, 3):
            dom0.run(f"echo 1 >/sys/devices/system/cpu/cpu{cpu}/online")
    dom0.run("while pidof storm >/dev/null; do sleep 1; done", 300)
    assert "storm: ok" in dom0.run("cat /tmp/storm.out")
    dom0.check_clean()


@pytest.mark.matrix
@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("end, reason", [("poweroff", "guest-shutdown"), ("reboot", "guest-reset")])
def test_end(boot, machine, smp, end, reason):
    m = boot(machine=machine, smp=smp)
    m.choose(0)
    m.to_prompt()
    m.end(end, reason)
