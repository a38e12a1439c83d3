# SPDX-License-Identifier: MIT
"""BOOT_TIMEOUT=0: each loader boots at once and shows no menu; with GRUB a letter typed before counts.

Other tests boot to the prompt: here the machine ends when it is seen what was started."""
import re
import subprocess

import pexpect
import pytest

import netboot
from image import release_iso
from qemu import MENU, OUT, SRC, WORK, scale

MAC = "52:54:00:97:00:0a"
SHOWN = "serial line only"  # of an entry that does not boot by itself
NORMAL = r"\(hv\) Command line: console=com1,vga [^\r\n]*"


def menu(loader, template):
    """The menu of a loader with BOOT_TIMEOUT=0, as the build makes it."""
    WORK.mkdir(parents=True, exist_ok=True)
    config = WORK / "timeout.config"
    text = (OUT / "images/config").read_text()
    config.write_text(re.sub(r"CONFIG_BOOT_TIMEOUT=\d+", "CONFIG_BOOT_TIMEOUT=0", text))
    made = subprocess.run([SRC / "images/make-menu", loader, config, MENU, SRC / template], check=True,
                          capture_output=True, text=True).stdout
    config.unlink()
    return made


@pytest.fixture
def impatient():
    """The release image with that menu."""
    config = WORK / "timeout.cfg"
    config.write_text((OUT / "images/consoles.cfg").read_text() + menu("grub", "images/grub.cfg.in"))
    assert "set timeout=0\n" in config.read_text()
    iso = release_iso({"boot/grub/grub.cfg": config})
    yield iso
    iso.unlink()
    config.unlink()


@pytest.fixture
def bundle():
    """The netboot bundle with these menus; they are files of its own, not links to the build's."""
    where = netboot.copy_bundle(WORK / "netboot-timeout")
    for name, loader, template in (("grub.cfg", "grub", "images/grub.cfg.in"),
                                   ("boot.ipxe", "ipxe", "images/netboot/boot.ipxe.in"),
                                   ("pxelinux.cfg/default", "pxelinux", "images/netboot/pxelinux.in")):
        head = (OUT / "images/consoles.cfg").read_text() if loader == "grub" else ""
        (where / name).unlink()
        (where / name).write_text(head + menu(loader, template))
    return where


@pytest.mark.matrix
@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_grub(boot, impatient, firmware):
    m = boot(iso=impatient, firmware=firmware, machine="q35" if firmware == "uefi" else "pc")
    m.wait(NORMAL, 120)
    assert SHOWN not in m.text()


@pytest.mark.matrix
def test_grub_letter(boot, impatient):
    """r, typed all the time until something is loaded, is the rescue shell."""
    m = boot(iso=impatient)
    letters = 0
    while m.child.expect(["Loading the hypervisor", r"\(hv\) Domus", pexpect.EOF, pexpect.TIMEOUT], timeout=0.2) == 3:
        m.send("r")
        letters += 1
        assert letters < 600 * scale(), m.tail()
    m.wait(r"Command line: [^\r\n]*domus\.rescue", 120)


@pytest.mark.matrix
@pytest.mark.parametrize("first, firmware", [("pxelinux.0", "bios"), ("boot.ipxe", "bios"), ("boot.ipxe", "uefi")])
def test_network(boot, bundle, first, firmware):
    """iPXE draws its menu for a thousandth of a second."""
    m = boot(medium="network", nic=netboot.user_card(MAC, bundle, first), firmware=firmware,
             machine="q35" if firmware == "uefi" else "pc")
    m.wait(NORMAL, 240)
    assert first == "boot.ipxe" or SHOWN not in m.text()
