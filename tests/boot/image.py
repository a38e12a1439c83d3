# SPDX-License-Identifier: MIT
"""Boot images of the tests' own: other options, another kernel, another initrd.

They carry the same hypervisor and GRUB as the release image, but no menu to wait for.
"""
import itertools
import os
import subprocess

from qemu import HV, OUT, SRC, WORK

KERNEL = OUT / "dom0-initrd/vmlinuz"
INITRD = OUT / "dom0-initrd/initrd"
HV_ARGS = "console=com1 com1=115200,8n1"
DOM0_ARGS = "console=hvc0"
numbers = itertools.count(1)


def packaged_kernel():
    """The distribution's bzImage, whatever form the image carries."""
    (found,) = (OUT / "dom0-initrd/kernel/boot").glob("vmlinuz-*")
    return found


def kernel_as(form):
    """The kernel as bzimage, elf or elf.gz."""
    WORK.mkdir(parents=True, exist_ok=True)
    out = WORK / f"vmlinuz.{form}"
    kernel = packaged_kernel()
    if not out.exists() or out.stat().st_mtime < kernel.stat().st_mtime:
        tool = SRC / "dom0-initrd/kernel-image"
        subprocess.run([tool, form, kernel, f"{out}.new"], check=True)
        os.replace(f"{out}.new", out)
    return out


def menu(hv_args, dom0_args, kernel, initrd):
    lines = ["# SPDX-License-Identifier: MIT", "set timeout=0",
             "if serial --unit=0 --speed=115200; then terminal_output serial; fi",
             "menuentry test {", f"\tmultiboot2 /boot/domus {hv_args}",
             "\tset gfxpayload=text"]
    if kernel:
        lines.append(f"\tmodule2 --nounzip /boot/vmlinuz {dom0_args}")
    if initrd:
        lines.append("\tmodule2 --nounzip /boot/initrd")
    return "\n".join(lines + ["}", ""])


def release_iso(changed):
    """The release image with other files, {path: a file, or None to leave it out}."""
    files = {"boot/domus": HV, "boot/vmlinuz": KERNEL, "boot/initrd": OUT / "images/initrd",
             "boot/grub/grub.cfg": OUT / "images/grub.cfg", **changed}
    return write_iso(files, WORK / f"test.{os.getpid()}.{next(numbers)}.iso")


def make_iso(hv_args="", dom0_args="", kernel=KERNEL, initrd=INITRD, hypervisor=HV):
    """Builds an ISO and returns its path; the caller removes it."""
    WORK.mkdir(parents=True, exist_ok=True)
    base = WORK / f"test.{os.getpid()}.{next(numbers)}"
    config, out = base.with_suffix(".cfg"), base.with_suffix(".iso")
    config.write_text(menu(f"{HV_ARGS} {hv_args}".strip(), f"{DOM0_ARGS} {dom0_args}".strip(),
                           kernel, initrd))
    files = {"boot/domus": hypervisor, "boot/grub/grub.cfg": config, "boot/vmlinuz": kernel,
             "boot/initrd": initrd}
    write_iso(files, out)
    config.unlink()
    return out


def write_iso(files, out):
    WORK.mkdir(parents=True, exist_ok=True)
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "1790000000")
    subprocess.run([SRC / "images/make-iso", out, "4000", OUT / "images/consoles.cfg", "",
                    *(f"{where}={what}" for where, what in files.items() if what)],
                   check=True, env={**os.environ, "SOURCE_DATE_EPOCH": epoch})
    out.with_suffix(".iso.log").unlink(missing_ok=True)
    return out
