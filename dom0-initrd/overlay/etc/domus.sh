# SPDX-License-Identifier: MIT
# What the boot scripts share: the consoles, and how to speak on them.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

is_xen() { [ -e /sys/hypervisor/type ] && [ "$(cat /sys/hypervisor/type)" = xen ]; }

# The screen, and the hypervisor's console or, on bare hardware, the serial port.
find_consoles() {
	consoles=
	for c in hvc0 tty1 ttyS0; do
		[ -c /dev/$c ] || continue
		[ $c != ttyS0 ] || ! is_xen || continue
		(: >/dev/$c) 2>/dev/null && consoles="$consoles $c"
	done
	{
		cat /etc/inittab.head
		for c in $consoles; do
			echo "$c::respawn:/sbin/getty -L -i $(login_options) 0 $c $(terminal $c)"
		done
	} >/etc/inittab
	echo "$consoles" >/run/domus/consoles
}

terminal() { case $1 in tty*[0-9]) [ $1 = ttyS0 ] && echo vt102 || echo linux ;; *) echo vt102 ;; esac; }
login_options() { echo "-n -l /sbin/domus-login"; }

say() {
	for c in $(cat /run/domus/consoles); do
		echo "domus: $*" >/dev/$c
	done
}

start_xenconsoled() {
	xenconsoled --pid-file=/run/xenconsoled.pid --log=guest --log-dir=/var/log/xen/console
}

# The first failure is the reason; the consoles become rescue shells.
fail() {
	say "FAILED: $*"
	[ -e /run/domus/rescue ] || echo "$*" >/run/domus/rescue
}
