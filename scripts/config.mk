# SPDX-License-Identifier: MIT
# Configuration: the Kconfig tools, and what the build derives from .config.

bootstrap-stamp := $(O)/.bootstrap-done
auto.conf       := $(O)/include/config/auto.conf
autoconf.h      := $(O)/include/generated/autoconf.h

kconfig-files += Kconfig Kconfig.legacy scripts/Kconfig $(wildcard hv/Kconfig hv/*/Kconfig dom0-initrd/Kconfig \
	guests/Kconfig guests/*/Kconfig images/Kconfig)

# kconfig-frontends writes one header per symbol into the current folder, so it runs in $(O).
kconfig = mkdir -p $(O)/include/config $(O)/include/generated && cd $(O) && \
	srctree=$(S) KCONFIG_CONFIG=$(DOTCONFIG) KCONFIG_OVERWRITECONFIG=1 \
	KCONFIG_AUTOCONFIG=$(auto.conf) KCONFIG_AUTOHEADER=$(O)/include/config/all.h \
	KCONFIG_TRISTATE=$(O)/include/config/tristate.conf
check-config = $(kconfig) $(S)/scripts/check-config Kconfig
load-config  = $(kconfig) $(S)/scripts/load-config

# The editors would drop what is misspelt in .config: it is checked before they start.
check-old = if [ -e $(DOTCONFIG) ]; then ($(check-config) $(DOTCONFIG)); fi

$(bootstrap-stamp): scripts/packages.txt scripts/bootstrap
	$(Q)mkdir -p $(O)
	$(Q)scripts/bootstrap
	$(Q)touch $@

.PHONY: bootstrap
bootstrap:
	$(Q)scripts/bootstrap

# Where NAME_defconfig and NAME.config are: the last external tree wins. A fragment may also be
# named with its path.
config-dirs := $(S)/configs $(addsuffix /configs,$(external-dirs))
find-config = $(lastword $(wildcard $(addsuffix /$(1),$(config-dirs))) $(if $(findstring /,$(1)),$(wildcard $(abspath $(1)))))
default-file = $(or $(if $(DEFCONFIG),$(abspath $(DEFCONFIG))),$(call find-config,$(DEFAULT_CONFIG)),configs/$(DEFAULT_CONFIG))

$(DOTCONFIG): | $(bootstrap-stamp)
	@echo "No configuration yet: using $(call rel,$(default-file)) (make menuconfig changes it)."
	$(Q)$(load-config) defconfig $(DOTCONFIG) $(default-file)

# The tools ask about new symbols only when told to (make oldconfig); a build takes defaults.
$(auto.conf): $(DOTCONFIG) $(kconfig-files) $(O)/external.in scripts/check-config scripts/kconfig.py \
		| $(bootstrap-stamp)
	$(call say,CONF,$(call rel,$(DOTCONFIG)))
	$(Q)$(check-config) $(DOTCONFIG)
	$(Q)($(kconfig) kconfig-conf --olddefconfig Kconfig) >/dev/null
	$(Q)($(kconfig) kconfig-conf --silentoldconfig Kconfig) >/dev/null
	$(Q)touch $@

# The hypervisor sees only its own symbols: a new host name does not recompile it.
$(autoconf.h): $(auto.conf) scripts/own-config
	$(Q)scripts/own-config $@ $(O)/include/config/all.h $(filter hv/%,$(kconfig-files))

.PHONY: config menuconfig nconfig xconfig gconfig oldconfig olddefconfig syncconfig listnewconfig \
	helpnewconfig defconfig savedefconfig update-defconfig list-defconfigs allnoconfig \
	allyesconfig alldefconfig randconfig

config menuconfig nconfig xconfig gconfig oldconfig listnewconfig syncconfig: | $(bootstrap-stamp)

config menuconfig nconfig xconfig gconfig:
	$(Q)$(check-old)
	$(Q)command -v $(editor) >/dev/null || { echo "make $@: $(editor) is not installed. It is in Debian's" \
		"package kconfig-frontends (X11), in place of kconfig-frontends-nox; menuconfig and" \
		"nconfig need no X11." >&2; exit 1; }
	$(Q)$(kconfig) $(editor) $(if $(filter config,$@),--oldaskconfig) Kconfig
	@echo "The configuration is in $(call rel,$(DOTCONFIG))."
