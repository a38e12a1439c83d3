#!/bin/sh
# SPDX-License-Identifier: MIT
# post-build.sh ROOT: changes dom0's file system before it is packed.
set -e
[ "$1" = "$TARGET_DIR" ] && [ -e "$1/etc/acme.conf" ]
. "$DOMUS_CONFIG"
echo "$CONFIG_ACME_GREETING" >"$1/etc/motd"
echo "post-build $DOMUS_EXTERNAL_ACME_PATH" >>"$BASE_DIR/hooks.log"
