# SPDX-License-Identifier: MIT
"""Disk images that UEFI firmware starts from: one FAT file system with what a test puts into it."""
import itertools
import os
import subprocess

from image import DOM0_ARGS, HV_ARGS, INITRD, KERNEL
from qemu import HV, SNAKEOIL, SRC, WORK

GRUB_MODULES = ("fat part_gpt normal configfile echo test true serial terminal "
                "multiboot multiboot2 efi_gop video boot").split()
HV_EFI = HV.with_name("domus.efi")
numbers = itertools.count(1)


def make_esp(files):
    """A FAT image of a test's own with files, {path: a file, its bytes, or None}; the caller removes it."""
    WORK.mkdir(parents=True, exist_ok=True)
    out = WORK / f"esp.{os.getpid()}.{next(numbers)}.img"
    data = {where: what if isinstance(what, bytes) else what.read_bytes()
            for where, what in files.items() if what is not None}
    size = sum(map(len, data.values())) + (6 << 20)
    with open(out, "wb") as f:
        f.truncate((size + 0xfffff) & ~0xfffff)
    env = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    subprocess.run(["mformat", "-i", out, "::"], check=True, env=env)
    made = set()
    for where, what in data.items():
        for i in range(1, len(where.split("/"))):
            folder = "/".join(where.split("/")[:i])
            if folder not in made:
                subprocess.run(["mmd", "-i", out, f"::{folder}"], check=True, env=env)
                made.add(folder)
        subprocess.run(["mcopy", "-i", out, "-", f"::{where}"], input=what, check=True, env=env)
    return out


def grub_efi():
    """GRUB as an EFI program that runs /grub.cfg of the file system that it comes from."""
    out, config = WORK / "grubx64.efi", WORK / "grubx64.cfg"
    if not out.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        config.write_text("set prefix=\nconfigfile ($root)/grub.cfg\n")
        subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-p", "/", "-c", config, "-o",
                        f"{out}.new", *GRUB_MODULES], check=True)
        os.replace(f"{out}.new", out)
    return out


def grub_esp(hv_args="", dom0_args="", hypervisor=HV, kernel=KERNEL, initrd=INITRD):
    """GRUB EFI, its menu of one entry, and the three files."""
    config = "\n".join([
        "serial --unit=0 --speed=115200", "terminal_output console serial",
        f"multiboot2 /domus {HV_ARGS} {hv_args}",
        f"module2 --nounzip /vmlinuz {DOM0_ARGS} {dom0_args}",
        "module2 --nounzip /initrd" if initrd else "", "boot", ""])
    return make_esp({"EFI/BOOT/BOOTX64.EFI": grub_efi(), "grub.cfg": config.encode(),
                     "domus": hypervisor, "vmlinuz": kernel, "initrd": initrd})


def pe_config(hv_args, dom0_args=""):
    return (f"[domus]\noptions={HV_ARGS} {hv_args}\nkernel=vmlinuz {DOM0_ARGS} {dom0_args}\n"
            "ramdisk=initrd\n").encode()


def pe_esp(hv_args="", kernel=KERNEL, initrd=INITRD, config=b"", config_name="domus.cfg",
           folder="EFI/BOOT/"):
    """The hypervisor's own program where firmware looks for one, and its files in folder."""
    config = pe_config(hv_args) if config == b"" else config
    return make_esp({"EFI/BOOT/BOOTX64.EFI": HV_EFI, f"EFI/BOOT/{config_name}": config,
                     f"{folder}vmlinuz": kernel, f"{folder}initrd": initrd})


def unified(hv_args="", dom0_args="", kernel=KERNEL, initrd=INITRD):
    """One program with everything in it, as bytes."""
    WORK.mkdir(parents=True, exist_ok=True)
    base = WORK / f"unified.{os.getpid()}.{next(numbers)}"
    config, out = base.with_suffix(".cfg"), base.with_suffix(".efi")
    config.write_bytes(pe_config(hv_args, dom0_args))
    subprocess.run([SRC / "scripts/unify-efi", out, HV_EFI, config, kernel, initrd], check=True)
    data = out.read_bytes()
    config.unlink()
    out.unlink()
    return data


def signed(program, folder):
    """The program's bytes, signed with the key of the test firmware."""
    plain, key, out = folder / "plain.efi", folder / "key", folder / "signed.efi"
    plain.write_bytes(program)
    subprocess.run(["openssl", "rsa", "-in", SNAKEOIL.with_suffix(".key"), "-passin",
                    "pass:snakeoil", "-out", key], check=True, capture_output=True)
    subprocess.run(["sbsign", "--key", key, "--cert", SNAKEOIL.with_suffix(".pem"),
                    "--output", out, plain], check=True, capture_output=True)
    return out.read_bytes()
