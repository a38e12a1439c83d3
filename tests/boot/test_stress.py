# SPDX-License-Identifier: MIT
"""Long hard work in dom0 leaves nothing behind: no warning, no lost memory, sound page counts."""
import re

import pytest

from guests import check_audit


def memory(machine):
    """What the hypervisor says of its memory: KiB free, and KiB of its heap."""
    (line,) = [x for x in machine.debug_key("m") if "hypervisor heap:" in x]
    free, heap, lists = re.search(r"free: (\d+) KiB; hypervisor heap: (\d+) KiB.*lists (\w+)",
                                  line).groups()
    assert lists == "sound"
    return int(free), int(heap)


def storm(machine, seconds, workers):
    # The first round makes what is made once and kept.
    machine.run("storm 5 1", 120)
    before = memory(machine)
    machine.run(f"(storm {seconds} {workers} >/tmp/storm.out 2>&1; echo $? >>/tmp/storm.out) &")
    machine.run("while sleep 1; pidof storm >/dev/null; do :; done", seconds + 300)
    out = machine.run("cat /tmp/storm.out")
    print(out)
    assert "storm: ok" in out, out
    assert all(int(n) > 0 for n in re.findall(r"\w+=(\d+)", out)), out
    machine.check_clean()
    assert memory(machine) == before
    check_audit(machine)


def test_storm(dom0):
    storm(dom0, 30, 1)


@pytest.mark.matrix
@pytest.mark.long
def test_long_storm(dom0):
    storm(dom0, 600, 2)


@pytest.mark.matrix
@pytest.mark.parametrize("smp, mem", [(1, 512), (2, 2048), (8, 2048)])
def test_storm_elsewhere(boot, smp, mem):
    from guests import end_first
    from rig import tools_disk, unpack_tools
    m = boot(smp=smp, mem=mem, args=tools_disk(), machine="q35", cpu="max")
    m.choose(0)
    m.to_prompt()
    unpack_tools(m)
    end_first(m)
    storm(m, 60, 2)
