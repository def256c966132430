# SPDX-License-Identifier: GPL-2.0-only
#
# Builds lab. `make help` lists the targets and the variables.

VERSION := 0.1.0

O := build
prefix := /usr/local
DESTDIR :=
V := 0
DEBUG := 0
WERROR := 0
SAN :=
OPTIMIZE := -O2 -g

CC := gcc
CLANG := clang
BPFTOOL = $(shell scripts/find-bpftool)
PKG_CONFIG := pkg-config
INSTALL := install

.DELETE_ON_ERROR:
.SUFFIXES:
# Before MAKEFLAGS grows: its first word holds the one-letter flags.
silent := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

machine := $(shell uname -m)
ifneq ($(machine),x86_64)
$(error lab runs on x86_64 only (system calls and their arguments are read from saved registers); this machine is $(machine))
endif

ifeq ($(V),1)
Q :=
say = @:
else ifneq ($(silent),)
Q := @
say = @:
else
Q := @
say = @printf '  %-8s %s\n' $(1) $(2);
endif

# ---- what there is ----

# `make unit dirs="util trace" units=tests/unit/test_trace.c` builds a part.
dirs := $(patsubst userspace/%/,%,$(sort $(wildcard userspace/*/)))
units := $(sort $(filter-out %/unit_main.c,$(wildcard tests/unit/*.c)))

lab_src := $(sort $(foreach dir,$(dirs),$(wildcard userspace/$(dir)/*.c)))
main_src := $(wildcard userspace/lab.c)
bpf_src := $(sort $(wildcard bpf/*.bpf.c))
unit_src := tests/unit/unit_main.c $(units)
fuzz_src := $(sort $(wildcard tests/fuzz/*.c))
assets := $(sort $(wildcard userspace/render/assets/*))

lab_obj := $(lab_src:%.c=$(O)/%.o)
main_obj := $(main_src:%.c=$(O)/%.o)
bpf_obj := $(bpf_src:%.c=$(O)/%.o)
unit_obj := $(unit_src:%.c=$(O)/%.o)
fuzz_obj := $(fuzz_src:%.c=$(O)/%.o)
fuzz_parts := $(addprefix $(O)/tests/unit/,json_text.o model_identities.o unseen_terminal.o) $(lab_obj) $(O)/sources
record_obj := $(filter $(O)/userspace/record/%,$(lab_obj))
cli_obj := $(filter $(O)/userspace/cli/%,$(lab_obj)) $(main_obj)
skeleton := $(O)/skeleton/lab.skel.h

# ---- flags ----

warnings := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wvla \
	-Wformat-security -Wshadow -Wundef -Wimplicit-fallthrough
harden := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
harden_ld := -pie -Wl,-z,relro,-z,now,-z,noexecstack

ifeq ($(WERROR),1)
warnings += -Werror
endif
ifeq ($(DEBUG),1)
optimize := -Og -g3
else
optimize := $(OPTIMIZE)
endif
ifneq ($(SAN),)
harden += -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
harden_ld += -fsanitize=$(SAN)
else ifneq ($(DEBUG),1)
harden += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif

# CFLAGS and LDFLAGS are the caller's: they come last.
flags := -std=gnu11 $(optimize) $(warnings) $(harden) -D_GNU_SOURCE -Iuserspace -Ibpf
libs = $(or $(shell $(PKG_CONFIG) --libs libbpf 2>/dev/null),-lbpf) $(or $(shell $(PKG_CONFIG) --libs ncursesw 2>/dev/null),-lncursesw -ltinfo) -lelf -lz -lm -lpthread

# libbpf's headers need asm/types.h, which a compiler for BPF does not look for by itself.
bpf_system_includes = $(shell $(CLANG) -v -E - </dev/null 2>&1 | \
	sed -n '/<...> search starts here:/,/End of search list./{ s| \(/.*\)|-idirafter \1|p }')
bpf_flags := -target bpf -g -O2 -mcpu=v3 -Wall -Wextra -Wno-unused-parameter \
	-D__TARGET_ARCH_x86 -I. -Ibpf
ifeq ($(WERROR),1)
bpf_flags += -Werror
endif

# Another compiler, other flags or another version make everything anew; a source
# file that came or went makes new links.
flags_now := $(strip $(CC) $(flags) $(CFLAGS) $(LDFLAGS) $(CLANG) $(bpf_flags) $(VERSION))
sources_now := $(strip $(lab_src) $(main_src) $(bpf_src) $(unit_src) $(fuzz_src) $(assets))
ifneq ($(file <$(O)/flags),$(flags_now))
.PHONY: $(O)/flags
endif
ifneq ($(file <$(O)/sources),$(sources_now))
.PHONY: $(O)/sources
endif
$(O)/flags $(O)/sources:
	@mkdir -p $(@D)
	@printf '%s\n' '$($(@F)_now)' >$@

# ---- targets ----

.PHONY: all unit fuzz fuzz-long check test test-bounds test-browser test-foreign test-kernels install uninstall clean help
all: $(O)/lab ## build lab (the default)

unit: $(O)/unit ## build the unit tests; T=deadlock also runs those that are called so
	$(if $(T),$(Q)$(O)/unit $(T))

fuzz: $(O)/fuzz ## build the fuzzer of all that reads bytes of others

# With an engine where the compiler has one; what was found before is taken up again.
FUZZ_CC := $(CLANG)
FUZZ_SAN := address,undefined
FUZZ_EXECS := 10000000
FUZZ_TRACES := 1000000
export FUZZ_EXECS FUZZ_TRACES FUZZ_TARGETS

fuzz-long: fuzz ## fuzz each target for long (FUZZ_EXECS of a parser, FUZZ_TRACES whole traces)
	+$(Q)! tests/fuzz/long --has-engine '$(FUZZ_CC)' || $(MAKE) --no-print-directory O='$(O)/engine' \
		CC='$(FUZZ_CC)' SAN='$(FUZZ_SAN)' CFLAGS='$(fuzz_cflags) $(CFLAGS)' '$(O)/engine/fuzz-engine'
	$(Q)tests/fuzz/long '$(O)' '$(FUZZ_CC)'

# NULL + 0, as the next C allows it, is no finding.
fuzz_cflags := -fsanitize=fuzzer-no-link -fno-sanitize=pointer-overflow

run_tests := O='$(O)' CC='$(CC)' CLANG='$(CLANG)' tests/run

check: all unit fuzz ## tests that need neither root nor tracing
	$(Q)$(run_tests) scripts unit bats

# The first step may install compilers; only the second knows what is there then. The unit tests are
# built while other tests run. With sanitizers, little is optimized: that builds in half the time.
test: ## all tests apart from test-*; as root, also those that trace; installs what they need, unless LAB_NO_INSTALL=1
	$(Q)scripts/setup --for-tests
	+$(Q)scripts/as-user $(MAKE) --no-print-directory $(at_once) all
	$(Q)UNITS='$(O)/san' UNITS_MAKE="$(make_units)" $(run_tests)

make_units = scripts/as-user $(MAKE) --no-print-directory -j$(shell nproc) O='$(O)/san' \
	CC='$(CC)' CLANG='$(CLANG)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)' \
	SAN=address,undefined OPTIMIZE='-O1 -g1' unit fuzz

# As many commands at once as there are CPUs, unless make was told a number.
at_once = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# What they need is large: browsers, other languages. SHORT=1 is the form that .ci/run calls.
test-bounds: all unit ## what traces cost to read, by their size
	$(Q)$(run_tests) bounds

test-browser: ## report.html in Chromium and Firefox; installs them
	$(Q)scripts/setup --for-browser
	+$(Q)scripts/as-user $(MAKE) --no-print-directory all
	$(Q)$(run_tests) browser

test-foreign: ## trace programs that nobody here wrote; as root; installs them
	$(Q)scripts/setup --for-foreign
	+$(Q)scripts/as-user $(MAKE) --no-print-directory all
	$(Q)$(run_tests) -v $(if $(filter 1,$(LAB_NO_INSTALL)),,--install) $(if $(filter 1,$(SHORT)),,--long) foreign

kernels_short := '5.10, 2' '6.12, 8'

test-kernels: ## run lab under other kernels, in emulated machines (QEMU); installs what they need
	$(Q)scripts/setup --for-kernels
	+$(Q)scripts/as-user $(MAKE) --no-print-directory all
	$(Q)O='$(O)' tests/kernels/run $(if $(filter 1,$(SHORT)),$(kernels_short))

man := $(wildcard docs/lab.1)

install: all ## copy lab to $(DESTDIR)$(prefix)
	$(call say,INSTALL,$(DESTDIR)$(prefix)/bin/lab)
	$(Q)$(INSTALL) -D -m 755 $(O)/lab '$(DESTDIR)$(prefix)/bin/lab'
	$(Q)$(INSTALL) -D -m 644 userspace/markers/lab.h '$(DESTDIR)$(prefix)/include/lab.h'
	$(Q)$(INSTALL) -D -m 644 userspace/markers/lab.py '$(DESTDIR)$(prefix)/share/lab/lab.py'
	$(Q)$(if $(man),$(INSTALL) -D -m 644 $(man) '$(DESTDIR)$(prefix)/share/man/man1/lab.1')

uninstall: ## remove what install copied
	$(call say,REMOVE,$(DESTDIR)$(prefix)/bin/lab)
	$(Q)rm -f '$(DESTDIR)$(prefix)/bin/lab' '$(DESTDIR)$(prefix)/share/man/man1/lab.1'
	$(Q)rm -f '$(DESTDIR)$(prefix)/include/lab.h' '$(DESTDIR)$(prefix)/share/lab/lab.py'

# Not rm -r $(O): whoever says O=. would lose the sources.
clean: ## remove what was built
	$(Q)rm -rf '$(O)/userspace' '$(O)/bpf' '$(O)/tests' '$(O)/skeleton' '$(O)/assets' '$(O)/san' '$(O)/engine' '$(O)/kernels'
	$(Q)rm -f '$(O)/lab' '$(O)/unit' '$(O)/fuzz' '$(O)/fuzz-engine' '$(O)/flags' '$(O)/sources' '$(O)/launched'
	$(Q)rmdir '$(O)' 2>/dev/null || true

help: ## this list
	@echo 'Targets:'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1	\2/p' Makefile | expand -t 14
	@echo 'Variables:'
	@echo '  O=DIR       build there (now: $(O))'
	@echo '  V=1         show the commands'
	@echo '  DEBUG=1     optimize little, keep everything for a debugger'
	@echo '  SAN=LIST    sanitizers, such as address,undefined'
	@echo '  OPTIMIZE=   instead of -O2 -g'
	@echo '  WERROR=1    warnings are errors'
	@echo '  T=WORD      the unit tests that make unit runs'
	@echo '  FUZZ_EXECS=N, FUZZ_TRACES=N, FUZZ_TARGETS="NAME...", FUZZ_CC=, FUZZ_SAN=    of fuzz-long'
	@echo '  CFLAGS=, LDFLAGS=, CC=, CLANG=, BPFTOOL=, prefix=, DESTDIR='

# ---- rules ----

ifneq ($(main_src),)
$(O)/lab: $(lab_obj) $(main_obj) $(O)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) $(harden_ld) $(LDFLAGS) -o $@ $(filter %.o,$^) $(libs)
else
$(O)/lab:
	@echo 'lab: userspace/lab.c is missing' >&2; false
endif

$(O)/unit: $(unit_obj) $(lab_obj) $(O)/sources
	$(call say,LINK,$@)
	$(Q)$(CC) $(harden_ld) $(LDFLAGS) -o $@ $(filter %.o,$^) $(libs)

$(O)/fuzz: $(filter-out %/fuzz_engine.o,$(fuzz_obj)) $(fuzz_parts)
	$(call say,LINK,$@)
	$(Q)$(CC) $(harden_ld) $(LDFLAGS) -o $@ $(filter %.o,$^) $(libs)

# CC is then a compiler that brings an engine with it.
$(O)/fuzz-engine: $(filter-out %/fuzz_main.o,$(fuzz_obj)) $(fuzz_parts)
	$(call say,LINK,$@)
	$(Q)$(CC) $(harden_ld) -fsanitize=fuzzer $(LDFLAGS) -o $@ $(filter %.o,$^) $(libs)

$(O)/%.o: %.c $(O)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(flags) $(flags_here) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/%.bpf.o: %.bpf.c $(O)/flags
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(bpf_flags) $(bpf_system_includes) -MMD -MP -c -o $@ $<

$(O)/skeleton/lab.bpf.o: $(bpf_obj) $(O)/sources
	$(call say,BPFLINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $(filter %.o,$^)

$(skeleton): $(O)/skeleton/lab.bpf.o
	$(call say,SKELETON,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name lab_bpf >$@

$(record_obj): flags_here := -I$(O)/skeleton
$(record_obj): | $(skeleton)

$(O)/assets/page.csp: $(assets) scripts/embed-assets $(O)/sources
	$(call say,ASSETS,$@)
	$(Q)scripts/embed-assets userspace/render/assets $(@D)

$(O)/userspace/render/html_assets.o: flags_here := -DLAB_ASSETS='"$(O)/assets"'
$(O)/userspace/render/html_assets.o: $(O)/assets/page.csp
$(O)/userspace/cli/hook.o: $(wildcard userspace/markers/*.py userspace/markers/*.cjs)
$(cli_obj): flags_here := -DLAB_VERSION='"$(VERSION)"'
$(unit_obj): flags_here := -Itests/unit -DLAB_VERSION='"$(VERSION)"'
$(fuzz_obj): flags_here := -Itests/fuzz -Itests/unit

-include $(lab_obj:.o=.d) $(main_obj:.o=.d) $(bpf_obj:.o=.d) $(unit_obj:.o=.d) $(fuzz_obj:.o=.d)
