# SPDX-License-Identifier: MIT
"""Boot from the network, by each loader of the bundle, without a key: each to the prompt, with the
guest running."""
import hashlib
import re
import subprocess
import time

import pexpect
import pytest

import netboot
from guests import wait_first
from qemu import DEAD, FAILED, MENU, OUT, PROMPT, SRC, WORK, scale

MACS = [f"52:54:00:97:00:0{i}" for i in range(1, 4)]
NO_PXE = [x for v in (4, 6) for x in
          ("-fw_cfg", f"name=opt/org.tianocore/IPv{v}PXESupport,string=no")]
PAYLOAD = {"domus": "hv/domus", "vmlinuz": "dom0-initrd/vmlinuz", "initrd": "images/initrd"}


@pytest.fixture
def bundle():
    return netboot.copy_bundle(WORK / "netboot")


def check(m, words=()):
    m.to_prompt()
    assert wait_first(m), "the image has no guest that starts by itself"
    line = m.run("cat /proc/cmdline; xl info | grep xen_commandline")
    for word in words:
        assert word in line.split(), line
    m.check_clean()


def start(boot, nic, **words):
    return boot(medium="network", nic=nic, **words)


def test_pxelinux(boot, bundle):
    netboot.add_machine(bundle, MACS[0], "wait=1", "dom0=lab.mac=one")
    check(start(boot, netboot.user_card(MACS[0], bundle, "pxelinux.0", "e1000")), ["lab.mac=one"])


@pytest.mark.matrix
def test_ipxe_tftp(boot, bundle):
    netboot.add_machine(bundle, MACS[0], "wait=0", "hv=dom0_max_vcpus=1", "dom0=lab.mac=two")
    check(start(boot, netboot.user_card(MACS[0], bundle, "boot.ipxe")),
          ["lab.mac=two", "dom0_max_vcpus=1"])


@pytest.mark.matrix
def test_ipxe_http(boot, bundle):
    with netboot.http_server(bundle) as port:
        check(start(boot, netboot.user_card(MACS[0], bundle,
                                            f"http://10.0.2.2:{port}/boot.ipxe")))


@pytest.mark.matrix
def test_uefi_pxe(boot, bundle):
    netboot.add_machine(bundle, MACS[0], "entry=verbose", "dom0=lab.mac=three")
    check(start(boot, netboot.user_card(MACS[0], bundle, "grubx64.efi", netboot.NO_ROM),
                firmware="uefi", machine="q35"), ["lab.mac=three", "loglvl=all"])


@pytest.mark.matrix
@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
def test_uefi_pxe_program(boot, bundle, own):
    """domus.efi by the firmware's own PXE asks the server for the rest: what all get, or one machine's own."""
    if own:
        netboot.add_machine(bundle, MACS[0], "entry=serial", "hv=dom0_max_vcpus=1", "dom0=lab.mac=five")
    m = start(boot, netboot.user_card(MACS[0], bundle, "domus.efi", netboot.NO_ROM), firmware="uefi",
              machine="q35")
    check(m, ["lab.mac=five", "console=com1", "dom0_max_vcpus=1"] if own else [])
    config = "machines\\52-54-00-97-00-01.efi.cfg, section [serial]" if own else "domus.cfg, section [normal]"
    assert f"Domus: {config}" in m.text()


@pytest.mark.matrix
def test_uefi_pxe_program_without_kernel(boot, bundle):
    (bundle / "vmlinuz").unlink()
    m = start(boot, netboot.user_card(MACS[0], bundle, "domus.efi", netboot.NO_ROM), firmware="uefi",
              machine="q35")
    m.wait(r"Domus: vmlinuz: not found\.", dead=())
    m.wait(r"Domus: not started", dead=())


@pytest.mark.matrix
@pytest.mark.parametrize("protocol", ["tftp", "http"])
def test_uefi_ipxe(boot, bundle, protocol):
    """iPXE's menu starts domus.efi, which finds configuration, kernel and initrd in iPXE's file system."""
    netboot.add_machine(bundle, MACS[0], "entry=serial", "hv=dom0_max_vcpus=1", "dom0=lab.mac=four")
    with netboot.http_server(bundle) as port:
        first = f"http://10.0.2.2:{port}/boot.ipxe" if protocol == "http" else "boot.ipxe"
        m = start(boot, netboot.user_card(MACS[0], bundle, first), firmware="uefi", machine="q35")
        check(m, ["lab.mac=four", "console=com1", "dom0_max_vcpus=1"])
    assert "Domus: domus.cfg, section [serial]" in m.text()


@pytest.mark.matrix
def test_uefi_ipxe_without_domus_efi(boot, bundle):
    """With another hypervisor in the bundle the script has GRUB do it."""
    (bundle / "domus.efi").unlink()
    netboot.add_machine(bundle, MACS[0], "wait=0", "dom0=lab.mac=five")
    m = start(boot, netboot.user_card(MACS[0], bundle, "boot.ipxe"), firmware="uefi", machine="q35")
    check(m, ["lab.mac=five"])
    assert "domus.cfg, section" not in m.text()


