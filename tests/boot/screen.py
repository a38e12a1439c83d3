# SPDX-License-Identifier: MIT
"""What a framebuffer shows, read by the hypervisor's own font."""
import re

from qemu import OUT, WORK

WIDTH, HEIGHT = 8, 16


def font():
    """{the bytes of a glyph: its character}"""
    text = (OUT / "include/generated/font.h").read_text()
    first = int(re.search(r"FONT_FIRST (\w+)", text).group(1), 16)
    rows = re.findall(r"^\t(0x.*),$", text, re.M)
    return {bytes(int(x, 16) for x in row.split(", ")): chr(first + i) for i, row in enumerate(rows)}


def read_ppm(path):
    """Width, height and the pixels, three bytes each."""
    data = path.read_bytes()
    head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", data)
    return int(head.group(1)), int(head.group(2)), data[head.end():]


def read_screen(machine):
    """The lines of text on the screen; what is no character of ours reads as \\x7f."""
    path = WORK / f"screen.{machine.child.pid}.ppm"
    machine.monitor.command("screendump", filename=str(path))
    width, height, pixels = read_ppm(path)
    path.unlink()
    glyphs, lines = font(), []
    for y in range(height // HEIGHT):
        line = ""
        for x in range(width // WIDTH):
            cell = bytes(sum((0x80 >> i) * any(pixels[at + 3 * i:at + 3 * i + 3])
                             for i in range(WIDTH))
                         for at in (3 * ((y * HEIGHT + row) * width + x * WIDTH)
                                    for row in range(HEIGHT)))
            line += glyphs.get(cell, "\x7f")
        lines.append(line.rstrip())
    return lines
