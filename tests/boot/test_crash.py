# SPDX-License-Identifier: MIT
"""A crash of the hypervisor: what it prints, that it ends, and what the next boot knows of it.

The probe is dom0, so a boot takes seconds.  Debug keys are typed at the serial line.
"""
import re
import time

import pytest

from gdbstub import symbols
from qemu import OUT, WORK

PROBE = OUT / "guests/probe/probe.elf"
KEYS = "\x01\x01\x01"
MEM = "dom0_mem=64M,max:64M"


@pytest.fixture
def machine(boot):
    """start(words of the probe, options): a machine that runs it, with the debug keys at hand."""
    def start(words="spin", options="noreboot", smp=2, args=(), restarts=False, **more):
        m = boot(kernel=PROBE, initrd=None, dom0_args=words, hv_args=f"{MEM} {options}", mem=256,
                 smp=smp, nic=False, args=[*args, *(["-action", "reboot=reset"] * restarts)],
                 **more)
        m.wait(r"probe: (spin|idle)")
        m.send(KEYS)
        m.wait("now goes to the hypervisor's debug keys")
        return m
    return start


def said(m):
    """All lines so far that are not empty."""
    return [x for x in m.text().splitlines() if x.removeprefix("(hv)").strip()]


def report(m, last=r"Halted \(noreboot\)\."):
    """The lines of a crash up to the last."""
    m.wait(rf"\(hv\) {last}", dead=())
    lines = said(m)
    first = min(i for i, x in enumerate(lines) if "(hv) The last lines of the log:" in x)
    return [x.removeprefix("(hv) ") for x in lines[first:]]


OWN = (r"The hypervisor's registers:\nRIP: e008:", r"cr0: [0-9a-f]{16}  cr2: ",
       r"Stack: ([0-9a-f]{16} [0-9a-f]{16}|rsp is outside)", r"Call trace:\n  \[<ffff8180")
GUEST = r"guest d0v\d, kernel mode, RIP: e033:ffffffff80"


def check(lines, reason, guest=GUEST, inside=True):
    """A whole report: log, other CPU, this CPU, guest, registers, stack, trace, reason.

    inside: it happened in the hypervisor, not in a guest."""
    text = "\n".join(lines)
    cpu = re.search(rf"(?m)^Crash on CPU (\d): {reason}", text)[1]
    for pattern in (r"now goes to the hypervisor's debug keys",
                    rf"(?m)^CPU{1 - int(cpu)}  RIP: e0\d\d:[0-9a-f]{{16}} ", rf"(?m)^CPU{cpu}$",
                    r"rax: [0-9a-f]{16}  rbx: ", rf"(?m)^Panic on CPU {cpu}: {reason}",
                    *OWN * inside):
        assert re.search(pattern, text), pattern + "\n" + text
    running = [x.strip() for x in lines if re.match(r"  (no )?guest", x)]
    assert len(running) == 2 and all(re.match(guest, x) for x in running), text
    return text


def test_key(machine):
    m = machine()
    m.send("C")
    text = check(report(m), "debug key C")
    assert re.search(r"\] key_crash\+.*\n.*\] console_poll_input\+", text), text
    assert re.search(r"The guest's registers:\nRIP: e033:", text), text
    assert m.still_silent()


def break_key_t(m, stub, code):
    """Debug key t runs this machine code instead."""
    stub.connect()
    stub.write("key_time", code)
    stub.leave()
    m.send("t")


LOCK = bytes.fromhex("48b8") + b"%s" + bytes.fromhex("c70001000000")
BREAKS = {"exception": (b"", "0f0b", r"unexpected exception in the hypervisor"),
          "locked": (b"out_lock", "0f0b", r"unexpected exception in the hypervisor"),
          "double-fault": (b"", "31e450", r"double fault")}


@pytest.mark.parametrize("how", BREAKS)
def test_exception(machine, stub, how):
    """An exception without a fix-up; while the console's lock is held; and one without a stack."""
    lock, code, reason = BREAKS[how]
    code = bytes.fromhex(code)
    if lock:
        code = LOCK % symbols()[lock.decode()].to_bytes(8, "little") + code
    m = machine("idle", args=stub.args())
    break_key_t(m, stub, code)
    # The other CPU may just be giving dom0 a turn.
    text = check(report(m), reason, rf"no guest: idle|{GUEST}")
    assert re.search(r"RIP: e008:[0-9a-f]+ key_time\+0x", text), text
    assert re.search(r"\] key_time\+.*\n(.*\n)?.*\] do_irq\+", text), text


