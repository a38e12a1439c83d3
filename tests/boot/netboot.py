# SPDX-License-Identifier: MIT
"""Network boot as the tests use it: a copy of the bundle, QEMU's own TFTP server, a lab network."""
import contextlib
import functools
import http.server
import os
import shutil
import signal
import subprocess
import time

from qemu import BootFailure, OUT, SRC, WORK, scale
from web import serve

BUNDLE = OUT / "images/netboot"


def copy_bundle(where):
    """A bundle of the test's own; files that are not changed are links."""
    shutil.rmtree(where, ignore_errors=True)
    shutil.copytree(BUNDLE, where, copy_function=lambda a, b: os.link(a, b))
    for mine in (where / "machines").iterdir():
        mine.unlink()
    return where


def add_machine(bundle, mac, *words):
    done = subprocess.run([bundle / "add-machine", mac, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# The card's ROM is iPXE, for BIOS and for UEFI; without it UEFI boots by its own drivers.
def card(mac, netdev, model="virtio-net-pci"):
    return ["-netdev", netdev, "-device", f"{model},netdev=boot,mac={mac},bootindex=0"]


NO_ROM = "virtio-net-pci,romfile="


def user_card(mac, bundle, bootfile, model="virtio-net-pci"):
    """A card on QEMU's own network, with its TFTP server."""
    return card(mac, f"user,id=boot,tftp={bundle},bootfile={bootfile}", model)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def http_server(folder):
    """Serves a folder; see serve()."""
    return serve(functools.partial(Quiet, directory=folder))


class Lab:
    """netboot-serve on an emulated network with so many ports (images/netboot-lab)."""

    def __init__(self, bundle, ports, dnsmasq=""):
        WORK.mkdir(parents=True, exist_ok=True)
        extra = WORK / "lab.dnsmasq"
        extra.write_text(dnsmasq)
        self.log = WORK / "lab.log"
        with open(self.log, "w") as f:
            self.process = subprocess.Popen(
                [SRC / "images/netboot-lab", str(ports), SRC / "images/netboot-serve", bundle,
                 "lab0", "", extra], stdout=f, stderr=subprocess.STDOUT)
        end = time.monotonic() + 30 * scale()
        while "(Ctrl-C ends)" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise BootFailure(f"no lab network: {self.log.read_text()}")
            time.sleep(0.2)
        (self.inner,) = subprocess.run(["pgrep", "-P", str(self.process.pid)], check=True,
                                       capture_output=True, text=True).stdout.split()
        self.under = ["nsenter", "--target", self.inner, "--user", "--net", "--preserve-credentials"]

    def card(self, number, mac, model="virtio-net-pci"):
        return card(mac, f"tap,id=boot,ifname=tap{number},script=no,downscript=no", model)

    def close(self):
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(getattr(self, "inner", self.process.pid)), signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
