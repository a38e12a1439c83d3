# SPDX-License-Identifier: MIT
# X_OVERRIDE_SRCDIR, set in local.mk or on the command line: a component is built from another folder, in place.
# As with Buildroot's, the names are the components' in capitals, - as _.  docs/customizing.md
#
# HV_OVERRIDE_SRCDIR            a copy of hv/
# GUESTS_NAME_OVERRIDE_SRCDIR   a copy of guests/NAME/
# LINUX_OVERRIDE_SRCDIR         dom0's kernel: a folder with boot/vmlinuz-* and lib/modules/*, or the source
#                               of Linux after `make tar-pkg` or `make dir-pkg`, which leave that in tar-install/

override-of = $(patsubst %/,%,$(strip $($(1)_OVERRIDE_SRCDIR)))
overrides := $(filter %_OVERRIDE_SRCDIR,$(.VARIABLES))
our-guests := $(patsubst guests/%/Makefile,%,$(wildcard guests/*/Makefile))

# name=VARIABLE-PREFIX of each guest; asked for only when there is an override at all.
guest-prefixes := $(if $(overrides),$(shell for n in $(our-guests); do echo "$$n=GUESTS_$$(echo $$n | tr a-z- A-Z_)"; done))
guest-src = $(or $(call override-of,$(patsubst $(1)=%,%,$(filter $(1)=%,$(guest-prefixes)))),guests/$(1))

unknown-overrides := $(filter-out $(addsuffix _OVERRIDE_SRCDIR,HV LINUX $(foreach p,$(guest-prefixes),$(lastword \
	$(subst =, ,$(p))))),$(overrides))
ifneq ($(unknown-overrides),)
  $(error $(unknown-overrides): there is nothing to override by that name; see scripts/override.mk)
endif
$(foreach v,$(overrides),$(if $($(v)),$(if $(filter /%,$($(v))),,$(error $(v) is no absolute path: $($(v))))\
	$(if $(wildcard $($(v))/.),,$(error $(v): there is no folder $($(v))))))