@pytest.mark.matrix
def test_uefi_http_unified(boot, bundle):
    """The firmware loads all of it by HTTP as one file, and starts that."""
    unified = WORK / "domus-unified.efi"
    subprocess.run([SRC / "scripts/unify-efi", unified, OUT / "hv/domus.efi", OUT / "images/domus.cfg",
                    OUT / PAYLOAD["vmlinuz"], OUT / PAYLOAD["initrd"]], check=True)
    (bundle / "domus-unified.efi").unlink(missing_ok=True)
    unified.rename(bundle / "domus-unified.efi")
    # As docs/netboot.md says: what the firmware loads is named anew, the rest of the server is as it was.
    lab = netboot.Lab(bundle, 1, "dhcp-ignore=tag:efi\ndhcp-boot=tag:efihttp,tag:unified,"
                      "http://192.168.97.1/domus-unified.efi\n"
                      f"dhcp-mac=set:unified,{MACS[0]}\n")
    try:
        m = start(boot, lab.card(0, MACS[0], netboot.NO_ROM), firmware="uefi", machine="q35", under=lab.under,
                  args=NO_PXE)
        check(m)
        assert "Domus: kernel from section .kernel" in m.text()
    finally:
        lab.close()


@pytest.mark.matrix
@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
def test_uefi_http_program(boot, bundle, own):
    """domus.efi by the firmware's own HTTP boot asks the server for the rest."""
    if own:
        netboot.add_machine(bundle, MACS[0], "entry=serial", "hv=dom0_max_vcpus=1", "dom0=lab.mac=six")
    lab = netboot.Lab(bundle, 1, "dhcp-ignore=tag:efi\ndhcp-boot=tag:efihttp,tag:program,"
                      f"http://192.168.97.1/domus.efi\ndhcp-mac=set:program,{MACS[0]}\n")
    try:
        m = start(boot, lab.card(0, MACS[0], netboot.NO_ROM), firmware="uefi", machine="q35", under=lab.under,
                  args=NO_PXE)
        check(m, ["lab.mac=six", "console=com1", "dom0_max_vcpus=1"] if own else [])
        config = "machines\\52-54-00-97-00-01.efi.cfg, section [serial]" if own else "domus.cfg, section [normal]"
        assert f"Domus: {config}" in m.text()
    finally:
        lab.close()


@pytest.mark.matrix
def test_uefi_http(boot, bundle):
    """The firmware loads GRUB by HTTP, and GRUB the rest; only a DHCP server can offer that."""
    lab = netboot.Lab(bundle, 1, "dhcp-ignore=tag:efi\n")
    try:
        m = start(boot, lab.card(0, MACS[0], netboot.NO_ROM), firmware="uefi", machine="q35",
                  under=lab.under, args=NO_PXE)
        check(m)
        assert "server http,192.168.97.1" in m.text()
    finally:
        lab.close()


def all_at_prompt(machines, seconds=400):
    """Reads all of them in turn: one that nobody reads stands still when its line is full."""
    waiting, end = list(machines), time.monotonic() + seconds * scale()
    while waiting:
        for m in list(waiting):
            at = m.child.expect([PROMPT, DEAD, FAILED, pexpect.EOF, pexpect.TIMEOUT], timeout=0.3)
            if at == 0:
                waiting.remove(m)
                m.send("\n")
            elif at < 4 or time.monotonic() > end:
                m.fail("no prompt")


# Entry, options for hypervisor and dom0, memory that dom0 has; the loader is as the card says.
CLIENTS = (
    ("bios", ["entry=serial", "wait=1", "dom0=lab.mac=one"], ["lab.mac=one", "console=com1"]),
    ("bios", ["wait=0", "hv=dom0_mem=350M", "dom0=lab.mac=two"], ["lab.mac=two", "dom0_mem=350M"]),
    ("uefi", ["entry=verbose", "dom0=lab.mac=three"], ["lab.mac=three", "guest_loglvl=all"]),
)


@pytest.mark.matrix
def test_lab(boot, bundle):
    """One server, a client by pxelinux, one by iPXE, one by GRUB EFI, at the same time."""
    lab = netboot.Lab(bundle, 3, f"dhcp-mac=set:pxelinux,{MACS[0]}\n")
    try:
        machines = []
        for i, (firmware, words, _) in enumerate(CLIENTS):
            netboot.add_machine(bundle, MACS[i], *words)
            card = lab.card(i, MACS[i], netboot.NO_ROM if firmware == "uefi" else "virtio-net-pci")
            machines.append(start(boot, card, name=f"lab-{i}-{firmware}",
                                  firmware=firmware, mem=1024, smp=1, under=lab.under,
                                  machine="q35" if firmware == "uefi" else "pc"))
        all_at_prompt(machines)
        addresses = set()
        for m, (_, _, wanted) in zip(machines, CLIENTS):
            check(m, wanted)
            addresses.update(m.run("ip -4 -o addr show dev xenbr0 | awk '{print $4}'").split())
        assert len(addresses) == 3 and all(a.startswith("192.168.97.1") for a in addresses)
    finally:
        lab.close()


