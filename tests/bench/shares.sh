#!/bin/sh
# SPDX-License-Identifier: MIT
# dom0's init in the bench of the scheduler: dom0 has processor 0, the guests processor 1.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec >/dev/hvc0 2>&1 </dev/null
mkdir -p /dev/pts /var/log/xen/console /run/xen /run/xenstored
mount -t devpts -o gid=5,mode=620 devpts /dev/pts
for m in privcmd evtchn gntdev gntalloc; do insmod /bench/xen-$m.ko; done
insmod /bench/xenfs.ko
mount -t xenfs xenfs /proc/xen
xenstored --pid-file /run/xenstored.pid
xen-init-dom0 >/dev/null
xenconsoled --pid-file=/run/xenconsoled.pid --log=guest --log-dir=/var/log/xen/console

guest() { # NAME WORD
	xl create -q /bench/load.cfg "name=\"$1\"" "extra=\"$2\"" ||
		echo "BENCH note guest $1 was not created"
}

each() { # COMMAND GUEST...
	command=$1
	shift
	for g in "$@"; do xl "$command" "$g"; done
}

# What each of these guests ran, in billionths of the time.  dom0 has to be idle meanwhile: in the
# emulator it takes turns with the second processor.
shares() { # NAME SECONDS GUEST...
	name=$1
	seconds=$2
	shift 2
	ids=
	for g in "$@"; do ids="$ids $(xl domid "$g")"; done
	# shellcheck disable=SC2086
	echo "BENCH share.$name $(/bench/shares "$seconds" $ids)"
}

# dom0 works beside another guest; the emulator is told to change between processors often meanwhile.
late_dom0() { # NAME
	echo "BENCH pulse on"
	sleep 5
	echo "BENCH late.$1 $(/bench/shares sleep 200)"
	echo "BENCH pulse off"
}

for i in 1 2 3 4 5 6 7 8 9; do guest i$i idle; done
late_dom0 alone
guest g1 spin
shares lone 5 g1
guest g2 spin
shares two 5 g1 g2
guest g3 spin
xl sched-credit2 -d g1 -w 100
xl sched-credit2 -d g2 -w 200
xl sched-credit2 -d g3 -w 400
shares weights 10 g1 g2 g3
for g in g1 g2 g3; do xl sched-credit2 -d $g -w 256; done
each pause g2 g3
xl sched-credit2 -d g1 -c 30
shares cap 5 g1
xl sched-credit2 -d g1 -c 0
guest dodge dodge
shares dodge 5 g1 dodge
xl pause dodge
guest yield yield
shares yield 5 g1 yield
xl pause yield
each unpause g2 g3
for i in 4 5 6 7 8 9 10; do guest g$i spin; done
shares ten 10 g1 g2 g3 g4 g5 g6 g7 g8 g9 g10
late_dom0 dom0
guest nap nap
# It tells each few seconds; the first ones fall into what dom0 did to create it.
sleep 12
late=$(grep -h 'probe: nap median' /var/log/xen/console/guest-nap.log | tail -n 1)
echo "BENCH late.nap $(echo "$late" | awk '{ print $4, $6 }')"
each pause nap g3 g4 g5 g6 g7 g8 g9 g10
xl vcpu-pin g1 0 0
echo "BENCH pulse on"
sleep 5
shares apart 5 g1 g2
echo "BENCH end"
while :; do sleep 1000; done
