# SPDX-License-Identifier: MIT
# A target of the tree's own, that `all` makes too.
$(O)/images/greeting.txt: $(auto.conf)
	$(call say,GEN,$(call rel,$@))
	$(Q)mkdir -p $(@D)
	$(Q)echo $(CONFIG_ACME_GREETING) > $@
all: $(O)/images/greeting.txt
