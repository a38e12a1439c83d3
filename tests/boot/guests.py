# SPDX-License-Identifier: MIT
"""Guests as the tests use them: makes their configurations, types on their consoles, and tells
whether the machine is afterwards as it was before."""
import re
from collections import Counter

from qemu import BootFailure, scale

LOGS = "/var/log/xen/console"
DOM0 = "10.77.0.1"
LINUX = ('kernel="/usr/share/guests/linux/vmlinuz"\nramdisk="/usr/share/guests/linux/initrd"\n'
         'extra="console=hvc0 quiet"\nmemory=96\nvif=["bridge=xenbr1"]')

# Types a line on a guest's console and prints what came, until the mark with the exit code.
# xenconsoled makes the terminal raw and writes all output to the log, so no program needs to
# hold the console open.
TYPE = r"""cat >/tmp/type <<'TYPE'
#!/bin/sh
# type NAME SECONDS: a command on standard input is run by the shell on that guest's console
log=/var/log/xen/console/guest-$1.log
tty=$(xenstore-read /local/domain/$(xl domid $1)/console/tty) || exit 99
from=$(($(stat -c %s $log) + 1)) end=$(($(date +%s) + $2))
{ cat; echo 'echo =$?='; } >$tty
until tail -c +$from $log | grep -q '=[0-9][0-9]*='; do
	[ $(date +%s) -lt $end ] || { tail -c +$from $log; exit 98; }
	usleep 50000
done
tail -c +$from $log | sed -n '/=[0-9][0-9]*=/q; p'
exit $(tail -c +$from $log | sed -n 's/.*=\([0-9][0-9]*\)=.*/\1/p' | head -n 1)
TYPE
chmod +x /tmp/type"""


def upload(machine, script):
    """Makes one of these scripts in dom0, once."""
    if script not in machine.uploaded:
        machine.run(script)
        machine.uploaded.add(script)


class Guest:
    """A guest by its name; config is the text of its configuration but for the
    name; None is a guest of the image, with its file in /etc/xen."""

    def __init__(self, machine, name, config=LINUX):
        self.machine, self.name, self.file = machine, name, f"/tmp/{name}.cfg"
        self.log = f"{LOGS}/guest-{name}.log"
        if config is None:
            self.file = f"/etc/xen/{name}.cfg"
        else:
            machine.run(f"cat >{self.file} <<'E'\nname=\"{name}\"\n{config}\nE")

    def create(self, ok=True):
        """Starts it, and returns what xl said."""
        self.machine.run(f"rm -f {self.log}")
        return self.machine.run(f"xl create -q {self.file} 2>&1", 120, ok=ok)

    def read_log(self):
        return self.machine.run(f"cat {self.log}", ok=False)

    def wait_log(self, text, seconds=120, count=1):
        """Waits until the log has so many lines with the text, an extended expression."""
        turns = int(seconds * scale() * 2)
        self.machine.run(f"i=0; until [ $(cat {self.log} 2>/dev/null | grep -cE '{text}') -ge "
                         f"{count} ]; do i=$((i+1)); [ $i -lt {turns} ] || break; "
                         "usleep 500000; done", seconds + 60)
        got = self.read_log()
        if len(re.findall(text, got)) < count:
            raise BootFailure(f"guest {self.name} does not print {text!r}: {got[-1500:]}")
        return got

    def wait_up(self, seconds=120, count=1):
        """Waits for the Linux guest's line and then makes its shell plain; its address."""
        got = self.wait_log("guest: .* is up: ", seconds, count)
        self.wait_log("root@", 60)
        self.plain_shell()
        return re.findall(r"guest: \S+ is up: .* eth0 ([\d.]+)/", got)[-1:]

    def plain_shell(self):
        upload(self.machine, TYPE)
        self.type("stty -echo; exec sh /proc/self/fd/0", ok=False)
        self.type("true")

    def type(self, command, seconds=60, ok=True):
        """Runs a command in the guest and returns what it printed."""
        out = self.machine.run(f"/tmp/type {self.name} {int(seconds * scale())} <<'E'\n"
                               f"{command}\nE", seconds + 30, ok=False)
        if self.machine.status in (98, 99) or ok and self.machine.status:
            raise BootFailure(f"`{command}` in guest {self.name} ended with "
                              f"{self.machine.status}: {out[-1500:]}")
        return out

    def send(self, line):
        """Types a line on the console, where no shell may be listening yet."""
        self.machine.run("tty=$(xenstore-read /local/domain/$(xl domid "
                         f"{self.name})/console/tty) && echo '{line}' >$tty")

    def row(self):
        """Its line of xl list: id, memory, vcpus, state."""
        for line in self.machine.run("xl list").splitlines()[1:]:
            words = line.split()
            if words[0] == self.name:
                return {"id": int(words[1]), "mem": int(words[2]), "vcpus": int(words[3]),
                        "state": words[4]}
        return None

    def shutdown(self, seconds=60):
        """xl returns when the guest has stopped; its monitor destroys it a little later."""
        turns = int(seconds * scale() * 5)
        self.machine.run(f"(xl shutdown -w {self.name} && i=0; while xl domid {self.name} "
                         f">/dev/null 2>&1; do i=$((i+1)); [ $i -lt {turns} ] || exit 1; "
                         "usleep 200000; done)", 2 * seconds)


