# SPDX-License-Identifier: MIT
"""Builds what the bench boots and runs the emulator, one machine at a time."""
import bisect
import glob
import gzip
import hashlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CFLAGS = ["-O2", "-Wall", "-Wextra", "-Werror", "-std=gnu11"]
DOM0_MEMORY = "dom0_mem=512M,max:512M"
NATIVE_KERNEL = 0x1000000  # where a bzImage unpacks to and starts, without KASLR
XEN_PACKAGE = "xen-hypervisor-4.17-amd64"


class BenchError(Exception):
    """Something that the bench needs is not there or did not work."""


def run_tool(*cmd, **options):
    done = subprocess.run(cmd, capture_output=True, **options)
    if done.returncode:
        raise BenchError(f"{' '.join(map(str, cmd))}: {done.stderr.decode(errors='replace')}")
    return done.stdout


class Place:
    """The folders of a build and the files that all machines share."""

    def __init__(self, source, out):
        self.source, self.out = source, os.path.join(out, "bench")
        self.dom0 = os.path.join(out, "dom0-initrd")
        self.consoles = os.path.join(out, "images", "consoles.cfg")
        os.makedirs(self.out, exist_ok=True)
        os.environ.setdefault("SOURCE_DATE_EPOCH", "1790000000")
        boot = os.path.join(self.dom0, "kernel", "boot")
        names = [n for n in os.listdir(boot) if n.startswith("vmlinuz-")]
        if len(names) != 1:
            raise BenchError(f"{boot} does not hold one kernel; make iso unpacks it")
        self.bzimage = os.path.join(boot, names[0])
        self.release = names[0].removeprefix("vmlinuz-")

    def path(self, name):
        return os.path.join(self.out, name)

    def build(self):
        """The plugin, the initrd and the kernel in its three forms."""
        run_tool("gcc", *CFLAGS, "-shared", "-fPIC", "-fvisibility=hidden",
                 os.path.join(HERE, "count.c"), "-o", self.path("count.so"))
        with tempfile.TemporaryDirectory(dir=self.out) as root:
            run_tool("gcc", *CFLAGS, "-static", "-s", "-D__XEN_TOOLS__",
                     *(os.path.join(HERE, x) for x in ("init.c", "linux.c")), "-o", f"{root}/init")
            os.makedirs(f"{root}/bin")
            shutil.copy(os.path.join(self.dom0, "pkg/bin/busybox"), f"{root}/bin/busybox")
            shutil.copy(os.path.join(self.dom0, "kernel/lib/modules", self.release,
                                     "kernel/drivers/xen/xen-privcmd.ko"), root)
            self.pack(root, "initrd")

    def pack(self, root, name):
        run_tool(os.path.join(self.source, "dom0-initrd/pack"), root, self.path(name), "cat")

    def tools_in(self, root, *tools):
        """Programs of this folder, the probe and its configurations, in /bench."""
        os.makedirs(f"{root}/bench")
        for tool in tools:
            run_tool("gcc", *CFLAGS, "-static", "-s", "-D__XEN_TOOLS__",
                     os.path.join(HERE, f"{tool}.c"), "-o", f"{root}/bench/{tool}")
        shutil.copy(os.path.join(self.out, "../guests/probe/probe.elf"), f"{root}/bench/probe.elf")
        for name, rest in (("idle", 'extra = "idle"\nmemory = 4\n'),
                           ("load", 'memory = 16\nvcpus = 1\ncpus = "1"\n')):
            with open(f"{root}/bench/{name}.cfg", "w") as f:
                f.write(f'kernel = "/bench/probe.elf"\n{rest}')

    def joined(self, base, root, name):
        """An initrd behind another one: what both have is the second's."""
        self.pack(root, f"{name}.cpio")
        with open(self.path(f"{name}.initrd"), "wb") as out:
            with open(base, "rb") as f:
                out.write(f.read())
            # The kernel looks for the next archive at a multiple of four.
            out.write(bytes(-out.tell() % 512))
            with open(self.path(f"{name}.cpio"), "rb") as f:
                out.write(f.read())
        return f"{name}.initrd"

    def instead_of_init(self, root, script):
        """dom0 as it is in the image, but with a script where init would go on; the initrd's name."""
        os.makedirs(f"{root}/sbin")
        shutil.copy(os.path.join(HERE, f"{script}.sh"), f"{root}/sbin/init")
        return self.joined(os.path.join(self.dom0, "initrd"), root, script)

    def guests_initrd(self):
        """With guests.sh, which makes a hundred guests."""
        with tempfile.TemporaryDirectory(dir=self.out) as root:
            self.tools_in(root, "creating")
            return self.instead_of_init(root, "guests")

    def traffic_initrd(self):
        """With traffic.sh, and a Linux guest that has traffic-guest.sh as its first process."""
        linux = os.path.join(self.out, "../guests/linux")
        with tempfile.TemporaryDirectory(dir=self.out) as root, \
                tempfile.TemporaryDirectory(dir=self.out) as guest:
            self.tools_in(root, "traffic", "pages")
            os.makedirs(f"{guest}/bench")
            shutil.copy(f"{root}/bench/traffic", f"{guest}/bench/traffic")
            shutil.copy(os.path.join(HERE, "traffic-guest.sh"), f"{guest}/init")
            name = self.joined(f"{linux}/initrd", guest, "traffic-guest")
            shutil.copy(self.path(name), f"{root}/bench/linux.initrd")
            shutil.copy(f"{linux}/tree/usr/share/guests/linux/vmlinuz", f"{root}/bench/linux")
            with open(f"{root}/bench/traffic.cfg", "w") as f:
                f.write('name = "traffic"\nkernel = "/bench/linux"\nramdisk = "/bench/linux.initrd"\n'
                        'extra = "console=hvc0 quiet"\nmemory = 128\nvif = [ "bridge=xenbr1" ]\n'
                        'disk = [ "phy:/dev/ram0,xvda,w" ]\n')
            return self.instead_of_init(root, "traffic")

    def shares_initrd(self):
        """dom0 with shares.sh as its first process, and without what that does not need."""
        modules = os.path.join(self.dom0, "root/lib/modules", self.release, "kernel/drivers/xen")
        with tempfile.TemporaryDirectory(dir=self.out) as work:
            root = f"{work}/root"
            shutil.copytree(os.path.join(self.dom0, "root"), root, symlinks=True,
                            ignore=shutil.ignore_patterns("modules", "init"))
            self.tools_in(root, "shares")
            shutil.copy(os.path.join(HERE, "shares.sh"), f"{root}/init")
            for path in glob.glob(f"{modules}/xen-*.ko") + [f"{modules}/xenfs/xenfs.ko"]:
                shutil.copy(path, f"{root}/bench")
            run_tool(os.path.join(self.source, "dom0-initrd/pack"), root,
                     self.path("shares.initrd"), "zstd", "-q", "-9")
        return "shares.initrd"

    def kernel(self, form):
        """form as dom0-initrd/kernel-image knows it."""
        with open(self.bzimage, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()[:8]
        path = self.path(f"vmlinuz-{digest}.{form}")
        if not os.path.exists(path):
            for old in glob.glob(self.path(f"vmlinuz-*.{form}")):
                os.remove(old)
            run_tool(os.path.join(self.source, "dom0-initrd/kernel-image"), form, self.bzimage,
                     path)
        return path

    def xen(self):
        """Debian's Xen: the installed one, or unpacked from its package."""
        installed = "/boot/xen-4.17-amd64.gz"
        if os.path.exists(installed):
            return installed
        tree = self.path("xen")
        if not os.path.exists(tree + installed):
            shutil.rmtree(tree, ignore_errors=True)
            os.makedirs(tree)
            run_tool("apt-get", "download", "-q", XEN_PACKAGE, cwd=tree)
            run_tool("sh", "-c", "dpkg-deb -x *.deb .", cwd=tree)
        return tree + installed

    def direct(self, hypervisor, kernel, dom0_options, initrd):
        """QEMU's arguments to be the boot loader itself, which takes no time."""
        plain = self.path(os.path.basename(hypervisor).removesuffix(".gz") + ".plain")
        with open(plain, "wb") as f:
            f.write(read_image(hypervisor))
        return ["-kernel", plain, "-append", f"{DOM0_MEMORY} console=com1 com1=115200,8n1", "-initrd",
                f"{kernel} {dom0_options},{self.path(initrd)}"]

    def iso(self, name, hypervisor, kernel, dom0_options, initrd="initrd", options=""):
        menu = self.path(f"{name}.cfg")
        with open(menu, "w") as f:
            f.write(f"""# SPDX-License-Identifier: MIT
serial --unit=0 --speed=115200
terminal_output serial
multiboot2 /boot/domus {DOM0_MEMORY} console=com1 com1=115200,8n1 {options}
set gfxpayload=text
module2 --nounzip /boot/vmlinuz {dom0_options}
module2 --nounzip /boot/initrd
boot
""")
        iso = self.path(f"{name}.iso")
        run_tool(os.path.join(self.source, "images/make-iso"), iso, "512", self.consoles, "",
                 f"boot/domus={hypervisor}", f"boot/vmlinuz={kernel}",
                 f"boot/initrd={self.path(initrd)}", f"boot/grub/grub.cfg={menu}")
        return iso


def read_image(path):
    with open(path, "rb") as f:
        data = f.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def multiboot2_entry(path):
    """The address at which the loader enters: the entry tag's, else the ELF header's."""
    data = read_image(path)
    for at in range(0, min(len(data), 32768) - 16, 8):
        if struct.unpack_from("<I", data, at)[0] != 0xe85250d6:
            continue
        length, tag = struct.unpack_from("<I", data, at + 8)[0], at + 16
        while tag < at + length:
            kind, _, size = struct.unpack_from("<HHI", data, tag)
            if kind == 3:
                return struct.unpack_from("<I", data, tag + 8)[0]
            tag += (size + 7) & ~7 or 8
        break
    return struct.unpack_from("<Q" if data[4] == 2 else "<I", data, 24)[0]


def image_size(path):
    """Bytes of the loaded image, zeroed data included."""
    data = read_image(path)
    wide = data[4] == 2
    table = struct.unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)[0]
    entry, number = struct.unpack_from("<HH", data, 54 if wide else 42)
    low, high = 1 << 64, 0
    for i in range(number):
        at = table + i * entry
        if struct.unpack_from("<I", data, at)[0] != 1:
            continue
        address = struct.unpack_from("<Q" if wide else "<I", data, at + (24 if wide else 12))[0]
        size = struct.unpack_from("<Q" if wide else "<I", data, at + (40 if wide else 20))[0]
        low, high = min(low, address), max(high, address + size)
    return high - low


