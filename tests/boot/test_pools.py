# SPDX-License-Identifier: MIT
"""cpupools by xl: CPUs and domains change pools while they run."""
import re

from test_guest_probe import create, log_of


def pools(machine):
    """name -> its CPUs, as xl prints them."""
    rows = machine.run("xl cpupool-list -c").splitlines()[1:]
    return {r.split()[0]: r.split()[1] if len(r.split()) > 1 else "" for r in rows}


def where(machine, guest):
    """The CPUs that a guest's vcpus are or were on."""
    rows = machine.run(f"xl vcpu-list {guest}").splitlines()[1:]
    return [r.split()[3] for r in rows]


def test_pools(dom0):
    dom0.run("xl cpupool-cpu-remove Pool-0 2-3")
    assert pools(dom0) == {"Pool-0": "0,1"}
    dom0.run("printf 'name=\"two\"\\ncpus=[\"2\"]\\n' > /tmp/two; xl cpupool-create /tmp/two")
    assert pools(dom0) == {"Pool-0": "0,1", "two": "2"}
    create(dom0, "hog", 'spin pause"\npool="two', 2)
    log_of(dom0, "hog", "probe: spin")
    assert where(dom0, "hog") == ["2", "2"]
    # It uses a CPU that its pool gets, and leaves one that it loses.
    dom0.run("xl cpupool-cpu-add two 3; sleep 1")
    assert set(where(dom0, "hog")) == {"2", "3"}
    dom0.run("xl cpupool-cpu-remove two 2; sleep 1")
    assert where(dom0, "hog") == ["3", "3"]
    # Not while there is a domain in it.
    assert "two" in dom0.run("xl cpupool-destroy two 2>&1; xl cpupool-list", ok=False)
    dom0.run("xl cpupool-cpu-remove two 3 2>&1; true")
    assert pools(dom0)["two"] == "3"
    listed = dom0.run("xl cpupool-list two").splitlines()[1].split()
    assert listed[:3] == ["two", "1", "credit2"] and listed[-1] == "1"
    # dom0 may not, others may change pools.
    assert re.search("(?i)error|illegal|fail|can", dom0.run("xl cpupool-migrate 0 two 2>&1", ok=False))
    dom0.run("xl cpupool-migrate hog Pool-0; sleep 1")
    assert set(where(dom0, "hog")) <= {"0", "1"}
    dom0.run("xl cpupool-destroy two; xl cpupool-cpu-add Pool-0 2-3")
    assert pools(dom0) == {"Pool-0": "0,1,2,3"}
    dom0.run("xl destroy hog")
    dom0.check_clean()
