#!/bin/sh
# SPDX-License-Identifier: MIT
# dom0's init in the bench of the scheduler: dom0 has processor 0, the guests processor 1.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/hvc0 2>&1 </dev/null
n=0

guest() { # WORD CPU
	n=$((n + 1))
	xl create -q /bench/load.cfg "name=\"g$n\"" "extra=\"$1\"" "cpus=\"${2:-1}\"" ||
		echo "BENCH note guest $1 was not created"
}

guests() { # NUMBER WORD
	for _ in $(seq "$1"); do guest "$2"; done
}

# The whole, then what each guest ran of it, in billionths.  dom0 has to be idle: in the emulator the second
# processor stands still while the first has something to do.
shares() { # NAME SECONDS
	sleep 3
	echo "BENCH share.$1 $(/bench/shares "$2" | awk '{ printf "%s ", $2 }')"
}

end() {
	while [ $n -gt 0 ]; do
		xl destroy g$n
		n=$((n - 1))
	done
	sleep 1
}

# Let go on what init has left in the background: networks, guests that it does not find.
sleep 30
guests 2 spin
shares two 5
end
guests 3 spin
xl sched-credit2 -d g1 -w 100
xl sched-credit2 -d g2 -w 200
xl sched-credit2 -d g3 -w 400
shares weights 10
end
guest spin
xl sched-credit2 -d g1 -c 30
shares cap 5
end
guest spin
guest dodge
shares dodge 5
end
guest spin
guest yield
shares yield 5
end
guest spin
guests 9 idle
shares lone 5
end
guests 10 spin
shares ten 10
echo "BENCH late.dom0 $(/bench/shares sleep 300)"
guest nap
# It tells each seven seconds; the first ones fall into what dom0 did to create it.
sleep 25
late=$(grep -h 'probe: nap median' /var/log/xen/console/guest-g11.log | tail -n 1)
echo "BENCH late.nap $(echo "$late" | awk '{ print $4, $6 }')"
end
guest spin 0
guest spin 1
shares apart 5
echo "BENCH end"
while :; do sleep 1000; done
