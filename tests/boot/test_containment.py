# SPDX-License-Identifier: MIT
"""Guests that do what could hurt the others: these keep their share, dom0 works, all comes back.

Bad and good neighbours are probes of 4 MiB, bound to one CPU that dom0 leaves alone.
docs/containment.md tells what is limited by what.
"""
import re
import time

import pytest

from guests import Guest
from qemu import scale
from test_guest_probe import check_nothing_left, free_memory

pytestmark = pytest.mark.matrix
CPU = 3
PROBE = 'kernel="/usr/bin/probe"\nmemory=4\nvcpus=1\ncpus="{cpu}"\nextra="{words}"'
WORDS = ["masked-spin", "eat-memory", "flood-console", "flood-events", "flood-xenstore"]


@pytest.fixture
def start(dom0):
    """start(name, words): a small guest; all of them end with the test."""
    names = []
    dom0.run(f"xl vcpu-pin Domain-0 all 0-{CPU - 1}")

    def one(name, words, more="", cpu=CPU):
        guest = Guest(dom0, name, PROBE.format(cpu=cpu, words=words) + more)
        guest.create()
        names.append(name)
        return guest

    yield one
    for name in names:
        dom0.run(f"xl destroy {name} 2>/dev/null; rm -f /var/log/xen/console/guest-{name}.log",
                 ok=False)
    dom0.run("xl vcpu-pin Domain-0 all all")


def ran(m, *guests):
    """The hypervisor's own time and what each guest has run up to it, in ms."""
    ids = {f"d{g.row()['id']}:": g.name for g in guests}
    found, domain = {}, None
    lines = m.debug_key("tq")
    now = next(float(x[1]) for x in map(re.compile(r"system time (\d+\.\d+) s").search, lines) if x)
    for line in (x.removeprefix("(hv) ") for x in lines):
        if re.match(r"d\d+:", line):
            domain = ids.get(line.split()[0].split(":")[0] + ":")
        elif domain and (x := re.search(r"ran (\d+) ms", line)):
            found[domain] = found.get(domain, 0) + int(x[1])
    return 1000 * now, found


def shares(m, seconds, *guests):
    """The part of a CPU that each guest had over so many of the hypervisor's seconds."""
    begin, a = ran(m, *guests)
    while True:
        time.sleep(seconds / 4)
        end, b = ran(m, *guests)
        if end - begin >= 1000 * seconds:
            return {g.name: (b[g.name] - a[g.name]) / (end - begin) for g in guests}


def check_works(m, start):
    """dom0 and the tools do their work: another guest comes, runs, and goes."""
    begun = time.monotonic()
    start("third", "idle", cpu=CPU - 1).wait_log("probe: idle", 30)
    m.run("xl list; xenstore-ls /local/domain/0 >/dev/null; xl destroy third", 30)
    return time.monotonic() - begun


@pytest.mark.parametrize("word", WORDS)
def test_neighbour(dom0, start, word):
    """The good one gets what it is due beside a bad one that wants the same CPU."""
    free = free_memory(dom0)
    good = start("good", "spin")
    good.wait_log("probe: spin")
    bad = start("bad", word)
    bad.wait_log(f"probe: {word}")
    took = check_works(dom0, start)
    got = shares(dom0, 4, good, bad)
    print(f"{word}: {got}, another guest in {took:.1f} s")
    # Half of the CPU; who waits for dom0, as the floods do, leaves more.
    assert got["good"] >= 0.485, got
    assert word != "masked-spin" or abs(got["bad"] - 0.5) < 0.015, got
    if word == "eat-memory":
        # libxl allows a guest 1 MiB beyond its memory.
        text = bad.wait_log("pages more, [0-9]+ ports")
        assert int(re.search(r"eat-memory: (\d+) pages", text)[1]) <= 256, text
    dom0.run("xl destroy bad; xl destroy good", 30)
    check_nothing_left(dom0, free)


def test_console_log(dom0, start):
    """A flooded console does not fill dom0's memory: the log is cut."""
    flood = start("bad", "flood-console")
    size, cut = 0, False
    end = time.monotonic() + 120 * scale()
    while not cut:
        assert time.monotonic() < end, size
        now = int(dom0.run(f"stat -c %s {flood.log}"))
        cut, size = now < size, now
        time.sleep(1)
    assert now <= 1 << 20
    before = dom0.run(f"tail -c 100 {flood.log}")
    assert "flood-console" in before


def test_panic(dom0, start):
    """A guest that dies is destroyed as its configuration says; nobody else notices."""
    free = free_memory(dom0)
    good = start("good", "spin")
    good.wait_log("probe: spin")
    start("bad", "panic", '\non_crash="destroy"')
    dom0.run(f"i=0; while xl domid bad >/dev/null 2>&1; do i=$((i+1)); [ $i -lt {int(60 * scale())}"
             " ] || exit 1; sleep 1; done", 90)
    assert shares(dom0, 2, good)["good"] > 0.97
    dom0.run("xl destroy good")
    check_nothing_left(dom0, free)


def test_xenconsoled(dom0, start):
    """Killed, it is started again; guests run on, and their consoles come back."""
    good = start("good", "spin")
    good.wait_log("probe: spin")
    first = dom0.run("pidof xenconsoled")
    dom0.run("kill -9 $(pidof xenconsoled)")
    assert shares(dom0, 2, good)["good"] > 0.97
    dom0.run(f"i=0; until pidof xenconsoled; do i=$((i+1)); [ $i -lt {int(60 * scale())} ] || "
             "exit 1; sleep 1; done", 90)
    assert dom0.run("pidof xenconsoled") != first
    # A new guest's console works, and an old one's has a terminal again.
    start("third", "idle", cpu=CPU - 1).wait_log("probe: idle", 30)
    tty = dom0.run("xenstore-read /local/domain/$(xl domid good)/console/tty").strip()
    dom0.run(f"test -c {tty}")


def test_xenstored(boot):
    """Nothing brings it back: guests run on, the tools fail and say so, the machine can restart."""
    from test_guests_many import own_machine
    m = own_machine(boot, 2048)
    good = Guest(m, "good", PROBE.format(cpu=CPU, words="spin"))
    good.create()
    good.wait_log("probe: spin")
    m.run("kill -9 $(pidof xenstored)")
    lines = [m.debug_key("q") for _ in range(2)]
    times = [[int(x) for x in re.findall(r"ran (\d+) ms", "\n".join(y))] for y in lines]
    assert times[1][-1] > times[0][-1], lines
    m.run("i=0; while [ -e /dev/xen/xenbus ]; do i=$((i+1)); [ $i -lt 60 ] || break; sleep 1; "
          "done; [ ! -e /dev/xen/xenbus ]", 90)
    m.run("xl create -q /tmp/good.cfg", 60, ok=False)
    assert m.status
    m.monitor.connect()
    m.send("poweroff -f\n")
    m.wait_end(60)
    assert m.monitor.end_reason() == "guest-shutdown"
