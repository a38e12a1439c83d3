# SPDX-License-Identifier: MIT
"""External trees: what tests/build/external adds, in which order, and that it goes again."""
import os
import shutil

import pytest

from conftest import Build

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "external")
HV = f"HV={os.environ.get('DOMUS_HV', '')}"


@pytest.fixture
def tree(tmp_path):
    copy = tmp_path / "acme"
    shutil.copytree(TREE, copy)
    return copy


def test_wrong_trees(build, tmp_path):
    assert "there is no folder /nowhere" in build.make("DOMUS_EXTERNAL=/nowhere", "defconfig", fails=True)
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    assert "has no external.desc" in build.make(f"DOMUS_EXTERNAL={wrong}", "defconfig", fails=True)
    (wrong / "external.desc").write_text("name: lower\n")
    assert "must be of capitals" in build.make(f"DOMUS_EXTERNAL={wrong}", "defconfig", fails=True)
    (wrong / "external.desc").write_text("name: ACME\ndecs: x\n")
    assert "external.desc:2: not name: or desc:" in build.make(f"DOMUS_EXTERNAL={wrong}", "defconfig",
                                                               fails=True)
    (wrong / "external.desc").write_text("name: ACME\n")
    text = build.make(f"DOMUS_EXTERNAL={TREE} {wrong}", "defconfig", fails=True)
    assert "have the same name ACME" in text


def test_configuration(build, tree, tmp_path):
    """Remembered; groups in list-defconfigs; the last tree's file wins."""
    build.make(f"DOMUS_EXTERNAL={tree}", "acme_defconfig")
    assert 'CONFIG_ACME_GREETING="good morning"' in build.read()
    text = build.make("list-defconfigs")
    assert f"{tree}/configs:\n  acme_defconfig " in text
    build.make("evening.config")
    assert 'CONFIG_ACME_GREETING="good evening"' in build.read()
    second = tmp_path / "second"
    (second / "configs").mkdir(parents=True)
    (second / "external.desc").write_text("name: SECOND\ndesc: another\n")
    (second / "configs" / "acme_defconfig").write_text('CONFIG_HOSTNAME="second"\n')
    build.make(f"DOMUS_EXTERNAL={tree} {second}", "acme_defconfig")
    assert 'CONFIG_HOSTNAME="second"' in build.read() and "CONFIG_ACME_GREETING" in build.read()
    # Without the trees, their symbols are unknown; an empty list forgets them.
    text = build.make("DOMUS_EXTERNAL=", "olddefconfig", fails=True)
    assert "unknown symbol CONFIG_ACME_GREETING" in text
    build.make("defconfig")
    assert "ACME" not in build.read() and "ACME" not in build.make("list-defconfigs")


def test_same_guest_twice(build, tree):
    shutil.copytree(tree / "guests/hello", tree / "guests/linux")
    text = build.make(f"DOMUS_EXTERNAL={tree}", "printvars", fails=True)
    assert "two guests named linux" in text


def test_what_a_tree_adds(build, tree):
    build.make(f"DOMUS_EXTERNAL={tree}", "acme_defconfig")
    build.make(HV)
    root = build.path("dom0-initrd/root")
    assert build.read("dom0-initrd/root/etc/motd") == "good morning\n"
    assert os.access(f"{root}/usr/sbin/acme", os.X_OK) and os.path.exists(f"{root}/etc/acme.conf")
    # The package with the libraries of its programs and without its documents.
    assert os.path.exists(f"{root}/sbin/brctl") and not os.path.exists(f"{root}/usr/share/doc")
    assert "bridge-utils\t" in build.read("images/manifest.txt")
    assert not os.path.exists(f"{root}/usr/bin/htop")
    guests = build.path("guests/root")
    assert os.path.exists(f"{guests}/usr/share/guests/hello/kernel")
    assert os.readlink(f"{guests}/etc/xen/auto/20-hello.cfg") == "../20-hello.cfg"
    assert not os.path.exists(f"{guests}/usr/share/guests/off")
    assert build.read("images/greeting.txt") == "good morning\n"
    # Overlay, post-build, image, post-image: the first looked for the overlay itself.
    log = build.read("hooks.log").split("\n")
    assert log[0] == f"post-build {tree}" and log[1].startswith("post-image 1") and not log[2]
    assert int(build.read("images/acme-size.txt")) == os.path.getsize(build.path("images/domus.iso"))
    assert "  acme-size.txt\n" in build.read("images/SHA256SUMS")
    build.make(HV)
    assert build.read("hooks.log").count("\n") == 2, "nothing changed, but a script ran again"

    changes_reach_the_image(build, tree, root)


def changes_reach_the_image(build, tree, root):
    (tree / "overlay/etc/acme.conf").unlink()
    (tree / "overlay/etc/acme2.conf").write_text("x\n")
    script = tree / "post-build.sh"
    script.write_text(script.read_text().replace(" && [ -e", " && [ ! -e"))
    shutil.rmtree(tree / "guests/hello")
    (tree / "post-image.sh").unlink()
    (tree / "packages.txt").unlink()
    build.make(HV)
    assert not os.path.exists(f"{root}/etc/acme.conf") and os.path.exists(f"{root}/etc/acme2.conf")
    assert not os.path.exists(f"{root}/sbin/brctl")
    assert not os.path.exists(build.path("guests/root/usr/share/guests/hello"))
    assert not os.path.exists(build.path("images/acme-size.txt"))
    assert "acme-size" not in build.read("images/SHA256SUMS")


def test_own_scripts_and_overlay(build, tmp_path):
    """The same without an external tree, by the menu; a script that fails stops the build."""
    over = tmp_path / "over"
    over.mkdir()
    (over / "x").write_text("x\n")
    (over / "x").chmod(0o600)
    script = tmp_path / "fails"
    script.write_text('#!/bin/sh\n[ -e "$1/x" ] && echo "no more" && exit 3\n')
    script.chmod(0o755)
    path = build.write("my.config", f'CONFIG_DOM0_OVERLAY="{over}"\nCONFIG_POST_BUILD_SCRIPTS="{script}"\n')
    with open(os.path.join(TREE, "configs/acme_defconfig")) as f:
        build.write("small", "".join(x for x in f if "ACME" not in x))
    build.make("defconfig", f"DEFCONFIG={build.path('small')}")
    build.make(path)
    assert "no more" in build.make("initrd", fails=True)
    assert os.stat(build.path("dom0-initrd/root/x")).st_mode & 0o777 == 0o644
    script.write_text("#!/bin/sh\nexit 0\n")
    build.make("initrd")


def test_folders_do_not_share(tmp_path):
    a, b = Build(tmp_path / "a"), Build(tmp_path / "b")
    a.make(f"DOMUS_EXTERNAL={TREE}", "acme_defconfig")
    b.make("defconfig")
    assert "ACME" in a.make("list-defconfigs", "printvars", "VARS=external-names")
    assert "ACME" not in b.make("printvars", "VARS=external-names")
