# SPDX-License-Identifier: MIT
"""Page-table isolation, xpti=: what a running guest's CPU has mapped of the hypervisor."""
import re
import time

import pexpect
import pytest

import tables
from guests import Guest
from qemu import DEAD, OUT, BootFailure

PROBE = OUT / "guests/probe/probe.elf"
SELF_SLOT = 400  # guests/probe/load.c
USER_END = 1 << 47
SECRET = 0x5ec7e75ec7e7  # guests/probe/load.c


def in_guest(machine, kernel):
    """Stops the machine while a CPU is in the guest, in the mode that is wanted; that CPU."""
    for _ in range(200):
        machine.monitor.command("stop")
        for cpu in tables.cpus(machine):
            if cpu.cpl == 3 and (cpu.rip >= USER_END) == kernel:
                return cpu
        machine.monitor.command("cont")
        time.sleep(0.1)
    return machine.fail(f"no CPU is in the guest's {'kernel' if kernel else 'user mode'}")


@pytest.fixture
def look(boot):
    def run(words, options, kernel=True, cpu="EPYC"):
        """(problems, the CPU's slots, those of the guest's own root) while the probe spins."""
        m = boot(kernel=PROBE, initrd=None, dom0_args=words, mem=256, smp=2, nic=False, cpu=cpu,
                 hv_args=f"dom0_mem=64M,max:64M noreboot {options}")
        m.wait(r"probe: spin")
        where = in_guest(m, kernel)
        memory = tables.Memory(m)
        try:
            root = tables.original_root(memory, where)
            return (tables.problems(memory, where, kernel), where.cr3,
                    dict(memory.table(where.cr3)), root and dict(memory.table(root)), root)
        finally:
            memory.close()
    return run


@pytest.mark.parametrize("words", ["spin-self", "spin-self-later"])
def test_isolated(look, words):
    """A root that maps itself, from before it is loaded or later: the copy follows, and maps the copy."""
    bad, cr3, now, own, root = look(words, "xpti=1")
    assert not bad
    assert root != cr3
    theirs = {i: e for i, e in own.items() if i not in tables.OURS}
    assert theirs.pop(SELF_SLOT) & tables.FRAME == root
    assert now[SELF_SLOT] & tables.FRAME == cr3 & tables.FRAME
    accessed = ~0x20
    assert {i: e & accessed for i, e in now.items() if i in theirs} == {
        i: e & accessed for i, e in theirs.items()}


@pytest.mark.matrix
@pytest.mark.parametrize("words,kernel", [("spin", True), ("spin-user", False)])
def test_isolated_by_default(look, words, kernel):
    """On a processor with Meltdown, without an option."""
    assert not look(words, "", kernel, "Skylake-Client")[0]


@pytest.mark.matrix
@pytest.mark.parametrize("words,kernel", [("spin-self", True), ("spin-user", False)])
def test_not_isolated(look, words, kernel):
    """The test above can fail."""
    bad = look(words, "xpti=0", kernel, "Skylake-Client")[0]
    assert any(x.startswith("slots [") for x in bad)
    assert any("is not allowed" in x for x in bad)
    assert words != "spin-self" or any("in the guest's half" in x for x in bad)


@pytest.mark.matrix
def test_dom0_not_isolated(look):
    assert look("spin", "xpti=dom0=0", True, "Skylake-Client")[0]


@pytest.mark.matrix
def test_registers_do_not_stay(boot):
    """What is in a guest's registers does not stay in the page that its other mode may look at."""
    m = boot(kernel=PROBE, initrd=None, dom0_args="nmi spin-user", mem=256, smp=1, nic=False,
             hv_args="dom0_mem=64M,max:64M noreboot xpti=1")
    m.wait(r"probe: spin")
    where = in_guest(m, False)
    now = m.monitor.human("info registers")
    assert f"RSI={SECRET:016x}" in now
    # Nor do translations of ours stay in the TLB: there are no global pages.
    assert not int(re.search(r"CR4=([0-9a-f]+)", now)[1], 16) & 0x80
    m.monitor.command("cont")
    for _ in range(20):
        m.monitor.command("inject-nmi")
        time.sleep(0.05)
    where = in_guest(m, False)
    memory = tables.Memory(m)
    try:
        page = tables.xpti_page(memory, where)
        assert not [hex(i) for i in range(0, 4096, 8) if memory.word(page + i) == SECRET]
    finally:
        memory.close()


def probe(boot, words, smp, isolated):
    return boot(kernel=PROBE, initrd=None, mem=256, smp=smp, nic=False, cpu="Skylake-Client",
                dom0_args=words, hv_args=f"dom0_mem=64M,max:64M noreboot xpti={isolated}")


def storm(m):
    """NMIs for all CPUs until the probe is done; how many."""
    sent = 0
    try:
        while m.child.expect([r"probe: DONE", r"PANIC|Panic", "has crashed", DEAD, pexpect.TIMEOUT],
                             timeout=0.01) == 4:
            for _ in range(200):
                m.monitor.command("inject-nmi")
            sent += 200
    except (OSError, BootFailure):
        # The probe has switched the machine off between two of them.
        m.wait(r"probe: DONE")
    assert "probe: DONE" in m.text()
    return sent


@pytest.mark.matrix
@pytest.mark.parametrize("isolated", [1, 0])
def test_nmi_at_any_time(boot, isolated):
    """NMIs meet the ways in and out with either side's tables loaded."""
    m = probe(boot, "nmi bench", 1, isolated)
    m.wait(r"probe: xen-3.0")
    assert storm(m)


@pytest.mark.matrix
@pytest.mark.parametrize("isolated", [1, 0])
def test_nmi_return_refused(boot, isolated):
    """Another vcpu spoils the code segment that the NMI's IRET goes back to."""
    m = probe(boot, "nmi spoil", 2, isolated)
    m.wait(r"probe: spin")
    assert storm(m)
    assert "probe: refused 60 times" in m.text()


# The bits of Skylake's microcode of after 2018, made up: QEMU takes the MSR writes. What it cannot do is off.
MITIGATED = ("Skylake-Client,x-force-features=on,-pcid,-invpcid,-x2apic,-tsc-deadline,-rtm,-hle,"
             "-xsavec,-rdseed,+spec-ctrl,+stibp,+ssbd,+md-clear")


@pytest.mark.matrix
@pytest.mark.parametrize("cpu,options,used", [
    (MITIGATED, None, "on entry: registers cleared, IBRS, on exit: VERW, between domains: IBPB"),
    ("EPYC", "xpti=1 pv-l1tf=1", "on entry: registers cleared")], ids=["intel", "forced"])
def test_linux(boot, cpu, options, used):
    """Dom0 and a guest run, with all that such a processor needs; what a program of dom0 has mapped."""
    m = boot(cpu=cpu, smp=2, **({"hv_args": options} if options else {}))
    m.to_prompt()
    assert used in m.text()
    assert "page tables isolated: dom0 and guests" in m.text()
    if not options:
        Guest(m, "linux", None).wait_up(400)
    assert m.run("for i in $(seq 60); do sh -c 'echo $((6 * 7))'; done | sort | uniq -c").split() == [
        "60", "42"]
    m.run("(while :; do :; done) & sleep 1")
    cpu = in_guest(m, False)
    memory = tables.Memory(m)
    try:
        assert not tables.problems(memory, cpu, False)
    finally:
        memory.close()
    m.monitor.command("cont")
    m.run("kill %1")
    m.check_clean()
