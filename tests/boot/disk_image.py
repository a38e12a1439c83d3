# SPDX-License-Identifier: MIT
"""Readers for what the ISO is made of: ISO9660, El Torito, MBR, GPT and the FAT of an EFI system
partition.  Each is as small as the tests of the image need, from the standards' own tables."""
import struct
import uuid
import zlib

SECTOR, BLOCK = 512, 2048
ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")


def read(path, offset, size):
    with open(path, "rb") as f:
        f.seek(offset)
        return f.read(size)


def mbr(path):
    """The four entries: status, type, first sector, sectors; and the signature."""
    data = read(path, 0, SECTOR)
    entries = [struct.unpack("<B3xB3xII", data[446 + 16 * i:462 + 16 * i]) for i in range(4)]
    return entries, data[510:]


def gpt_header(path, sector):
    """A header whose check sum is right; its fields by name."""
    data = read(path, sector * SECTOR, SECTOR)
    names = ("signature", "revision", "size", "crc", "reserved", "own", "other", "first", "last",
             "guid", "entries_at", "count", "entry_size", "entries_crc")
    got = dict(zip(names, struct.unpack("<8sIIIIQQQQ16sQIII", data[:92])))
    assert got["signature"] == b"EFI PART"
    body = data[:got["size"]]
    assert zlib.crc32(body[:16] + bytes(4) + body[20:]) == got["crc"], "check sum of a GPT header"
    assert got["own"] == sector
    return got


def gpt(path, sector):
    """Header and used entries: type, guid, first and last sector."""
    head = gpt_header(path, sector)
    data = read(path, head["entries_at"] * SECTOR, head["count"] * head["entry_size"])
    assert zlib.crc32(data) == head["entries_crc"], "check sum of the GPT's entries"
    found = []
    for i in range(head["count"]):
        kind, own, first, last = struct.unpack("<16s16sQQ", data[i * head["entry_size"]:][:48])
        if kind != bytes(16):
            found.append((uuid.UUID(bytes_le=kind), uuid.UUID(bytes_le=own), first, last))
    return head, found


def boot_catalogue(path):
    """El Torito: (platform, bootable, first block, sectors of 512 bytes) of each entry."""
    record = read(path, 17 * BLOCK, BLOCK)
    assert record[:7] == b"\0CD001\1" and record[7:30] == b"EL TORITO SPECIFICATION", record[:32]
    data = read(path, struct.unpack("<I", record[71:75])[0] * BLOCK, BLOCK)
    assert data[0] == 1 and data[30:32] == b"\x55\xaa"
    assert sum(struct.unpack("<16H", data[:32])) & 0xffff == 0, "check sum of the catalogue"

    def entry(platform, e):
        return platform, e[0] == 0x88, struct.unpack("<I", e[8:12])[0], struct.unpack("<H", e[6:8])[0]

    found, at, more = [entry(data[1], data[32:64])], 64, True
    while more and data[at] in (0x90, 0x91):
        more, platform, count = data[at] == 0x90, data[at + 1], data[at + 2]
        found += [entry(platform, data[at + 32 * i:][:32]) for i in range(1, count + 1)]
        at += 32 * (count + 1)
    return found


def iso_tree(path):
    """Path of each file of the plain ISO9660 tree with Rock Ridge names: (offset, size)."""
    volume = read(path, 16 * BLOCK, BLOCK)
    assert volume[:6] == b"\1CD001"
    found, todo = {}, [("", volume[156:190])]
    while todo:
        where, record = todo.pop()
        data = read(path, struct.unpack("<I", record[2:6])[0] * BLOCK,
                    struct.unpack("<I", record[10:14])[0])
        at = 0
        while at < len(data):
            if not data[at]:
                at = (at // BLOCK + 1) * BLOCK
                continue
            r = data[at:at + data[at]]
            at += data[at]
            if r[33:34] in (b"\0", b"\1"):
                continue
            name = f"{where}/{rock_ridge_name(r)}".lstrip("/")
            if r[25] & 2:
                todo.append((name, r))
            else:
                found[name] = (struct.unpack("<I", r[2:6])[0] * BLOCK,
                               struct.unpack("<I", r[10:14])[0])
    return found


def rock_ridge_name(record):
    at = (33 + record[32] + 1) & ~1
    while at + 4 <= len(record) and record[at + 2]:
        if record[at:at + 2] == b"NM":
            return record[at + 5:at + record[at + 2]].decode()
        at += record[at + 2]
    raise AssertionError(f"a file without a Rock Ridge name: {record!r}")


class Fat:
    """FAT12 or FAT16, read only; long names are left out, the short ones are compared."""

    def __init__(self, data):
        (self.sector, per, reserved, fats, roots, small, _, size, *_) = struct.unpack(
            "<HBHBHHBHHHII", data[11:36])
        total = small or struct.unpack("<I", data[32:36])[0]
        assert data[510:512] == b"\x55\xaa" and total * self.sector <= len(data)
        self.data, self.cluster = data, per * self.sector
        self.fat = reserved * self.sector
        self.root, self.roots = self.fat + fats * size * self.sector, roots
        self.first = self.root + roots * 32
        self.twelve = (total - self.first // self.sector) // per < 4085

    def follow(self, n):
        if not self.twelve:
            return struct.unpack("<H", self.data[self.fat + 2 * n:][:2])[0]
        pair = struct.unpack("<H", self.data[self.fat + n * 3 // 2:][:2])[0]
        return pair >> 4 if n & 1 else pair & 0xfff

    def chain(self, n):
        out = b""
        while 2 <= n < (0xff7 if self.twelve else 0xfff7):
            at = self.first + (n - 2) * self.cluster
            out += self.data[at:at + self.cluster]
            n = self.follow(n)
        return out

    def files(self, folder=None, where=""):
        """Each file by its path in capitals: its contents."""
        folder = self.data[self.root:self.first] if folder is None else folder
        found = {}
        for at in range(0, len(folder), 32):
            e = folder[at:at + 32]
            if not e[0]:
                break
            if e[0] in (0xe5, ord(".")) or e[11] & 8:
                continue
            name = e[:8].decode().rstrip() + (f".{e[8:11].decode()}".rstrip(". "))
            start, size = struct.unpack("<HI", e[26:32])
            if e[11] & 0x10:
                found.update(self.files(self.chain(start), f"{where}{name}/"))
            else:
                found[where + name] = self.chain(start)[:size]
        return found
