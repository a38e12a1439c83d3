# SPDX-License-Identifier: MIT
# The version, with what a builder adds as in Linux: CONFIG_LOCALVERSION, then LOCALVERSION= of the command
# line or the environment.  The hypervisor, dom0, the ISO's name and label, and the list of parts show it.

localversion  := $(subst ",,$(CONFIG_LOCALVERSION))$(LOCALVERSION)
domus-version := $(shell sed -n 's/^\#define DOMUS_VERSION "\([^"]*\)".*/\1/p' hv/call/version.h)$(localversion)

ifneq ($(shell printf %s '$(subst ','\'',$(localversion))' | grep -cxE '[A-Za-z0-9.+~_-]{0,32}'),1)
  ifneq ($(localversion),)
    $(error LOCALVERSION (menu: General setup): not at most 32 of A-Z a-z 0-9 . + ~ _ -: $(localversion))
  endif
endif

.PHONY: version
version:
	@echo '$(domus-version)'