def xen_entry(elf):
    """The kernel's PV entry: ELF note Xen/1."""
    with open(elf, "rb") as f:
        data = f.read()
    table, = struct.unpack_from("<Q", data, 32)
    entry, number = struct.unpack_from("<HH", data, 54)
    for i in range(number):
        kind, _, at, _, _, size = struct.unpack_from("<IIQQQQ", data, table + i * entry)
        end = at + size
        while kind == 4 and at + 12 <= end:
            name, desc, number_ = struct.unpack_from("<III", data, at)
            body = at + 12 + (name + 3 & ~3)
            if data[at + 12:at + 16] == b"Xen\0" and number_ == 1:
                return struct.unpack_from("<Q", data, body)[0]
            at = body + (desc + 3 & ~3)
    raise BenchError(f"{elf} has no Xen entry note")


class Result:
    """What one run left: the marks and the lines that /init printed."""

    def __init__(self, log, marks=os.devnull):
        self.said, self.marks, self.notes, self.rows = {}, {}, [], row_pairs(marks)
        with open(log, errors="replace") as f:
            self.log = f.read().replace("\r", "")
        for line in self.log.split("\n"):
            _, found, text = line.partition("BENCH ")
            name, _, value = text.partition(" ")
            if found and name == "note":
                self.notes.append(value)
            elif found:
                self.said[name] = value
        with open(marks) as f:
            for line in f:
                mark = json.loads(line)
                # The loader may pass the hypervisor's entry address too: its last visit counts.
                if mark["mark"] == "hv_entry" and "kernel_entry" in self.marks:
                    continue
                if mark["mark"] != "hv_entry" and mark["mark"] in self.marks:
                    continue
                self.marks[mark["mark"]] = mark

    def between(self, begin, end):
        """Counters from one mark to another; None when the run did not get there."""
        if begin not in self.marks or end not in self.marks:
            return None
        a, b = self.marks[begin], self.marks[end]
        return {k: b[k] - a[k] for k in a if k != "mark"}

    def number(self, name):
        return int(self.said[name]) if name in self.said else None