def test_watchdog(machine, stub):
    """A CPU that spins in the hypervisor with interrupts off; without the option nobody cares."""
    m = machine("spin", "noreboot watchdog watchdog_timeout=2", args=stub.args())
    assert "watchdog: a CPU that stands still for 2 s" in m.text()
    break_key_t(m, stub, b"\xeb\xfe")
    text = check(report(m), "watchdog: the CPU is stuck")
    assert re.search(r"RIP: e008:[0-9a-f]+ key_time\+0x0/", text), text
    assert "\nPanic on CPU 0:" in text


def test_watchdog_ends(boot):
    """A machine that stands still because dom0 has crashed is not stuck."""
    m = boot(kernel=PROBE, initrd=None, dom0_args="crash=shutdown", mem=256, smp=2, nic=False,
             hv_args=f"{MEM} noreboot watchdog watchdog_timeout=1")
    m.wait(r"noreboot: the machine stays as it is[^\r\n]*[\r\n]+", dead=())
    assert m.still_silent(6)


def test_machine_check(machine):
    m = machine()
    m.monitor.human("mce 1 0 0xb200000000000000 0x5 0 0")
    text = check(report(m), r"machine check, status 5, bank 0: b200000000000000", inside=False)
    assert "\nPanic on CPU 1:" in text and "The guest's registers:\nRIP: e033:" in text


def test_panic_in_panic(machine, stub):
    """The report itself fails: one more line, then the end as configured; then not even that."""
    m = machine(options="", args=stub.args(), restarts=True)
    stub.connect()
    stub.write("show_words", b"\x0f\x0b")
    stub.leave()
    m.send("C")
    m.wait(r"\(hv\) Panic on CPU 0: unexpected exception in the hypervisor, while it reported: "
           r"debug key C\s+\(hv\) Reboot in five seconds", dead=())
    m.wait("Booting `test'", dead=())
    m.wait("probe: spin")
    stub.connect()
    stub.write("log_print", b"\x0f\x0b")
    stub.leave()
    m.send(KEYS)
    m.wait("Booting `test'", dead=())


def test_both_consoles(machine):
    """The screen, which was dom0's, shows the end of the report."""
    m = machine(options="noreboot console=com1,vga", args=["-vga", "std"])
    m.send("C")
    report(m)
    m.monitor.human(f'pmemsave 0xb8000 4000 "{WORK}/screen"')
    text = (WORK / "screen").read_bytes()[::2].decode("cp437")
    rows = [text[i:i + 80].rstrip() for i in range(0, 2000, 80)]
    assert "(hv) Panic on CPU 0: debug key C" in rows, rows
    assert any("console_poll_input+" in x for x in rows), rows


def previous(m):
    """What a boot says of the one before it."""
    m.wait("probe: spin", dead=())
    lines = said(m)
    start = max(i for i, x in enumerate(lines) if "a type-1 hypervisor" in x and "previous" not in x)
    mark = "(hv) previous boot: "
    return [x.removeprefix(mark) for x in lines[start:] if x.startswith(mark)]


def test_previous_boot(machine):
    """A reset from outside, then a panic that restarts; the next boot shows each."""
    m = machine(options="", restarts=True)
    m.send("t")
    m.wait(r"system time (\d+\.\d+) s")
    told = m.child.match[1]
    m.monitor.command("system_reset")
    lines = previous(m)
    assert any(f"system time {told}" in x for x in lines), lines
    assert any("a type-1 hypervisor" in x for x in lines)
    m.send(KEYS + "C")
    m.wait("Reboot in five seconds", dead=())
    lines = previous(m)
    assert "Panic on CPU 0: debug key C" in lines and lines[-1] == "Reboot in five seconds..."
    assert any("key_crash+" in x for x in lines), lines
    # Not what the boot before that one had left.
    assert not any(f"system time {told}" in x for x in lines), lines


@pytest.mark.matrix
def test_linux(boot):
    """The whole image: its kernel and initrd are loaded between two boots, and dom0 has the screen."""
    m = boot(args=["-action", "reboot=reset", "-vga", "std"])
    m.choose(0)
    m.to_prompt()
    m.send("xl debug-keys C\n")
    m.wait("Reboot in five seconds", dead=())
    m.monitor.human(f'pmemsave 0xb8000 4000 "{WORK}/screen"')
    text = (WORK / "screen").read_bytes()[::2].decode("cp437")
    assert "(hv) Panic on CPU " in text, text
    m.wait("Domus, serial line only", dead=())
    m.send("\r")
    m.to_prompt()
    log = m.hv_log()
    assert any(re.match(r"\(hv\) previous boot: Panic on CPU \d: debug key C", x) for x in log)
    # An end in order leaves nothing to show.
    m.send("reboot\n")
    m.wait("Domus, serial line only")
    m.send("\r")
    m.to_prompt()
    assert not any("previous boot" in x for x in m.hv_log())
