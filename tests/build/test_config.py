# SPDX-License-Identifier: MIT
"""The targets that make, change and check a configuration."""
import glob
import os
import re
import shutil
import subprocess

import pexpect
import pytest

from conftest import SRC, Build


def defconfigs():
    return sorted(f for f in os.listdir(os.path.join(SRC, "configs")) if f.endswith("_defconfig"))


@pytest.mark.parametrize("name", defconfigs())
def test_defconfig_round_trip(build, name):
    """savedefconfig keeps all of a configuration, and configs/ holds the minimal form."""
    build.make(name)
    first = build.read()
    text = build.make("savedefconfig", f"DEFCONFIG={build.path('saved')}")
    assert "saved" in text
    build.make("defconfig", f"DEFCONFIG={build.path('saved')}")
    assert build.read() == first
    with open(os.path.join(SRC, "configs", name)) as f:
        ours = sorted(x.strip() for x in f if re.match(r"CONFIG_|# CONFIG_", x))
    assert ours == sorted(build.read("saved").split("\n")[:-1])


def test_update_defconfig_keeps_the_head(build):
    head = "# SPDX-License-Identifier: MIT\n# Mine.\n"
    path = build.write("my_defconfig", head + 'CONFIG_HOSTNAME="a"\nCONFIG_NR_CPUS=64\n')
    build.make("defconfig", f"DEFCONFIG={path}")
    build.make("update-defconfig")
    assert build.read("my_defconfig") == head + 'CONFIG_HOSTNAME="a"\n'


def test_unknown_defconfig(build):
    assert "no configs/nix_defconfig" in build.make("nix_defconfig", fails=True)
    assert not os.path.exists(build.path(".config"))


def test_list_defconfigs(build):
    text = build.make("list-defconfigs")
    assert re.search(r"^configs:$", text, re.M)
    for name in defconfigs():
        assert re.search(rf"^  {name} +\S", text, re.M), name


def test_fragment(build):
    build.make("qemu_x86_64_defconfig", "debug.config")
    text = build.read()
    assert "CONFIG_CONSOLE_RING_KB=512\n" in text and "CONFIG_HV_FAULT_INJECT=y\n" in text
    # A choice: the newest member wins, wherever it stands.
    path = build.write("my.config", "CONFIG_DOM0_KERNEL_BZIMAGE=y\nCONFIG_INITRD_GZIP=y\n")
    build.make(path)
    text = build.read()
    assert "CONFIG_DOM0_KERNEL_BZIMAGE=y\n" in text and "CONFIG_INITRD_GZIP=y\n" in text
    assert "# CONFIG_DOM0_KERNEL_ELF_GZIP is not set\n" in text
    assert "CONFIG_CONSOLE_RING_KB=512\n" in text
    assert "no fragment nix.config" in build.make("nix.config", fails=True)


def test_debug_fragment_adds_words(build):
    """debug.config adds to the command lines of any configuration and takes nothing from them."""
    build.make("tiny_defconfig", "debug.config")
    menu = subprocess.run([os.path.join(SRC, "images/make-menu"), "pxelinux", build.path(".config"),
                           os.path.join(SRC, "images/menu.txt"),
                           os.path.join(SRC, "images/netboot/pxelinux.in")],
                          capture_output=True, text=True, check=True).stdout
    for line in re.findall(r"^\tAPPEND domus .*", menu, re.M):
        hv, dom0 = line.split("---")[:2]
        assert {"dom0_mem=128M,max:128M", "guest_loglvl=all", "noreboot"} <= set(hv.split())
        assert {"swiotlb=2048", "rootfstype=ramfs", "ignore_loglevel"} <= set(dom0.split())
    assert "APPEND domus" in menu


def test_fragment_that_cannot_be_had(build):
    build.make("defconfig")
    before = build.read()
    path = build.write("x.config", "# CONFIG_GUEST_SCRIPTS is not set\nCONFIG_GUEST_LINUX=y\n")
    text = build.make(path, fails=True)
    assert "x.config:2: CONFIG_GUEST_LINUX=y cannot be had: it depends on GUEST_SCRIPTS" in text
    assert build.read() == before


