# SPDX-License-Identifier: MIT
"""The Debian packages of an image: what their files and their trees tell."""
import functools
import hashlib
import os
import re
import subprocess

# Short names of Debian's copyright files (DEP-5) that SPDX spells in another way.
SPDX = {
    "Expat": "MIT", "MIT": "MIT", "MIT/X11": "MIT", "X11": "X11", "ISC": "ISC", "Zlib": "Zlib", "zlib": "Zlib",
    "BSD-2-clause": "BSD-2-Clause", "BSD-3-clause": "BSD-3-Clause", "BSD-4-clause": "BSD-4-Clause",
    "Apache-2.0": "Apache-2.0", "BSL-1.0": "BSL-1.0", "CC0-1.0": "CC0-1.0", "0BSD": "0BSD",
    "Artistic-2.0": "Artistic-2.0", "MPL-2.0": "MPL-2.0", "OFL-1.1": "OFL-1.1", "Unlicense": "Unlicense",
}
for _n in ("GPL-1", "GPL-2", "GPL-3", "LGPL-2", "LGPL-2.1", "LGPL-3", "GFDL-1.2", "GFDL-1.3", "AGPL-3"):
    _full = _n if "." in _n else _n + ".0"
    SPDX.update({_n: _full + "-only", _n + "+": _full + "-or-later",
                 _n + ".0": _full + "-only", _n + ".0+": _full + "-or-later"})


class Deb:
    """One package: fields from the file in dl, or for one of this machine from dpkg."""

    def __init__(self, name, version, path, trees):
        self.name, self.version, self.path, self.trees = name, version, path, trees

    @functools.cached_property
    def fields(self):
        cmd = (["dpkg-deb", "-f", self.path] if self.path
               else ["dpkg-query", "-s", self.name])
        text = subprocess.run(cmd, capture_output=True, text=True, check=True).stdout
        return dict(re.findall(r"^([\w-]+): (.*)$", text, re.M))

    @property
    def source(self):
        """(name, version) of the source package."""
        m = re.match(r"(\S+)(?: \((.*)\))?", self.fields.get("Source", self.name))
        # A binary rebuild (+b1) has the sources of the version without it.
        return m.group(1), m.group(2) or re.sub(r"\+b\d+$", "", self.version)

    @property
    def built_using(self):
        return re.findall(r"(\S+) \(= ([^)]*)\)", self.fields.get("Built-Using", ""))

    @functools.cached_property
    def sha256(self):
        if not self.path:
            return None
        with open(self.path, "rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()

    @functools.cached_property
    def copyright(self):
        """The text of the copyright file, or None."""
        names = [self.name]
        for tree in self.trees:
            # The folder may be a link to that of another package of the same source, which need
            # not be among the image's: then this machine's is taken.
            link = os.path.join(tree, "usr/share/doc", self.name)
            if os.path.islink(link):
                names.append(os.path.basename(os.readlink(link)))
        for name in names:
            for tree in [*self.trees, "/"]:
                path = os.path.join(tree, "usr/share/doc", name, "copyright")
                if os.path.exists(path):
                    with open(path, errors="replace") as f:
                        return f.read()
        return None

    @functools.cached_property
    def licences(self):
        """Short names as the copyright file has them."""
        text = self.copyright or ""
        found = re.findall(r"^License:[ \t]*(\S.*)$", text, re.M)
        # Older files are prose, which points to the common texts.
        found = found or [x.rstrip(".") for x in re.findall(r"common-licenses/([\w.-]+)", text)]
        return sorted({x.strip() for x in found if len(x) < 60})


def load(dl, indexes, trees, host=()):
    """Packages of the index files (name, version, file), then those of this machine by name."""
    found = {}
    for index in indexes:
        with open(index) as f:
            for line in f:
                name, version, file = line.rstrip("\n").split("\t")
                found[name, version] = Deb(name, version, os.path.join(dl, file), trees)
    debs = [found[k] for k in sorted(found)]
    for name in host:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True)
        if done.returncode == 0:
            debs.append(Deb(name, done.stdout, None, ["/"]))
    return debs


def host_packages(path):
    """Packages of scripts/packages.txt that leave files in the image."""
    with open(path) as f:
        return [line.split()[0] for line in f if re.match(r"[^#\s]+.*#.*\bin the image\b", line)]