def row_pairs(path):
    """What was counted between the two marks of each row, in their order."""
    with open(path) as f:
        marks = [m for m in map(json.loads, f) if m["mark"] == "row"]
    return [{k: b[k] - a[k] for k in a if k != "mark"} for a, b in zip(marks[::2], marks[1::2])]


def row_marks(path, rounds=1000):
    """What the hypervisor did for one operation of each of the probe's rows, in their order."""
    kept = {"hv": "insns", "cr3": "cr3", "invlpg": "invlpg", "msr": "msr", "locked": "locked"}
    return [{k: row[f"hv.{of}"] // rounds for k, of in kept.items()} for row in row_pairs(path)]


def functions(blocks, elf):
    """The hypervisor's functions with their instructions, largest first, of a file of blocks."""
    symbols = [line.split() for line in run_tool("nm", "-n", elf, text=True).split("\n")]
    symbols = [(int(x[0], 16), x[2]) for x in symbols if len(x) == 3 and x[1] in "tTwW"]
    starts, found = [s[0] for s in symbols], {}
    with open(blocks) as f:
        for line in f:
            address, number = line.split()
            address = int(address, 16)
            if starts[0] <= address < 0xffff880000000000:
                name = symbols[bisect.bisect_right(starts, address) - 1][1]
                found[name] = found.get(name, 0) + int(number)
    return sorted(((n, name) for name, n in found.items()), reverse=True)


# While both processors are busy and it matters, something has a timer each 100 us: see timed().
PULSE = {"on": "object_add filter-buffer,id=timer,netdev=pulse,interval=100",
         "off": "object_del timer"}


def timed(place, name, iso, cpu, timeout, until="BENCH end"):
    """Two processors, no counting: a virtual clock that stands still while the emulator does.

    One instruction takes 16 ns.  The emulator lets one processor go on until the next timer of the
    machine is due, then one of them.  So that neither waits long for the other where that matters, a
    network that nobody is connected to gets a timer.
    """
    log, monitor = place.path(f"{name}.log"), tempfile.mktemp(prefix="domus-bench-")
    cmd = ["timeout", str(timeout), "qemu-system-x86_64", "-accel", "tcg", "-cpu", cpu, "-m", "2048",
           "-smp", "2", "-icount", "shift=4,sleep=off", "-display", "none", "-monitor",
           f"unix:{monitor},server,nowait", "-serial", f"file:{log}", "-no-reboot",
           "-rtc", "base=2024-01-01T00:00:00,clock=vm", "-seed", "1",
           "-netdev", "user,id=pulse,restrict=on", "-boot", "d", "-cdrom", iso]
    with open(log, "w"):
        pass
    told = 0
    with subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            time.sleep(1)
            with open(log, errors="replace") as f:
                text = f.read()
            for pulse in re.findall(r"BENCH pulse (on|off)\b", text)[told:]:
                tell(monitor, PULSE[pulse])
                told += 1
            if until in text:
                process.terminate()
                break
    if os.path.exists(monitor):
        os.remove(monitor)
    return Result(log)


def tell(monitor, command):
    """One line to the emulator's monitor."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(monitor)
        got = b""
        while not got.endswith(b"(qemu) "):
            got += s.recv(4096)
        s.sendall(command.encode() + b"\n")
        got = b""
        while not got.endswith(b"(qemu) "):
            got += s.recv(4096)


def qemu(place, name, boot, hv, kernel, cpu, timeout, exact=True, until="BENCH end", more="",
         memory=2048):
    """Runs one machine.

    until: text on the serial line, or the name of a mark with a colon; exact: count instructions,
    else only note the time of the marks; more: arguments for the plugin.
    """
    log, marks = place.path(f"{name}.log"), place.path(f"{name}.marks")
    for path in (log, marks):
        if os.path.exists(path):
            os.remove(path)
    watched, text = (marks, f'"{until[1:]}"') if until[0] == ":" else (log, until)
    plugin = f"{place.path('count.so')},out={marks},hv={hv:#x},kernel={kernel:#x}"
    cmd = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", cpu, "-m", str(memory), "-smp", "1",
           "-display", "none", "-monitor", "none", "-serial", f"file:{log}", "-no-reboot",
           "-rtc", "base=2024-01-01T00:00:00,clock=vm", "-seed", "1",
           "-plugin", plugin + more + ("" if exact else ",count=off")]
    if exact:
        cmd += ["-icount", "shift=0,sleep=off"]
    started = time.time()
    with subprocess.Popen(cmd + boot, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        try:
            while process.poll() is None and time.time() < started + timeout:
                time.sleep(0.05 if not exact else 0.3)
                if os.path.exists(watched):
                    with open(watched, errors="replace") as f:
                        if text in f.read():
                            break
            else:
                why = "ended early" if process.poll() is not None else f"took over {timeout} s"
                print(f"bench: {name}: the machine {why}; see {log}", flush=True)
        finally:
            process.terminate()
        errors = process.communicate()[1].decode(errors="replace")
    if not os.path.exists(log) or not os.path.exists(marks):
        raise BenchError(f"QEMU did not start: {errors}")
    result = Result(log, marks)
    result.started, result.seconds = started, time.time() - started
    return result
