# SPDX-License-Identifier: GPL-2.0

BASE	?= 6.12
ARCH	?= all
VARIANT	?= patched
SMP	?= 2
MEM	?=
NODES	?= 1
ACCEL	?= auto
KERNEL_SRC ?=
CONFIG	?=
BUILD_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tlb-gen
V	?= 0
JOBS	?= $(shell nproc)
DEST	?=
INIT	?=
APPEND	?=
TIMEOUT	?=
ICOUNT	?= 0
ROUNDS	?= 7
BENCH	?=
ARGS	?=
UPTO	?=
MINUTES	?=
SEED	?=

# The kernels this applies to: patches/series-<version> for each.
BASES	:= 6.12
ARCHES	:= x86_64 arm64
VARIANTS := stock counted patched debug kcsan

# Whole new kernel files. None of them may exist in the stock tree, and no
# file of arch/, include/, mm/ or Documentation/ may be missing here.
OVERLAY	:= \
	Documentation/mm/tlb_gen.rst \
	arch/arm64/include/asm/tlb_count.h \
	arch/arm64/mm/tlb_count.c \
	arch/arm64/mm/tlb_gen.c \
	arch/x86/mm/tlb_gen.c \
	include/asm-generic/tlb_gen.h \
	include/asm-generic/tlb_gen_debug.h \
	include/trace/events/tlb_gen.h \
	mm/tlb_gen.c \
	mm/tlb_gen_debug.c \
	mm/tlb_gen_test.c

VARS	:= BASE ARCH VARIANT SMP MEM NODES ACCEL KERNEL_SRC CONFIG BUILD_DIR V JOBS \
	   DEST INIT APPEND TIMEOUT ICOUNT ROUNDS BENCH ARGS UPTO MINUTES SEED BASES ARCHES VARIANTS OVERLAY
export $(VARS)

help:
	@tools/help

setup source apply image boot test bench compare apps rt fastpath hazards soak model lint each clean distclean:
	@tools/$@

# tools/compare is Python, which setup may have to install first.
compare apps rt test: setup

# For tools that are run without make.
quote	= '$(subst ','\'',$1)'
env:
	@: $(foreach v,$(VARS),$(info $v=$(call quote,$($v)); export $v))

.PHONY: env help setup source apply image boot test bench compare apps rt fastpath hazards soak model lint each \
	clean distclean
