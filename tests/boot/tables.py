# SPDX-License-Identifier: MIT
"""Reads the page tables that a CPU of a stopped machine uses, and tells what of them is not allowed.

The allowed list is that of docs/speculation.md, "Page-table isolation"."""
import mmap
import re
from collections import namedtuple

from gdbstub import symbols
from qemu import WORK

Cpu = namedtuple("Cpu", "number cr3 cpl rip")
Leaf = namedtuple("Leaf", "va pa size write user execute")

P, RW, US, PSE, NX = 1, 2, 4, 0x80, 1 << 63
FRAME = 0x000ffffffffff000
STACK_VA, STACK_SIZE, DISTANCE = 0xffff818040000000, 0x8000, 0x10000000
M2P, IMAGE, PERDOMAIN = 256, 259, 260
OURS = range(256, 272)
HV_CR3 = 104  # in struct xpti_page


def canonical(va):
    return va | (0xffff << 48) if va >> 47 & 1 else va


def cpus(machine):
    text = machine.monitor.human("info registers -a")
    found = []
    for part in re.split(r"CPU#", text)[1:]:
        found.append(Cpu(int(part.split()[0]), int(re.search(r"CR3=([0-9a-f]+)", part)[1], 16),
                         int(re.search(r"CPL=(\d)", part)[1]),
                         int(re.search(r"RIP=([0-9a-f]+)", part)[1], 16)))
    return found


class Memory:
    """All RAM of a stopped machine, which must lie below the hole for devices."""

    def __init__(self, machine):
        self.path = WORK / f"{machine.log_path.stem}.ram"
        machine.monitor.human(f'pmemsave 0 {machine.mem << 20} "{self.path}"')
        with open(self.path, "rb") as f:
            self.ram = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)

    def close(self):
        self.ram.close()
        self.path.unlink()

    def word(self, pa):
        return int.from_bytes(self.ram[pa:pa + 8], "little")

    def table(self, pa):
        if pa + 4096 > len(self.ram):
            return []
        return [(i, e) for i, e in enumerate(memoryview(self.ram[pa:pa + 4096]).cast("Q")) if e & P]

    def tables(self, pa, level=4, slots=range(512)):
        """The frames of all tables from this one down."""
        yield pa & FRAME
        for i, e in self.table(pa & FRAME):
            if (level < 4 or i in slots) and level > 1 and not (level < 4 and e & PSE):
                yield from self.tables(e, level - 1)

    def leaves(self, pa, level=4, va=0, rights=RW | US, nx=0, slots=range(512)):
        """All that is mapped below a table."""
        size = 1 << (12 + 9 * (level - 1))
        for i, e in self.table(pa & FRAME):
            at, both, never = va + i * size, rights & e, nx | e & NX
            if level == 4 and i not in slots:
                continue
            if level > 1 and not (level < 4 and e & PSE):
                yield from self.leaves(e, level - 1, at, both, never)
            else:
                yield Leaf(canonical(at), e & FRAME & -size, size, bool(both & RW), bool(both & US),
                           not never)


def allowed(cpu):
    """The hypervisor's pages of 4 KiB that a CPU may have mapped: address -> (write, execute)."""
    s = symbols()
    text = range(s["_xpti_text_start"], s["_xpti_text_end"], 4096)
    stack = STACK_VA + cpu * STACK_SIZE
    return {**{va: (False, True) for va in text}, s["idt"]: (False, False),
            stack: (False, True), stack + DISTANCE: (True, False)}


def problems(memory, cpu, kernel):
    """What the root that the CPU has loaded shows of the hypervisor beyond what it must."""
    bad, root = [], cpu.cr3 & FRAME
    present = {i for i, _ in memory.table(root) if i in OURS}
    if extra := present - {IMAGE, PERDOMAIN} - ({M2P} if kernel else set()):
        bad.append(f"slots {sorted(extra)} are present")
    wanted, found = allowed(cpu.number), {}
    for leaf in memory.leaves(root, slots=[IMAGE]):
        found[leaf.va] = (leaf.write, leaf.execute)
        if leaf.size != 4096 or leaf.user or wanted.get(leaf.va) != found[leaf.va]:
            bad.append(f"{leaf} is not allowed")
    if missing := wanted.keys() - found.keys():
        bad.append(f"missing: {[hex(va) for va in missing]}")
    for leaf in memory.leaves(root, slots=[M2P]):
        if leaf.write or not leaf.user:
            bad.append(f"the machine-to-physical table: {leaf}")
    # A guest has user pages only. What is not one was reached through a root that maps itself, and may
    # be a table of what is allowed.
    tables = set(memory.tables(root, slots=[M2P, IMAGE, PERDOMAIN]))
    seen = [leaf for leaf in memory.leaves(root, slots=[M2P]) if leaf.user]
    for leaf in memory.leaves(root, slots=[i for i in range(512) if i not in OURS]):
        if not leaf.user and leaf.pa not in tables and not any(
                s.pa <= leaf.pa < s.pa + s.size for s in seen):
            bad.append(f"in the guest's half: {leaf}")
    return bad


def xpti_page(memory, cpu):
    """The physical address of the CPU's struct xpti_page; None: its tables do not show it."""
    page = STACK_VA + DISTANCE + cpu.number * STACK_SIZE
    return next((x.pa for x in memory.leaves(cpu.cr3, slots=[IMAGE]) if x.va == page), None)


def original_root(memory, cpu):
    """The guest's own root, of which the loaded one is a copy."""
    page = xpti_page(memory, cpu)
    return memory.word(page + HV_CR3) if page is not None else None
