# SPDX-License-Identifier: MIT
"""Fixtures of the boot tests, and their order.

boot(...) starts a machine of the test's own, on the release image or, when it is given options
or files, on an image made for it; all of them end with the test.
dom0 is one machine at the prompt that the tests of a running system share: four CPUs and
every kind of disk and network card.  first_guest is the guest that starts there by itself;
the tests with dom0 do not have it any more.
"""
import time

import pytest

import qemu
import rig
from gdbstub import Stub
from image import make_iso
from qemu import ISO, THREADS, WORK, Machine, scale

IMAGE_WORDS = ("hv_args", "dom0_args", "kernel", "initrd", "hypervisor")


# One machine runs at a time: the shared one first, and it ends when a test starts its own.
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: ("first_guest" not in item.fixturenames,
                                 "dom0" not in item.fixturenames,
                                 item.module.__name__ != "test_smoke"))


def pytest_report_header():
    return f"boot tests: {ISO}, waits are stretched by {scale():.1f}"


@pytest.fixture
def boot(request, shared_machine):
    machines, images = [], []
    shared_machine.close()

    def start(name=None, **words):
        image = {w: words.pop(w) for w in IMAGE_WORDS if w in words}
        if image:
            words["iso"] = make_iso(**image)
            images.append(words["iso"])
        machines.append(Machine(name or request.node.name, **words))
        return machines[-1]

    yield start
    for m in machines:
        m.close()
    for i in images:
        i.unlink(missing_ok=True)


@pytest.fixture
def boot_on_threads(boot):
    """The same with a thread for each CPU, at the prompt."""
    return lambda **words: qemu.boot_on_threads(lambda: boot(accel=THREADS, **words))


@pytest.fixture
def stub():
    """gdb's way into a machine that was started with stub.args()."""
    path = WORK / f"gdb.{time.monotonic_ns()}"
    yield Stub(path)
    path.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def shared_machine(tmp_path_factory):
    with rig.Rig(tmp_path_factory.mktemp("rig")) as r:
        yield r


@pytest.fixture
def dom0(shared_machine):
    """The shared machine; one that a test has broken is started again."""
    return shared_machine.alone()


@pytest.fixture
def first_guest(shared_machine):
    return shared_machine.first_guest()
