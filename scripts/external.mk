# SPDX-License-Identifier: MIT
# External trees (DOMUS_EXTERNAL="dir dir"): remembered in the output folder until another list, or an
# empty one, is given.  docs/customizing.md

ifneq ($(origin DOMUS_EXTERNAL),undefined)
  external-dirs := $(abspath $(DOMUS_EXTERNAL))
else
  external-dirs := $(file <$(O)/.external)
endif

external-log := $(shell scripts/external $(O) $(external-dirs) 2>&1)
ifneq ($(.SHELLSTATUS),0)
  $(error $(external-log))
endif
$(O)/external.in: ;
include $(O)/include/external.mk

# In a folder of one's own, `make` alone works too.
ifeq ($(own-output),y)
  wrapper := $(shell scripts/wrapper $(S) $(O))
endif

# run-hooks KIND FOLDER SCRIPTS: own scripts of users, one after the other; the folder is argument 1.
run-hooks = $(foreach h,$(3),echo '  HOOK    $(1) $(call rel,$(h))'; $(hook-env) TARGET_DIR=$(D0)/root $(h) $(2);)
hook-env  = BASE_DIR=$(O) IMAGES_DIR=$(O)/images BINARIES_DIR=$(O)/images \
	DOMUS_SRC=$(S) DOMUS_CONFIG=$(DOTCONFIG)