# What guests take and must give back, as xl, xenstore and the kernel tell it.
STATE = r"""cat >/tmp/state <<'STATE'
#!/bin/sh
i=0
while xl list | grep -vqE '^(Name|Domain-0) ' || ls /sys/class/net | grep -q '^vif' ||
	losetup -a | grep -q . || pidof xl >/dev/null; do
	i=$((i + 1))
	[ $i -lt ${1:-150} ] || break
	usleep 200000
done
sync
echo 3 >/proc/sys/vm/drop_caches
xl list | awk 'NR > 1 { print "domain", $1 }'
xl info | grep _memory
for d in /local/domain /vm /libxl /local/domain/0/backend/vbd /local/domain/0/backend/vif; do
	xenstore-list $d 2>/dev/null | sed "s,^,$d/,"
done
losetup -a
ls -d /sys/class/net/* /sys/bus/xen-backend/devices/* /run/domus/dhcp-hosts/* 2>/dev/null
ps -o comm | grep -E '^(xl|xenstored|xenconsoled|block|vif)' | sort
STATE
chmod +x /tmp/state"""


def snapshot(machine):
    """What guests take and must give back: to be compared before and after."""
    upload(machine, STATE)
    tools = machine.run(f"/tmp/state {int(150 * scale())}", 120).splitlines()
    lines = machine.debug_key("meg")
    (mem,) = [x for x in lines if "hypervisor heap:" in x]
    free, heap, lists = re.search(r"free: (\d+) KiB; hypervisor heap: (\d+) KiB.*lists (\w+)",
                                  mem).groups()
    ports = Counter(m[1] for m in (re.search(r"\(hv\) +\d+ (\w+) +v\d", x) for x in lines) if m)
    grants = [x for x in lines if re.search(r"mappings of others|frame 0x\w+ readers", x)]
    return {"free": int(free), "heap": int(heap), "lists": lists, "ports": dict(ports),
            "grants": grants, "tools": tools}


def check_audit(machine):
    """The hypervisor recounts every page's type and references."""
    lines = [x for x in machine.debug_key("A", 300) if "audit: " in x]
    errors = [int(n) for x in lines for n in re.findall(r"audit: d\d+: (\d+) errors?", x)]
    assert errors and not any(errors), lines
    assert any("free lists in order" in x for x in lines), lines


def check_same(machine, before, kept=0):
    """All is as it was in the snapshot, and the hypervisor's counts are right; kept: KiB that the
    hypervisor's heap may have grown by."""
    after = snapshot(machine)
    more = after["heap"] - before["heap"]
    if 0 < more <= kept:
        after["heap"] -= more
        after["free"] += more
    changed = {k: (before[k], after[k]) for k in before if before[k] != after[k]}
    assert not changed, f"before and after: {changed}"
    check_audit(machine)


def wait_first(machine):
    """The guest that a release image starts by itself, when it is up; None without one."""
    if not machine.run("ls /etc/xen/auto", ok=False).strip():
        return None
    turns = int(120 * scale())
    machine.run("i=0; until [ -s /run/domus/create.log ] || xl domid linux >/dev/null 2>&1; do "
                f"i=$((i+1)); [ $i -lt {turns} ] || break; sleep 1; done", 180)
    guest = Guest(machine, "linux", None)
    guest.wait_log("guest: linux is up: ", 180)
    return guest


def end_first(machine):
    """For tests that want dom0 alone."""
    guest = wait_first(machine)
    if guest and guest.row():
        guest.shutdown()
        snapshot(machine)
