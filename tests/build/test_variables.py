# SPDX-License-Identifier: MIT
"""Variables of the build: V=2, JLEVEL, LOCALVERSION, local.mk with folders of one's own."""
import os
import re
import shutil
import subprocess
import time

import pytest

from conftest import OUT, SRC

MAIN, VERSION = "hv/boot/main.o", "hv/call/xen_version.o"


def test_reasons(build):
    """V=2 tells what is newer, or that there is nothing yet; V=0 does not."""
    build.make("defconfig")
    target = build.path("hv/lib/string.o")
    assert "string.o - due to target missing\n" in build.make(target, "V=2")
    assert "string.o" not in build.make(target, "V=2")
    build.make(target, "HV_CFLAGS=-DX=1", "V=0")
    text = build.make(target, "HV_CFLAGS=-DX=2", "V=2")
    assert re.search(r"^  CC +hv/lib/string.o - due to \S*/hv/cflags$", text, re.M), text
    assert "due to" not in build.make(target, "HV_CFLAGS=-DX=3", "V=0")
    assert "gcc" in build.make(target, "HV_CFLAGS=-DX=4", "V=1")
    assert "CHECK   check-layers - due to being asked for\n" in build.make("check-layers", "V=2")


def test_jobs(build):
    """JLEVEL is -j: two that wait for each other end only side by side. A -j given counts before it."""
    build.write("local.mk", "one two:\n\t@touch $(O)/$@; for i in 1 2 3 4 5 6 7 8 9 10; do "
                "[ -e $(O)/one -a -e $(O)/two ] && exit; sleep 0.5; done; exit 1\n")

    def both(*words, **more):
        for name in ("one", "two"):
            if os.path.exists(build.path(name)):
                os.unlink(build.path(name))
        return build.make("-k", "--no-print-directory", *words, "help", "one", "two", **more)

    build.make("defconfig")
    assert ".DEFAULT_GOAL=all" in build.make("printvars", "VARS=.DEFAULT_GOAL")  # rules there change nothing
    both("JLEVEL=2")
    both("JLEVEL=0", "-j2")
    both(env={"JLEVEL": "3"})
    both("JLEVEL=1", fails=True)
    both("JLEVEL=4", "-j1", fails=True)


def version(build, *words, **more):
    return re.search(r"^0\.1.*", build.make("version", *words, **more), re.M).group()


def strings(path):
    with open(path, "rb") as f:
        return f.read()


def test_local_version(build):
    """The menu's, then the variable's, in the hypervisor, the ISO's name and the list of parts."""
    build.make("defconfig")
    build.make(build.write("my.config", 'CONFIG_LOCALVERSION="-lab"\n'))
    assert version(build) == "0.1-lab"
    assert version(build, env={"LOCALVERSION": "-x"}) == "0.1-lab-x"
    assert version(build, "LOCALVERSION=.2") == "0.1-lab.2"
    text = build.make("printvars", "VARS=iso domus-version", "LOCALVERSION=-x")
    assert f"iso={build.out}/images/domus-lab-x.iso\n" in text and "domus-version=0.1-lab-x\n" in text
    build.make(build.path(MAIN), build.path(VERSION), "LOCALVERSION=-x")
    assert b"Domus 0.1-lab-x, a type-1" in strings(build.path(MAIN))
    assert b".7-domus-lab-x\0" in strings(build.path(VERSION))
    assert b"domus 0.1-lab-x\0" in strings(build.path(VERSION))
    # Another one compiles these two files and no other.
    build.make(build.path("hv/lib/string.o"))
    done = build.make(build.path(MAIN), build.path(VERSION), build.path("hv/lib/string.o"), "LOCALVERSION=-y")
    assert re.findall(r"^  CC +(\S+)", done, re.M) == [MAIN, VERSION]


@pytest.mark.parametrize("text", ["-a b", "/x", "-" + 32 * "x", "$(HOME)x;", "'"])
def test_wrong_local_version(build, text):
    build.make("defconfig")
    assert "LOCALVERSION (menu: General setup)" in build.make("version", fails=True, env={"LOCALVERSION": text})


def label(iso):
    with open(iso, "rb") as f:
        f.seek(16 * 2048 + 40)
        return f.read(32).decode().strip()


def test_image_of_a_local_version(copied):
    """Name, label and sums; an image of another name goes; dom0 knows its version."""
    build = copied
    hv = f"HV={OUT}/hv/domus"
    # The copy has no packages, and dom0 is made anew.
    os.unlink(build.path("dom0-initrd/unpacked"))
    build.make("defconfig")
    build.make(build.write("my.config", "# CONFIG_GUEST_PROBE is not set\n# CONFIG_NETBOOT is not set\n"
                           "CONFIG_INITRD_NONE=y\nCONFIG_INITRD_MAX_SIZE_MB=128\nCONFIG_ISO_MAX_SIZE_MB=160\n"
                           'CONFIG_ROOT_PASSWORD="secret"\n'))
    build.make("all", hv, "LOCALVERSION=-lab.2")
    iso = build.path("images/domus-lab.2.iso")
    assert label(iso) == "DOMUS_LAB_2" and "  domus-lab.2.iso\n" in build.read("images/SHA256SUMS")
    assert 'VERSION_ID="0.1-lab.2"\n' in build.read("dom0-initrd/root/etc/os-release")
    files = subprocess.run(["xorriso", "-indev", iso, "-find", "/", "-type", "f"], text=True,
                           capture_output=True, check=True).stdout
    # The configuration is on it, without the password.
    assert "'/config.txt'" in files
    assert "secret" in build.read() and "secret" not in build.read("images/config.txt")
    assert "# CONFIG_ROOT_PASSWORD was set\n" in build.read("images/config.txt")
    build.make("all", hv)
    assert not os.path.exists(iso) and label(build.path("images/domus.iso")) == "DOMUS"
    assert "lab" not in build.read("images/SHA256SUMS")


