# SPDX-License-Identifier: MIT
"""The kernel boots in each form that a user may have it in; and both ways to end, once each."""
import re

import pytest

from image import kernel_as


@pytest.mark.parametrize("form, end", [
    ("elf", "poweroff"), ("elf.gz", "reboot"),
    pytest.param("bzimage", "poweroff", marks=pytest.mark.matrix),
])
def test_kernel_form(boot, form, end):
    m = boot(kernel=kernel_as(form), dom0_args="domus.rescue")
    m.to_prompt(r"rescue:~# ")
    m.check_clean()
    m.end(end, {"poweroff": "guest-shutdown", "reboot": "guest-reset"}[end])
    assert re.search(r"reboot: (Power down|Restarting system)", m.text())
