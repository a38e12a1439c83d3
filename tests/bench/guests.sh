#!/bin/sh
# SPDX-License-Identifier: MIT
# dom0's init in the bench of guests: a hundred of them, the 1st, 10th and 100th between marks.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/hvc0 2>&1 </dev/null
i=1
while [ $i -le 100 ]; do
	case $i in
	1 | 10 | 100)
		sleep 1
		/bench/creating create_$i created_$i /usr/sbin/xl create -q /bench/idle.cfg "name=\"g$i\""
		;;
	*) xl create -q /bench/idle.cfg "name=\"g$i\"" ;;
	esac || echo "BENCH note guest $i was not created"
	i=$((i + 1))
done
sleep 1
/bench/creating destroy destroyed /usr/sbin/xl destroy g50 || echo "BENCH note no destroy"
echo "BENCH guests $(($(xl list | wc -l) - 2))"
echo "BENCH end"
while :; do sleep 1000; done
