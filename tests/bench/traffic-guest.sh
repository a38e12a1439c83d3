#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's first process in the bench of traffic.
export PATH=/sbin:/bin:/usr/sbin:/usr/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec >/dev/hvc0 2>&1 </dev/hvc0
insmod /lib/modules/xen-blkfront.ko
insmod /lib/modules/xen-netfront.ko
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ -e /sys/class/net/eth0 ] && [ -e /dev/xvda ] && break
	sleep 1
done
ip link set lo up
ip addr add 10.77.0.9/16 dev eth0
ip link set eth0 up
sleep 3
ping -c 1 10.77.0.1 >/dev/null || echo "BENCH note traffic: no answer from dom0"
/bench/traffic 10.77.0.1 /dev/xvda
sleep 1
poweroff -f
