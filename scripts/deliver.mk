# SPDX-License-Identifier: MIT
# Around the image: the gates before it is made, what is done with it, and what is told about it.

# No boot module above the limits of the configuration and of boot loaders.
$(IMG)/sizes.ok: $(img-hv) $(dom0-kernel) $(img-initrd) $(IMG)/config scripts/check-sizes scripts/contributors.py
	$(Q)scripts/check-sizes $(O) $(CONFIG_INITRD_MAX_SIZE_MB) $(img-hv) $(dom0-kernel) $(img-initrd)
	$(Q)touch $@
$(iso): $(IMG)/sizes.ok $(O)/.date

$(O)/.date: FORCE
	$(Q)echo '$(SOURCE_DATE_EPOCH)' | scripts/if-changed $@

img-netboot := $(if $(CONFIG_NETBOOT),$(netboot)/README)

# Users' own scripts at the end. What they leave in images/ counts as delivered.
img-hooks := $(ext-post-image) $(subst ",,$(CONFIG_POST_IMAGE_SCRIPTS))
$(O)/.post-image-list: FORCE
	$(Q)echo '$(img-hooks)' | scripts/if-changed $@
$(O)/.post-image: $(iso) $(manifest) $(img-netboot) $(O)/.post-image-list $(img-hooks)
	$(Q)[ ! -e $@ ] || (cd $(IMG) && xargs -r -d '\n' rm -rf --) < $@
	$(Q)$(if $(img-hooks),(cd $(IMG) && find . -type f | sort) > $@.before)
	$(Q)$(call run-hooks,post-image,$(IMG),$(img-hooks))
	$(Q)$(if $(img-hooks),(cd $(IMG) && find . -type f | sort | comm -13 $@.before -) > $@.new,: > $@.new)
	$(Q)rm -f $@.before; mv $@.new $@

# The image, its list of packages, the files for booting over a network, users' own.
$(IMG)/SHA256SUMS: $(iso) $(manifest) $(img-netboot) $(O)/.post-image
	$(call say,SUM,$(call rel,$@))
	$(Q)cd $(IMG) && { echo $(notdir $(iso) $(manifest)) | tr ' ' '\n'; \
		[ ! -d netboot ] || find netboot -type f; sed 's,^\./,,' $(O)/.post-image; } | \
		sort -u | xargs -r -d '\n' sha256sum > $@.new
	$(Q)mv $@.new $@
all: $(IMG)/SHA256SUMS

# Packages, and the trees in which their copyright files are.
all-indexes := $(or $(img-index),$(D0)/packages.tsv $(guest-index-y))
pkg-trees   := $(D0)/pkg $(D0)/kernel $(guest-docs-y) $(IMG)/memtest

.PHONY: source fetch external-deps legal-info sbom graph-size
source: $(all-indexes)
	@echo "What this configuration needs is in $(call rel,$(DL)): $$(cat $(all-indexes) | cut -f3 | sort -u | wc -l) packages."
fetch: source
external-deps: $(all-indexes)
	@cat $(all-indexes) | cut -f3 | sort -u
legal-info: $(manifest)
	$(Q)scripts/legal-info $(O)/legal-info $(DL) scripts/packages.txt $(all-indexes) -- $(pkg-trees)
sbom: $(iso)
	$(Q)scripts/sbom $(IMG)/domus.spdx.json $(iso) $(domus-version) $(DL) scripts/packages.txt \
		$(all-indexes) -- $(pkg-trees)
graph-size: $(iso)
	$(Q)scripts/graph-size $(O) $(iso)
