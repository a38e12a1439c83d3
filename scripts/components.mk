# SPDX-License-Identifier: MIT
# One part at a time: COMPONENT (or -build), -rebuild, -dirclean, -source, -extract, -show-info, -show-depends.
# Components are hv, dom0, images and guests-NAME for each guest, external trees' included.

guest-names := $(sort $(patsubst guests/%/Makefile,%,$(wildcard guests/*/Makefile)) $(ext-names))
components  := hv dom0 images $(addprefix guests-,$(guest-names))

# What a component makes, where, from which folder, and whether the configuration has it.
comp-out/hv     := $(hv-bin) $(hv-efi)
comp-out/dom0   := $(initrd) $(dom0-kernel)
comp-out/images := $(iso)
comp-dir/hv     := $(HVO)
comp-dir/dom0   := $(D0)
comp-dir/images := $(IMG)
comp-src/hv     := $(hv-src)
comp-src/dom0   := dom0-initrd
comp-src/images := images
comp-index/dom0 := $(D0)/packages.tsv
comp-on/hv := y
comp-on/dom0 := y
comp-on/images := y
$(foreach n,$(guest-names),\
	$(eval comp-out/guests-$(n) := $(filter $(GST)/$(n)/%,$(guest-trees-y)))\
	$(eval comp-dir/guests-$(n) := $(GST)/$(n))\
	$(eval comp-src/guests-$(n) := $(or $(filter %/$(n),$(ext-guests-y)),$(call guest-src,$(n))))\
	$(eval comp-index/guests-$(n) := $(filter $(GST)/$(n)/%,$(guest-index-y)))\
	$(eval comp-on/guests-$(n) := $(if $(filter $(GST)/$(n)/%,$(guest-trees-y)),y)))
comp-needs/images := hv dom0 $(foreach n,$(guest-names),$(if $(comp-on/guests-$(n)),guests-$(n)))

off = $(if $(comp-on/$(1)),,echo "$@: the configuration does not have $(1)" >&2; exit 1;)

define component
.PHONY: $(1) $(addprefix $(1)-,build rebuild dirclean source extract show-info show-depends)
$(1): $(1)-build
$(1)-build: $(comp-out/$(1))
	$$(Q)$$(call off,$(1)):
$(1)-dirclean:
	$$(call say,CLEAN,$(1))
	$$(Q)rm -rf $(comp-dir/$(1))
$(1)-rebuild:
	$$(Q)$$(call off,$(1)):
	$$(Q)$$(MAKE) $(1)-dirclean
	$$(Q)$$(MAKE) $(1)-build
$(1)-source: $(comp-index/$(1))
	@$(if $(comp-index/$(1)),cut -f3 $(comp-index/$(1)),echo "$(1) needs no downloads")
$(1)-extract: $(if $(comp-index/$(1)),$(dir $(comp-index/$(1)))unpacked)
	@$(if $(comp-index/$(1)),:,echo "$(1) has no packages to unpack")
$(1)-show-depends:
	@echo '$(strip $(comp-needs/$(1)))'
$(1)-show-info: $(comp-index/$(1)) $(if $(comp-index/$(1)),$(dir $(comp-index/$(1)))unpacked)
	@scripts/show-info '$(1)' '$(comp-src/$(1))' '$(comp-dir/$(1))' '$(comp-on/$(1))' '$(comp-needs/$(1))' \
		'$(comp-out/$(1))' '$(DL)' '$(comp-index/$(1))' $(pkg-trees)
endef
$(foreach c,$(components),$(eval $(call component,$(c))))

.PHONY: list-components show-info
list-components:
	@printf '%s\n' $(foreach c,$(components),'$(c)$(if $(comp-on/$(c)),, (off))')
show-info: $(addsuffix -show-info,$(components))

# What needs what, for Graphviz: components, and the Debian packages of each.
graphs := $(O)/graphs
.PHONY: graph-depends
graph-depends: $(foreach c,$(components),$(comp-index/$(c)))
	$(Q)mkdir -p $(graphs)
	$(Q){ echo '// SPDX-License-Identifier: MIT'; echo 'digraph domus {'; echo '	rankdir=LR;'; \
		printf '	"%s" -> "%s";\n' $(foreach c,$(components),$(foreach n,$(comp-needs/$(c)),'$(c)' '$(n)')); \
		$(foreach c,$(components),$(if $(comp-index/$(c)),sed 's/	.*//; s/.*/	"$(c)" -> "&";/' $(comp-index/$(c));)) \
		echo '}'; } > $(graphs)/depends.dot
	$(Q)if command -v dot >/dev/null; then dot -Tsvg -o $(graphs)/depends.svg $(graphs)/depends.dot; fi
	@echo "$(call rel,$(graphs)/depends.dot): a graph for dot (package graphviz)"
