#!/bin/sh
# SPDX-License-Identifier: MIT
# dom0's init in the bench of traffic: what idle guests take of the machine beside their memory, and a Linux
# guest with a disk in dom0's memory and a network.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/hvc0 2>&1 </dev/null
modprobe brd rd_nr=1 rd_size=32768
# The inner network is made beside this.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	ip -4 addr show xenbr1 2>/dev/null | grep -q 10.77.0.1/ && break
	sleep 1
done
sleep 5

/bench/pages none
for size in 4 64; do
	for i in 1 2 3 4; do
		xl create -q /bench/idle.cfg "name=\"g$size.$i\"" memory=$size ||
			echo "BENCH note a guest was not created"
	done
	sleep 1
	/bench/pages $size
done
for size in 4 64; do
	for i in 1 2 3 4; do xl destroy g$size.$i; done
done
sleep 1

/bench/traffic serve &
xl create -F -q /bench/traffic.cfg || echo "BENCH note the guest was not created"
sleep 1
log=/var/log/xen/console/guest-traffic.log
grep -q 'BENCH row' $log || tail -n 20 $log
grep 'BENCH ' $log | tr -d '\r'
echo "BENCH end"
while :; do sleep 1000; done
