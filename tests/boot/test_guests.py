# SPDX-License-Identifier: MIT
"""Linux guests: the one that starts by itself, a second one with a disk, what xl refuses, and
the end of all of them with the machine."""
import re
import time

import pytest

from guests import DOM0, LINUX, Guest, check_audit, check_same, snapshot, wait_first
from qemu import scale

IDLE = 'kernel="/usr/bin/probe"\nmemory=4\nextra="idle"'


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


# A second guest, with everything.

SECOND = LINUX.replace("memory=96", "memory=256").replace("xenbr1", "xenbr1,ip=10.77.0.20") + (
    '\nvcpus=2\nmaxvcpus=4\ncpus="0-1"\ndisk=["/tmp/data.img,raw,xvda,rw"]')


def affinities(guest):
    rows = guest.machine.run(f"xl vcpu-list {guest.name}").splitlines()[1:]
    return [r.split()[6] for r in rows]


def test_second_guest(dom0):
    before = snapshot(dom0)
    dom0.run("truncate -s 24M /tmp/data.img && mke2fs -F /tmp/data.img >/dev/null")
    with_file = snapshot(dom0)
    second = Guest(dom0, "second", SECOND)
    second.create()
    assert second.wait_up() == ["10.77.0.20"]
    assert "256 MB, 2 vcpus, eth0 10.77.0.20/16" in second.read_log()
    assert (second.row()["mem"], second.row()["vcpus"]) == (256, 2)
    # The two that are not online have their affinity too.
    assert affinities(second)[:2] == ["0-1", "0-1"]
    dom0.run("xl vcpu-pin second 1 3")
    assert affinities(second)[:2] == ["0-1", "3"]
    for n in (4, 1, 2):
        dom0.run(f"xl vcpu-set second {n}")
        wait_for(lambda: second.type("nproc").strip(), str(n))
        wait_for(lambda: second.row()["vcpus"], n)
    assert " 0% packet loss" in dom0.run("ping -c 2 -W 10 10.77.0.20")
    written = second.type("dd if=/dev/urandom of=/data/file bs=64k count=160 2>/dev/null; sync; "
                          "sha256sum /data/file")
    first_id = second.row()["id"]
    dom0.run("xl reboot second")
    assert second.wait_up(count=2) == ["10.77.0.20"]
    assert second.row()["id"] > first_id and affinities(second)[:2] == ["0-1", "0-1"]
    assert second.type("sha256sum /data/file") == written
    assert " 0% packet loss" in dom0.run("ping -c 2 -W 10 10.77.0.20")
    second.shutdown()
    check_same(dom0, with_file)
    dom0.run("mkdir -p /mnt/data && mount -t ext4 -o loop /tmp/data.img /mnt/data")
    assert dom0.run("sha256sum </mnt/data/file").split()[0] == written.split()[0]
    dom0.run("umount /mnt/data; rmdir /mnt/data; losetup -D 2>/dev/null; rm /tmp/data.img")
    check_same(dom0, before)
    dom0.check_clean()


# What a guest leaves.

def cleared(machine):
    """KiB that wait to be cleared, and that idle CPUs have cleared."""
    (line,) = [x for x in machine.debug_key("m") if "wait to be cleared" in x]
    return tuple(int(n) for n in re.search(r"(\d+) KiB wait to .* cleared (\d+) KiB",
                                           line).groups())


def test_cleared_while_idle(dom0):
    """Idle CPUs clear all that a guest had, once it is gone and nobody asks them to."""
    before = snapshot(dom0)
    wait_for(lambda: cleared(dom0)[0], 0)
    _, start = cleared(dom0)
    for turn in (1, 2):
        guest = Guest(dom0, f"leaves{turn}", IDLE.replace("memory=4", "memory=64"))
        guest.create()
        dom0.run(f"xl destroy {guest.name}")
        wait_for(lambda: cleared(dom0)[0], 0)
        assert cleared(dom0)[1] - start >= turn * 64 * 1024
    check_same(dom0, before)


