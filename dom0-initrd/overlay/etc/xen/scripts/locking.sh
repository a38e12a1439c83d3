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
