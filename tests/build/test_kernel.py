# SPDX-License-Identifier: MIT
"""The kernel's forms: what compact-elf leaves out is zeros, and nothing else."""
import os
import struct
import subprocess

from conftest import SRC

TOOL = os.path.join(SRC, "dom0-initrd/compact-elf")
SEGMENT = "<IIQQQQQQ"
BASE = 0xffffffff81000000


def elf(segments):
    """An ELF file of (type, address, content, memsz) with holes between the contents."""
    head = 64 + 56 * len(segments)
    at, table, body = head, b"", b""
    for kind, address, content, memsz in segments:
        body += bytes(4096) + content
        table += struct.pack(SEGMENT, kind, 5, at + 4096, BASE + address, address, len(content),
                             memsz, 0x200000)
        at += 4096 + len(content)
    return struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0x1000000, 64, 77, 0,
                       64, 56, len(segments), 64, 3, 2) + table + body


def loaded(data):
    """What a loader makes of it: (memory by physical address as one block, notes, entry)."""
    entry, phoff, shoff, _, _, _, number = struct.unpack_from("<QQQIHHH", data, 24)
    segments = [struct.unpack_from(SEGMENT, data, phoff + i * 56) for i in range(number)]
    loads = [s for s in segments if s[0] == 1]
    low, high = min(s[4] for s in loads), max(s[4] + s[6] for s in loads)
    memory = bytearray(high - low)
    for _, _, offset, vaddr, paddr, filesz, memsz, _ in loads:
        assert filesz <= memsz and vaddr - BASE == paddr
        memory[paddr - low:paddr - low + memsz] = data[offset:offset + filesz] + bytes(memsz - filesz)
    notes = [data[s[2]:s[2] + s[5]] for s in segments if s[0] == 4]
    return low, bytes(memory), notes, entry, loads


def compact(data):
    return subprocess.run([TOOL], input=data, capture_output=True, check=True).stdout


def test_compact_elf():
    text = b"\x90" * 70001 + bytes(300_000) + b"\xcc" * 5000
    data = bytes(200_000) + b"\1" + bytes(60_000) + b"\2" * 4096 + bytes(1_000_000)
    whole = elf([(1, 0, text, len(text)), (1, 0x100000, data, len(data) + 12345),
                 (4, 70_000, text[70_000:70_016], 16)])
    small = compact(whole)
    before, after = loaded(whole), loaded(small)
    assert after[:4] == before[:4]
    assert len(small) < 170_000
    assert all(s[4] % 4096 == 0 for s in after[4])
    assert len(after[4]) > len(before[4])
    assert compact(small) == small


def test_compact_elf_refuses():
    for data in (b"", b"MZ" + bytes(200), b"\x7fELF\x01\x01" + bytes(200)):
        done = subprocess.run([TOOL], input=data, capture_output=True)
        assert done.returncode and not done.stdout
