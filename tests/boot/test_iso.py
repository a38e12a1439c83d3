# SPDX-License-Identifier: MIT
"""The ISO's structure, as firmware reads it: without a machine, byte by byte."""
import os
import re
import subprocess

import pytest

import disk_image
from disk_image import BLOCK, ESP_TYPE, SECTOR
from qemu import ISO, OUT, SRC, WORK

PAYLOAD = {"boot/domus": OUT / "hv/domus", "boot/vmlinuz": OUT / "dom0-initrd/vmlinuz",
           "boot/initrd": OUT / "images/initrd"}


def esp_of(path):
    """The EFI system partition: its offset and its bytes."""
    _, parts = disk_image.gpt(path, 1)
    (esp,) = [p for p in parts if p[0] == ESP_TYPE]
    size = (esp[3] - esp[2] + 1) * SECTOR
    return esp[2] * SECTOR, disk_image.read(path, esp[2] * SECTOR, size)


def loader_in_tree(path, name):
    return disk_image.read(path, *disk_image.iso_tree(path)[name])


def test_mbr():
    entries, signature = disk_image.mbr(ISO)
    sectors = ISO.stat().st_size // SECTOR
    assert signature == b"\x55\xaa"
    # GRUB's boot code, and where it finds the rest: 512 bytes into the El Torito image.
    code = disk_image.read(ISO, 0, 440)
    assert any(code)
    (bios,) = [e for e in disk_image.boot_catalogue(ISO) if e[0] == 0]
    assert int.from_bytes(code[0x1b0:0x1b8], "little") == bios[2] * 4 + 4
    assert [e for e in entries if e[1] == 0xee] == [(0, 0xee, 1, sectors - 1)]
    # BIOSes that look for an active partition find one, and only one.
    assert [e[0] for e in entries].count(0x80) == 1


def test_gpt():
    last = ISO.stat().st_size // SECTOR - 1
    first, parts = disk_image.gpt(ISO, 1)
    second, backup = disk_image.gpt(ISO, last)
    assert first["other"] == last and second["other"] == 1
    assert parts == backup and first["guid"] == second["guid"] != bytes(16)
    assert len({p[1] for p in parts}) == len(parts)
    for (_, _, start, end), follower in zip(parts, parts[1:] + [(0, 0, first["last"] + 1, 0)]):
        assert first["first"] <= start <= end < follower[2]
    # The first partition is the ISO itself, which can be mounted as such, too.
    assert disk_image.read(ISO, parts[0][2] * SECTOR + 16 * BLOCK, 6) == b"\1CD001"


def test_el_torito():
    catalogue = disk_image.boot_catalogue(ISO)
    assert [(e[0], e[1]) for e in catalogue] == [(0, True), (0xef, True)]
    assert catalogue[0][2] * BLOCK == disk_image.iso_tree(ISO)["boot/grub/eltorito.img"][0]
    offset, esp = esp_of(ISO)
    # 65535 sectors are the most that the catalogue can say.
    assert catalogue[1][2] * BLOCK == offset and catalogue[1][3] * SECTOR == len(esp)


def test_loaders_are_equal():
    inside = disk_image.Fat(esp_of(ISO)[1]).files()
    assert set(inside) == {"EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/GRUB.CFG"}
    assert inside["EFI/BOOT/BOOTX64.EFI"] == loader_in_tree(ISO, "EFI/BOOT/BOOTX64.EFI")
    assert inside["EFI/BOOT/GRUB.CFG"] == loader_in_tree(ISO, "EFI/BOOT/grub.cfg")
    loader = inside["EFI/BOOT/BOOTX64.EFI"]
    pe = int.from_bytes(loader[0x3c:0x40], "little")
    assert loader[:2] == b"MZ" and loader[pe:pe + 6] == b"PE\0\0\x64\x86"


def test_marker():
    """All three loaders look for the file that is there."""
    (marker,) = [p for p in disk_image.iso_tree(ISO) if p.endswith(".id")]
    assert re.fullmatch(r"boot/domus-[0-9a-f]{16}\.id", marker)
    for name in ("EFI/BOOT/BOOTX64.EFI", "boot/grub/eltorito.img", "EFI/BOOT/grub.cfg"):
        data = loader_in_tree(ISO, name)
        # GRUB for BIOS is packed, so that its text does not show; it has the same start file.
        assert name.endswith("img") or f"--file /{marker}".encode() in data, name
        assert b"--label" not in data


def test_payload_once():
    tree = disk_image.iso_tree(ISO)
    for name, source in PAYLOAD.items():
        assert loader_in_tree(ISO, name) == source.read_bytes(), name
    assert sum(size for _, size in tree.values()) > 0.9 * ISO.stat().st_size - len(esp_of(ISO)[1])


# What a reader must notice, so that the tests above can fail.
@pytest.mark.parametrize("at, reader", [
    (SECTOR + 40, lambda p: disk_image.gpt(p, 1)),
    (2 * SECTOR + 8, lambda p: disk_image.gpt(p, 1)),
    (17 * BLOCK + 7, disk_image.boot_catalogue),
], ids=("gpt-header", "gpt-entries", "el-torito"))
def test_damage_is_noticed(tmp_path, at, reader):
    head = bytearray(disk_image.read(ISO, 0, 1 << 20))
    copy = tmp_path / "head"
    copy.write_bytes(head)
    reader(copy)
    head[at] ^= 1
    copy.write_bytes(head)
    with pytest.raises(AssertionError):
        reader(copy)


def test_same_bytes_again():
    """From another folder, under another umask, time zone and locale."""
    WORK.mkdir(parents=True, exist_ok=True)
    folder = WORK / "again"
    folder.mkdir(exist_ok=True)
    files = {"boot/domus": OUT / "hv/domus", "boot/grub/grub.cfg": OUT / "images/grub.cfg"}
    made = []
    for name, umask, zone in (("one", 0o022, "UTC"), ("two", 0o077, "Asia/Tokyo")):
        out = folder / f"{name}.iso"
        subprocess.run([SRC / "images/make-iso", out, "64", OUT / "images/consoles.cfg", "",
                        *(f"{k}={v}" for k, v in files.items())], check=True, umask=umask,
                       env={**os.environ, "TZ": zone, "SOURCE_DATE_EPOCH": "1790000000"})
        made.append(out.read_bytes())
        out.unlink()
        out.with_suffix(".iso.log").unlink()
    folder.rmdir()
    assert made[0] == made[1]
