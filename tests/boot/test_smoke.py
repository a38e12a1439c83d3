# SPDX-License-Identifier: MIT
"""The release image comes up, and xl talks to the hypervisor."""
import re

import pytest


def info(machine):
    """xl info as a dictionary."""
    return {k.strip(): v.strip() for k, _, v in
            (x.partition(":") for x in machine.run("xl info").splitlines()) if v}


def test_banner(dom0):
    log = dom0.text()
    assert "(hv) Domus " in log
    assert "(hv) Loader: GRUB" in log
    assert "Booting kernel on Xen" in log or "domus: ready" in log
    assert log.index("(hv) Domus ") < log.index("domus: looking for hardware")
    assert "domus: ready" in log


def test_xl_info(dom0):
    got = info(dom0)
    assert got["host"] == "domus"
    assert got["nr_cpus"] == "4"
    assert got["xen_major"] == "4" and got["xen_minor"] == "17"
    assert got["xen_version"].startswith("4.17") and "domus" in got["xen_version"]
    assert dom0.mem * 0.96 <= int(got["total_memory"]) <= dom0.mem
    assert 0 <= int(got["free_memory"]) < int(got["total_memory"])
    assert int(got["cpu_mhz"].split(".")[0]) > 100
    assert got["release"].startswith("6.1.")


def test_xl_list(dom0):
    rows = dom0.run("xl list").splitlines()
    assert rows[0].split()[:3] == ["Name", "ID", "Mem"]
    assert len(rows) == 2
    name, domid, mem, vcpus, state, _ = rows[1].split()
    assert (name, domid, vcpus) == ("Domain-0", "0", "4")
    assert int(mem) == 512
    assert "r" in state


def test_xl_vcpu_list(dom0):
    rows = [x.split() for x in dom0.run("xl vcpu-list").splitlines()[1:]]
    assert [(r[0], r[1], r[2]) for r in rows] == [("Domain-0", "0", str(i)) for i in range(4)]
    assert all(re.fullmatch(r"\d", r[3]) and re.fullmatch(r"[rb-]+", r[4]) for r in rows), rows


def test_xl_dmesg(dom0):
    log = dom0.run("xl dmesg")
    for line in ("Domus ", "Command line: ", "RAM: ", "4 CPUs", "dom0: "):
        assert line in log


KEYS = {"h": r"q .*domains", "q": r"d0:.* privileged", "m": r"free: \d+ KiB.*sound", "r": r".",
        "i": r".", "e": r".", "g": r".", "a": r".", "t": r"system time \d+"}


@pytest.mark.parametrize("key, line", KEYS.items(), ids=KEYS)
def test_debug_key(dom0, key, line):
    got = dom0.debug_key(key)
    assert got and f"'{key}':" in got[0]
    assert any(re.search(line, x) for x in got), got


def test_unknown_debug_key(dom0):
    assert any("no debug key" in x for x in dom0.debug_key("Z"))


def test_xenstore(dom0):
    tree = dom0.run("xenstore-ls")
    assert "domain" in tree and "tool" in tree
    assert dom0.run("xenstore-read /local/domain/0/name").strip() == "Domain-0"
    dom0.run("xenstore-write /test/key value")
    assert dom0.run("xenstore-read /test/key").strip() == "value"
    dom0.run("xenstore-rm /test")


def test_services_run(dom0):
    running = dom0.run("ps -o args")
    for service in ("xenstored", "xenconsoled", "udhcpc"):
        assert service in running
    assert "10.0." in dom0.run("ip -4 addr show dev xenbr0")


def test_both_consoles_have_a_shell(dom0):
    shells = dom0.run("cat /run/domus/consoles").split()
    assert {"hvc0", "tty1"} <= set(shells)
    # The prompt itself, in the memory of the screen.
    assert "root@domus:~#" in dom0.run("fold -w 80 /dev/vcs1; echo")


def test_no_warning(dom0):
    dom0.check_clean()
