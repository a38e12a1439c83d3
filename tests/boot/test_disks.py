# SPDX-License-Identifier: MIT
"""Every kind of thing that can be a guest's disk: attached to a running guest, written, detached."""
from guests import Guest, check_same, snapshot
from rig import disk_name

MIB = "bs=64k count=16"


def test_kinds(dom0):
    whole, pool = disk_name(dom0, "sata"), disk_name(dom0, "nvme")
    dom0.run(f"pvcreate -ff -y /dev/{pool} && vgcreate vg0 /dev/{pool} && "
             "lvcreate -y -W n -L 8M -n data vg0")
    dom0.run("modprobe brd rd_nr=1 rd_size=8192")
    before = snapshot(dom0)
    dom0.run("truncate -s 8M /tmp/file.img")
    kinds = {"xvdb": "/tmp/file.img", "xvdc": f"/dev/{whole}", "xvdd": "/dev/vg0/data",
             "xvde": "/dev/ram0"}
    guest = Guest(dom0, "disks")
    guest.create()
    guest.wait_up()
    sums = {}
    for name, what in kinds.items():
        dom0.run(f"xl block-attach disks {what},raw,{name},rw")
        sums[name] = guest.type(
            f"until [ -b /dev/{name} ]; do sleep 1; done; "
            f"dd if=/dev/urandom of=/dev/{name} {MIB} 2>/dev/null && sync && "
            f"dd if=/dev/{name} {MIB} 2>/dev/null | sha256sum").split()[0]
    assert len(set(sums.values())) == len(kinds)
    listed = dom0.run("xl block-list disks").splitlines()[1:]
    assert len(listed) == len(kinds), listed
    for name in kinds:
        dom0.run(f"xl block-detach disks {name}")
    guest.type("i=0; while ls /dev/xvd* 2>/dev/null; do i=$((i+1)); [ $i -lt 30 ] || exit 1; "
               "sleep 1; done")
    dom0.run("sync; echo 3 >/proc/sys/vm/drop_caches")
    for name, what in kinds.items():
        got = dom0.run(f"dd if={what} {MIB} 2>/dev/null | sha256sum").split()[0]
        assert got == sums[name], f"{what} does not hold what the guest wrote"
    guest.shutdown()
    dom0.run("rm /tmp/file.img")
    check_same(dom0, before)
    dom0.run(f"modprobe -r brd; vgremove -f -y vg0 && pvremove /dev/{pool}")
    dom0.check_clean()
