# SPDX-License-Identifier: MIT
"""The conformance tests of our own PV guest, guests/probe, booted as dom0."""
import os
import pathlib
import re
import subprocess

import pytest

SRC = pathlib.Path(os.environ.get("DOMUS_SRC", pathlib.Path(__file__).parents[2]))
OUT = pathlib.Path(os.environ.get("DOMUS_OUT", SRC / "out"))
RUN = SRC / "guests" / "probe" / "run"


def probe(*words, **env):
    """Runs the probe; fails with the end of its log."""
    full = dict(os.environ, O=str(OUT), T="400", **env)
    done = subprocess.run([str(RUN), *words], env=full, stdin=subprocess.DEVNULL, timeout=500,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors="replace")
    bad = [line for line in text.splitlines()
           if line.strip() in ("FAILURE", "ERROR") or "guests/probe/" in line]
    assert done.returncode == 0, "\n".join(bad[-20:] + text.splitlines()[-12:])
    return text


@pytest.mark.parametrize("cpu", ["EPYC", pytest.param("max", marks=pytest.mark.matrix),
                                 pytest.param("qemu64", marks=pytest.mark.matrix),
                                 pytest.param("Skylake-Client", marks=pytest.mark.matrix)])
def test_conformance(cpu):
    # Timers and races between vcpus are for an idle machine: the matrix runs them.
    words = [] if cpu != "EPYC" else ["not=time,smp,stale,fetch"]
    # The tests leave absent entries that name memory, in the domains that the probe makes, too.
    assert " 0 failed, 0 errors" in probe(*words, CPU=cpu, SMP="2", ARGS="pv-l1tf=no")


@pytest.mark.matrix
def test_conformance_isolated():
    """The same with page-table isolation where it is not needed."""
    assert " 0 failed, 0 errors" in probe("not=time", CPU="EPYC", SMP="2", ARGS="xpti=1")


def test_races():
    """Those of the races that end soon on a busy machine, too."""
    assert " 0 failed, 0 errors" in probe("test=stale,fetch,audit", CPU="EPYC", SMP="2")


@pytest.mark.matrix
def test_time():
    """Timers within bounds: on a busy host a run may miss them, three in a row may not."""
    for last in (False, False, True):
        try:
            assert " 0 failed, 0 errors" in probe("test=time", CPU="EPYC", SMP="2")
            return
        except AssertionError:
            if last:
                raise


def test_inject():
    """Each allocation of an operation fails once, each check whether to stop says yes once."""
    text = probe("test=inject", HV=str(OUT / "inject/hv/domus"), SMP="1", DOM0="64")
    counts = re.findall(r"([a-z-]+) (failed|stopped)\s+(\d+), ", text)
    assert len(counts) == 32, text[-2000:]
    total = {kind: sum(int(n) for _, k, n in counts if k == kind) for kind in ("failed", "stopped")}
    assert total["failed"] >= 90 and total["stopped"] >= 150, total


def fuzz(seed, inputs):
    """The fuzzer as dom0: the hypervisor is well afterwards, whatever became of the guest."""
    env = dict(os.environ, DOMUS_OUT=str(OUT), T="300")
    done = subprocess.run([str(SRC / "tests/fuzz/guest"), str(seed), str(seed), str(inputs)],
                          env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors="replace")
    assert done.returncode == 0, text
    return text


def test_fuzz():
    assert "4096 inputs, done" in fuzz(1, 4096)


# QEMU carries out none of this, but it takes the MSR writes and runs the code: the bits are made up.
AMD = "EPYC,-smap,-monitor,x-force-features=on,+ibpb,+amd-ssbd,+svm"
INTEL = ("Skylake-Client,x-force-features=on,-pcid,-invpcid,-x2apic,-tsc-deadline,-rtm,-hle,"
         "+spec-ctrl,+stibp,+ssbd,+md-clear")
SPECULATION = [
    (INTEL, "rsb,ibpb-entry,bogus=1", ["used: plain jumps, on entry: registers cleared, IBRS, IBPB, "
     "return stack filled, on exit: VERW, between domains: IBPB return stack filled",
     "page tables isolated: dom0 and guests; absent entries checked: guests only", "unknown word in spec-ctrl=: 'bogus=1'"]),
    (INTEL, "bti-thunk=retpoline", ["used: retpolines, on entry: registers cleared, on exit: VERW"]),
    (INTEL, "bti-thunk=lfence,stibp,ssbd", ["used: LFENCE, STIBP, SSBD, on entry"]),
    (AMD, "yes", ["used: retpolines, on entry: registers cleared, IBPB, between domains: IBPB"]),
    (AMD, "no", ["used: plain jumps, on entry: registers cleared\n",
                 "NOT protected against: branch targets (Spectre v2), branch targets between"]),
]


@pytest.mark.parametrize("cpu,option,lines", [SPECULATION[0]] + [
    pytest.param(*case, marks=pytest.mark.matrix) for case in SPECULATION[1:]],
    ids=[f"{c.split(',')[0]}-{o}" for c, o, _ in SPECULATION])
def test_speculation(cpu, option, lines):
    """The code of each protection works, and the boot log tells the truth about it."""
    text = probe("test=spec,traps,emul.msr", CPU=cpu, SMP="2", ARGS="spec-ctrl=" + option)
    for line in lines:
        assert line in text.replace("\r", "")


CRASHES = ["stack-hypervisor", "stack-m2p", "stack-unmapped", "stack-noncanonical", "stack-null",
           "stack-table", "kernel-stack-unmapped", "kernel-stack-hypervisor", "no-handlers",
           "no-user-root", "iret-unmapped", "iret-hypervisor", "no-event-callback",
           "no-syscall-callback", "shutdown", "endless-faults"]


ABSENT = ["absent-mapped", "absent-stored", "absent-upper", "absent-in-table"]


@pytest.mark.parametrize("name", [ABSENT[1]] + [
    pytest.param(name, marks=pytest.mark.matrix) for name in ABSENT if name != ABSENT[1]])
def test_absent_entries(name):
    """pv-l1tf=: an absent entry that names memory ends the domain before it runs again."""
    text = probe("crash=" + name, CRASH="1", CPU="EPYC", SMP="2", ARGS="pv-l1tf=dom0")
    assert "inverted is fine" in text
    assert "d0 has crashed: an absent page-table entry names memory (pv-l1tf)" in text


@pytest.mark.matrix
def test_absent_entries_by_default():
    """dom0 may."""
    with pytest.raises(AssertionError, match="still alive after absent-mapped"):
        probe("crash=absent-mapped", CRASH="1", CPU="Skylake-Client", SMP="2")


@pytest.mark.parametrize("name", [CRASHES[0]] + [
    pytest.param(name, marks=pytest.mark.matrix) for name in CRASHES[1:]])
def test_crash(name):
    """The domain dies, the hypervisor stays well."""
    probe("crash=" + name, CRASH="1", CPU="EPYC", SMP="2")
