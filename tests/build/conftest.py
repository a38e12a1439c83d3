# SPDX-License-Identifier: MIT
"""Tests of the build: each runs make with an output folder of its own."""
import os
import shutil
import subprocess

import pytest

SRC = os.environ.get("DOMUS_SRC", os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))
OUT = os.environ.get("DOMUS_OUT", os.path.join(SRC, "out"))


class Build:
    def __init__(self, out):
        self.out = str(out)

    def make(self, *goals, fails=False, env=None, src=SRC):
        """Runs make; returns what it printed. fails: it must end with an error."""
        clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
                 and not k.startswith("KCONFIG_") and k not in ("O", "V", "HV", "DEFCONFIG", "JLEVEL", "LOCALVERSION")}
        dl = os.environ.get("DOMUS_DL", os.path.join(SRC, "dl"))
        done = subprocess.run(["make", "-C", src, f"O={self.out}", f"DL={dl}", *goals], text=True,
                              env={**clean, **(env or {})}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def path(self, name):
        return os.path.join(self.out, name)

    def read(self, name=".config"):
        with open(self.path(name)) as f:
            return f.read()

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)


@pytest.fixture
def build(tmp_path):
    return Build(tmp_path / "o")


def large(folder, names):
    """What the image is made from no more: unpacked packages, and the image itself."""
    top = os.path.relpath(folder, OUT).count("/") < 2 and not folder.endswith("/root")
    return {n for n in names if n.endswith(".iso") or (top and n in ("pkg", "kernel"))}


@pytest.fixture
def copied(build):
    """A build whose parts are those of make check's, so that only the image is left to do."""
    for name in ("dom0-initrd", "guests", "images"):
        shutil.copytree(os.path.join(OUT, name), build.path(name), symlinks=True, ignore=large)
    shutil.copy2(os.path.join(OUT, ".date"), build.path(".date"))
    return build
