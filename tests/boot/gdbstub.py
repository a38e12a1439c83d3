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

    def tell(self, text):
        self.socket.sendall(f"${text}#{sum(text.encode()) & 0xff:02x}".encode())

    def packet(self):
        """The next one that QEMU sends, without its frame."""
        got = b""
        while not (m := re.search(rb"\$([^#]*)#..", got)):
            more = self.socket.recv(1)
            assert more, "QEMU has closed gdb's connection"
            got += more
        self.socket.sendall(b"+")
        return m[1].decode()

    def ask(self, text):
        """The answer. QEMU may also tell, once more and at any time, that the machine has stopped."""
        self.tell(text)
        while True:
            answer = self.packet()
            if text == "?" or answer[:1] not in ("S", "T"):
                return answer

    def run_to(self, symbol, push):
        """The machine goes on until a CPU comes to a symbol; push() makes it come there."""
        where = f"0,{symbols()[symbol]:x},1"
        assert self.ask(f"Z{where}") == "OK"
        self.tell("c")
        push()
        assert self.packet().startswith("T05")
        assert self.ask(f"z{where}") == "OK"

    def get(self, address):
        """A word of the stopped CPU's memory."""
        answer = self.ask(f"m{address:x},8")
        assert not answer.startswith("E"), f"the word at {address:#x}: {answer!r}"
        return int.from_bytes(bytes.fromhex(answer), "little")

    def rsp(self):
        return int.from_bytes(bytes.fromhex(self.ask("g"))[7 * 8:8 * 8], "little")

    def write(self, symbol, data):
        """Bytes into memory, read-only or not."""
        self.put(symbols()[symbol], data)

    def put(self, address, data):
        """The same where there is no symbol."""
        answer = self.ask(f"M{address:x},{len(data):x}:{data.hex()}")
        assert answer == "OK", f"the bytes at {address:#x}: {answer!r}"

    def leave(self):
        self.ask("D")
        self.socket.close()
        self.socket = None
