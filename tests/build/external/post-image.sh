#!/bin/sh
# SPDX-License-Identifier: MIT
# post-image.sh IMAGES: adds to what is delivered.
set -e
[ "$1" = "$IMAGES_DIR" ]
stat -c %s "$1/domus.iso" >"$1/acme-size.txt"
echo "post-image $SOURCE_DATE_EPOCH" >>"$BASE_DIR/hooks.log"
