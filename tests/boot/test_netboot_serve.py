# SPDX-License-Identifier: MIT
"""`make netboot-serve IFACE=emulated` as a user types it: a server, a PC in QEMU that boots from it, and
nothing left when that has ended."""
import re
import subprocess

import pytest

import terminal
from qemu import OUT, PROMPT, SRC

# What is seen of each loader on the serial line.
LOADERS = {"pxelinux": r"PXELINUX \d", "ipxe": r"iPXE ",
           "uefi": r"Domus: address 192\.168\.97\.\d+, card 52:54:00:97:00:01"}
ADDRESS = re.compile(r"domus: network: xenbr0 on eth0 has address 192\.168\.97\.1\d\d")


@pytest.mark.matrix
@pytest.mark.parametrize("firmware", LOADERS)
def test_emulated(shared_machine, firmware, tmp_path):
    shared_machine.close()
    with terminal.make(f"netboot-serve-{firmware}", "netboot-serve", "IFACE=emulated", f"FIRMWARE={firmware}",
                       TMPDIR=str(tmp_path)) as t:
        t.wait("The network is served; QEMU starts", LOADERS[firmware], PROMPT)
        # dom0's address is the lab's, given by its dnsmasq: said before the prompt or behind it.
        if not ADDRESS.search(t.text()):
            t.wait(ADDRESS.pattern)
        t.end()
    left = subprocess.run(["pgrep", "-f", f"^dnsmasq .*{tmp_path}"], capture_output=True, text=True)
    assert not left.stdout and not list(tmp_path.iterdir()), "something was left"


@pytest.mark.matrix
def test_unknown_firmware():
    done = subprocess.run([SRC / "images/netboot-lab", "1", SRC / "images/netboot-emulated", OUT / "images/netboot",
                           "floppy", ""], capture_output=True, text=True)
    assert done.returncode == 1 and "FIRMWARE=floppy: pxelinux, ipxe or uefi" in done.stderr
