# SPDX-License-Identifier: MIT
# Domus: one menu, one build.  `make help` lists what it can do.
#
# The configuration lives in .config here, or in the output folder when O= is given.
# Everything generated goes to $(O); downloads go to $(DL).  The folders' own Makefile
# fragments are included, so one make sees every dependency.

SHELL       := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
MAKEFLAGS += --no-print-directory
unexport CONFIG_

S := $(CURDIR)
ifneq ($(KBUILD_OUTPUT),)
  O ?= $(KBUILD_OUTPUT)
endif
ifeq ($(origin O),undefined)
  override O := $(S)/out
  DOTCONFIG  := $(S)/.config
else
  override O := $(abspath $(O))
  DOTCONFIG  := $(O)/.config
  own-output := y
endif
ifneq ($(origin KCONFIG_CONFIG),undefined)
  DOTCONFIG := $(abspath $(KCONFIG_CONFIG))
endif
DL ?= $(S)/dl

DEFAULT_CONFIG ?= qemu_x86_64_defconfig

# Settings of one's own for the build, as Buildroot's: variables, and X_OVERRIDE_SRCDIR (scripts/override.mk).
OVERRIDE_FILE ?= $(dir $(DOTCONFIG))local.mk
-include $(OVERRIDE_FILE)

# JLEVEL=n is -jn for those who cannot give that, as in local.mk; 0: one job a CPU. A -j counts before it.
ifneq ($(JLEVEL),)
  ifeq ($(filter -j%,$(MAKEFLAGS)),)
    MAKEFLAGS += -j$(if $(filter 0,$(JLEVEL)),$(shell nproc),$(JLEVEL))
  endif
endif

# Reproducible output: one date for everything, and nothing of the builder's locale.
# The first build in a folder decides, unless the environment does: parts of two dates never mix.
ifeq ($(origin SOURCE_DATE_EPOCH),undefined)
  SOURCE_DATE_EPOCH := $(or $(file <$(O)/.date),$(shell git -C $(S) log -1 --format=%ct 2>/dev/null),1790000000)
endif
export SOURCE_DATE_EPOCH
export LC_ALL := C
export TZ     := UTC
export PYTHONDONTWRITEBYTECODE := 1

# V=1 shows the commands instead of the short lines, V=2 the short lines with the reason for each; make -s
# shows neither.
V ?= 0
why = $(if $(filter 2,$(V)), - due to $(or $(if $(findstring /,$@),$(if $(wildcard $@),,target missing)),$(strip \
	$(call rel,$(filter-out FORCE,$?))),being asked for))
ifneq ($(filter 0 2,$(V)),)
  Q := @
  say = @printf '  %-7s %s\n' '$(1)' '$(2)$(why)'
else
  Q :=
  say = @:
endif
ifneq ($(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),)
  say = @:
endif
rel = $(patsubst $(S)/%,%,$(1))

.PHONY: all world
all:
world: all

config-goals := config menuconfig nconfig xconfig gconfig defconfig %_defconfig %.config savedefconfig \
	update-defconfig oldconfig olddefconfig syncconfig listnewconfig helpnewconfig list-defconfigs \
	allnoconfig allyesconfig alldefconfig randconfig
plain-goals  := help clean distclean mrproper check-style check-layers check-abi-table check-docs \
	check-security check-kconfig format bootstrap

goals        := $(or $(MAKECMDGOALS),all)
build-goals  := $(filter-out $(config-goals) $(plain-goals),$(goals))

# `make defconfig all`: configuration first, then the rest, one after the other.
mixed := $(and $(filter $(config-goals) clean distclean mrproper,$(goals)),$(word 2,$(goals)))

ifneq ($(mixed),)

.PHONY: $(goals) one-by-one
$(goals): one-by-one
	@:
one-by-one:
	$(Q)$(foreach g,$(goals),$(MAKE) $(g);)

else

ifneq ($(filter-out $(plain-goals),$(goals)),)
  include scripts/external.mk
endif
include scripts/config.mk
include scripts/checks.mk

ifneq ($(build-goals),)
  include $(auto.conf)
  include scripts/override.mk
  include scripts/version.mk
  include hv/Makefile
  include dom0-initrd/Makefile
  include guests/Makefile
  include images/Makefile
  include scripts/deliver.mk
  include scripts/components.mk
endif

# Variables of the build: make printvars VARS="CONFIG_% iso", % stands for anything.
.PHONY: printvars
printvars: $(auto.conf)
	@:$(foreach v,$(sort $(filter $(or $(VARS),%),$(.VARIABLES))),$(if \
		$(filter file override command%,$(origin $(v))),$(info $(v)=$($(v)))))

.PHONY: help clean distclean mrproper
help:
	@sed 1d scripts/help.txt

# clean keeps the configuration and the downloads.
clean:
	$(call say,CLEAN,$(call rel,$(O)))
	$(Q)rm -rf $(addprefix $(O)/,hv dom0-initrd guests images tests include graphs legal-info measure inject bench \
		coverage mutants reproducible xl .bootstrap-done .date .post-image .post-image-list)

distclean mrproper: clean
	$(Q)rm -f $(DOTCONFIG) $(DOTCONFIG).old $(dir $(DOTCONFIG))defconfig $(addprefix $(O)/,.external external.in .defconfig)
	$(Q)$(if $(own-output),rm -f $(O)/Makefile)
	$(Q)rm -rf $(S)/dl
	$(Q)rmdir $(O) 2>/dev/null || true

endif