WRONG = [
    ('CONFIG_HOSTNME="x"', "unknown symbol CONFIG_HOSTNME (did you mean CONFIG_HOSTNAME?)"),
    ("CONFIG_SSH=maybe", "CONFIG_SSH is of type bool, not: maybe"),
    ("CONFIG_HOSTNAME=plain", "CONFIG_HOSTNAME is of type string, not: plain"),
    ("CONFIG_NR_CPUS=many", "CONFIG_NR_CPUS is of type int, not: many"),
    ("CONFIG_NR_CPUS=100000", "CONFIG_NR_CPUS is not in its range 2 to 256: 100000"),
    ("HOSTNAME=x", "not a configuration line: HOSTNAME=x"),
    ("# CONFIG_SHH is not set", "unknown symbol CONFIG_SHH (did you mean CONFIG_SSH?)"),
    ("CONFIG_HV_DEBUG=y", "CONFIG_HV_DEBUG is no more: take configs/debug.config"),
]


@pytest.mark.parametrize("line,message", WRONG)
def test_wrong_line(build, line, message):
    """In a .config by every target that reads it, in a defconfig and a fragment by their targets."""
    build.make("defconfig")
    good = build.read()
    number = good.count("\n") + 1
    build.write(".config", good + line + "\n")
    for goal in ("olddefconfig", "syncconfig", "oldconfig", "menuconfig", "nconfig", "config",
                 "savedefconfig", "printvars"):
        assert f".config:{number}: {message}" in build.make(goal, fails=True), goal
    assert build.read() == good + line + "\n"
    path = build.write("my_defconfig", f"# head\n{line}\n")
    assert f"my_defconfig:2: {message}" in build.make("defconfig", f"DEFCONFIG={path}", fails=True)
    path = build.write("my.config", f"\n\n{line}\n")
    assert f"my.config:3: {message}" in build.make(path, fails=True)


def test_all_no_def(build):
    build.make("allnoconfig")
    assert "# CONFIG_SSH is not set" in build.read()
    build.make("allyesconfig")
    assert "# CONFIG_" not in re.sub(r"# CONFIG_(DOM0_KERNEL|INITRD|HV_LOADER)_\w+ is not set", "",
                                     build.read())
    build.make("alldefconfig")
    default = build.read()
    build.make("olddefconfig")
    assert build.read() == default
    fixed = build.write("fixed", 'CONFIG_SSH=y\nCONFIG_HOSTNAME="fixed"\n')
    build.make("allnoconfig", f"KCONFIG_ALLCONFIG={fixed}")
    assert "CONFIG_SSH=y" in build.read() and 'CONFIG_HOSTNAME="fixed"' in build.read()
    build.write("fixed", "CONFIG_SHH=y\n")
    text = build.make("allnoconfig", f"KCONFIG_ALLCONFIG={fixed}", fails=True)
    assert "fixed:1: unknown symbol" in text


def test_randconfig(build):
    def one(*args):
        build.make("randconfig", *args)
        return [x for x in build.read().split("\n") if "CONFIG_" in x]

    assert one("KCONFIG_SEED=7") == one("KCONFIG_SEED=7")
    assert len({tuple(one(f"KCONFIG_SEED={s}")) for s in (1, 2, 3)}) == 3
    assert "CONFIG_SSH=y" in one("KCONFIG_PROBABILITY=100")
    assert "# CONFIG_SSH is not set" in one("KCONFIG_PROBABILITY=0")


def test_new_symbols(build):
    build.make("defconfig")
    assert "CONFIG_" not in build.make("listnewconfig")
    build.write(".config", re.sub(r".*CONFIG_BOOT_TIMEOUT.*\n", "", build.read()))
    assert "CONFIG_BOOT_TIMEOUT" in build.make("listnewconfig")
    text = build.make("helpnewconfig")
    assert "CONFIG_BOOT_TIMEOUT: Seconds" in text and "boot loader's menu waits" in text
    build.make("olddefconfig")
    assert "CONFIG_BOOT_TIMEOUT=3" in build.read()


@pytest.mark.parametrize("goal,end", [("menuconfig", "\t\r"), ("nconfig", "\x1b[20~")])
def test_editors(build, goal, end):
    """The editors open on a small terminal, show our menus, and leave the configuration alone."""
    build.make("defconfig")
    before = build.read()
    screen = pexpect.spawn("make", ["-C", SRC, f"O={build.out}", goal], encoding="utf-8", dimensions=(24, 80),
                           env={**os.environ, "TERM": "xterm"}, timeout=60)
    screen.expect("uests in the image")  # the G may be a hotkey in another colour
    screen.send(end)
    screen.expect("The configuration is in ")
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == 0 and build.read() == before


@pytest.mark.parametrize("goal", ["xconfig", "gconfig"])
def test_without_x11(build, goal):
    if subprocess.run(["which", "kconfig-qconf"], capture_output=True).returncode == 0:
        pytest.skip("the X11 editors are installed")
    assert "kconfig-frontends" in build.make(goal, fails=True)


