# SPDX-License-Identifier: MIT
"""`make netboot-serve IFACE=emulated` as a user types it: a server, a PC in QEMU that boots from it, and
nothing left when that has ended."""
import os
import re
import subprocess

import pexpect
import pytest

from qemu import DEAD, FAILED, OUT, PROMPT, SRC, WORK, scale

# What is seen of each loader on the serial line, or in the server's own words.
LOADERS = {"pxelinux": r"PXELINUX \d", "ipxe": r"iPXE ", "uefi": r"Domus: address 192\.168\.97\.\d+, card 52:54:00:97:00:01"}


def folders():
    """Temporary files of the servers that are there."""
    return {p.name for p in os.scandir("/tmp") if p.name.startswith("tmp.")}


@pytest.mark.matrix
@pytest.mark.parametrize("firmware", LOADERS)
def test_emulated(shared_machine, firmware):
    shared_machine.close()
    before = folders()
    WORK.mkdir(parents=True, exist_ok=True)
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    own = [f"O={OUT}"] if OUT != SRC / "out" else []
    with open(WORK / f"netboot-serve-{firmware}.log", "w", errors="replace") as log:
        run = pexpect.spawn("make", ["-C", str(SRC), *own, "netboot-serve", "IFACE=emulated", f"FIRMWARE={firmware}"],
                            encoding="utf-8", codec_errors="replace", env=clean, dimensions=(50, 200),
                            timeout=300 * scale())
        run.logfile_read = log
        try:
            for pattern in ("The network is served; QEMU starts", LOADERS[firmware], PROMPT):
                at = run.expect([pattern, DEAD, FAILED, pexpect.EOF, pexpect.TIMEOUT])
                assert at == 0, f"{pattern}: not seen; see {log.name}"
            # The address is the lab's, given by its dnsmasq.
            run.send("stty -echo; ip -4 -o addr show dev xenbr0; echo @@end@@\n")
            run.expect(r"@@end@@\r*\n", timeout=60 * scale())
            run.expect(r"192\.168\.97\.1\d\d/24[^@]*@@end@@" if "192.168.97" not in run.before else "")
            run.send("\x01x")
            run.expect(pexpect.EOF, timeout=60 * scale())
        finally:
            run.close(force=True)
    assert run.exitstatus == 0
    assert folders() <= before, "temporary files were left"
    left = subprocess.run(["pgrep", "-f", f"dnsmasq --no-daemon.*{re.escape(str(OUT))}"], capture_output=True, text=True)
    assert not left.stdout


@pytest.mark.matrix
def test_unknown_firmware():
    done = subprocess.run([SRC / "images/netboot-lab", "1", SRC / "images/netboot-emulated", OUT / "images/netboot",
                           "floppy", ""], capture_output=True, text=True)
    assert done.returncode == 1 and "FIRMWARE=floppy: pxelinux, ipxe or uefi" in done.stderr
