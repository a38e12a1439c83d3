# SPDX-License-Identifier: MIT
"""CPU models, numbers of CPUs, sizes of memory, boards: each to a prompt, all CPUs online.

make check boots three that, with the shared machine, have each value once.  make check-matrix
boots sixteen in which each pair of values of any two kinds meets once (twice, for the boards);
DOMUS_MATRIX=full makes it all 128.
"""
import itertools
import os
import re

import pytest

from guests import Guest
from test_smoke import info

CPUS = ("qemu64", "EPYC", "Skylake-Client", "max")
SMP = (1, 2, 4, 8)
MEM = (512, 2048, 6144, 16384)
MACHINES = ("pc", "q35")
SPREAD = (("qemu64", 1, 512, "pc"), ("Skylake-Client", 2, 6144, "q35"), ("max", 8, 16384, "q35"))
CR4_SMEP, CR4_SMAP = 1 << 20, 1 << 21

# Sums and a product in the field of four elements; its columns are orthogonal in pairs.
TWICE = (0, 2, 3, 1)


def matrix():
    if os.environ.get("DOMUS_MATRIX") == "full":
        return list(itertools.product(CPUS, SMP, MEM, MACHINES))
    return [(CPUS[a], SMP[b], MEM[a ^ b], MACHINES[(a ^ TWICE[b]) >> 1])
            for a in range(4) for b in range(4)]


def name(values):
    return "-".join(str(v) for v in values)


def check_protection(machine):
    """The hypervisor has SMEP and SMAP on, on every CPU."""
    found = [int(x, 16) for x in re.findall(r"CR4=([0-9a-fA-F]+)",
                                            machine.monitor.human("info registers -a"))]
    assert len(found) == machine.smp
    assert all(x & CR4_SMEP and x & CR4_SMAP for x in found), [hex(x) for x in found]


def check_memory(machine, got):
    """The hypervisor keeps a hundredth at most; dom0 gets the rest but 128 MB, at most 512."""
    total = int(got["total_memory"])
    assert machine.mem * 0.96 <= total <= machine.mem
    found = re.search(r"RAM: (\d+) MiB, of which the hypervisor keeps (\d+) KiB", machine.text())
    ram, kept = int(found.group(1)), int(found.group(2)) / 1024
    assert abs(ram - total) <= 1 and kept <= ram / 100
    row = machine.run("xl list").splitlines()[1].split()
    # The kernel's image, which is freed when it is unpacked, is not dom0's either.
    assert min(total - kept - 128 - 24, 512) <= int(row[2]) <= min(total - kept, 512)
    assert int(row[2]) + int(got["free_memory"]) <= total
    assert int(row[3]) == machine.smp


def check_cpus(machine, got):
    everyone = [str(i) for i in range(machine.smp)]
    assert got["nr_cpus"] == str(machine.smp)
    assert int(got["max_cpu_id"]) + 1 >= machine.smp
    listed = machine.run("grep ^processor /proc/cpuinfo").split()[2::3]
    assert listed == everyone
    rows = [r.split() for r in machine.run("xl vcpu-list Domain-0").splitlines()[1:]]
    assert [r[2] for r in rows] == everyone
    # -b- or r--; a p in the third place is a vcpu that is not online.
    assert all(r[4][2] == "-" for r in rows), rows


def check_boot(machine):
    machine.choose(0)
    machine.to_prompt()
    got = info(machine)
    check_cpus(machine, got)
    check_memory(machine, got)
    Guest(machine, "linux", None).wait_up(240)
    if "max" in machine.cpu:
        check_protection(machine)
    machine.check_clean()


@pytest.mark.parametrize("cpu, smp, mem, machine", SPREAD, ids=map(name, SPREAD))
def test_spread(boot, cpu, smp, mem, machine):
    check_boot(boot(cpu=cpu, smp=smp, mem=mem, machine=machine))


@pytest.mark.matrix
@pytest.mark.parametrize("cpu, smp, mem, machine", matrix(), ids=map(name, matrix()))
def test_matrix(boot, cpu, smp, mem, machine):
    check_boot(boot(cpu=cpu, smp=smp, mem=mem, machine=machine))


@pytest.mark.matrix
@pytest.mark.parametrize("entry", range(1, 5), ids=("serial", "verbose", "safe", "rescue"))
def test_menu_entry(boot, entry):
    m = boot(smp=2)
    m.choose(entry)
    if entry == 4:
        m.to_prompt(r"rescue:~# ")
        assert "a rescue shell was asked for" in m.text()
        return
    m.to_prompt()
    assert m.run("nproc").strip() == ("1" if entry == 3 else "2")
    m.check_clean()


OPTIONS = (
    ("dom0_mem=700M", ("mem", "700")), ("dom0_mem=max:900M", ("mem", "900")),
    ("dom0_max_vcpus=3", ("vcpus", "3")), ("maxcpus=2", ("vcpus", "2")),
    ("dom0_vcpus_pin", ("pin", "0123")), ("smap=0 smep=0", ("cr4", "off")),
    ("sched=credit", ("vcpus", "4")),
)


@pytest.mark.matrix
@pytest.mark.parametrize("option, want", OPTIONS, ids=[o for o, _ in OPTIONS])
def test_option(boot, option, want):
    m = boot(hv_args=option, smp=4, cpu="max")
    m.to_prompt()
    row = m.run("xl list").splitlines()[1].split()
    kind, value = want
    if kind in ("mem", "vcpus"):
        assert row[{"mem": 2, "vcpus": 3}[kind]] == value
    elif kind == "pin":
        rows = [r.split() for r in m.run("xl vcpu-list").splitlines()[1:]]
        assert "".join(r[6] for r in rows) == value
    else:
        regs = m.monitor.human("info registers -a")
        assert not any(int(x, 16) & (CR4_SMEP | CR4_SMAP)
                       for x in re.findall(r"CR4=([0-9a-fA-F]+)", regs))
    m.check_clean()
