# SPDX-License-Identifier: MIT
"""What is missing or damaged where the image comes from is named, on both consoles; and the menu's
entries that do not lead to Domus."""
import pytest

import netboot
from image import INITRD, KERNEL, release_iso
from qemu import HV, ISO, OUT, WORK
from test_iso import esp_of

MAC = "52:54:00:97:00:09"
WHOLE = OUT / "images/initrd"


def cut(source, size):
    path = WORK / f"cut.{source.name}"
    WORK.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source.read_bytes()[:size])
    return path


@pytest.fixture
def damaged(boot):
    """A machine with the release image, in which some files are others."""
    made = []

    def start(changed, **words):
        made.append(release_iso(changed))
        return boot(iso=made[-1], **words)

    yield start
    for iso in made:
        iso.unlink()


def both(m, text, dead=()):
    """The line is on the serial console and on the text screen."""
    m.wait(text, 90, dead=dead)
    m.wait_screen(text)


# The loader's own checks: a file is not there, or is no hypervisor any more.
@pytest.mark.parametrize("name", ["initrd", pytest.param("vmlinuz", marks=pytest.mark.matrix),
                                  pytest.param("domus", marks=pytest.mark.matrix)])
def test_missing_file(damaged, name):
    m = damaged({f"boot/{name}": None}, nic=False)
    m.choose(0)
    both(m, f"Domus: cannot load {name}.")
    # A key leads back to the menu; nothing is started without the file.
    m.send("\r")
    m.wait("Domus, serial line only")
    assert "(hv)" not in m.text()


@pytest.mark.matrix
def test_unreadable_file(damaged):
    """A file that cannot be read when the hypervisor is loaded already: it is not started alone."""
    menu = (OUT / "images/grub.cfg").read_text()
    whole = "module2 --nounzip $payload/initrd"
    assert whole in menu
    config = WORK / "unreadable.cfg"
    config.write_text(menu.replace(whole, "module2 --nounzip (hd9)/initrd"))
    m = damaged({"boot/grub/grub.cfg": config}, nic=False)
    m.choose(0)
    both(m, "Domus: cannot load initrd.")
    m.send("\r")
    m.wait("Domus, serial line only")
    assert "(hv)" not in m.text()


@pytest.mark.matrix
def test_missing_file_uefi(damaged):
    m = damaged({"boot/initrd": None}, nic=False, firmware="uefi", machine="q35")
    m.choose(0)
    m.wait("Domus: cannot load initrd.", 90)


