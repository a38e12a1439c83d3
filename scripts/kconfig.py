# SPDX-License-Identifier: MIT
"""Reads Kconfig files as text: what the scripts want to know and kconfig-conf does not tell."""
import os
import re
from dataclasses import dataclass, field

TYPES = ("bool", "tristate", "int", "hex", "string")
BLOCKS = ("config", "menuconfig", "choice", "menu", "comment", "if", "source", "endmenu",
          "endchoice", "endif", "mainmenu")


@dataclass
class Entry:
    """A config, menuconfig, choice, menu or comment, and where it stands."""
    kind: str
    file: str
    line: int
    name: str = ""
    type: str = ""
    prompt: str = ""
    help: str = ""
    has_help: bool = False
    range: tuple = ()
    depends: list = field(default_factory=list)
    choice: "Entry" = None
    menu: tuple = ()


def find(path, roots):
    """A sourced file, looked for as kconfig-conf does: the current folder, then $srctree."""
    path = re.sub(r"\$(\w+)", lambda m: os.environ.get(m.group(1), m.group(0)), path)
    for root in roots:
        full = os.path.join(root, path)
        if os.path.exists(full):
            return full
    raise FileNotFoundError(path)


def quoted(text):
    m = re.match(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'', text.strip())
    return (m.group(1) or m.group(2) or "") if m else ""


class Reader:
    def __init__(self, roots):
        self.roots, self.entries = roots, []
        self.menus, self.ifs, self.choice = [], [], None

    def indent(self, line):
        expanded = line.expandtabs(8)
        return len(expanded) - len(expanded.lstrip())

    def read(self, path):
        full = find(path, self.roots)
        with open(full) as f:
            lines = f.read().split("\n")
        entry, at = None, 0
        while at < len(lines):
            words = lines[at].split(None, 1)
            at += 1
            if not words or words[0].startswith("#"):
                continue
            word, rest = words[0], words[1] if len(words) > 1 else ""
            if word in ("help", "---help---"):
                at = self.read_help(lines, at, entry)
            elif word in BLOCKS:
                entry = self.block(word, rest, full, at)
            elif entry:
                self.attribute(entry, word, rest)

    def read_help(self, lines, at, entry):
        """The help text ends at the first line that is indented less than its first one."""
        text, depth = [], None
        while at < len(lines):
            line = lines[at]
            if line.strip():
                depth = self.indent(line) if depth is None else depth
                if self.indent(line) < depth or depth == 0:
                    break
            text.append(line.strip())
            at += 1
        if entry:
            entry.has_help, entry.help = True, "\n".join(text).strip()
        return at

    def block(self, word, rest, path, line):
        if word == "source":
            self.read(quoted(rest) or rest.strip())
            return None
        if word in ("endmenu", "endchoice", "endif"):
            if word == "endmenu":
                self.menus.pop()
            elif word == "endif":
                self.ifs.pop()
            else:
                self.choice = None
            return None
        if word == "if":
            self.ifs.append(rest)
            return None
        entry = Entry(word, path, line, menu=tuple(self.menus), depends=list(self.ifs))
        if word in ("config", "menuconfig"):
            entry.name, entry.choice = rest.strip(), self.choice
        elif word == "choice":
            self.choice = entry
        else:
            entry.prompt = quoted(rest)
            if word == "menu":
                self.menus.append(entry.prompt)
        self.entries.append(entry)
        return entry

    def attribute(self, entry, word, rest):
        if word in TYPES:
            entry.type, entry.prompt = word, quoted(rest) or entry.prompt
        elif word in ("def_bool", "def_tristate"):
            entry.type = word[4:]
        elif word == "prompt":
            entry.prompt = quoted(rest)
        elif word == "range":
            entry.range = tuple(rest.split()[:2])
        elif word == "depends":
            entry.depends.append(re.sub(r"^on\s+", "", rest))


def load(top, roots):
    """All entries below the file top, in order; roots are the folders to look for files."""
    reader = Reader(roots)
    reader.read(top)
    return reader.entries


def symbols(entries):
    """name -> its entries (a symbol may be defined in more than one place)."""
    found = {}
    for e in entries:
        if e.name:
            found.setdefault(e.name, []).append(e)
    return found


def read_config(path):
    """symbol -> value as written (None: # ... is not set), and symbol -> line number."""
    values, where = {}, {}
    with open(path) as f:
        for number, line in enumerate(f, 1):
            m = re.match(r"(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$", line.strip())
            if m:
                name = m.group(1) or m.group(3)
                values[name], where[name] = m.group(2), number
    return values, where
