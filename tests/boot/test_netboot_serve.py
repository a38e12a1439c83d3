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
ADDRESS = re.compile(r"domus: network: xenbr0 on eth0 has address 192\.168\.97\.1\d\d")


@pytest.mark.matrix
@pytest.mark.parametrize("firmware", LOADERS)
def test_emulated(shared_machine, firmware, tmp_path):
    shared_machine.close()
    WORK.mkdir(parents=True, exist_ok=True)
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    clean["TMPDIR"] = str(tmp_path)
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
            # dom0's address is the lab's, given by its dnsmasq: said before the prompt or behind it.
            log.flush()
            if not ADDRESS.search((WORK / f"netboot-serve-{firmware}.log").read_text(errors="replace")):
                run.expect(ADDRESS, timeout=60 * scale())
            run.send("\x01x")
            run.expect(pexpect.EOF, timeout=60 * scale())
        finally:
            run.close(force=True)
    assert run.exitstatus == 0
    left = subprocess.run(["pgrep", "-f", f"^dnsmasq .*{tmp_path}"], capture_output=True, text=True)
    assert not left.stdout and not list(tmp_path.iterdir()), "something was left"


@pytest.mark.matrix
def test_unknown_firmware():
    done = subprocess.run([SRC / "images/netboot-lab", "1", SRC / "images/netboot-emulated", OUT / "images/netboot",
                           "floppy", ""], capture_output=True, text=True)
    assert done.returncode == 1 and "FIRMWARE=floppy: pxelinux, ipxe or uefi" in done.stderr
