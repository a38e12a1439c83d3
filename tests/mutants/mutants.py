# SPDX-License-Identifier: MIT
"""The lists of mutants: reading, choosing, applying. What a list looks like is told in memory.list."""
import dataclasses
import re

TESTS = re.compile(r"(unit|probe|crash|boot|check):([\w.,-]+)$")


class ListError(Exception):
    """Something in a list does not fit the source."""


@dataclasses.dataclass(frozen=True, order=True)
class Test:
    kind: str
    name: str
    cpu: str = ""     # of probe and crash: another processor, options of the hypervisor
    option: str = ""

    def __str__(self):
        return " ".join(x for x in (f"{self.kind}:{self.name}", self.cpu, self.option) if x)

    def parts(self):
        return [dataclasses.replace(self, name=name) for name in self.name.split(",")]


@dataclasses.dataclass
class Mutant:
    name: str
    where: str
    classes: str = ""
    file: str = ""
    function: str = ""
    cpu: str = ""
    option: str = ""
    tests: list = dataclasses.field(default_factory=list)
    old: str = ""
    new: str = ""

    @property
    def text(self):
        return "\0".join((self.file, self.function, self.old, self.new, *map(str, self.tests)))

    def span(self, source):
        """Begin and end of the part of the file in which the old text stands exactly once."""
        if not self.function:
            return 0, len(source)
        m = re.search(rf"^[^\s#/*][^\n]*\b{self.function}\([^;]*?\n\{{\n.*?^\}}", source,
                      re.M | re.S)
        if not m:
            raise ListError(f"{self.where}: {self.name}: no function {self.function} in {self.file}")
        return m.span()

    def apply(self, source):
        begin, end = self.span(source)
        count = source[begin:end].count(self.old)
        if count != 1:
            raise ListError(f"{self.where}: {self.name}: its text stands {count} times in {self.file}")
        at = source.index(self.old, begin)
        return source[:at] + self.new + source[at + len(self.old):]


def _finish(m, src):
    for what in ("classes", "file", "tests", "old"):
        if not getattr(m, what):
            raise ListError(f"{m.where}: {m.name}: no {what}")
    if not (src / m.file).is_file():
        raise ListError(f"{m.where}: {m.name}: no file {m.file}")
    m.apply((src / m.file).read_text())
    m.tests = [dataclasses.replace(t, cpu=m.cpu, option=m.option) if t.kind in ("probe", "crash") else t
               for t in m.tests]


def read_list(path):
    """The mutants of one file, not yet compared with the source."""
    found, m = [], None
    for number, line in enumerate(path.read_text().split("\n"), 1):
        word, _, rest = line.partition(" ")
        if word == "mutant":
            m = Mutant(rest.strip(), f"{path.name}:{number}")
            found.append(m)
        elif not line or line[0] == "#":
            continue
        elif m is None:
            raise ListError(f"{path.name}:{number}: text before the first mutant")
        elif line[0] == "-":
            m.old += line[1:] + "\n"
        elif line[0] == "+":
            m.new += line[1:] + "\n"
        elif word == "class":
            m.classes = rest.strip()
        elif word == "file":
            m.file = rest.strip()
        elif word in ("function", "cpu", "option"):
            setattr(m, word, rest.strip())
        elif word == "test":
            for test in rest.split():
                t = TESTS.match(test)
                if not t:
                    raise ListError(f"{path.name}:{number}: what test is {test}?")
                m.tests.append(Test(*t.groups()))
        else:
            raise ListError(f"{path.name}:{number}: {line}")
    return found


def read_lists(folder, src):
    found = [m for path in sorted(folder.glob("*.list")) for m in read_list(path)]
    names = [m.name for m in found]
    for name in names:
        if names.count(name) > 1:
            raise ListError(f"two mutants are called {name}")
    for m in found:
        _finish(m, src)
    return found


def select(mutants, words):
    if not words:
        return mutants
    chosen = []
    for word in words.split(","):
        numbers = re.match(r"(\d+)(?:-(\d+))?$", word)
        if numbers:
            first = int(numbers.group(1))
            hits = mutants[first - 1:int(numbers.group(2) or first)]
        elif word.endswith(".list"):
            hits = [m for m in mutants if m.where.startswith(word + ":")]
        elif word.endswith("*"):
            hits = [m for m in mutants if m.name.startswith(word[:-1])]
        else:
            hits = [m for m in mutants if m.name == word]
        if not hits:
            raise ListError(f"no mutant {word}")
        chosen += [m for m in hits if m not in chosen]
    return chosen
