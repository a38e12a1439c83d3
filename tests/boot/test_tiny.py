# SPDX-License-Identifier: MIT
"""configs/tiny_defconfig: at most 32 MB of ISO, dom0 in 128 MB; 512 MB of RAM in all."""
import os
import pathlib
import re
import subprocess

import pytest

from guests import wait_first
from qemu import HV, OUT, SRC

pytestmark = pytest.mark.matrix


@pytest.fixture(scope="module")
def tiny():
    out = OUT / "tests/tiny"
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    for goals in (["tiny_defconfig"], ["all", f"HV={HV}"]):
        subprocess.run(["make", "-C", str(SRC), f"O={out}", *goals], check=True, env=env,
                       stdout=subprocess.DEVNULL)
    return pathlib.Path(out) / "images/domus.iso"


def test_tiny(boot, tiny):
    assert tiny.stat().st_size <= 32_000_000
    m = boot(iso=tiny, mem=512)
    m.to_prompt()
    rows = {r.split()[0]: r.split() for r in m.run("xl list").splitlines()[1:]}
    assert rows["Domain-0"][2] == "128"
    memory = dict(re.findall(r"^(\w+): +(\d+) kB", m.run("cat /proc/meminfo"), re.M))
    print(f"tiny: {tiny.stat().st_size} bytes, dom0 has {memory['MemTotal']} KiB, "
          f"{memory['MemAvailable']} KiB available")


def test_tiny_guest(boot, tiny):
    """xl reads the guest's kernel from a squashfs: dom0's memory has no room for 30 MB more."""
    m = boot(iso=tiny, mem=512)
    m.to_prompt()
    assert wait_first(m).row()
    assert "domus: guest linux: started" in m.text()
    assert "squashfs" in m.run("mount")
    assert "Out of memory" not in m.run("dmesg")
    m.check_clean()
