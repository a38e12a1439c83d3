# SPDX-License-Identifier: MIT
"""UEFI firmware: by GRUB, and the hypervisor's own program; what dom0 gets; what is missing says so."""
import re
import subprocess

import pytest

from esp import grub_esp, make_esp, pe_esp, signed, unified
from guests import wait_first
from qemu import ISO
from screen import read_screen
from tables import Memory

CONSOLES = "console=com1,vga dom0_mem=-128M,max:512M"


@pytest.fixture
def uefi(boot):
    """Starts a machine with UEFI firmware from a disk image, which goes when the test ends."""
    images = []

    def start(image, **words):
        images.append(image)
        words = {"nic": False, "machine": "q35", "firmware": "uefi", **words}
        return boot(iso=image, medium="virtio", **words)

    yield start
    for i in images:
        i.unlink(missing_ok=True)


def check_dom0(m):
    """At the prompt: all CPUs, ACPI by the firmware's tables, a screen, nothing that complains."""
    assert "(hv) UEFI 2." in m.text()
    assert m.run("nproc").strip() == str(m.smp)
    assert "Domain-0" in m.run("xl list")
    assert m.run("ls -d /sys/firmware/efi").strip() == "/sys/firmware/efi"
    kernel = m.run("dmesg")
    assert "efi: EFI v2." in kernel and "ACPI: RSDP" in kernel
    assert "ACPI: Interpreter enabled" in kernel
    assert "efifb" in m.run("cat /proc/fb /sys/class/graphics/fb0/name 2>/dev/null; true").lower() \
        or "efi vga" in m.run("cat /proc/fb").lower()
    assert "root@domus:~#" in m.run("fold -w 160 /dev/vcs1; echo")
    m.check_clean()


def test_grub(uefi):
    """And the machine goes off, with the firmware's tables."""
    m = uefi(grub_esp(CONSOLES), smp=3)
    m.to_prompt()
    assert "(hv) Loader: GRUB" in m.text()
    check_dom0(m)
    m.end("poweroff", "guest-shutdown")


@pytest.mark.matrix
@pytest.mark.parametrize("machine", ("pc", "q35"))
def test_program(uefi, machine):
    """domus.efi with its configuration; and the machine restarts."""
    m = uefi(pe_esp(CONSOLES), machine=machine)
    m.to_prompt()
    assert "(hv) Loader: UEFI firmware" in m.text()
    check_dom0(m)
    m.end("reboot", "guest-reset")


@pytest.mark.matrix
def test_files_of_the_iso(uefi, tmp_path):
    """The ISO's files on a FAT file system, with EFI/domus in GRUB's place (docs/boot.md)."""
    subprocess.run(["xorriso", "-osirrox", "on", "-indev", ISO, "-extract", "/", tmp_path / "iso"], check=True,
                   capture_output=True)
    files = {str(p.relative_to(tmp_path / "iso")): p for p in (tmp_path / "iso").rglob("*") if p.is_file()}
    files["EFI/BOOT/BOOTX64.EFI"] = files["EFI/domus/domus.efi"]
    files["EFI/BOOT/BOOTX64.cfg"] = files["EFI/domus/domus.cfg"]
    m = uefi(make_esp(files))
    m.wait(r"Domus: BOOTX64.cfg, section \[normal\]", 120)
    m.to_prompt()
    check_dom0(m)
    assert wait_first(m), "the guest does not start"


@pytest.mark.matrix
def test_unified(uefi):
    m = uefi(make_esp({"EFI/BOOT/BOOTX64.EFI": unified(CONSOLES)}))
    m.wait(r"Domus: section .config, section \[domus\]", 120)
    m.wait(r"Domus: kernel from section .kernel, \d+ bytes")
    m.wait(r"Domus: ramdisk from section .ramdisk, \d+ bytes")
    m.to_prompt()
    check_dom0(m)


@pytest.mark.matrix
@pytest.mark.parametrize("sign", (True, False), ids=("signed", "unsigned"))
def test_secure_boot(uefi, tmp_path, sign):
    """A unified file that is signed starts, and nothing else does."""
    program = unified(CONSOLES)
    m = uefi(make_esp({"EFI/BOOT/BOOTX64.EFI": signed(program, tmp_path) if sign else program}),
             firmware="uefi-secure", machine="q35,smm=on")
    if not sign:
        m.wait(r"BdsDxe: failed to load [^\r\n]*: Access Denied", 120)
        assert "Domus" not in m.text()
        return
    m.to_prompt()
    check_dom0(m)


@pytest.mark.matrix
def test_panic_is_on_the_screen(uefi):
    m = uefi(grub_esp("console=com1,vga dom0_mem=64G noreboot", initrd=None))
    m.wait(r"\(hv\) Halted \(noreboot\)", 120, dead=())
    screen = read_screen(m)
    assert any(x.startswith("(hv) Panic on CPU 0: dom0_mem= asks for 65536 MiB") for x in screen), screen


@pytest.mark.matrix
def test_crash_takes_the_screen_back(uefi):
    """dom0's console is there; a crash of the hypervisor shows nevertheless."""
    m = uefi(grub_esp(f"{CONSOLES} noreboot"))
    m.to_prompt()
    m.send("xl debug-keys C\n")
    m.wait(r"\(hv\) Halted \(noreboot\)", 60, dead=())
    assert any("(hv) Panic on CPU" in x for x in read_screen(m))