config:     editor := kconfig-conf
menuconfig: editor := kconfig-mconf
nconfig:    editor := kconfig-nconf
xconfig:    editor := kconfig-qconf
gconfig:    editor := kconfig-gconf

oldconfig:
	$(Q)$(check-old)
	$(Q)$(kconfig) kconfig-conf --oldconfig Kconfig
syncconfig:
	$(Q)$(check-old)
	$(Q)$(kconfig) kconfig-conf --silentoldconfig Kconfig
listnewconfig:
	$(Q)$(kconfig) kconfig-conf --listnewconfig Kconfig
# kconfig-frontends 4.11 has no --helpnewconfig.
helpnewconfig: | $(bootstrap-stamp)
	$(Q)$(load-config) new $(DOTCONFIG)
olddefconfig: | $(bootstrap-stamp)
	$(Q)$(check-old)
	$(Q)$(kconfig) kconfig-conf --olddefconfig Kconfig

# KCONFIG_ALLCONFIG=file holds values that are fixed; =1 looks for all{yes,no,def,random}.config
# and all.config here. KCONFIG_SEED and KCONFIG_PROBABILITY reach randconfig by the environment.
allconfig-file = $(if $(filter 1,$(KCONFIG_ALLCONFIG)),$(firstword $(wildcard \
	$(S)/$(patsubst %config,%,$(subst rand,allrandom,$@)).config $(S)/all.config)),$(abspath $(KCONFIG_ALLCONFIG)))
export KCONFIG_SEED KCONFIG_PROBABILITY
unexport KCONFIG_ALLCONFIG
allnoconfig allyesconfig alldefconfig randconfig: | $(bootstrap-stamp)
	$(Q)$(if $(KCONFIG_ALLCONFIG),$(check-config) $(or $(allconfig-file),all.config))
	$(Q)$(kconfig) $(if $(KCONFIG_ALLCONFIG),KCONFIG_ALLCONFIG=$(allconfig-file)) kconfig-conf --$@ Kconfig

# DEFCONFIG=file is read by defconfig and written by savedefconfig.
load-defconfig = [ -e $(1) ] || { echo "make: there is no $(call rel,$(1)); make list-defconfigs shows all" >&2; exit 1; }; \
	($(load-config) defconfig $(DOTCONFIG) $(1)); mkdir -p $(O); echo $(1) > $(O)/.defconfig; \
	echo "$(call rel,$(DOTCONFIG)) is made from $(call rel,$(1))."
defconfig: | $(bootstrap-stamp)
	$(Q)$(call load-defconfig,$(default-file))
%_defconfig: | $(bootstrap-stamp)
	$(Q)$(call load-defconfig,$(or $(call find-config,$@),configs/$@))

# make tiny_defconfig debug.config: fragments change an existing configuration.
fragments := $(filter %.config,$(MAKECMDGOALS))
.PHONY: $(fragments)
$(fragments): %: | $(bootstrap-stamp)
	$(Q)[ "$(call find-config,$@)" ] || { echo "make: there is no fragment $@ in configs/; make list-defconfigs shows all" >&2; exit 1; }
	$(Q)$(load-config) fragment $(DOTCONFIG) $(call find-config,$@)
	@echo "$(call rel,$(DOTCONFIG)) is changed by $(call rel,$(call find-config,$@))."

# Without DEFCONFIG: savedefconfig writes ./defconfig (with O= there), update-defconfig the file that
# was loaded last.
save-to = $(or $(if $(DEFCONFIG),$(abspath $(DEFCONFIG))),$(if $(filter update-%,$@),$(file <$(O)/.defconfig)),$(dir $(DOTCONFIG))defconfig)
savedefconfig update-defconfig: $(DOTCONFIG) | $(bootstrap-stamp)
	$(Q)$(check-old)
	$(Q)$(load-config) save $(DOTCONFIG) $(save-to)
	@echo "Saved the minimal configuration to $(call rel,$(save-to))."

list-defconfigs:
	@for d in $(config-dirs); do [ -d $$d ] || continue; echo "$$d:" | sed 's,^$(S)/,,'; \
		for f in $$d/*_defconfig $$d/*.config; do [ ! -e $$f ] || \
		printf '  %-24s %s\n' "$${f##*/}" "$$(sed -n '2s/^# *//p' $$f)"; done; done
