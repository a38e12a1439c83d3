# SPDX-License-Identifier: MIT
"""The gates: a boot module or an ISO over budget stops the build, which says what is large."""
import os
import re

from conftest import OUT

HV = os.path.join(OUT, "hv/domus")


def contributors(text):
    return re.findall(r"^ *(\d+) +[\d.]+% +\d+  (.+)$", text, re.M)


def gate(build, symbol, value):
    build.make("defconfig")
    # The probe would be compiled anew in another folder.
    build.make(build.write("gate.config", f"CONFIG_{symbol}={value}\n# CONFIG_GUEST_PROBE is not set\n"))
    return build.make("iso", f"HV={HV}", fails=True)


def listed(text, least):
    rows = contributors(text)
    sizes = [int(n) for n, _ in rows]
    assert sizes == sorted(sizes, reverse=True) and len(rows) >= least
    assert {"guest linux", "dom0 modules: drivers/net"} <= {w for _, w in rows}


def test_iso_over_budget(copied):
    text = gate(copied, "ISO_MAX_SIZE_MB", 20)
    assert "more than ISO_MAX_SIZE_MB=20 allows" in text
    assert not os.path.exists(copied.path("images/domus.iso"))
    listed(text, 10)


def test_boot_module_over_budget(copied):
    text = gate(copied, "INITRD_MAX_SIZE_MB", 10)
    assert re.search(r"boot module \S+/images/initrd has \d+ bytes, more than INITRD_MAX_SIZE_MB=10 allows", text)
    assert not os.path.exists(copied.path("images/domus.iso"))
    listed(text, 10)
    # The limit of boot loaders holds whatever the configuration says.
    assert "is not in its range 4 to 128" in copied.make(
        copied.write("more.config", "CONFIG_INITRD_MAX_SIZE_MB=200\n"), fails=True)
