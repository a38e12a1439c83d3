# SPDX-License-Identifier: MIT
"""The image from every medium, by both firmwares: each to the prompt, with the guest running."""
import itertools

import pytest

from guests import wait_first
from qemu import MEDIA

FIRMWARES = ("bios", "uefi")
SPREAD = (("bios", "usb"), ("bios", "nvme"))
OTHERS = [x for x in itertools.product(FIRMWARES, MEDIA) if x not in SPREAD]
# Each medium boots by itself when its time is over, but for those where a key is to be tried.
KEYS = {("bios", "usb"): 0, ("uefi", "usb"): 1}


def name(values):
    return "-".join(values)


def check(boot, firmware, medium):
    m = boot(firmware=firmware, medium=medium, machine="q35" if firmware == "uefi" else "pc")
    if (firmware, medium) in KEYS:
        m.choose(KEYS[firmware, medium])
    m.to_prompt()
    assert wait_first(m), "the image has no guest that starts by itself"
    assert "linux" in m.run("xl list")
    m.check_clean()


@pytest.mark.parametrize("firmware, medium", SPREAD, ids=map(name, SPREAD))
def test_spread(boot, firmware, medium):
    check(boot, firmware, medium)


@pytest.mark.matrix
@pytest.mark.parametrize("firmware, medium", OTHERS, ids=map(name, OTHERS))
def test_medium(boot, firmware, medium):
    check(boot, firmware, medium)