BAD = {
    "no-config": ({"config": None},
                  r"no configuration: neither BOOTX64.cfg nor domus.cfg nor xen.cfg is in"),
    "bad-line": ({"config": b"[domus]\nkernel=vmlinuz\nwhat is this\n"},
                 r"domus.cfg: line 3 is neither \[section\] nor key=value"),
    "no-section": ({"config": b"[global]\ndefault=other\n[domus]\nkernel=vmlinuz\n"},
                   r"domus.cfg: there is no section \[other\]"),
    "no-kernel-line": ({"config": b"[domus]\noptions=console=com1\n"},
                       r"domus.cfg: section \[domus\] names no kernel="),
    "no-kernel-file": ({"kernel": None}, r"vmlinuz: not found"),
    "empty-kernel": ({"kernel": b""}, r"vmlinuz: it ends too early"),
    "no-ramdisk-file": ({"initrd": None}, r"initrd: not found"),
    "long-options": ({"config": b"[domus]\noptions=" + b"x" * 3000 + b"\nkernel=vmlinuz\n"},
                     r"domus.cfg: line 2: options= is longer than 2047 characters"),
}


@pytest.mark.matrix
@pytest.mark.parametrize("files, message", BAD.values(), ids=BAD)
def test_program_says_what_is_missing(uefi, files, message):
    m = uefi(pe_esp(CONSOLES, **files), smp=1)
    m.wait(rf"Domus: [^\r\n]*{message}", 120, dead=())
    m.wait(r"Domus: not started\. The firmware goes on in ten seconds", dead=())


@pytest.mark.matrix
def test_program_with_a_damaged_kernel(uefi):
    """What the loader takes for a kernel is the hypervisor's to judge, on the screen too."""
    m = uefi(pe_esp(f"{CONSOLES} noreboot", kernel=b"This is no kernel.\n" * 1000))
    m.wait(r"\(hv\) Panic on CPU 0: [^\r\n]*first boot module is not a kernel", 120, dead=())
    m.wait(r"\(hv\) Halted \(noreboot\)", 60, dead=())
    assert any("first boot module is not a kernel" in x for x in read_screen(m))


EXIT, STALL = 232, 248  # in the table of boot services
HANGS, SCRATCH = 0x2000, 0x2008  # memory that nobody uses


def refusal(tables):
    """ExitBootServices that takes another service away, and fails."""
    code = b""
    for at in tables:  # movabs $service, %rax; movq $HANGS, (%rax)
        code += b"\x48\xb8" + (at + STALL).to_bytes(8, "little")
        code += b"\x48\xc7\x00" + HANGS.to_bytes(4, "little")
    return code + bytes.fromhex("48b80200000000000080c3")  # EFI_INVALID_PARAMETER


def keep_firmware(m, stub):
    """Damages the boot services of a machine that stands still: nobody may leave, or wait after that."""
    memory = Memory(m)
    try:
        hits = [x.start() for x in re.finditer(b"BOOTSERV", memory.ram)]
        tables = [at for at in hits if at % 8 == 0 and all(
            0 < memory.word(at + field) < len(memory.ram) for field in (24, EXIT, STALL))]
    finally:
        memory.close()
    assert tables, hits
    stub.connect()
    stub.ask("Qqemu.PhyMemMode:1")
    stub.put(HANGS, b"\xeb\xfe")
    stub.put(SCRATCH, refusal(tables))
    for at in tables:
        stub.put(at + EXIT, SCRATCH.to_bytes(8, "little"))
    stub.leave()


@pytest.mark.matrix
def test_firmware_does_not_let_go(uefi, stub):
    """The loader says so without the firmware, which may have gone half way, and stands still."""
    m = uefi(pe_esp(CONSOLES, kernel=b"no kernel"), smp=1, mem=512, args=stub.args())
    m.wait(r"Domus: vmlinuz, 9 bytes", 120)
    m.monitor.command("stop")
    assert "Domus: initrd" not in m.text()
    keep_firmware(m, stub)
    m.monitor.command("cont")
    m.wait(r"Domus: the firmware does not let go: status 0x8000000000000002\.", 120, dead=())
    m.wait(r"Domus: not started, and there is no firmware to go back to\. Halted\.", dead=())
    assert "Domus: not started, and there is no firmware to go back to. Halted." in read_screen(m)


@pytest.mark.matrix
def test_other_section(uefi):
    """xen.cfg is understood, and so are other names of the program."""
    config = (b"[global]\ndefault=rescue\n[normal]\nkernel=nothing\n"
              b"[rescue]\noptions=console=com1,vga\nkernel=/vmlinuz console=hvc0 domus.rescue\n"
              b"ramdisk=\\initrd\n")
    m = uefi(pe_esp(config=config, config_name="xen.cfg", folder=""))
    m.wait(r"Domus: xen.cfg, section \[rescue\]", 120)
    m.to_prompt(r"rescue:~# ")
    assert m.run("cat /proc/cmdline").strip() == "console=hvc0 domus.rescue"