@pytest.mark.matrix
def test_truncated_hypervisor(damaged):
    m = damaged({"boot/domus": cut(HV, HV.stat().st_size // 2)}, nic=False)
    m.choose(0)
    both(m, "Domus: cannot load domus.")


@pytest.mark.matrix
def test_truncated_kernel(damaged):
    m = damaged({"boot/vmlinuz": cut(KERNEL, KERNEL.stat().st_size // 2)}, nic=False,
                args=["-action", "shutdown=pause"])
    m.choose(0)
    both(m, "dom0 kernel image is truncated")


@pytest.mark.matrix
def test_truncated_guests(damaged):
    """The file's end is missing: dom0 comes up, says so and offers a rescue shell."""
    size = (INITRD.stat().st_size + WHOLE.stat().st_size) // 2
    m = damaged({"boot/initrd": cut(WHOLE, size)}, nic=False)
    m.choose(0)
    m.wait(r"FAILED: the initrd was cut off on its way here: files are missing", 240)
    m.to_prompt(r"rescue:~# ")
    m.run("fold -w 80 /dev/vcs1 | grep -q 'the initrd was cut off'")


@pytest.mark.matrix
def test_truncated_initrd(damaged):
    """So much is missing that there may be no shell: it is said before Linux panics."""
    m = damaged({"boot/initrd": cut(WHOLE, INITRD.stat().st_size // 2)}, nic=False)
    m.choose(0)
    m.wait(r"Initramfs unpacking failed: [^\r\n]*", 240, dead=())
    m.wait(r"FAILED: the initrd was cut off on its way here: files are missing", 120, dead=())


@pytest.mark.matrix
def test_no_medium(boot):
    """UEFI starts the loader from a partition that somebody has copied alone."""
    alone = WORK / "esp.img"
    alone.write_bytes(esp_of(ISO)[1])
    m = boot(iso=alone, medium="virtio", firmware="uefi", machine="q35", nic=False)
    m.wait(r"Domus: the medium with /boot/domus-[0-9a-f]+\.id is not found", 120)
    m.wait("The loader started from: ")
    alone.unlink()


# The network.

@pytest.mark.matrix
@pytest.mark.parametrize("nic, said", [
    (["-netdev", "hubport,id=none,hubid=7", "-device", "virtio-net-pci,netdev=none"],
     "network: no DHCP server answers on eth0; trying on"),
    (False, "network: no card that this image has a driver for")], ids=("dhcp", "card"))
def test_no_network(boot, nic, said):
    """dom0 comes up all the same, from a CD and without a disk."""
    m = boot(nic=nic)
    m.wait(f"domus: {said}", 300)
    m.send("\n")
    m.wait(r"root@domus:~# ")
    m.plain_shell()
    m.run(f"fold -w 80 /dev/vcs1 | tr -d '\\n' | grep -q '{said}'")
    assert not m.run("ls /sys/block | grep -v -E 'loop|ram|sr|fd'", ok=False).strip()


@pytest.mark.matrix
@pytest.mark.parametrize("loader", ["pxelinux.0", "boot.ipxe", "grubx64.efi"])
def test_missing_on_the_server(boot, loader):
    bundle = netboot.copy_bundle(WORK / "netboot")
    (bundle / "initrd").unlink()
    uefi = loader == "grubx64.efi"
    m = boot(medium="network", nic=netboot.user_card(MAC, bundle, loader),
             firmware="uefi" if uefi else "bios", machine="q35" if uefi else "pc")
    if uefi:
        m.wait("Domus: cannot load initrd.", 120)
    else:
        m.wait_screen("initrd... failed" if loader == "pxelinux.0" else "cannot load initrd", 120)
    assert "(hv)" not in m.text()


@pytest.mark.matrix
def test_no_menu_on_the_server(boot):
    bundle = netboot.copy_bundle(WORK / "netboot")
    (bundle / "grub.cfg").unlink()
    m = boot(medium="network", nic=netboot.user_card(MAC, bundle, "grubx64.efi", netboot.NO_ROM),
             firmware="uefi", machine="q35")
    m.wait(r"no answer from tftp,10\.0\.2\.2 for /grub\.cfg, try 6 of 6", 180)
    m.wait(r"the server tftp,10\.0\.2\.2 does not give /grub\.cfg")


# The other entries.

# Writes a mark to the serial port and stops: mov dx,0x3f8; mov si,text; lodsb; out dx,al; ...
BOOT_SECTOR = (bytes.fromhex("ba f8 03 be 12 7c ac 08 c0 74 03 ee eb f8 f4 eb fd 90".replace(" ", ""))
               + b"the disk's own\r\n\0").ljust(510, b"\0") + b"\x55\xaa"


def test_local_disk(boot):
    """Not the stick that the menu comes from, but the disk beside it."""
    disk = WORK / "local.img"
    disk.write_bytes(BOOT_SECTOR.ljust(1 << 20, b"\0"))
    m = boot(medium="usb", nic=False, args=["-drive", f"file={disk},format=raw,if=ide"])
    m.choose(6)
    m.wait("the disk's own", 60)
    disk.unlink()


@pytest.mark.matrix
def test_no_local_disk(boot):
    m = boot(nic=False)
    m.choose(6)
    both(m, "Domus: no local disk has a boot sector.")


@pytest.mark.matrix
@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_memory_test(boot, firmware):
    m = boot(nic=False, firmware=firmware, machine="q35" if firmware == "uefi" else "pc", mem=512)
    m.choose(5)
    m.wait("Memtest86", 120)
