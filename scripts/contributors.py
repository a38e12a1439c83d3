# SPDX-License-Identifier: MIT
"""Who takes how much of the ISO.

An archive that is compressed as a whole has no sizes of its parts.  Each part is compressed by
itself (zstd -6) and the results are scaled so that their sum is the archive's true size.
"""
import os
import re
import subprocess

LOADERS = "GRUB and other boot loaders"
OWN = "Domus' own files in dom0"


def iso_files(iso):
    """path -> bytes of the files on an ISO."""
    text = subprocess.run(["xorriso", "-indev", iso, "-find", "/", "-type", "f", "-exec", "lsdl", "--"],
                          capture_output=True, text=True, check=True).stdout
    return {m.group(2): int(m.group(1))
            for m in re.finditer(r"^\S+\s+\d+\s+\S+\s+\S+\s+(\d+) .*? '(.*)'$", text, re.M)}


def owners(lists):
    """path in dom0 -> Debian package, from the lists of the unpacked packages."""
    found = {}
    for name in sorted(os.listdir(lists)) if os.path.isdir(lists) else []:
        with open(os.path.join(lists, name)) as f:
            for line in f:
                path = os.path.normpath(line.rstrip("\n"))
                if not line.endswith("/\n"):
                    found.setdefault(path, name)
    return found


def module_group(path):
    """kernel/drivers/net/... -> modules: drivers/net."""
    m = re.match(r"lib/modules/[^/]+/kernel/((?:drivers/)?[^/]+)", path)
    return f"dom0 modules: {m.group(1)}" if m else "dom0 modules: index"


def parts(root, lists):
    """contributor -> its files in dom0's file system."""
    owner, found = owners(lists), {}
    for place, _, files in os.walk(root):
        for name in files:
            full = os.path.join(place, name)
            if os.path.islink(full):
                continue
            path = os.path.relpath(full, root)
            who = (module_group(path) if path.startswith("lib/modules/")
                   else f"dom0 package {owner[path]}" if path in owner else OWN)
            found.setdefault(who, []).append(full)
    return found


def compressed(files):
    """Bytes of the files after zstd -6."""
    zstd = subprocess.Popen(["zstd", "-q", "-6", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    cat = subprocess.Popen(["cat", "--", *sorted(files)], stdout=zstd.stdin)
    zstd.stdin.close()
    size = len(zstd.stdout.read())
    if cat.wait() or zstd.wait():
        raise RuntimeError("zstd failed")
    return size


def archive(out):
    """(contributor, bytes in the image, bytes unpacked) of dom0's archive."""
    base = os.path.join(out, "dom0-initrd")
    total = os.path.getsize(os.path.join(base, "initrd"))
    raw = {}
    for who, files in parts(os.path.join(base, "root"), os.path.join(base, "lists")).items():
        raw[who] = (compressed(files), sum(os.path.getsize(f) for f in files))
    scale = total / max(1, sum(c for c, _ in raw.values()))
    return [(who, c * scale, size) for who, (c, size) in raw.items()]


def guests(out):
    """(guest, bytes) of each tree that is in the guests' archive."""
    base = os.path.join(out, "guests")
    with open(os.path.join(base, "trees")) as f:
        stamps = f.read().split()
    for stamp in stamps:
        tree = os.path.join(os.path.dirname(stamp), "tree")
        size = sum(os.path.getsize(os.path.join(p, n)) for p, _, names in os.walk(tree) for n in names
                   if not os.path.islink(os.path.join(p, n)))
        yield f"guest {os.path.basename(os.path.dirname(stamp))}", size, size


def initrd(out):
    return archive(out) + list(guests(out))


def table(iso, out):
    """(contributor, bytes in the ISO, bytes unpacked), the largest first; sums to the ISO's size."""
    rows = []
    for path, size in iso_files(iso).items():
        if path.endswith("/initrd"):
            inside = initrd(out)
            rows += inside
            rows.append(("initrd: archive headers", size - sum(r[1] for r in inside), 0))
        elif path.endswith("/vmlinuz"):
            rows.append(("dom0 kernel", size, size))
        elif path.endswith("/domus"):
            rows.append(("hypervisor", size, size))
        elif path.endswith("/domus.efi"):
            rows.append(("hypervisor as UEFI program", size, size))
        elif "memtest" in path:
            rows.append(("memory test", size, size))
        elif path in ("/manifest.txt", "/config.txt"):
            rows.append(("manifest and configuration", size, size))
        else:
            rows.append((LOADERS, size, size))
    merged = {}
    for who, size, plain in rows:
        a, b = merged.get(who, (0, 0))
        merged[who] = (a + round(size), b + plain)
    rest = os.path.getsize(iso) - sum(a for a, _ in merged.values())
    merged["ISO: directories, EFI partition, padding"] = (rest, 0)
    return sorted(((w, a, b) for w, (a, b) in merged.items()), key=lambda r: (-r[1], r[0]))


def text(rows, limit=None):
    total = sum(r[1] for r in rows)
    lines = [f"{'bytes':>12} {'share':>6} {'unpacked':>12}  contributor"]
    lines += [f"{a:12d} {100 * a / total:5.1f}% {b:12d}  {w}" for w, a, b in rows[:limit]]
    if limit is None:
        lines.append(f"{total:12d} 100.0%{'':13}  all")
    return "\n".join(lines)
