# SPDX-License-Identifier: MIT
"""Many guests at once, and many one after the other: what they took comes back, all of it."""
import re
import time

import pytest

from guests import (DOM0, LINUX, Guest, check_audit, check_same, end_first, snapshot)
from qemu import scale
from rig import tools_disk, unpack_tools

IDLE = 'kernel="/usr/bin/probe"\nmemory=4\nextra="idle"'


def own_machine(boot, mem):
    m = boot(smp=4, mem=mem, args=tools_disk())
    unpack_tools(m)
    end_first(m)
    return m


@pytest.mark.matrix
def test_ten_linux_guests(boot_on_threads):
    """Network and a disk each; a file goes from one to another."""
    m = own_machine(boot_on_threads, 4096)
    before = snapshot(m)
    many = []
    for i in range(10):
        disk = f"/tmp/disk{i}.img"
        m.run(f"truncate -s 6M {disk} && mke2fs -F {disk} >/dev/null")
        many.append(Guest(m, f"g{i}", f'{LINUX}\ndisk=["{disk},raw,xvda,rw"]'))
        many[-1].create()
    addresses = [g.wait_up(300)[0] for g in many]
    assert len(set(addresses)) == 10
    for g, address in zip(many, addresses):
        assert " 0% packet loss" in m.run(f"ping -c 2 -W 20 {address}")
        assert g.type("mount | grep -c ' on /data type ext4'").strip() == "1"
        g.type("dd if=/dev/urandom of=/data/file bs=64k count=32 2>/dev/null; sync")
    for g, next_one in zip(many, addresses[1:] + addresses[:1]):
        assert " 0% packet loss" in g.type(f"ping -c 1 -W 20 {next_one}")
    many[3].type("httpd -h /data")
    many[8].type(f"wget -q -O /data/copy http://{addresses[3]}/file", 120)
    assert many[8].type("sha256sum </data/copy") == many[3].type("sha256sum </data/file")
    rows = m.run("xl list").splitlines()
    print("\n".join(rows))
    assert len(rows) == 12
    check_audit(m)
    m.run("xl shutdown -a -w", 180)
    # Not before all is gone: Debian's block script leaves the loop device of a file that is not there.
    snapshot(m)
    m.run("rm /tmp/disk*.img")
    check_same(m, before)
    m.check_clean()


@pytest.mark.matrix
def test_hundred_small_guests(boot_on_threads):
    m = own_machine(boot_on_threads, 4096)
    warm_up(m)
    before = snapshot(m)
    m.run(f"(for i in $(seq 100); do (echo 'name=\"p'$i'\"'; cat <<'E'\n{IDLE}\nE\n) "
          ">/tmp/p$i.cfg; xl create -q /tmp/p$i.cfg || exit; done)", 900)
    rows = [x.split() for x in m.run("xl list").splitlines()[2:]]
    assert len(rows) == 100 and all(r[2] == "4" and r[4] == "-b----" for r in rows), rows
    alive = m.run("grep -l 'probe: idle' /var/log/xen/console/guest-p*.log | wc -l").strip()
    assert alive == "100"
    check_audit(m)
    m.run("(for i in $(seq 100); do xl destroy p$i || exit; done)", 600)
    m.run("rm /tmp/p*.cfg /var/log/xen/console/guest-p*.log")
    # dom0 keeps the second page of event channels that a hundred guests need.
    check_same(m, before, kept=4)
    m.check_clean()


def warm_up(m):
    """What the first guest makes and dom0 keeps."""
    guest = Guest(m, "small", IDLE)
    guest.create()
    m.run("xl destroy small")


def small_cycles(m, count):
    warm_up(m)
    before = snapshot(m)
    rss = m.run("grep VmRSS /proc/$(pidof xenstored)/status /proc/$(pidof xenconsoled)/status")
    start = time.monotonic()
    # In portions: no wait is longer than what a portion needs.
    for done in range(0, count, 20):
        n = min(20, count - done)
        m.run(f"(for i in $(seq {n}); do xl create -q /tmp/small.cfg && xl destroy small || exit; "
              "done)", 300)
        print(f"{done + n} cycles, {time.monotonic() - start:.0f} s")
    check_same(m, before)
    print(rss + m.run("grep VmRSS /proc/$(pidof xenstored)/status "
                      "/proc/$(pidof xenconsoled)/status; free"))
    m.check_clean()


def test_create_and_destroy(dom0):
    small_cycles(dom0, 20)


@pytest.mark.matrix
@pytest.mark.long
def test_create_and_destroy_1000(dom0):
    small_cycles(dom0, 1000)


def moved(m, guest):
    """Bytes that the guest's card has sent and got, sectors that its disk has written."""
    d = guest.row()["id"]
    return [int(x) for x in m.run(
        f"cd /sys/class/net/vif{d}.0/statistics; cat rx_bytes tx_bytes "
        f"/sys/bus/xen-backend/devices/vbd-{d}-*/statistics/wr_sect; cd /root").split()]


def busy_guest(m, number):
    """One guest that is destroyed while it writes to its disk, sends and receives."""
    m.run("rm -f /tmp/busy.img; truncate -s 24M /tmp/busy.img; mke2fs -F /tmp/busy.img >/dev/null")
    guest = Guest(m, "busy", f'{LINUX}\nvcpus=2\ndisk=["/tmp/busy.img,raw,xvda,rw"]')
    guest.create()
    guest.wait_up()
    guest.type("while :; do dd if=/dev/zero of=/data/file bs=64k count=200 conv=fsync; done "
               ">/dev/null 2>&1 &\n"
               f"while :; do wget -q -O /dev/null http://{DOM0}/file; done >/dev/null 2>&1 &\n"
               f"while :; do nc {DOM0} 9 </dev/zero; done >/dev/null 2>&1 &")
    first, last, end = moved(m, guest), None, time.monotonic() + 60 * scale()
    while not last or any(b - a < 200_000 for a, b in zip(first[:2], last[:2])) or \
            last[2] - first[2] < 400:
        assert time.monotonic() < end, (first, last)
        last = moved(m, guest)
    m.run("xl destroy busy")
    print(f"{number}: bytes out, in, sectors written: {first} to {last}")


def busy_cycles(m, count):
    m.run("mkdir -p /tmp/www; dd if=/dev/urandom of=/tmp/www/file bs=64k count=32 2>/dev/null; "
          f"httpd -p {DOM0}:80 -h /tmp/www; (nc -ll -p 9 -e sh -c 'cat >/dev/null' "
          "</dev/null >/dev/null 2>&1 &)")
    try:
        busy_guest(m, 0)
        m.run("rm /tmp/busy.img")
        before = snapshot(m)
        start = time.monotonic()
        for number in range(1, count + 1):
            busy_guest(m, number)
            if number % 10 == 0:
                check_audit(m)
        print(f"{count} cycles in {time.monotonic() - start:.0f} s")
        m.run("rm /tmp/busy.img")
        check_same(m, before)
        m.check_clean()
    finally:
        m.run("killall httpd nc; rm -rf /tmp/www", ok=False)


@pytest.mark.matrix
def test_destroy_under_traffic(dom0):
    busy_cycles(dom0, 5)


@pytest.mark.matrix
@pytest.mark.long
def test_destroy_under_traffic_50(boot):
    m = boot(smp=2, mem=2048, args=tools_disk())
    m.choose(0)
    m.to_prompt()
    unpack_tools(m)
    end_first(m)
    busy_cycles(m, 50)