# What xl refuses: what it says, and that nothing stays.

REFUSED = {
    "name-taken": (IDLE, "A domain with name \"refused\" already exists|already exists"),
    "no-memory": (IDLE.replace("memory=4", "memory=8000"), "Out of memory"),
    "kernel-missing": (IDLE.replace("/usr/bin/probe", "/no/such/kernel"),
                       "/no/such/kernel.*No such file|failed to open .*/no/such/kernel"),
    "not-a-pv-kernel": (IDLE.replace("/usr/bin/probe", "/bin/busybox"), "ELF|kernel|image"),
    "not-a-kernel": (IDLE.replace("/usr/bin/probe", "/etc/xen/xl.conf"), "kernel|loader|image"),
    "bridge-missing": (f'{IDLE}\nvif=["bridge=xenbr9"]', "bridge.*xenbr9|xenbr9"),
    "disk-missing": (f'{IDLE}\ndisk=["/no/disk.img,raw,xvda,rw"]', "/no/disk.img"),
    "disk-busy": (f'{IDLE}\ndisk=["/tmp/busy.img,raw,xvda,rw"]', "busy.img|in use|shared"),
    "address-taken": (f'{IDLE}\nvif=["bridge=xenbr1,ip=10.77.0.30"]', "10.77.0.30 is in use"),
    "bad-file": ("memory=\nkernel", "syntax error|Failed to parse config"),
}
HELD = {"disk-busy": f'{IDLE}\ndisk=["/tmp/busy.img,raw,xvda,rw"]',
        "address-taken": f'{IDLE}\nvif=["bridge=xenbr1,ip=10.77.0.30"]'}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal(dom0, case):
    config, text = REFUSED[case]
    before = snapshot(dom0)
    dom0.run("truncate -s 1M /tmp/busy.img")
    holder = None
    if case in HELD or case == "name-taken":
        holder = Guest(dom0, "refused" if case == "name-taken" else "holder",
                       HELD.get(case, IDLE))
        holder.create()
    refused = Guest(dom0, "refused", config)
    said = refused.create(ok=False)
    print(said)
    assert dom0.status not in (0, 127) and re.search(text, said), said
    names = [x.split()[0] for x in dom0.run("xl list").splitlines()[1:]]
    assert names == ["Domain-0"] + ([holder.name] if holder else [])
    if holder:
        dom0.run(f"xl destroy {holder.name}")
    dom0.run("rm /tmp/busy.img")
    check_same(dom0, before)


# The end of the machine is the end of its guests, in order.

@pytest.mark.parametrize("how, reason", [
    ("poweroff", "guest-shutdown"),
    pytest.param("reboot", "guest-reset", marks=pytest.mark.matrix)])
def test_guests_end_before_the_machine(boot, how, reason):
    m = boot()
    m.choose(0)
    m.to_prompt()
    first = wait_first(m)
    second = Guest(m, "second")
    second.create()
    second.wait_up()
    # The logs go with dom0's memory: what domus-guests reads as its settings shows their ends.
    m.run("""mkdir -p /etc/default; cat >/etc/default/xendomains <<'E'
show() {
	sleep 1
	for f in /var/log/xen/console/guest-*.log; do
		tail -n 6 $f | sed "s,^,${f##*/}: ," >/dev/hvc0
	done
}
[ "$1" != stop ] || trap show EXIT
E""")
    m.monitor.connect()
    m.send(f"{how}\n")
    start = time.monotonic()
    assert m.wait_end(90) == 0
    took = time.monotonic() - start
    assert m.monitor.end_reason() == reason
    text = m.text()
    assert "domus: asking the guests to shut down" in text
    for guest in (first, second):
        assert re.search(rf"guest-{guest.name}.log: .*reboot: (Power down|System halted)", text)
    assert "does not shut down: destroying it" not in text
    assert took < 60 * scale()
