# SPDX-License-Identifier: MIT
"""Real work of devices in dom0, all at the same time: three kinds of disk, two network cards."""
import hashlib
import http.server
import random
import re

import pytest

from rig import DISKS, disk_name
from web import serve

DOWNLOAD_MB = 4
FILE_MB = 6


def web_server(content):
    """Serves the content; see serve()."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    return serve(Handler)


def card_of(machine, driver):
    """The network interface of a driver."""
    found = machine.run("for d in /sys/class/net/*/device/driver; do "
                        "echo $(basename $(readlink $d)) $(basename ${d%/device/driver}); done")
    (card,) = [x.split()[1] for x in found.splitlines() if x.split()[0] == driver]
    return card


def bring_up(machine, driver, net):
    """Gives a card an address of its own, unless the boot has put it into the bridge."""
    card = card_of(machine, driver)
    if machine.run("cat /run/domus/card").strip() == card:
        assert f"{net}." in machine.run("ip -4 addr show dev xenbr0")
        return card
    machine.run(f"ip link set {card} up; ip addr replace {net}.99/24 dev {card}")
    return card


def interrupts(machine):
    """/proc/interrupts: the counts of each CPU and the rest of the line, by number."""
    rows = [x.split() for x in machine.run("cat /proc/interrupts").splitlines()]
    cpus = len([x for x in rows[0] if x.startswith("CPU")])
    return {r[0].rstrip(":"): (list(map(int, r[1:1 + cpus])), " ".join(r[1 + cpus:]))
            for r in rows[1:] if len(r) > cpus and r[1].isdigit()}


def lines_of(table, pattern):
    return [n for n, (_, what) in table.items() if re.search(pattern, what)]


def spread(machine, cards):
    """Puts the interrupt of a disk and of each card on a CPU of its own; returns the lines."""
    table = interrupts(machine)
    wanted = {0: lines_of(table, "ahci"), 1: lines_of(table, rf"{cards['e1000']}$"),
              2: lines_of(table, r"virtio\d+-input\.0$")}
    for cpu, lines in wanted.items():
        assert lines, (cpu, table)
        machine.run(f"echo {1 << cpu:x} >/proc/irq/{lines[0]}/smp_affinity")
    return {cpu: lines[0] for cpu, lines in wanted.items()}


def script(names, port):
    """All of it in the background, one log a job."""
    jobs = []
    for serial, disk in names.items():
        jobs.append(f"(set -e; mke2fs -F /dev/{disk} >/dev/null; mkdir -p /mnt/{serial};"
                    f" mount -t ext4 /dev/{disk} /mnt/{serial};"
                    f" cp /tmp/data /mnt/{serial}/data; sync; umount /mnt/{serial};"
                    f" echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 /dev/{disk} /mnt/{serial};"
                    f" md5sum </mnt/{serial}/data; umount /mnt/{serial})"
                    f" >/tmp/job.{serial} 2>&1")
    for net in ("10.0.2.2", "10.0.3.2"):
        jobs.append(f"(wget -q -O /tmp/get.{net} http://{net}:{port}/; md5sum </tmp/get.{net};"
                    f" rm /tmp/get.{net}) >/tmp/job.{net} 2>&1")
    return jobs


@pytest.fixture
def content():
    return random.Random(1).randbytes(DOWNLOAD_MB << 20)


def test_all_devices_at_once(dom0, content):
    cards = {"virtio_net": bring_up(dom0, "virtio_net", "10.0.2"),
             "e1000": bring_up(dom0, "e1000", "10.0.3")}
    disks = {s: disk_name(dom0, s) for s in DISKS}
    assert disks["nvme"].startswith("nvme") and disks["sata"].startswith("sd")
    dom0.run(f"dd if=/dev/urandom of=/tmp/data bs=1M count={FILE_MB} 2>/dev/null")
    file_sum = dom0.run("md5sum </tmp/data").split()[0]
    moved = spread(dom0, cards)
    before = interrupts(dom0)
    with web_server(content) as port:
        for job in script(disks, port):
            dom0.run(f"{job} &")
        dom0.run("wait", 300)
    after = interrupts(dom0)
    dom0.run("rm /tmp/data")
    for serial in DISKS:
        assert dom0.run(f"cat /tmp/job.{serial}").split()[0] == file_sum, serial
    want = hashlib.md5(content).hexdigest()
    for net in ("10.0.2.2", "10.0.3.2"):
        assert dom0.run(f"cat /tmp/job.{net}").split()[0] == want, net
    check_interrupts(before, after, moved)
    dom0.check_clean()


def grown(before, after, line):
    return [a - b for a, b in zip(after[line][0], before.get(line, ([0] * 64,))[0])]


def check_interrupts(before, after, moved):
    for cpu, line in moved.items():
        counts = grown(before, after, line)
        assert counts[cpu] > 10, (line, counts, after[line][1])
        # After the move at most a few that were on their way come elsewhere.
        assert sum(counts) - counts[cpu] <= 5, (line, counts, after[line][1])
    msix = lines_of(after, r"msi-x|MSI-?X")
    assert len(msix) >= 6, after
    for driver in (r"nvme\dq\d", r"virtio\d+-req\.\d", r"virtio\d+-input\.0"):
        used = [x for x in lines_of(after, driver) if x in msix]
        assert used, (driver, after)
        assert any(sum(grown(before, after, x)) for x in used), driver
    busy = {cpu for line in after for cpu, n in enumerate(grown(before, after, line))
            if n and line in msix}
    assert len(busy) >= 3, busy


def test_disk_larger_than_one_request(dom0):
    """Raw writes and reads with direct I/O on each disk, in parallel."""
    disks = {s: disk_name(dom0, s) for s in DISKS}
    dom0.run("dd if=/dev/urandom of=/tmp/raw bs=1M count=8 2>/dev/null")
    want = dom0.run("md5sum </tmp/raw").split()[0]
    for disk in disks.values():
        dom0.run(f"(dd if=/tmp/raw of=/dev/{disk} bs=1M oflag=direct; dd if=/dev/{disk} bs=64k "
                 f"count=128 iflag=direct | md5sum >/tmp/raw.{disk}) 2>/dev/null &")
    dom0.run("wait; rm /tmp/raw", 300)
    for disk in disks.values():
        assert dom0.run(f"cat /tmp/raw.{disk}").split()[0] == want, disk
    dom0.check_clean()


def test_cdrom(dom0):
    """The image that we came from, over the PC's oldest disk interface."""
    dom0.run("mkdir -p /mnt/cd; modprobe -a sr_mod isofs; mount -t iso9660 -o ro /dev/sr0 /mnt/cd")
    assert "boot" in dom0.run("ls /mnt/cd")
    got = dom0.run("md5sum /mnt/cd/boot/domus; umount /mnt/cd", 120).split()[0]
    from qemu import HV
    assert got == hashlib.md5(HV.read_bytes()).hexdigest()


def test_pasted_text(dom0):
    """A text that comes at once over the serial line is all there."""
    lines = [f"{i:04} {i * 7919 % 10007:064}" for i in range(150)]
    dom0.run("cat >/tmp/pasted <<'E'\n" + "\n".join(lines) + "\nE")
    assert dom0.run("cat /tmp/pasted").splitlines() == lines
