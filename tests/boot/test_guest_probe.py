# SPDX-License-Identifier: MIT
"""The probe as a guest that xl creates: conformance, and two guests against each other."""
import re

import pytest

from guests import end_first
from qemu import BootFailure, scale
from rig import tools_disk, unpack_tools

LOGS = "/var/log/xen/console"
# What a domain made by xl cannot try, and with which number of vcpus.
SKIPPED = {"start.dom0", "fifo.grow", "smp.bad-contexts", "padding.tools", "fetch.reset",
           "spec.spec-ctrl", "spec.each-vcpu"}
ALONE = "not=peer,child,audit,pools,inject"
SKIPPED_BELOW_3 = {"smp.register-info"}


def free_memory(machine):
    return re.search(r"free_memory +: (\d+)", machine.run("xl info"))[1]


def create(machine, name, words, vcpus=2, memory=16):
    """Starts the probe as a guest."""
    machine.run(f"mkdir -p {LOGS}; rm -f {LOGS}/guest-{name}.log; cat > /tmp/{name}.cfg <<E\n"
                f'name="{name}"\nkernel="/usr/bin/probe"\nmemory={memory}\nvcpus={vcpus}\n'
                f'extra="{words}"\non_crash="destroy"\nE')
    machine.run(f"xl create -q /tmp/{name}.cfg")


def log_of(machine, name, text="probe: (DONE|PANIC)", seconds=120):
    """What the guest has printed, when it has printed the text (an extended expression)."""
    log, turns = f"{LOGS}/guest-{name}.log", int(seconds * scale())
    machine.run(f"i=0; until grep -qE '{text}' {log} 2>/dev/null; do i=$((i+1)); "
                f"[ $i -lt {turns} ] || break; sleep 1; done", seconds + 60)
    got = machine.run(f"cat {log}", ok=False)
    if not re.search(text, got):
        raise BootFailure(f"guest {name} does not print {text!r}: {got[-1500:]}")
    return got


def check_outcome(log):
    """No test has failed; returns the names of those that were skipped."""
    failures = re.findall(r"(?m)^[a-z-]+\.[a-z0-9-]+: \n(?:  .*\n)+?  (?:FAILURE|ERROR)", log)
    assert not failures, "\n".join(failures)
    counts = re.search(r"probe: (\d+) passed, 0 failed, 0 errors, (\d+) skipped", log)
    assert counts and "probe: DONE" in log, log[-1500:]
    skipped = re.findall(r"(?m)^([a-z-]+\.[a-z0-9-]+): \n(?:  .*\n)+?  SKIP", log)
    assert len(skipped) == int(counts[2])
    return int(counts[1]), set(skipped)


def wait_gone(machine, name, seconds=60):
    machine.run(f"i=0; while xl domid {name} >/dev/null 2>&1; do i=$((i+1)); "
                f"[ $i -lt {int(seconds * scale())} ] || exit 1; sleep 1; done", seconds + 60)


def check_nothing_left(machine, free):
    """Only dom0, all memory is back, and the hypervisor's counts are right."""
    machine.run("i=0; while [ $(xl list | wc -l) -gt 2 ]; do i=$((i+1)); [ $i -lt 20 ] || "
                "break; sleep 1; done")
    assert len(machine.run("xl list").splitlines()) == 2
    assert free_memory(machine) == free
    audit = [x for x in machine.debug_key("A") if "audit:" in x]
    assert any(re.search(r"d0: 0 errors", x) for x in audit), audit
    assert not any(re.search(r"[1-9]\d* errors", x) for x in audit), audit


def conformance(machine, words, vcpus):
    machine.run("xl destroy probe 2>/dev/null; true")
    free = free_memory(machine)
    create(machine, "probe", words, vcpus)
    result = check_outcome(log_of(machine, "probe", seconds=200))
    wait_gone(machine, "probe")
    check_nothing_left(machine, free)
    return result


def test_conformance(dom0):
    # Timers and races between vcpus are for an idle machine: the matrix runs them.
    passed, skipped = conformance(dom0, f"{ALONE},time,smp,ctx,stale,fetch", 2)
    assert skipped <= SKIPPED and passed >= 150


@pytest.mark.matrix
def test_everything_alone(dom0):
    conformance(dom0, ALONE, 1)


@pytest.mark.matrix
@pytest.mark.parametrize("vcpus", [2, 3, 4])
def test_everything(boot_on_threads, vcpus):
    """With races between vcpus, which want a thread each."""
    m = boot_on_threads(smp=4, args=tools_disk())
    unpack_tools(m)
    end_first(m)
    passed, skipped = conformance(m, ALONE, vcpus)
    assert skipped <= SKIPPED | (SKIPPED_BELOW_3 if vcpus < 3 else set())
    assert passed >= 185
    m.check_clean()


@pytest.mark.matrix
@pytest.mark.parametrize("cpu", ["max", "qemu64", "Skylake-Client"])
def test_processor(boot, cpu):
    # The tests leave absent entries that name memory, which ends a guest where that is a danger.
    m = boot(cpu=cpu, hv_args="dom0_mem=512M,max:512M pv-l1tf=no", args=tools_disk())
    m.to_prompt()
    unpack_tools(m)
    end_first(m)
    conformance(m, f"{ALONE},time", 2)
    m.check_clean()


def test_smallest(dom0):
    """4 MiB are enough for a guest that only is there."""
    free = free_memory(dom0)
    names = ["one", "two"]
    for name in names:
        create(dom0, name, "idle", 1, 4)
        log_of(dom0, name, "probe: idle")
    rows = dom0.run("xl list").splitlines()[2:]
    assert [r.split()[0] for r in rows] == names
    for name in names:
        dom0.run(f"xl destroy {name}")
    check_nothing_left(dom0, free)


@pytest.mark.parametrize("die", [pytest.param("", id="taker-ends-first"),
                                 pytest.param("die", id="offerer-ends-first",
                                              marks=pytest.mark.matrix)])
def test_two_guests(dom0, die):
    """One offers pages and a channel, the other one takes them and more."""
    free = free_memory(dom0)
    create(dom0, "offer", "offer", 1, 8)
    log_of(dom0, "offer", "offer: domain [0-9]+ for")
    peer = dom0.run("xl domid offer").strip()
    create(dom0, "taker", f"peer={peer} test=peer {die}", 1, 8)
    passed, skipped = check_outcome(log_of(dom0, "taker"))
    assert passed >= 12 and not skipped
    wait_gone(dom0, "taker")
    wait_gone(dom0, "offer")
    if not die:
        assert "offer: all pages are back" in log_of(dom0, "offer")
    check_nothing_left(dom0, free)
