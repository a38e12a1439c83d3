# SPDX-License-Identifier: MIT
"""`make run` and its kin, as a user types them."""
import pytest

import terminal

# What tells of the firmware and of the medium.
SIGNS = {"run": r"\(hv\) RAM: ", "run-uefi": r"\(hv\) UEFI 2\.", "run-usb": r"usb-storage \S+: USB Mass Storage device"}


@pytest.mark.matrix
@pytest.mark.parametrize("goal", SIGNS)
def test_run(shared_machine, goal):
    shared_machine.close()
    with terminal.make(f"make-{goal}", goal) as t:
        t.wait("ctrl-a x ends it", r"\(hv\) Domus \d", SIGNS[goal])
        t.end()
