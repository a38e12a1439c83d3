# SPDX-License-Identifier: MIT
"""The emulated computer of the boot tests: starts QEMU, waits for what it prints, types.

Every wait has an end: its limit is what an idle machine of two cores needs, times a reserve,
times what scale() measures.  A wait also ends at once when the machine can no longer get there
(QEMU ended, the hypervisor or the kernel panicked), and fails with the end of the log.
"""
import functools
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import time

import pexpect

SRC = pathlib.Path(os.environ.get("DOMUS_SRC") or pathlib.Path(__file__).resolve().parents[2])
OUT = pathlib.Path(os.environ.get("DOMUS_OUT") or SRC / "out")
ISO = pathlib.Path(os.environ.get("DOMUS_ISO") or OUT / "images/domus.iso")
HV = pathlib.Path(os.environ.get("DOMUS_HV") or OUT / "hv/domus")
WORK = OUT / "tests/boot"
# docs/testing.md, "One thread", tells when which.
ONE_THREAD, THREADS = "tcg,thread=single", "tcg,thread=multi"
OVMF = pathlib.Path("/usr/share/OVMF")
# Code, variables, arguments. With sleep state S3 this OVMF keeps memory where Linux wants to lie.
FIRMWARE = {
    "uefi": ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", []),
    "uefi-secure": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.snakeoil.fd",
                    ["-global", "driver=cfi.pflash01,property=secure,value=on",
                     "-global", "ICH9-LPC.disable_s3=1"]),
}
# The key of the test firmware, known to everybody.
SNAKEOIL = pathlib.Path("/usr/share/ovmf/PkKek-1-snakeoil")
MENU = SRC / "images/menu.txt"

PROMPT = r"root@domus:~# "
RESCUE = r"rescue:~# "
DEAD = r"\(hv\) Panic on CPU \d+: [^\r\n]*|Kernel panic - not syncing[^\r\n]*"
FAILED = r"domus: FAILED: [^\r\n]*"

# Lines that a healthy system never prints; the kernel's and the hypervisor's.
BAD_KERNEL = re.compile(
    r"WARNING: CPU|\bBUG: |\bOops\b|Call Trace:|unchecked MSR|general protection|"
    r"rcu: INFO|soft lockup|hard LOCKUP|blocked for more than|INFO: task|"
    r"irq \d+: nobody cared|bad page|segfault at|Xen hypercall failed|lost \d+ .*interrupts")
BAD_HV = re.compile(r"\(hv\) .*(WARN|BUG|ASSERT|Panic|DAMAGED|Call trace)")

# How the image comes to the machine; network means that the network card's arguments tell.
MEDIA = {
    "cd": ["-device", "ide-cd,drive=medium,bootindex=0"],
    "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive=medium,bootindex=0"],
    "virtio": ["-device", "virtio-blk-pci,drive=medium,bootindex=0"],
    "ahci": ["-device", "ich9-ahci,id=boot", "-device",
             "ide-hd,drive=medium,bus=boot.0,bootindex=0"],
    "nvme": ["-device", "nvme,drive=medium,serial=medium,bootindex=0"],
}


def boot_device(medium, iso):
    if iso is None or medium == "network":
        return []
    # A disk cannot be read-only everywhere; what is written goes to a file that is thrown away.
    kind = "media=cdrom,readonly=on" if medium == "cd" else "snapshot=on"
    return ["-drive", f"file={iso},format=raw,if=none,id=medium,{kind}", *MEDIA[medium]]


@functools.lru_cache(maxsize=None)
def slowness():
    """How much slower one CPU is than those that the limits were chosen on."""
    start = time.perf_counter()
    for _ in range(3_000_000):
        pass
    return (time.perf_counter() - start) / 0.10


def scale():
    """By how much waits are stretched: for slow CPUs, and for what else runs at the moment."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return (max(1.0, slowness()) * max(1.0, busy) *
            float(os.environ.get("DOMUS_TIMEOUT_SCALE", "1")))


class BootFailure(AssertionError):
    """Something was awaited in vain."""


class Monitor:
    """QEMU's control socket (QMP), connected when it is first used."""

    def __init__(self, path):
        self.path, self.socket, self.stream, self.events = path, None, None, []

    def connect(self):
        if self.socket:
            return
        end = time.monotonic() + 60 * scale()
        # QEMU makes it when it starts, which may be later than now.
        while not self.path.exists() and time.monotonic() < end:
            time.sleep(0.1)
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(60 * scale())
        made.connect(str(self.path))
        self.socket = made
        self.stream = self.socket.makefile("r", encoding="utf-8", errors="replace")
        self.stream.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.connect()
        self.socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
        for line in self.stream:
            answer = json.loads(line)
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise BootFailure(f"QEMU: {name}: {answer['error']}")
            else:
                return answer["return"]
        raise BootFailure(f"QEMU ended before it answered to {name}")

    def human(self, line):
        return self.command("human-monitor-command", **{"command-line": line})

    def end_reason(self):
        """Why QEMU has ended: guest-shutdown, guest-reset, ...; connect() must come before."""
        self.events += [json.loads(x) for x in self.stream if '"event"' in x]
        reasons = [e["data"].get("reason") for e in self.events if e["event"] == "SHUTDOWN"]
        return reasons[-1] if reasons else None

    def close(self):
        if self.socket:
            self.stream.close()
            self.socket.close()
        self.path.unlink(missing_ok=True)


