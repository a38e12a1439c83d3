# SPDX-License-Identifier: MIT
"""The hypercall fuzzer as a guest that xl creates: the machine is as before when the guest is gone."""
import re

import pytest

from test_guest_probe import check_nothing_left, create, free_memory, log_of, wait_gone

INPUTS = 20000


@pytest.mark.matrix
@pytest.mark.parametrize("seed", range(1, 11))
def test_fuzz(dom0, seed):
    """Done, or ended by the hypervisor: both are right, a panic and anything left behind are not."""
    free = free_memory(dom0)
    create(dom0, "fuzz", f"fuzz={seed},{INPUTS}", 1, 64)
    wait_gone(dom0, "fuzz", 240)
    log = log_of(dom0, "fuzz", "fuzz: seed")
    last = max(int(n) for n in re.findall(r"input (\d+)", log))
    print(f"seed {seed}: {'done' if 'done' in log else f'ended after input {last}'}")
    check_nothing_left(dom0, free)
