# SPDX-License-Identifier: MIT
"""A copy of the source with builds of its own, in which one mutant after the other is tried."""
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

from mutants import ListError

SRC = pathlib.Path(os.environ.get("DOMUS_SRC", pathlib.Path(__file__).parents[2])).resolve()
# A hang is told by seconds of the processor's time, which do not depend on who else runs here; what waits
# and does not run is told by seconds in which it does not want a processor.
UNIT_CPU, PROBE_CPU, TOPIC_CPU, PROBE_IDLE = 20, 30, 60, 30
# By the clock, for what neither tells.
SECONDS = 1800


def files_of_tree():
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=SRC, check=True,
                          capture_output=True, text=True)
    return [f for f in sorted(set(done.stdout.split("\n"))) if f and (SRC / f).is_file()]


def limit(seconds):
    return lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def probe_seconds(names):
    """What single tests and whole topics of the probe may take."""
    return sum(PROBE_CPU if "." in name else TOPIC_CPU for name in names.split(","))


def wanted_time(pid):
    """Nanoseconds in which a thread of the QEMU below a process ran or waited for a processor."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        try:
            if (task / "comm").read_text().startswith(("qemu", "CPU")):
                ran, waited = (task / "schedstat").read_text().split()[:2]
                total += int(ran) + int(waited)
            total += sum(wanted_time(child) for child in (task / "children").read_text().split())
        except (OSError, ValueError):
            continue
    return total


def wait_while_busy(child, seconds):
    """Waits for the end; False after so many seconds in each of which it hardly wanted to run."""
    idle, before, begun = 0, 0, time.monotonic()
    while idle < seconds and time.monotonic() - begun < SECONDS:
        try:
            child.wait(1)
            return True
        except subprocess.TimeoutExpired:
            now = wanted_time(child.pid)
            idle = idle + 1 if now - before < 200_000_000 else 0
            before = now
    return False


class Workshop:
    def __init__(self, out):
        self.tree, self.build = out / "tree", out / "build"
        self.unit, self.logs = out / "unit", out / "logs"
        for folder in (self.build, self.unit, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self.copy_tree()

    def copy_tree(self):
        """Files that are as they were keep their times, so that make has little to do."""
        wanted = files_of_tree()
        for name in wanted:
            data, to = (SRC / name).read_bytes(), self.tree / name
            if not to.exists() or to.read_bytes() != data:
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(data)
            shutil.copymode(SRC / name, to)
        wanted = set(wanted)
        for path in self.tree.rglob("*"):
            if path.is_file() and str(path.relative_to(self.tree)) not in wanted:
                path.unlink()
        config = pathlib.Path(os.environ.get("DOMUS_CONFIG", SRC / ".config"))
        to = self.build / ".config"
        if config.exists() and (not to.exists() or config.read_bytes() != to.read_bytes()):
            shutil.copy(config, to)

    @staticmethod
    def make(*args):
        """True when it succeeds; else what it printed."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(["make", "-s", "-j2", "-C", *args], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return True if done.returncode == 0 else done.stdout.decode(errors="replace")

    def build_hv(self, *more):
        built = self.make(str(self.tree), f"O={self.build}", "HV_CFLAGS=-Wno-unused", "hv", "probe", *more)
        if built is not True:
            raise ListError(f"the hypervisor does not build:\n{built[-1500:]}")

    def build_unit(self, name):
        built = self.make(str(self.tree / "tests/unit"), f"O={self.unit}", "CC=gcc -Wno-unused",
                          str(self.unit / name))
        if built is not True:
            raise ListError(f"{name} does not build:\n{built[-1500:]}")

    # Each of these returns None when all is well, else how it failed.

    def run_unit(self, name):
        try:
            done = subprocess.run([str(self.unit / name)], timeout=SECONDS,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, preexec_fn=limit(UNIT_CPU))
        except subprocess.TimeoutExpired:
            return f"{name} hangs"
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return f"{name} hangs"
        if done.returncode == 0:
            return None
        text = done.stdout.decode(errors="replace")
        (self.logs / f"{name}.log").write_text(text)
        for what, pattern in (("sanitizer", r"(?:AddressSanitizer|runtime error): ?(.{0,60})"),
                              ("assertion", r"assertion failed|ASSERT"),
                              ("test", r"\[  FAILED  \] (\w+)")):
            m = re.search(pattern, text)
            if m:
                return f"{name}: {what} {m.group(1) if m.groups() else ''}".rstrip()
        return f"{name}: exit code {done.returncode}"

    def run_probe(self, words, cpu="", option="", crash=None, cpu_seconds=PROBE_CPU):
        log = self.logs / "probe.log"
        # QEMU loads the hypervisor by itself: an image with GRUB takes longer than most tests.
        env = dict(os.environ, O=str(self.build), T=str(SECONDS), LOG=str(log), QUIET="1",
                   SMP="3", DIRECT="1", ARGS=option)
        env.update({"CPU": cpu} if cpu else {})
        env.update({"CRASH": "1"} if crash else {})
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        child = subprocess.Popen([str(self.tree / "guests/probe/run"), *words], env=env,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, preexec_fn=limit(cpu_seconds))
        hangs = not wait_while_busy(child, PROBE_IDLE)
        if hangs:
            child.terminate()  # it ends QEMU
        if child.wait() == 0:
            return None
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used
        text = log.read_text(errors="replace").replace("\r", "") if log.exists() else ""
        return why_probe_failed(text, crash, hangs or used > cpu_seconds * 0.8)

    def run_boot(self, name):
        """A test of tests/boot, on the hypervisor that was built here."""
        place, _, test = name.partition(".")
        env = dict(os.environ, DOMUS_SRC=str(self.tree), DOMUS_OUT=str(self.build),
                   DOMUS_HV=str(self.build / "hv/domus"))
        argv = ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                str(self.tree / f"tests/boot/{place}.py"), "-k", test]
        try:
            done = subprocess.run(argv, env=env, check=False, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  cwd=self.tree / "tests/boot", timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"boot: {name} hangs"
        if done.returncode == 0:
            return None
        text = done.stdout.decode(errors="replace")
        (self.logs / f"{place}.log").write_text(text)
        if done.returncode != 1:
            raise ListError(f"pytest cannot run {name}:\n{text[-1500:]}")
        m = re.search(r"\(hv\) Panic on CPU \d+: (.{0,70})", text)
        return f"panic: {m.group(1)}" if m else f"boot: {name}"

    def run_check(self, name):
        done = subprocess.run([str(self.tree / f"scripts/check-{name}"),
                               str(self.build / "hv/domus.elf")], cwd=self.tree, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode == 0:
            return None
        lines = done.stdout.decode(errors="replace").splitlines()
        return f"check-{name}: {lines[0][:70] if lines else ''}"

    def try_tests(self, tests):
        """How the first test that fails does, or None; raises ListError when something does not build."""
        for t in tests:
            if t.kind == "unit":
                self.build_unit(t.name)
                how = self.run_unit(t.name)
                if how:
                    return how
        if all(t.kind == "unit" for t in tests):
            return None
        boot = any(t.kind == "boot" for t in tests)
        self.build_hv(*([str(self.build / "images/consoles.cfg")] if boot else []))
        for cpu, option in sorted({(t.cpu, t.option) for t in tests if t.kind == "probe"}):
            words = [t.name for t in tests if t.kind == "probe" and (t.cpu, t.option) == (cpu, option)]
            how = self.run_probe(["test=" + ",".join(words)], cpu, option,
                                 cpu_seconds=sum(probe_seconds(w) for w in words))
            if how:
                return how
        for t in tests:
            how = None
            if t.kind == "crash":
                how = self.run_probe(["crash=" + t.name], t.cpu, t.option, t.name)
            elif t.kind == "boot":
                how = self.run_boot(t.name)
            elif t.kind == "check":
                how = self.run_check(t.name)
            if how:
                return how
        return None

    def try_mutant(self, m):
        path = self.tree / m.file
        before = path.read_text()
        try:
            path.write_text(m.apply(before))
            return self.try_tests(m.tests)
        finally:
            path.write_text(before)


def why_probe_failed(text, crash, hangs):
    m = re.search(r"Panic on CPU \d+: (.{0,70})", text)
    if m:
        return f"panic: {m.group(1)}"
    if crash:
        return f"crash {crash}: the domain does not end as it must"
    bad = re.findall(r"(?m)^([a-z-]+\.[a-z0-9-]+): \n(?:  .*\n)*?  (?:FAILURE|ERROR)$", text)
    if bad:
        return "probe: " + ", ".join(bad[:3]) + (" ..." if len(bad) > 3 else "")
    m = re.search(r"d0 has crashed: (.*)", text)
    if m:
        return f"domain crashed: {m.group(1)}"
    if hangs:
        last = re.findall(r"(?m)^([a-z-]+\.[a-z0-9-]+): ", text)
        return f"hang (in {last[-1]})" if last else "hang"
    return "machine reset" if "probe: DONE" not in text else "probe: not all passed"
