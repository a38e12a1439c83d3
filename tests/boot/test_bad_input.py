# SPDX-License-Identifier: MIT
"""What cannot boot says why and stops: it restarts after five seconds, or halts with noreboot."""
import struct

import pytest

from image import INITRD, packaged_kernel
from qemu import WORK


def damaged(name, data):
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"bad.{name}"
    path.write_bytes(data)
    return path


def elf_without_notes():
    """A program of one instruction, at 1 MiB."""
    code = b"\xeb\xfe" + bytes(4094)
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 1 << 20, 64, 0, 0, 64, 56, 1,
                       64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 4096, 1 << 20, 1 << 20, len(code), len(code), 4096)
    return (head + segment).ljust(4096, b"\0") + code


def no_kernel():
    return {"kernel": None, "initrd": None}, {}


def no_notes():
    return {"kernel": damaged("notes", elf_without_notes())}, {}


def truncated():
    data = packaged_kernel().read_bytes()
    return {"kernel": damaged("truncated", data[:len(data) // 2])}, {}


def spoiled():
    data = bytearray(packaged_kernel().read_bytes())
    middle = len(data) // 2
    data[middle:middle + 4096] = bytes(4096)
    return {"kernel": damaged("spoiled", data)}, {}


def no_image():
    return {"kernel": damaged("text", b"This is no kernel.\n" * 1000)}, {}


def large_initrd():
    return {"initrd": damaged("initrd", INITRD.read_bytes().ljust(40 << 20, b"\0")),
            "hv_args": "dom0_mem=32M"}, {}


def small_memory():
    return {"hv_args": "dom0_mem=40M"}, {}


def too_much_memory():
    return {"hv_args": "dom0_mem=64G"}, {}


def no_acpi():
    return {}, {"machine": "pc,acpi=off"}


CASES = [
    (no_kernel, r"no dom0 kernel: the boot loader has passed no module"),
    (no_notes, r"dom0 kernel has no Xen notes"),
    (truncated, r"dom0 kernel image is truncated"),
    (spoiled, r"dom0 kernel image is truncated or damaged"),
    (no_image, r"first boot module is not a kernel"),
    (large_initrd, r"the initrd \(40 MiB\) is larger than dom0's memory \(32 MiB\)"),
    (small_memory, r"dom0's memory \(40 MiB\) is too small"),
    (too_much_memory, r"dom0_mem= asks for 65536 MiB, but the box has only \d+ MiB free"),
    (no_acpi, r"no ACPI tables"),
]


def stop(boot, case, message, halt):
    image, words = case()
    image["hv_args"] = f"{image.get('hv_args', '')} {'noreboot' if halt else ''}".strip()
    m = boot(smp=2, nic=False, **image, **words)
    m.wait(rf"\(hv\) Panic on CPU 0: [^\r\n]*{message}", 90, dead=())
    if halt:
        m.wait(r"\(hv\) Halted \(noreboot\)\.", dead=())
        assert m.still_silent()
        return
    m.monitor.connect()
    m.wait(r"\(hv\) Reboot in five seconds", dead=())
    assert m.wait_end() == 0
    assert m.monitor.end_reason() == "guest-reset"


# Each case once in make check, every other one of them halting; the other way in the matrix.
@pytest.mark.parametrize("case, message, halt", [(c, m, i % 2 == 1) for i, (c, m) in enumerate(CASES)],
                         ids=[f"{c.__name__}-{('reset', 'halt')[i % 2]}"
                              for i, (c, _) in enumerate(CASES)])
def test_stops(boot, case, message, halt):
    stop(boot, case, message, halt)


@pytest.mark.matrix
@pytest.mark.parametrize("case, message, halt", [(c, m, i % 2 == 0) for i, (c, m) in enumerate(CASES)],
                         ids=[f"{c.__name__}-{('halt', 'reset')[i % 2]}"
                              for i, (c, _) in enumerate(CASES)])
def test_stops_the_other_way(boot, case, message, halt):
    stop(boot, case, message, halt)


def test_unknown_options(boot):
    """They are named, ignored, and dom0 starts."""
    m = boot(hv_args="nosuchoption=1 dom0_mem=banana loglvl=purple maxcpus=1", smp=2, nic=False,
             dom0_args="domus.rescue")
    for option in ("nosuchoption", "dom0_mem=banana", "loglvl=purple"):
        m.wait(rf"\(hv\) .*Command line: [^\r\n]*{option}[^\r\n]*\(ignored\)", 90)
    m.to_prompt(r"rescue:~# ")
    assert m.run("nproc").strip() == "1"