def test_symbolic_link(build, tmp_path):
    """KCONFIG_CONFIG names another file; a .config that is a link stays one."""
    real = tmp_path / "real"
    link = tmp_path / "link"
    link.symlink_to(real)
    at = f"KCONFIG_CONFIG={link}"
    build.make("defconfig", at)
    build.make(build.write("a.config", 'CONFIG_HOSTNAME="linked"\n'), at)
    build.make("olddefconfig", at)
    build.make("printvars", at)
    assert link.is_symlink() and 'CONFIG_HOSTNAME="linked"' in real.read_text()
    assert not os.path.exists(build.path(".config"))


def test_wrapper(build):
    """O= gets a Makefile; make works from there, and somebody else's Makefile stays."""
    build.make("defconfig")
    done = subprocess.run(["make", "-C", build.out, "--no-print-directory", "printvars", "VARS=O S"],
                          capture_output=True, text=True, check=True)
    assert f"O={build.out}\n" in done.stdout and f"S={SRC}\n" in done.stdout
    build.write("Makefile", "all:\n")
    build.make("defconfig")
    assert build.read("Makefile") == "all:\n"


def test_printvars(build):
    build.make("defconfig")
    text = build.make("printvars", "VARS=CONFIG_HOST% CONFIG_SSH")
    assert re.findall(r"^CONFIG_.*", text, re.M) == ['CONFIG_HOSTNAME="domus"', "CONFIG_SSH=y"]


def test_no_configuration_yet(build):
    text = build.make("printvars", "VARS=CONFIG_SSH")
    assert "No configuration yet: using configs/qemu_x86_64_defconfig" in text


def test_help_without_anything(tmp_path):
    """make help needs make, a shell and sed, and writes nothing."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "sh", "sed", "git"):
        path = subprocess.run(["which", name], capture_output=True, text=True).stdout.strip()
        if path:
            (tools / name).symlink_to(path)
    make = subprocess.run(["which", "make"], capture_output=True, text=True).stdout.strip()
    done = subprocess.run([make, "-C", SRC, f"O={tmp_path}/o", "help"], env={"PATH": str(tools)},
                          capture_output=True, text=True)
    assert done.returncode == 0 and "menuconfig" in done.stdout, done.stderr
    assert not (tmp_path / "o").exists()


def test_two_folders(tmp_path):
    """Two configurations of one source tree know nothing of each other."""
    a, b = Build(tmp_path / "a"), Build(tmp_path / "b")
    a.make("defconfig")
    b.make("bench_defconfig")
    assert "CONFIG_LVM=y" in a.read() and "# CONFIG_LVM is not set" in b.read()


def test_check_kconfig(tmp_path):
    """make check-kconfig notices what it is for."""
    def problems(change):
        tree = tmp_path / "t"
        shutil.rmtree(tree, ignore_errors=True)
        for top in ("Kconfig", "Kconfig.legacy", "scripts", "hv", "dom0-initrd", "guests", "images", "docs"):
            if os.path.isdir(os.path.join(SRC, top)):
                for path in glob.glob(os.path.join(SRC, top, "**/Kconfig"), recursive=True):
                    to = tree / os.path.relpath(path, SRC)
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, to)
            else:
                tree.mkdir(exist_ok=True)
                shutil.copy(os.path.join(SRC, top), tree / top)
        (tree / "docs").mkdir(exist_ok=True)
        shutil.copy(os.path.join(SRC, "docs/build.md"), tree / "docs/build.md")
        hv = tree / "hv/Kconfig"
        hv.write_text(change(hv.read_text()))
        done = subprocess.run([os.path.join(SRC, "scripts/check-kconfig"), tree], capture_output=True, text=True)
        return done.returncode, done.stderr

    assert problems(lambda t: t) == (0, "")

    def added(text):
        code, out = problems(lambda t: t.replace("endmenu", "config NR_X\n" + text + "\nendmenu"))
        assert code == 1
        return out

    assert "NR_X: has no help" in added('\tbool "x"')
    assert "does not say what it costs" in added('\tbool "x"\n\thelp\n\t  ' + "word " * 10)
    assert "more than 72 columns" in added('\tbool "x"\n\thelp\n\t  ' + "1 MB word " * 10)
    assert "NR_X is not in docs/build.md" in added('\tbool "x"')
    assert "hidden without LVM" in added('\tbool "x"\n\tdepends on LVM')
    assert "NR_CPUS is defined twice" in problems(
        lambda t: t.replace("endmenu", 'config NR_CPUS\n\tint "x"\nendmenu'))[1]
