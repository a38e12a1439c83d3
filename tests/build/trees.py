# SPDX-License-Identifier: MIT
"""What a build has made, file by file, and how two builds differ."""
import hashlib
import os
import stat

TREES = ("dom0-initrd/root", "guests/root")
FILES = ("hv/domus", "dom0-initrd/vmlinuz", "dom0-initrd/initrd", "guests/guests.cpio", "images/initrd",
         "images/manifest.txt", "images/domus.iso")


def one(path):
    """Kind, rights and contents of a file."""
    st = os.lstat(path)
    if stat.S_ISLNK(st.st_mode):
        return "link", os.readlink(path)
    if stat.S_ISDIR(st.st_mode):
        return "folder", oct(st.st_mode)
    with open(path, "rb") as f:
        return "file", oct(st.st_mode), st.st_size, hashlib.file_digest(f, "sha256").hexdigest()


def contents(out):
    """path -> what is there, of everything that counts in an output folder."""
    found = {}
    for name in FILES:
        path = os.path.join(out, name)
        if os.path.exists(path):
            found[name] = one(path)[2:]  # the rights of these are the builder's
    for tree in TREES:
        for place, folders, files in os.walk(os.path.join(out, tree)):
            for name in folders + files:
                path = os.path.join(place, name)
                found[os.path.relpath(path, out)] = one(path)
    images = os.path.join(out, "images")
    for place, _, files in os.walk(os.path.join(images, "netboot")):
        for name in files:
            path = os.path.join(place, name)
            found[os.path.relpath(path, out)] = one(path)[2:]
    return found


def differences(a, b):
    """Lines that name what differs, the innermost files first."""
    for path in sorted(set(a) | set(b), key=lambda p: (p in FILES, p)):
        if a.get(path) != b.get(path):
            yield f"  {path}: {a.get(path, 'missing')} / {b.get(path, 'missing')}"
