# SPDX-License-Identifier: MIT
# What `make check` runs.  A part whose folder does not exist yet says so and is skipped.

.PHONY: check check-matrix check-style check-layers check-abi-table check-docs check-kconfig unit \
	check-branches check-sim check-boot check-fuzz check-mutants fuzz hv-inject sim bench bench-boot pictures \
	compare-xl analyze coverage

check-style check-layers check-abi-table check-docs check-kconfig:
	$(call say,CHECK,$@)
	$(Q)scripts/$@

# The tests that docs/security.md names.
check-docs: check-security
.PHONY: check-security
check-security:
	$(Q)scripts/$@

.PHONY: format
format:
	$(Q)clang-format -i $$(find hv guests -name '*.[ch]')

unit: | $(bootstrap-stamp)
	$(call say,CHECK,unit)
	$(Q)if [ -e tests/unit/Makefile ]; then mkdir -p $(O)/tests/unit; \
		$(MAKE) -C tests/unit O=$(O)/tests/unit check; \
	else echo "unit: skipped, there is no tests/unit yet"; fi

# The fixed corpus; `fuzz` is a million inputs: FUZZ_PURE for each program here, the rest in guests.
FUZZ_PURE   ?= 250000
FUZZ_SEEDS  ?= 1 10
FUZZ_INPUTS ?= 50000

check-fuzz: | $(bootstrap-stamp)
	$(call say,CHECK,fuzz)
	$(Q)$(MAKE) -C tests/fuzz O=$(O)/tests/fuzz check

fuzz: hv probe | $(bootstrap-stamp)
	$(call say,FUZZ,pure floors)
	$(Q)$(MAKE) -C tests/fuzz O=$(O)/tests/fuzz RUNS=$(FUZZ_PURE) fuzz
	$(call say,FUZZ,guest)
	$(Q)DOMUS_OUT=$(O) tests/fuzz/guest $(FUZZ_SEEDS) $(FUZZ_INPUTS)

# A hypervisor with fault injection, of the same configuration otherwise. make does not see that its lines
# call make: hence the +.
make-inject = $(MAKE) O=$(O)/inject DL=$(DL) DOMUS_EXTERNAL="$(external-dirs)" \
	KCONFIG_CONFIG=$(O)/inject/.config OVERRIDE_FILE=$(abspath $(OVERRIDE_FILE))
hv-inject: $(DOTCONFIG)
	$(call say,CHECK,hv-inject)
	$(Q)mkdir -p $(O)/inject
	+$(Q)(cat $(DOTCONFIG); echo CONFIG_HV_FAULT_INJECT=y) | cmp -s - $(O)/inject/.asked || { \
		(cat $(DOTCONFIG); echo CONFIG_HV_FAULT_INJECT=y) > $(O)/inject/.asked; \
		cp $(O)/inject/.asked $(O)/inject/.config; \
		$(make-inject) olddefconfig >/dev/null; }
	+$(Q)$(make-inject) hv

check-branches: hv
	$(call say,CHECK,$@)
	$(Q)scripts/check-branches $(hv-elf)
check-sim: | $(bootstrap-stamp)
	$(call say,CHECK,sim)
	$(Q)mkdir -p $(O)/tests/sim
	$(Q)$(MAKE) -C tests/sim O=$(O)/tests/sim check

# Hours of virtual time, and the picture in docs/.
sim: | $(bootstrap-stamp)
	$(Q)mkdir -p $(O)/tests/sim
	$(Q)$(MAKE) -C tests/sim O=$(O)/tests/sim PICTURE=$(S)/docs/scheduling.svg long picture

# The boot tests find the image and the hypervisor through the environment.
pytest = DOMUS_ISO=$(iso) DOMUS_HV=$(hv-bin) DOMUS_OUT=$(O) DOMUS_SRC=$(S) \
	/usr/bin/python3 -m pytest -p no:cacheprovider $(if $(filter 1,$(V)),-v) $(PYTEST_ARGS)

check-boot: iso hv probe hv-inject
	$(call say,CHECK,boot)
	$(Q)if [ -d tests/boot ]; then $(pytest) -m "not matrix" tests/boot; \
	else echo "boot: skipped, there is no tests/boot yet"; fi

check-matrix: iso hv probe
	$(call say,CHECK,matrix)
	$(Q)if [ -d tests/boot ]; then $(pytest) -m matrix tests/boot; \
	else echo "matrix: skipped, there is no tests/boot yet"; fi

