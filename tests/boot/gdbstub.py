# SPDX-License-Identifier: MIT
"""A few words of gdb's remote protocol: enough to damage a hypervisor that runs in QEMU."""
import functools
import re
import socket

from qemu import HV


@functools.lru_cache(maxsize=None)
def symbols():
    """The hypervisor's symbols and their addresses."""
    lines = HV.with_name("domus.nm").read_text().splitlines()
    return {name: int(at, 16) for at, _, name in (x.split() for x in lines if x.count(" ") == 2)}


class Stub:
    """QEMU's gdb server on a socket of the machine's own: args(), then connect().

    The machine stands still while we are connected, until leave()."""

    def __init__(self, path):
        self.path, self.socket = path, None

    def args(self):
        return ["-chardev", f"socket,id=gdb,path={self.path},server=on,wait=off",
                "-gdb", "chardev:gdb"]

    def connect(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(self.path))
        self.ask("?")

    def ask(self, text):
        """The answer. QEMU may also tell, once more and at any time, that the machine has stopped."""
        self.socket.sendall(f"${text}#{sum(text.encode()) & 0xff:02x}".encode())
        got, answer = b"", None
        while answer is None:
            while not (m := re.search(rb"\$([^#]*)#..", got)):
                more = self.socket.recv(4096)
                assert more, "QEMU has closed gdb's connection"
                got += more
            got = got[m.end():]
            self.socket.sendall(b"+")
            if text == "?" or m[1][:1] not in b"ST":
                answer = m[1].decode()
        return answer

    def write(self, symbol, data):
        """Bytes into memory, read-only or not."""
        answer = self.ask(f"M{symbols()[symbol]:x},{len(data):x}:{data.hex()}")
        assert answer == "OK", f"the bytes at {symbol}: {answer!r}"

    def leave(self):
        self.ask("D")
        self.socket.close()
        self.socket = None
