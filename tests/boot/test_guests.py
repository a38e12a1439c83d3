# SPDX-License-Identifier: MIT
"""The Linux guest that starts by itself: console, network, pause, memory, end."""
import re
import time

import pytest

from guests import DOM0, check_audit
from qemu import scale


def wait_for(what, want, seconds=30):
    """Calls until it returns what is wanted."""
    end = time.monotonic() + seconds * scale()
    while (got := what()) != want:
        assert time.monotonic() < end, f"{got!r}, not {want!r}"
        time.sleep(0.2)


def mem_total(guest):
    """What the kernel inside has, in KiB."""
    return int(re.search(r"MemTotal: +(\d+)", guest.type("cat /proc/meminfo"))[1])


def gateway(machine):
    return machine.run("ip route").split("default via ")[1].split()[0]


# The guest that started itself; the last of these tests ends it.

def test_first_is_up(first_guest):
    row = first_guest.row()
    assert (row["mem"], row["vcpus"]) == (96, 1) and re.match(r"[r-][b-]----", row["state"])
    assert re.search(r"guest: linux is up: 96 MB, 1 vcpus, eth0 10\.77\.\d+\.\d+/16",
                     first_guest.read_log())
    assert "guest linux: started" in first_guest.machine.text()


def test_first_console(first_guest):
    """As a user at the terminal: log in, type, leave with Ctrl-]."""
    m = first_guest.machine
    m.send("xl console linux\n")
    time.sleep(1)
    m.send("\r")
    m.wait(r"root@linux:~# ")
    m.send("echo $((6 * 7)) on $(hostname)\r")
    m.wait(r"42 on linux\r*\n")
    # Leaving the shell leads to the next login.
    m.send("exit\r")
    m.wait(r"root login on 'hvc0'")
    m.wait(r"root@linux:~# ")
    # xenconsole wants to read this character alone.
    time.sleep(scale())
    m.send("\x1d")
    time.sleep(2 * scale())
    assert "back in dom0\n" in m.run("echo back in dom0")


def test_first_network(first_guest):
    m = first_guest.machine
    address = first_guest.wait_up()[0]
    way = gateway(m)
    assert way in ("10.0.2.2", "10.0.3.2")
    for where in (DOM0, way, "domus.guests"):
        assert " 0% packet loss" in first_guest.type(f"ping -c 2 -W 10 {where}")
    assert " 0% packet loss" in m.run(f"ping -c 2 -W 10 {address}")


def clocks(guest):
    """By how much the guest's uptime and date are ahead of dom0's, each as (least, most).

    The date need not be dom0's: a kernel whose boot is slow loses time before it has a clock.
    """
    read = "cut -d ' ' -f 1 /proc/uptime; date +%s"
    before = guest.machine.run(read).split()
    got = guest.type(read).split()
    after = guest.machine.run(read).split()
    return [(float(g) - float(a) - 1, float(g) - float(b) + 1)
            for b, g, a in zip(before, got, after)]


def pause(guest, seconds):
    m = guest.machine
    address = guest.wait_up()[0]
    before = clocks(guest)
    m.run(f"xl pause {guest.name}")
    used = m.run("xl list linux").split()[-1]
    m.run(f"sleep {seconds}")
    assert guest.row()["state"][2] == "p" and m.run("xl list linux").split()[-1] == used
    m.run(f"ping -c 1 -W 1 {address}", ok=False)
    assert m.status == 1
    m.run(f"xl unpause {guest.name}")
    after = clocks(guest)
    assert all(a[0] <= b[1] and b[0] <= a[1] for a, b in zip(before, after)), (before, after)
    assert guest.row()["state"][2] == "-"
    assert " 0% packet loss" in m.run(f"ping -c 2 -W 10 {address}")


def test_first_pause(first_guest):
    pause(first_guest, 10)


@pytest.mark.matrix
def test_first_pause_a_minute(first_guest):
    pause(first_guest, 60)


def test_first_mem_set(first_guest):
    first_guest.wait_up()
    full = mem_total(first_guest)
    for mb in (80, 96, 72, 96):
        first_guest.machine.run(f"xl mem-set linux {mb}")
        wait_for(lambda: first_guest.row()["mem"], mb)
        wait_for(lambda: mem_total(first_guest), full - (96 - mb) * 1024)
    check_audit(first_guest.machine)


def test_first_shutdown(first_guest, shared_machine):
    first_guest.shutdown()
    shared_machine.has_guest = False
    assert first_guest.row() is None
    assert re.search(r"reboot: (Power down|System halted)", first_guest.read_log())
    check_audit(first_guest.machine)
    first_guest.machine.check_clean()
