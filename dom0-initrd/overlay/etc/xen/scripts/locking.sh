# SPDX-License-Identifier: MIT
# In place of the packaged file, which needs bash. The scripts hold one lock at a time; the
# lock ends with the script at the latest.
LOCK_BASEDIR=/run/xen-hotplug

claim_lock() {
	mkdir -p "$LOCK_BASEDIR"
	exec 9>"$LOCK_BASEDIR/$1"
	flock -x 9
}

release_lock() {
	exec 9>&-
}

# The block script sees from losetup's list (device and inode of the files, the device as stat
# prints it) that a disk is in use, and from its help that -r exists. busybox's has neither;
# util-linux's prints the device in decimal, so that its users go unseen. A function, since
# busybox's shell prefers its own commands to those in the path.
losetup() {
	case $1 in
	-a)
		for f in /sys/block/loop*/loop/backing_file; do
			[ -e "$f" ] || continue
			read -r file <"$f"
			f=${f#/sys/block/}
			stat -c "/dev/${f%%/*}: [%D]:%i ($file)" "$file" 2>/dev/null || true
		done
		;;
	-h) echo "-r read-only" ;;
	*) busybox losetup "$@" ;;
	esac
}
