# SPDX-License-Identifier: MIT
"""make with a QEMU on its terminal, typed as a user does."""
import contextlib
import os

import pexpect

from qemu import DEAD, FAILED, OUT, SRC, WORK, scale


class Terminal:
    def __init__(self, run, path):
        self.run, self.path = run, path

    def text(self):
        self.run.logfile_read.flush()
        return self.path.read_text(errors="replace")

    def wait(self, *patterns):
        """Waits for the patterns, one after the other."""
        for pattern in patterns:
            at = self.run.expect([pattern, DEAD, FAILED, pexpect.EOF, pexpect.TIMEOUT])
            assert at == 0, f"{pattern}: not seen; see {self.path}"

    def end(self):
        """Ctrl-A X, as make says."""
        self.run.send("\x01x")
        self.run.expect(pexpect.EOF, timeout=60 * scale())


@contextlib.contextmanager
def make(name, *goals, **more):
    """Runs make; the block has to end the QEMU, and make then has to end well."""
    WORK.mkdir(parents=True, exist_ok=True)
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    own = [f"O={OUT}"] if OUT != SRC / "out" else []
    path = WORK / f"{name}.log"
    with open(path, "w", errors="replace") as log:
        run = pexpect.spawn("make", ["-C", str(SRC), *own, *goals], encoding="utf-8", codec_errors="replace",
                            env={**env, **more}, dimensions=(50, 200), timeout=300 * scale())
        run.logfile_read = log
        try:
            yield Terminal(run, path)
        finally:
            run.close(force=True)
    assert run.exitstatus == 0