check: check-style check-layers check-abi-table check-docs check-kconfig unit check-fuzz check-branches \
	check-sim check-build check-rebuild-small check-boot
.PHONY: test
test: check

# MUTANTS= chooses some; without it those that have no result yet for this source. MUTANTS_JOBS= at once.
MUTANTS_JOBS ?= 1
check-mutants: | $(bootstrap-stamp)
	$(call say,CHECK,mutants)
	$(Q)DOMUS_OUT=$(O) DOMUS_SRC=$(S) DOMUS_CONFIG=$(DOTCONFIG) tests/mutants/run -j $(MUTANTS_JOBS) $(MUTANTS)

# The whole of it ends with the simulator's picture in docs/.
bench: iso probe
	$(Q)if [ -x tests/bench/run ]; then DOMUS_ISO=$(iso) DOMUS_HV=$(hv-bin) DOMUS_OUT=$(O) \
		DOMUS_SRC=$(S) tests/bench/run $(BENCH_ARGS); \
	else echo "bench: there is no tests/bench/run yet" >&2; exit 1; fi
	$(Q)$(if $(BENCH_ARGS),:,$(MAKE) sim)

bench-boot: iso
	$(Q)DOMUS_HV=$(hv-bin) DOMUS_OUT=$(O) DOMUS_SRC=$(S) tests/bench/boot $(BENCH_ARGS)

# PICTURES=folder instead of docs/; NAMES= of the machines.
pictures: iso netboot
	$(Q)DOMUS_ISO=$(iso) DOMUS_HV=$(hv-bin) DOMUS_OUT=$(O) DOMUS_SRC=$(S) tests/boot/pictures $(NAMES)

# Minutes of one processor; not a part of check.
analyze: hv
	$(call say,CHECK,analyze)
	$(Q)HV_FLAGS='$(hv-cppflags) $(hv-cflags)' scripts/analyze

coverage: iso probe
	$(Q)DOMUS_ISO=$(iso) DOMUS_HV=$(hv-bin) DOMUS_OUT=$(O) DOMUS_SRC=$(S) \
		tests/coverage/run $(COVERAGE_ARGS)

compare-xl: iso
	$(Q)DOMUS_ISO=$(iso) DOMUS_HV=$(hv-bin) DOMUS_OUT=$(O) DOMUS_SRC=$(S) \
		tests/xl/compare $(COMPARE_ARGS)

# The build itself: tests/build. DOMUS_ISO lets them look at the image that is there already.
build-tests = DOMUS_CONFIG=$(DOTCONFIG) DOMUS_ISO=$(iso) DOMUS_HV=$(hv-bin) DOMUS_OUT=$(O) DOMUS_SRC=$(S) DOMUS_DL=$(abspath $(DL)) \
	/usr/bin/python3 -m pytest -p no:cacheprovider $(if $(filter 1,$(V)),-v) $(PYTEST_ARGS)
.PHONY: check-build check-build-long
check-build: iso
	$(call say,CHECK,build)
	$(Q)$(build-tests) -m "not matrix" tests/build
check-build-long: iso
	$(call say,CHECK,build)
	$(Q)$(build-tests) -m matrix tests/build

# N random configurations: what an incremental build makes is what a clean one makes. The short form
# is a part of check and does not build the hypervisor.
N    ?= 5
SEED ?= 1
.PHONY: check-rebuild check-rebuild-small reproducible-check measure-options
check-rebuild: $(auto.conf)
	$(call say,CHECK,rebuild)
	$(Q)nice tests/build/rebuild --first $(SEED) $(O)/tests/rebuild $(abspath $(DL)) $(N)
check-rebuild-small: hv
	$(call say,CHECK,rebuild)
	$(Q)tests/build/rebuild --small --hv $(hv-bin) --first $(SEED) $(O)/tests/rebuild-small $(abspath $(DL)) 2

reproducible-check: $(auto.conf)
	$(call say,CHECK,reproducible)
	$(Q)scripts/reproducible-check $(S) $(DOTCONFIG) $(abspath $(DL)) $(or $(WORK),$(O)/reproducible) $(if $(HV),HV=$(HV)) \
		$(if $(LOCALVERSION),LOCALVERSION=$(LOCALVERSION)) \
		$(if $(external-dirs),DOMUS_EXTERNAL="$(external-dirs)")

# Where the figures of the menu's help texts come from.
measure-options: $(auto.conf)
	$(Q)scripts/measure-options $(O) $(abspath $(DL)) $(OPTIONS)
