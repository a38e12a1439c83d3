# SPDX-License-Identifier: MIT
"""Other loaders than the image's GRUB: multiboot1, another place in memory, a graphics mode of the BIOS."""
import shutil
import struct
import subprocess

import pytest

from image import DOM0_ARGS, HV_ARGS, INITRD, KERNEL
from qemu import HV, WORK
from screen import read_screen

SERIAL_ONLY = "console=com1 com1=115200,8n1 dom0_mem=-128M,max:512M"
PXE_DEFAULT = "default mboot.c32 domus {hv} --- vmlinuz {dom0} --- initrd\n"


@pytest.mark.matrix
def test_multiboot1(boot):
    """QEMU's own loader speaks multiboot1, and names the files in the argument lines."""
    m = boot(iso=None, args=["-kernel", str(HV), "-append", f"{SERIAL_ONLY} loglvl=all",
                             "-initrd", f"{KERNEL} console=hvc0 quiet,{INITRD}"])
    m.wait(r"\(hv\) Loader: qemu", 60)
    m.wait(rf"\(hv\) Command line: {SERIAL_ONLY} loglvl=all\r")
    m.to_prompt()
    assert m.run("cat /proc/cmdline").strip() == "console=hvc0 quiet"
    assert m.run("nproc").strip() == "2"
    m.check_clean()


@pytest.mark.matrix
def test_multiboot1_without_modules(boot):
    m = boot(iso=None, smp=1, nic=False, args=["-kernel", str(HV), "-append", HV_ARGS])
    m.wait(r"\(hv\) Panic on CPU 0: [^\r\n]*no dom0 kernel: the boot loader has passed no module",
           60, dead=())


@pytest.fixture
def tftp(tmp_path):
    """A folder for QEMU's TFTP server, with the three files."""
    for name, file in (("domus", HV), ("vmlinuz", KERNEL), ("initrd", INITRD)):
        shutil.copyfile(file, tmp_path / name)
    return tmp_path


def net(folder, file):
    return ["-nic", f"user,model=virtio-net-pci,tftp={folder},bootfile={file}"]


@pytest.mark.matrix
def test_pxelinux(boot, tftp):
    """mboot.c32, which speaks multiboot1."""
    modules = "/usr/lib/syslinux/modules/bios"
    for file in ("/usr/lib/PXELINUX/pxelinux.0", f"{modules}/ldlinux.c32", f"{modules}/mboot.c32",
                 f"{modules}/libcom32.c32"):
        shutil.copy(file, tftp)
    (tftp / "pxelinux.cfg").mkdir()
    (tftp / "pxelinux.cfg/default").write_text(PXE_DEFAULT.format(hv=SERIAL_ONLY, dom0=DOM0_ARGS))
    m = boot(iso=None, nic=net(tftp, "pxelinux.0"), args=["-boot", "n"])
    m.wait(r"\(hv\) Loader: PXELINUX", 180)
    m.to_prompt()
    assert m.run("cat /proc/cmdline").strip() == DOM0_ARGS


@pytest.mark.matrix
def test_ipxe(boot, tftp):
    """The iPXE in QEMU's network card, which speaks multiboot1."""
    (tftp / "boot.ipxe").write_text(f"#!ipxe\nkernel domus {SERIAL_ONLY}\n"
                                    f"initrd vmlinuz {DOM0_ARGS}\ninitrd initrd\nboot\n")
    m = boot(iso=None, nic=net(tftp, "boot.ipxe"), args=["-boot", "n"])
    m.wait(r"\(hv\) Loader: [^\r\n]*iPXE", 180)
    m.to_prompt()
    assert m.run("cat /proc/cmdline").strip() == DOM0_ARGS


def moved_hypervisor(address):
    """A copy that wants to lie at `address` or above: the tag of its header that says so, changed."""
    data = bytearray(HV.read_bytes())
    tag = struct.pack("<HHII", 10, 1, 24, 0x200000)
    at = data.index(tag)
    assert data.find(tag, at + 1) < 0
    struct.pack_into("<I", data, at + 8, address)
    path = WORK / "domus.moved"
    path.write_bytes(data)
    return path


@pytest.mark.matrix
def test_image_elsewhere(boot):
    """The image at 256 MiB: all CPUs start, nothing is overwritten, the audit finds all frames."""
    m = boot(hv_args=SERIAL_ONLY, hypervisor=moved_hypervisor(256 << 20), smp=4)
    m.to_prompt()
    assert m.run("nproc").strip() == "4"
    assert any("d0: 0 errors" in x for x in m.debug_key("A"))
    # The place is in the hypervisor's own page tables: where it is linked, 2 MiB, is dom0's now.
    assert "free lists in order" in "".join(m.debug_key("A"))
    m.check_clean()


def vbe_iso(folder, hv_args, dom0_args):
    """A CD whose GRUB has set a graphics mode of the BIOS."""
    tree, out = folder / "tree", folder / "vbe.iso"
    (tree / "boot/grub").mkdir(parents=True)
    for name, file in (("domus", HV), ("vmlinuz", KERNEL), ("initrd", INITRD)):
        shutil.copyfile(file, tree / "boot" / name)
    (tree / "boot/grub/grub.cfg").write_text(
        "insmod vbe\nserial --unit=0 --speed=115200\nterminal_output serial\n"
        f"multiboot2 /boot/domus {hv_args}\nset gfxpayload=1024x768x32\n"
        f"module2 --nounzip /boot/vmlinuz {dom0_args}\nmodule2 --nounzip /boot/initrd\nboot\n")
    subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", out, tree], check=True,
                   capture_output=True)
    shutil.rmtree(tree)
    return out


@pytest.mark.matrix
@pytest.mark.parametrize("what", ("dom0", "panic"))
def test_vesa(boot, tmp_path, what):
    """The hypervisor's text and then dom0's console on a framebuffer."""
    memory = "dom0_mem=64G noreboot" if what == "panic" else "dom0_mem=-128M,max:512M"
    iso = vbe_iso(tmp_path, f"{HV_ARGS} console=com1,vga {memory}", "console=hvc0 console=tty0")
    m = boot(iso=iso, nic=False)
    if what == "panic":
        m.wait(r"\(hv\) Halted \(noreboot\)", 90, dead=())
        lines = read_screen(m)
        assert len(lines) == 48
        assert any("(hv) Panic on CPU 0: dom0_mem= asks for 65536 MiB" in x for x in lines)
        return
    m.to_prompt()
    assert "VESA VGA" in m.run("cat /proc/fb")
    assert "root@domus:~#" in m.run("fold -w 128 /dev/vcs1; echo")