def boot_on_threads(start):
    """start() gives a machine with THREADS; it at the prompt. Once more when QEMU's own faults end the boot."""
    for last in (False, False, True):
        m = start()
        try:
            m.choose(0)
            return m.to_prompt()
        except BootFailure as e:
            if last or not m.emulator_fault():
                raise
            print(f"QEMU's own fault: {e}")
            m.close()


class Machine:
    """One QEMU.  Use as a context manager, or call close().

    firmware: "bios", "uefi", whose variables are fresh each time, or "uefi-secure", which starts
    what is signed with SNAKEOIL only and wants the board q35,smm=on.  iso=None: no medium but what
    args name.
    """

    numbers = itertools.count(1)

    def __init__(self, name, iso=ISO, cpu="EPYC", smp=2, mem=2048, machine="pc", nic=True,
                 args=(), firmware="bios", medium="cd", under=(), accel=ONE_THREAD):
        WORK.mkdir(parents=True, exist_ok=True)
        self.cpu, self.smp, self.mem = cpu, smp, mem
        self.uploaded = set()
        self.log_path = WORK / f"{re.sub(r'[^A-Za-z0-9.,=+-]+', '_', name)}.log"
        self.monitor = Monitor(WORK / f"monitor.{os.getpid()}.{next(self.numbers)}")
        argv = ["-accel", os.environ.get("DOMUS_ACCEL", accel), "-machine", machine, "-cpu", cpu, "-smp", str(smp),
                "-m", str(mem), "-display", "none", "-no-reboot", "-serial", "stdio",
                "-qmp", f"unix:{self.monitor.path},server=on,wait=off", "-monitor", "none"]
        self.variables = None
        if firmware in FIRMWARE:
            code, variables, more = FIRMWARE[firmware]
            self.variables = WORK / f"uefi-variables.{os.getpid()}.{next(self.numbers)}"
            shutil.copyfile(OVMF / variables, self.variables)
            argv += more
            for unit, path in enumerate((OVMF / code, self.variables)):
                argv += ["-drive", f"if=pflash,format=raw,unit={unit},file={path}"
                         + (",readonly=on" if not unit else "")]
        argv += boot_device(medium, iso)
        argv += ["-nic", "user,model=virtio-net-pci"] if nic is True else nic or ["-nic", "none"]
        argv += list(args)
        # Which instructions run (tests/coverage/run): a file for each machine.
        if os.environ.get("DOMUS_PLUGIN"):
            number = f"{os.getpid()}.{next(self.numbers)}"
            argv += ["-plugin", f"{os.environ['DOMUS_PLUGIN']}.{number}.hits"]
        self.log = open(self.log_path, "w", buffering=1, errors="replace")
        self.log.write(f"qemu-system-x86_64 {' '.join(argv)}\n")
        self.started = time.monotonic()
        # under: a command that runs QEMU somewhere else, as in another network namespace.
        command = [*under, "qemu-system-x86_64", *argv]
        self.child = pexpect.spawn(command[0], command[1:], encoding="utf-8",
                                   codec_errors="replace", timeout=60, maxread=65536,
                                   searchwindowsize=None, dimensions=(50, 200))
        self.child.logfile_read = self.log
        self.child.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        """Ends our own QEMU, no other."""
        if self.child is not None:
            self.child.close(force=True)
            self.child = None
            self.log.close()
            self.monitor.close()
            if self.variables:
                self.variables.unlink(missing_ok=True)

    # What came so far.

    def text(self):
        self.log.flush()
        return self.log_path.read_text(errors="replace")

    def tail(self, lines=40):
        kept = [x for x in self.text().splitlines() if x.strip()][-lines:]
        return f"the end of {self.log_path}:\n" + "\n".join("    " + x for x in kept)

    def fail(self, why):
        age = time.monotonic() - self.started
        raise BootFailure(f"{why} ({age:.0f} s after the start); {self.tail()}")

    def screen(self):
        """The rows of the screen in text mode."""
        path = WORK / f"screen.{os.getpid()}"
        self.monitor.human(f'pmemsave 0xb8000 4000 "{path}"')
        text = path.read_bytes()[::2].decode("cp437")
        path.unlink()
        return [text[i:i + 80].rstrip() for i in range(0, 2000, 80)]

    def wait_screen(self, text, seconds=60):
        """Waits until a row of the screen has the text; a loader without a serial line is seen so."""
        end = time.monotonic() + seconds * scale()
        while not any(text in row for row in self.screen()):
            if time.monotonic() > end:
                rows = "\n".join(x for x in self.screen() if x)
                self.fail(f"no {text!r} on the screen, which shows\n{rows}\n")
            self.child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=1)

    # Waiting and typing.

    def wait(self, patterns, seconds=60, dead=(DEAD,)):
        """Waits for one of the patterns and returns its number; the match is child.match."""
        patterns = [patterns] if isinstance(patterns, str) else list(patterns)
        limit = seconds * scale()
        every = patterns + list(dead) + [pexpect.TIMEOUT, pexpect.EOF]
        at = self.child.expect(every, timeout=limit)
        if at < len(patterns):
            return at
        names = " or ".join(map(repr, patterns))
        if every[at] is pexpect.TIMEOUT:
            self.fail(f"no {names} within {limit:.0f} s")
        if every[at] is pexpect.EOF:
            self.fail(f"QEMU ended before {names}")
        # Let the rest of the report come into the log.
        self.child.expect([r"Reboot in|Halted|end Kernel panic", pexpect.TIMEOUT, pexpect.EOF],
                          timeout=5)
        self.fail(f"{self.child.match and self.child.before.strip()[-200:]!r} instead of {names}")

    def wait_end(self, seconds=60, dead=()):
        """Waits until QEMU has ended by itself, and returns its exit status."""
        limit = seconds * scale()
        at = self.child.expect([pexpect.EOF, pexpect.TIMEOUT, *dead], timeout=limit)
        if at:
            self.fail(f"QEMU did not end within {limit:.0f} s")
        self.child.wait()
        return self.child.exitstatus

    def end(self, command, reason):
        """Ends the machine from dom0's shell: QEMU must say that it ended so, and end well."""
        self.monitor.connect()
        self.send(f"{command}\n")
        assert self.wait_end() == 0
        assert self.monitor.end_reason() == reason

    def still_silent(self, seconds=3):
        """True when QEMU lives on and prints nothing for so long."""
        at = self.child.expect([r"[^\s]", pexpect.EOF, pexpect.TIMEOUT], timeout=seconds)
        return at == 2

    def send(self, text):
        self.child.send(text)

    def choose(self, number=0):
        """Picks an entry of the release image's menu, counted from 0.

        By its letter: an arrow key has three bytes, which UEFI's own console may take apart.
        """
        self.wait(r"Domus, serial line only", 60)
        time.sleep(0.5)
        self.send(re.findall(r"(?m)^key = (\w)$", MENU.read_text())[number])

    def emulator_fault(self):
        """One of the two that QEMU 7.2 has with a thread for each CPU (docs/testing.md)."""
        crashed = not self.child.isalive() and self.child.signalstatus == signal.SIGSEGV
        return crashed or re.search(r"soft lockup[^@]*? Code: [^\r\n]*<0f> 1f 44 00", self.text())

    # dom0.

    def to_prompt(self, prompt=PROMPT, seconds=240):
        """Waits for the shell, then makes it plain: no echo, no line editing, no prompt."""
        self.wait(prompt, seconds, dead=(DEAD,) if prompt == RESCUE else (DEAD, FAILED))
        self.boot_seconds = time.monotonic() - self.started
        self.plain_shell()
        # What the network says comes after the prompt; let it not come into a command's output.
        if prompt == PROMPT and "domus: network: " not in self.text():
            self.wait(r"domus: network: [^\r\n]*\r*\n")
        return self

    def plain_shell(self):
        """No echo, no line editing, no prompt, no news from the kernel inside of what we read."""
        self.send("stty -echo; dmesg -n 1; exec sh /proc/self/fd/0\n")
        self.run("true")

    def run(self, command, seconds=60, ok=True):
        """Runs a command in dom0 and returns what it printed; ok: it must succeed."""
        self.send(f"{command}\necho @@$?@@\n")
        self.wait(r"@@(\d+)@@\r*\n", seconds)
        status = int(self.child.match.group(1))
        output = re.sub(r"(?m)^domus: .*\n", "", self.child.before.replace("\r", ""))
        if ok and status:
            raise BootFailure(f"`{command}` in dom0 ended with {status}: {output[-2000:]}")
        self.status = status
        return output

    def debug_key(self, key, seconds=60):
        """The lines that the hypervisor prints for debug keys, without their mark."""
        self.run(f"xl debug-keys t; xl debug-keys {key}", seconds)
        log = self.hv_log()
        # The time, which is never the same twice, tells them from what is there already.
        times = [at for at, line in enumerate(log) if "(hv) system time " in line]
        own = key.count("t") + key.count("*")
        return log[times[-1 - own] + 1:] if len(times) > own else log

    def hv_log(self):
        return [x for x in self.run("xl dmesg").splitlines() if x.strip()]

    def check_clean(self):
        """No warning of the kernel or the hypervisor so far, on the console or in a log."""
        kernel = [x for x in self.run("dmesg").splitlines() if BAD_KERNEL.search(x)]
        console = [x for x in self.text().splitlines() if BAD_HV.search(x)]
        console += [x for x in self.text().splitlines()
                    if re.match(r"\[ *\d+\.\d+\]", x) and BAD_KERNEL.search(x)]
        assert not kernel + console, "warnings:\n" + "\n".join(kernel + console)