def test_override_names(build):
    build.make("defconfig")
    text = build.make("version", "HVX_OVERRIDE_SRCDIR=/tmp", fails=True)
    assert "HVX_OVERRIDE_SRCDIR: there is nothing to override by that name" in text
    assert "is no absolute path: hv" in build.make("version", "HV_OVERRIDE_SRCDIR=hv", fails=True)
    assert "there is no folder /nowhere" in build.make("version", "HV_OVERRIDE_SRCDIR=/nowhere", fails=True)
    build.write("local.mk", "GUESTS_DEBIAN_INSTALLER_OVERRIDE_SRCDIR = /nowhere\n")
    assert "there is no folder /nowhere" in build.make("version", fails=True)
    build.make("version", "OVERRIDE_FILE=")


def test_override_hypervisor(build, tmp_path):
    """Another folder, in place: its files, with the same bytes for the same text, and back."""
    mine = tmp_path / "mine"
    shutil.copytree(os.path.join(SRC, "hv"), mine)
    build.make("defconfig")
    target = build.path("hv/lib/string.o")
    build.make(target)
    first = strings(target)
    build.write("local.mk", f"HV_OVERRIDE_SRCDIR = {mine}/\n")
    assert "CC      hv/lib/string.o" in build.make(target)
    assert strings(target) == first, "the folder's name is in the object"
    source = mine / "lib/string.c"
    source.write_text(source.read_text() + '\nconst char hv_mine[] = "my own";\n')
    build.make(target)
    assert b"hv_mine" in strings(target)
    os.unlink(build.path("local.mk"))
    build.make(target)
    assert strings(target) == first
    assert f'"source": "{mine}"' in build.make("hv-show-info", f"HV_OVERRIDE_SRCDIR={mine}")


def test_override_guest(build, tmp_path):
    mine = tmp_path / "mine"
    shutil.copytree(os.path.join(SRC, "guests/pvgrub"), mine)
    config = mine / "pvgrub.cfg"
    config.write_text(config.read_text() + "# mine\n")
    build.make("defconfig")
    words = f"GUESTS_PVGRUB_OVERRIDE_SRCDIR={mine}"
    build.make("guests-pvgrub", words)
    made = "guests/pvgrub/tree/etc/xen/pvgrub.cfg"
    assert build.read(made).endswith("# mine\n")
    # Back to ours, whose files are older.
    build.make("guests-pvgrub")
    assert "# mine" not in build.read(made)


def test_override_kernel(build, tmp_path):
    """A kernel as make dir-pkg leaves it, in place of the package; what is wrong with it is told."""
    linux = tmp_path / "linux"
    build.make("defconfig")
    words = f"LINUX_OVERRIDE_SRCDIR={linux}"
    linux.mkdir()
    assert "there is not one boot/vmlinuz-*" in build.make("dom0-extract", words, fails=True)
    tree = linux / "tar-install"
    (tree / "boot").mkdir(parents=True)
    (tree / "boot/vmlinuz-6.99").write_text("kernel")
    assert "there is not one lib/modules/*" in build.make("dom0-extract", words, fails=True)
    modules = tree / "lib/modules/6.99"
    modules.mkdir(parents=True)
    (modules / "modules.order").write_text("")
    (modules / "build").symlink_to(linux)
    build.make("dom0-extract", words)
    kernel = build.path("dom0-initrd/kernel")
    assert os.listdir(f"{kernel}/boot") == ["vmlinuz-6.99"]
    assert os.listdir(f"{kernel}/lib/modules") == ["6.99"]
    assert os.listdir(f"{kernel}/lib/modules/6.99") == ["modules.order"]
    assert "linux-image" not in build.read("dom0-initrd/packages.tsv")
    assert "UNPACK" not in build.make("dom0-extract", words)
    # What changes there counts; without it the package is back.
    time.sleep(0.01)
    (tree / "boot/vmlinuz-6.99").write_text("Kernel")
    build.make("dom0-extract", words)
    assert build.read("dom0-initrd/kernel/boot/vmlinuz-6.99") == "Kernel"
    build.make("dom0-extract")
    assert "linux-image" in build.read("dom0-initrd/packages.tsv")
    assert not os.path.exists(f"{kernel}/boot/vmlinuz-6.99")
