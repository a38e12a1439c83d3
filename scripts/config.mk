# SPDX-License-Identifier: MIT
# Configuration: the Kconfig tools, and what the build derives from .config.

bootstrap-stamp := $(O)/.bootstrap-done
auto.conf       := $(O)/include/config/auto.conf
autoconf.h      := $(O)/include/generated/autoconf.h

kconfig-files := Kconfig $(wildcard hv/Kconfig hv/*/Kconfig dom0-initrd/Kconfig \
	guests/Kconfig guests/*/Kconfig images/Kconfig)

# kconfig-frontends writes one header per symbol into the current folder, so it runs in $(O).
kconfig = mkdir -p $(O)/include/config $(O)/include/generated && cd $(O) && \
	srctree=$(S) KCONFIG_CONFIG=$(DOTCONFIG) KCONFIG_OVERWRITECONFIG=1 \
	KCONFIG_AUTOCONFIG=$(auto.conf) KCONFIG_AUTOHEADER=$(O)/include/config/all.h \
	KCONFIG_TRISTATE=$(O)/include/config/tristate.conf
check-config = scripts/check-config Kconfig

$(bootstrap-stamp): scripts/packages.txt scripts/bootstrap
	$(Q)mkdir -p $(O)
	$(Q)scripts/bootstrap
	$(Q)touch $@

.PHONY: bootstrap
bootstrap:
	$(Q)scripts/bootstrap

$(DOTCONFIG): | $(bootstrap-stamp)
	@echo "No configuration yet: using configs/$(DEFAULT_CONFIG) (make menuconfig changes it)."
	$(Q)$(check-config) configs/$(DEFAULT_CONFIG)
	$(Q)$(kconfig) kconfig-conf --defconfig=$(S)/configs/$(DEFAULT_CONFIG) Kconfig >/dev/null

# The tools ask about new symbols only when told to (make oldconfig); a build takes defaults.
$(auto.conf): $(DOTCONFIG) $(kconfig-files) scripts/check-config | $(bootstrap-stamp)
	$(call say,CONF,$(call rel,$(DOTCONFIG)))
	$(Q)$(check-config) $(DOTCONFIG)
	$(Q)($(kconfig) kconfig-conf --olddefconfig Kconfig) >/dev/null
	$(Q)($(kconfig) kconfig-conf --silentoldconfig Kconfig) >/dev/null
	$(Q)touch $@

# The hypervisor sees only its own symbols: a new host name does not recompile it.
$(autoconf.h): $(auto.conf) scripts/own-config
	$(Q)scripts/own-config $@ $(O)/include/config/all.h $(filter hv/%,$(kconfig-files))

.PHONY: config menuconfig nconfig oldconfig olddefconfig syncconfig listnewconfig defconfig \
	savedefconfig list-defconfigs allnoconfig allyesconfig alldefconfig randconfig

config: | $(bootstrap-stamp)
	$(Q)$(kconfig) kconfig-conf --oldaskconfig Kconfig
menuconfig: | $(bootstrap-stamp)
	$(Q)$(kconfig) kconfig-mconf Kconfig
nconfig: | $(bootstrap-stamp)
	$(Q)$(kconfig) kconfig-nconf Kconfig
oldconfig listnewconfig: | $(bootstrap-stamp)
	$(Q)$(kconfig) kconfig-conf --$@ Kconfig
syncconfig: | $(bootstrap-stamp)
	$(Q)$(kconfig) kconfig-conf --silentoldconfig Kconfig
olddefconfig: | $(bootstrap-stamp)
	$(Q)if [ -e $(DOTCONFIG) ]; then $(check-config) $(DOTCONFIG); fi
	$(Q)$(kconfig) kconfig-conf --olddefconfig Kconfig
allnoconfig allyesconfig alldefconfig randconfig: | $(bootstrap-stamp)
	$(Q)$(kconfig) kconfig-conf --$@ Kconfig

defconfig: $(DEFAULT_CONFIG)
%_defconfig: | $(bootstrap-stamp)
	$(Q)[ -e configs/$@ ] || { echo "make: there is no configs/$@; make list-defconfigs shows all" >&2; exit 1; }
	$(Q)$(check-config) configs/$@
	$(Q)$(kconfig) kconfig-conf --defconfig=$(S)/configs/$@ Kconfig

DEFCONFIG ?= defconfig
savedefconfig: | $(bootstrap-stamp)
	$(Q)$(kconfig) kconfig-conf --savedefconfig=$(abspath $(DEFCONFIG)) Kconfig
	@echo "Saved the minimal configuration to $(DEFCONFIG)."
list-defconfigs:
	@cd configs && ls *_defconfig
