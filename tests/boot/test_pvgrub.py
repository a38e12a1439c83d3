# SPDX-License-Identifier: MIT
"""A distribution on a disk of its own: debootstrap makes it, its own GRUB configuration and kernel
start it, it takes a package and comes back from a reboot."""
import re
import subprocess

import pytest

from guests import DOM0, Guest, check_audit, check_same, end_first, snapshot
from qemu import SRC, WORK
from rig import disk_name

CONFIG = ('kernel="/usr/share/guests/pvgrub/grub-x86_64-xen.bin"\nmemory=512\n'
          'vif=["bridge=xenbr1"]\ndisk=["/dev/{disk},raw,xvda,rw"]')


@pytest.fixture(scope="module")
def debian_disk():
    WORK.mkdir(parents=True, exist_ok=True)
    out = WORK / "debian.img"
    subprocess.run([SRC / "tests/guests/make-debian-disk", out], check=True)
    yield out
    out.unlink()


def log_in(guest, count):
    """To a shell after the count-th prompt for a name; the guest's address."""
    guest.wait_log("debian login: ", 600, count)
    guest.send("root")
    guest.wait_log("root@debian:", 120, count)
    guest.plain_shell()
    # The lease may come after the login.
    return re.search(r"inet ([\d.]+)/", guest.type(
        "i=0; until ip -4 -o addr show eth0 | grep inet; do i=$((i+1)); [ $i -lt 60 ] || exit 1; "
        "sleep 1; done", 120)).group(1)


def check_network(machine, guest, address):
    assert " 0% packet loss" in machine.run(f"ping -c 2 -W 20 {address}")
    assert " 0% packet loss" in guest.type(f"ping -c 2 -W 20 {DOM0}")


@pytest.mark.matrix
@pytest.mark.long
def test_debian(boot, debian_disk):
    m = boot(smp=2, mem=2048, args=[
        "-drive", f"file={debian_disk},format=raw,if=none,id=debian",
        "-device", "virtio-blk-pci,drive=debian,serial=debian"])
    m.choose(0)
    m.to_prompt()
    end_first(m)
    before = snapshot(m)
    guest = Guest(m, "debian", CONFIG.format(disk=disk_name(m, "debian")))
    guest.create()
    check_network(m, guest, log_in(guest, 1))
    first = guest.row()["id"]
    assert "bookworm" in guest.type("cat /etc/os-release")
    assert guest.type("dpkg -s hello >/dev/null 2>&1 || echo none").strip() == "none"
    guest.type("dpkg -i hello_*.deb", 120)
    assert guest.type("hello").strip() == "Hello, world!"
    guest.type("(sleep 1; systemctl reboot) >/dev/null 2>&1 &")
    check_network(m, guest, log_in(guest, 2))
    assert guest.row()["id"] > first
    assert guest.type("hello").strip() == "Hello, world!"
    check_audit(m)
    guest.shutdown(120)
    check_same(m, before)
    m.check_clean()
