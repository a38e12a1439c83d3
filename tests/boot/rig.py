# SPDX-License-Identifier: MIT
"""The shared machine: the release image, four CPUs, all disks, both network cards, our tools."""
import subprocess

import guests
from qemu import BootFailure, Machine, OUT, SRC, THREADS, WORK, boot_on_threads

HERE = SRC / "tests/boot"
DISK_MB = 48
# The names of the disks are their serial numbers, by which dom0 finds them.
DISKS = {
    "blk": ["-device", "virtio-blk-pci,drive=blk,serial=blk"],
    "sata": ["-device", "ich9-ahci,id=ahci", "-device", "ide-hd,drive=sata,bus=ahci.0,serial=sata"],
    "nvme": ["-device", "nvme,drive=nvme,serial=nvme"],
}
# The host is 10.0.2.2 on the first network and 10.0.3.2 on the second.  Not by -nic, which
# makes a virtio-net without MSI-X.
NICS = ["-netdev", "user,id=one,net=10.0.2.0/24", "-device", "virtio-net-pci,netdev=one",
        "-netdev", "user,id=two,net=10.0.3.0/24", "-device", "e1000,netdev=two"]
TOOLS = ("storm", "clocks")
PROBE = OUT / "guests/probe/probe.elf"


def make_tools():
    """What the tests run in dom0, and the guest probe, as a cpio archive to be given as a disk."""
    folder = WORK / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    for tool in TOOLS:
        source, out = HERE / f"{tool}.c", folder / tool
        if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread",
                            "-s", "-o", out, source], check=True)
    subprocess.run(["strip", "-o", folder / "probe", PROBE], check=True)
    archive = WORK / "tools.cpio"
    with open(archive, "wb") as f:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, check=True, stdout=f,
                       input="".join(f"{t}\n" for t in (*TOOLS, "probe")).encode())
        f.write(bytes(-f.tell() % 4096))
    return archive


def tools_disk():
    return ["-drive", f"file={make_tools()},format=raw,if=none,id=tools,readonly=on",
            "-device", "virtio-blk-pci,drive=tools,serial=tools,num-queues=1"]


def disk_name(machine, serial):
    """The name of a disk in /dev by its serial number."""
    found = machine.run(
        "for b in /sys/block/*; do cat $b/serial $b/device/serial $b/device/vpd_pg80 2>/dev/null |"
        f" tr -d '\\000' | grep -q {serial} && echo ${{b##*/}}; done; true").split()
    assert len(found) == 1, f"disk {serial}: {found}"
    return found[0]


def unpack_tools(machine):
    machine.run(f"cd /usr/bin && cpio -idu </dev/{disk_name(machine, 'tools')} && cd")


class Rig:
    """Starts the shared machine when it is first asked for, and once more if a test kills it."""

    def __init__(self, folder):
        self.folder, self.machine, self.broken = folder, None, None
        self.starts = self.losses = 0
        self.has_guest = False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        if self.machine:
            self.machine.close()
            self.machine = None

    def one(self, args):
        self.starts += 1
        self.machine = Machine(f"shared-{self.starts}", smp=4, nic=NICS, args=args, accel=THREADS)
        return self.machine

    def start(self):
        args = tools_disk()
        for name, device in DISKS.items():
            image = self.folder / f"{name}.img"
            with open(image, "wb") as f:
                f.truncate(DISK_MB << 20)
            args += ["-drive", f"file={image},format=raw,if=none,id={name}", *device]
        # With a thread for each CPU: many tests keep several busy.
        boot_on_threads(lambda: self.one(args))
        unpack_tools(self.machine)
        self.has_guest = True

    def healthy(self):
        if self.broken:
            raise BootFailure(f"the shared machine does not start: {self.broken}")
        try:
            if self.machine:
                # A prompt: the plain shell has died, and this is its successor.
                if "root@" in self.machine.run("true", 20):
                    self.machine.plain_shell()
        except BootFailure:
            self.losses += 1
            self.close()
        if not self.machine:
            try:
                if self.losses > 1:
                    raise BootFailure("it was lost twice")
                self.start()
            except BaseException as e:
                self.broken = str(e).splitlines()[0] if str(e) else repr(e)
                self.close()
                raise
        return self.machine

    def alone(self):
        """The machine without the guest that started itself."""
        machine = self.healthy()
        if self.has_guest:
            guests.end_first(machine)
            self.has_guest = False
        return machine

    def first_guest(self):
        """That guest; one that was ended is created again."""
        machine = self.healthy()
        if not self.has_guest:
            guests.Guest(machine, "linux", None).create()
            self.has_guest = True
        return guests.wait_first(machine)