# What needs no machine.

def test_bundle_is_the_image():
    """The bundle has the same three files as the ISO, and its list of check sums is right."""
    for name, source in PAYLOAD.items():
        assert (netboot.BUNDLE / name).read_bytes() == (OUT / source).read_bytes()
    listed = dict(reversed(x.split()) for x in
                  (netboot.BUNDLE / "SHA256SUMS").read_text().splitlines())
    for name, digest in listed.items():
        assert hashlib.sha256((netboot.BUNDLE / name).read_bytes()).hexdigest() == digest, name
    assert set(PAYLOAD) | {"pxelinux.0", "mboot.c32", "ldlinux.c32", "libcom32.c32", "menu.c32",
                           "grubx64.efi", "boot.ipxe", "grub.cfg", "pxelinux.cfg/default", "domus.efi",
                           "domus.cfg"} <= set(listed)


def test_menus_agree(tmp_path):
    """The three menus have the same entries in the same order, and a config's words in each."""
    config = tmp_path / "config"
    config.write_text('CONFIG_HV_CMDLINE="console=com1,vga word=1"\nCONFIG_BOOT_TIMEOUT=0\n'
                      'CONFIG_DOM0_CMDLINE="console=hvc0 console=tty0 word=2"\n'
                      "CONFIG_SERIAL_BAUD=115200\n")
    (tmp_path / "empty").write_text("")

    def make(loader):
        return subprocess.run([SRC / "images/make-menu", loader, config, MENU, tmp_path / "empty"],
                              check=True, capture_output=True, text=True).stdout

    wanted = ["normal", "serial", "verbose", "safe", "rescue", "disk"]
    grub, pxelinux, ipxe, efi = map(make, ("grub", "pxelinux", "ipxe", "efi"))
    assert [x.split("--id ")[1].split()[0] for x in grub.splitlines()
            if x.startswith("menuentry")] == wanted
    assert [x.split()[1] for x in pxelinux.splitlines() if x.startswith("LABEL ")] == wanted
    assert [x.split()[3] for x in ipxe.splitlines() if x.startswith("item ")] == wanted
    assert re.findall(r"^\[(\w+)\]$", efi, re.M) == wanted[:-1]
    assert "UI menu.c32" not in pxelinux
    for text in (grub, pxelinux, ipxe, efi):
        assert text.count("word=1") == text.count("word=2") == 5
        assert "word=1 console=com1" in text and "domus.rescue" in text


@pytest.mark.parametrize("key", ["v", "n", "", "F1"])
def test_menu_refuses_a_key(tmp_path, key):
    """v moves GRUB's bar down, n is another entry's."""
    (tmp_path / "empty").write_text("")
    menu = tmp_path / "menu.txt"
    menu.write_text(MENU.read_text().replace("key = l\n", f"key = {key}\n"))
    done = subprocess.run([SRC / "images/make-menu", "grub", tmp_path / "empty", menu, tmp_path / "empty"],
                          capture_output=True, text=True)
    assert done.returncode and f"key = {key}: one lower letter" in done.stderr


@pytest.mark.parametrize("words", [("one", "wait=1"), (MACS[0],), (MACS[0], "entry=nosuch"),
                                   (MACS[0], "entry=norm.l"),
                                   (MACS[0], "wait=soon"), (MACS[0], "dom0=a;b"),
                                   (MACS[0], "colour=red")], ids=lambda w: "-".join(w[1:]) or "none")
def test_add_machine_refuses(bundle, words):
    done = subprocess.run([bundle / "add-machine", *words], capture_output=True, text=True)
    assert done.returncode and "add-machine" in done.stderr + done.stdout
    assert not list((bundle / "machines").iterdir())


def test_add_machine_removes(bundle):
    netboot.add_machine(bundle, MACS[0].upper(), "entry=safe")
    mac = MACS[0].replace(":", "-")
    made = [bundle / f"machines/{mac}.cfg", bundle / f"machines/{mac}.ipxe",
            bundle / f"pxelinux.cfg/01-{mac}", bundle / f"machines/{mac}.efi.cfg"]
    assert all(x.exists() for x in made) and "DEFAULT safe" in made[2].read_text()
    assert "default=safe\n" in made[3].read_text()
    netboot.add_machine(bundle, MACS[0], "remove")
    assert not any(x.exists() for x in made)


@pytest.mark.parametrize("iface, said", [("", "which network?"), ("nosuch0", "no interface nosuch0"),
                                         ("lo", "no /24")])
def test_serve_refuses(iface, said):
    done = subprocess.run([SRC / "images/netboot-serve", netboot.BUNDLE, iface],
                          capture_output=True, text=True)
    assert done.returncode == 1 and said in done.stderr, done.stderr
