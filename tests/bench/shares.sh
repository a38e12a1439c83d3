#!/bin/sh
# SPDX-License-Identifier: MIT
# dom0's init in the bench of the scheduler: dom0 has processor 0, the guests processor 1.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec >/dev/hvc0 2>&1 </dev/null
seconds=10
n=0

guest() { # WORD CPU
	n=$((n + 1))
	xl create -q /bench/load.cfg "name=\"g$n\"" "extra=\"$1\"" "cpus=\"${2:-1}\"" ||
		echo "BENCH note guest $1 was not created"
}

guests() { # NUMBER WORD
	for _ in $(seq "$1"); do guest "$2"; done
}

# Time that passed, then what each guest ran, in ns.
shares() {
	sleep 1
	echo "BENCH share.$1 $(/bench/shares $seconds | awk '{ printf "%s ", $2 }')"
}

end() {
	while [ $n -gt 0 ]; do
		xl destroy g$n
		n=$((n - 1))
	done
	sleep 1
}

guests 2 spin
shares two
end
guest spin 0
guest spin 1
shares apart
end
guests 3 spin
xl sched-credit2 -d g1 -w 100
xl sched-credit2 -d g2 -w 200
xl sched-credit2 -d g3 -w 400
shares weights
end
guest spin
xl sched-credit2 -d g1 -c 30
shares cap
end
guest spin
guest dodge
shares dodge
end
guest spin
guest yield
shares yield
end
guest spin
guests 9 idle
shares lone
end
guests 10 spin
shares ten
echo "BENCH late.dom0 $(/bench/shares sleep 300)"
guest nap
for _ in $(seq 60); do
	sleep 1
	late=$(grep -h 'probe: nap median' /var/log/xen/console/guest-g11.log | tail -n 1)
	[ -z "$late" ] || break
done
echo "BENCH late.nap $(echo "$late" | awk '{ print $4, $6 }')"
end
echo "BENCH end"
while :; do sleep 1000; done
