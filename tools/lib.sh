# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What every tool shares. The variables come from make (make help lists them);
# a tool that is called directly asks it for them.

set -eu
LC_ALL=C
export LC_ALL
umask 022

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

note()
{
	printf '%s\n' "$*" >&2
}

[ -n "${BASES:-}" ] || eval "$(make -s --no-print-directory -C "$ROOT" env)"

one_of()
{
	case " $3 " in
	*" $2 "*) case $2 in '' | *' '*) die "$1='$2' is not one of: $3" ;; esac ;;
	*) die "$1=$2 is not one of: $3" ;;
	esac
}

one_of BASE "$BASE" "$BASES"
one_of ARCH "$ARCH" "$ARCHES all"
one_of VARIANT "$VARIANT" "$VARIANTS"
one_of ACCEL "$ACCEL" "auto kvm tcg"

# number NAME VALUE LEAST MOST
number()
{
	case $2 in
	'' | *[!0-9]* | ?????????*) ;;
	*) [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ] || return 0 ;;
	esac
	die "$1=$2 is not a number from $3 to $4"
}

one_of V "$V" "0 1"
one_of ICOUNT "$ICOUNT" "0 1"
number JOBS "$JOBS" 1 4096
number SMP "$SMP" 1 16		# CONFIG_NR_CPUS
number NODES "$NODES" 1 8
[ -z "$MEM" ] || number MEM "$MEM" 128 1048576
[ -z "$TIMEOUT" ] || number TIMEOUT "$TIMEOUT" 1 86400

if [ "$ARCH" = all ]; then
	ARCH_LIST=$ARCHES
else
	ARCH_LIST=$ARCH
fi

hash_of()
{
	sha256sum | cut -c1-12
}

case $BUILD_DIR in
*[[:space:]]*) die "BUILD_DIR='$BUILD_DIR' has a blank in it: choose another" ;;
esac
# distclean removes what is in it.
[ -z "$(ls -A "$BUILD_DIR" 2>/dev/null)" ] || [ -d "$BUILD_DIR/lock" ] ||
	die "BUILD_DIR=$BUILD_DIR holds something else: choose a directory of its own"
mkdir -p "$BUILD_DIR/lock" "$BUILD_DIR/times" "$BUILD_DIR/images" ||
	die "cannot write to BUILD_DIR=$BUILD_DIR: choose another"
BUILD_DIR=$(CDPATH='' cd -- "$BUILD_DIR" && pwd -P)

# One directory per kernel source; one slot in it per checkout, so that two
# checkouts with different patches do not rebuild each other's tree.
SOURCE_DIR=$BUILD_DIR/$BASE
if [ -n "$KERNEL_SRC" ]; then
	SOURCE_DIR=$SOURCE_DIR-$(printf %s "$KERNEL_SRC" | hash_of)
fi
STOCK=$SOURCE_DIR/stock
SLOT=$SOURCE_DIR/slot-$(printf %s "$ROOT" | hash_of)
SERIES=$ROOT/patches/series-$BASE
LOGS=$BUILD_DIR/logs/${SLOT##*/}
mkdir -p "$LOGS"

# The source tree a variant is built from.
tree_of()
{
	case $1 in
	stock) echo "$STOCK" ;;
	counted) echo "$SLOT/counted" ;;
	*) echo "$SLOT/patched" ;;
	esac
}

# The series without comments; for counted only the part before the marker,
# with UPTO= only the part up to that patch.
series_of()
{
	[ -f "$SERIES" ] || return 0
	if [ "$1" = counted ]; then
		sed '/^# -- end of counters --/,$d' "$SERIES"
	else
		cat "$SERIES"
	fi | sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' ${UPTO:+-e "\\,^$UPTO\$,q"}
}

[ -z "$UPTO" ] || grep -qsxF "$UPTO" "$SERIES" ||
	die "UPTO=$UPTO is not in $SERIES"

kernel_arch()
{
	case $1 in
	x86_64) echo x86_64 ;;
	arm64) echo arm64 ;;
	i386) echo i386 ;;
	riscv64) echo riscv ;;
	*) echo "$1" ;;
	esac
}

# source_arch ARCH: its directory in arch/.
source_arch()
{
	case $1 in
	x86_64 | i386) echo x86 ;;
	sparc64) echo sparc ;;
	*) kernel_arch "$1" ;;
	esac
}

cross_of()
{
	case $1:$(uname -m) in
	x86_64:x86_64 | i386:x86_64 | arm64:aarch64) ;;
	x86_64:* | i386:*) echo x86_64-linux-gnu- ;;
	arm64:*) echo aarch64-linux-gnu- ;;
	riscv64:riscv64) ;;
	riscv64:*) echo riscv64-linux-gnu- ;;
	sparc64:*) echo sparc64-linux-gnu- ;;
	arm:*) echo arm-linux-gnueabihf- ;;
	esac
}

# configure ARCH TREE OBJ FRAGMENT...: tinyconfig and the fragments.
configure()
{
	arch=$1 tree=$2 obj=$3
	shift 3
	mkdir -p "$obj"
	kmake "$arch" -C "$tree" O="$obj" tinyconfig
	(cd "$tree" && scripts/kconfig/merge_config.sh -m -Q -O "$obj" "$obj/.config" "$@")
	kmake "$arch" -C "$tree" O="$obj" olddefconfig
}

# taken FRAGMENT OBJ: is all there that FRAGMENT sets? Prints what is not.
taken()
{
	! grep '^CONFIG' "$1" | grep -vxF -f "$2/.config"
}

# touched ARCH TREE OBJ: the object files of the series and the overlay that the
# configuration of OBJ builds.
touched()
{
	{
		sed -n 's,^+++ b/,,p' "$ROOT"/patches/all/*.patch
		# shellcheck disable=SC2086
		printf '%s\n' $OVERLAY
	} | grep -E "^(mm|fs|kernel|arch/$(source_arch "$1"))/.*\.c\$" | sort -u | while read -r file; do
		[ -f "$2/$file" ] || continue
		name=${file##*/} name=${name%.c}
		option=$(sed -n "s/^obj-\$(\(CONFIG_[A-Z0-9_]*\)).*[[:space:]=]$name\.o.*/\1/p" \
			"$2/${file%/*}/Makefile")
		[ -z "$option" ] || grep -q "^$option=y" "$3/.config" || continue
		echo "${file%.c}.o"
	done
}

# A compiler grows its heap by 128 KiB a time: two thirds of its page faults.
export CC_TUNABLES=glibc.malloc.top_pad=67108864
export CCACHE_DIR="$BUILD_DIR/ccache"

# The kernel's make with nothing of ours in its environment: ARCH=all or a
# command-line SMP= would otherwise reach it through MAKEFLAGS. kcc has one path
# for all checkouts: another command would compile everything again.
kmake()
{
	arch=$1
	shift
	cmp -s "$ROOT/tools/kcc" "$BUILD_DIR/kcc" || {
		cp "$ROOT/tools/kcc" "$BUILD_DIR/kcc.$$"
		mv "$BUILD_DIR/kcc.$$" "$BUILD_DIR/kcc"
	}
	env -i PATH="$PATH" HOME="${HOME:-/}" LC_ALL=C GLIBC_TUNABLES="$CC_TUNABLES" \
		CCACHE_DIR="$CCACHE_DIR" CCACHE_MAXSIZE=8G CCACHE_DEPEND=1 \
		${CCACHE_DISABLE:+CCACHE_DISABLE="$CCACHE_DISABLE"} \
		KBUILD_BUILD_USER=tlb-gen KBUILD_BUILD_HOST=tlb-gen \
		KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' \
		make -j"$JOBS" ARCH="$(kernel_arch "$arch")" \
		CROSS_COMPILE="$(cross_of "$arch")" \
		CC="$BUILD_DIR/kcc $(cross_of "$arch")gcc" HOSTCC="ccache gcc" "$@"
}

# lock MODE NAME FD: hold a lock file until this shell ends (-x or -s), on
# descriptor 7 for what a whole run writes, 8 for trees, 9 for objects.
lock()
{
	eval "exec $3>\"\$BUILD_DIR/lock/$2\""
	flock -n "$1" "$3" && return
	note "waiting for another run that holds $2"
	flock "$1" "$3"
}

# lock_tree TREE: so that nobody changes it, on descriptor 8.
lock_tree()
{
	case $1 in
	"$STOCK") lock -s "${SOURCE_DIR##*/}-stock" 8 ;;
	*) lock -s "${SOURCE_DIR##*/}-${SLOT##*/}-${1##*/}" 8 ;;
	esac
}

unlock()
{
	eval "exec $1>&-"
}

ticker=
stop_ticker()
{
	[ -z "$ticker" ] || kill "$ticker" 2>/dev/null || :
	ticker=
}

# tick WHAT SECONDS: tell now and then how far WHAT is, until stop_ticker.
tick()
{
	(
		nap=
		trap 'kill $nap 2>/dev/null; exit' TERM
		began=$(date +%s)
		while kill -0 $$ 2>/dev/null; do
			sleep $((15 + $2 / 40)) & nap=$!
			wait $nap
			note "$1: $(($(date +%s) - began)) of about $2 s"
		done
	) >/dev/null 7>&- 8>&- 9>&- &
	ticker=$!
}

trap 'stop_ticker' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# slow WHAT SECONDS CMD...: say what takes long, how long it usually does, and how far
# it is. Not in a condition, as step.
slow()
{
	note "$1 (usually $2 s)"
	tick "$1" "$2"
	shift 2
	"$@"
	stop_ticker
}

# step NAME SECONDS WHAT CMD...: run CMD with its output in a log, telling
# how long it usually takes (the last time here, else SECONDS). Not to be used
# in a condition: that would switch off set -e inside CMD.
step()
{
	name=$1 usual=$2 what=$3
	shift 3
	log=$LOGS/$name.log
	began=$(date +%s)
	kept=$(cat "$BUILD_DIR/times/$name" 2>/dev/null || :)
	case $kept in
	'' | *[!0-9]*) ;;
	*) usual=$kept ;;
	esac
	note "$what (usually $usual s)"
	if [ "$V" = 1 ]; then
		{
			set +e
			(set -e; "$@")
			echo $? >"$log.rc"
		} 2>&1 | tee "$log" >&2
		read -r rc <"$log.rc"
		rm -f "$log.rc"
	else
		tick "$what" "$usual"
		set +e
		(set -e; "$@") >"$log" 2>&1
		rc=$?
		set -e
		stop_ticker
	fi
	took=$(($(date +%s) - began))
	if [ "$rc" -ne 0 ]; then
		grep -nE '(error|Error|ERROR|FAILED|fatal)[: ]|\*\*\*' "$log" |
			head -n 5 >&2 || :
		tail -n 5 "$log" >&2
		die "$what failed (exit $rc) after $took s: see $log"
	fi
	# Only honest times: a run that reused everything says nothing.
	[ "$took" -lt $((usual / 4)) ] || echo "$took" >"$BUILD_DIR/times/$name"
}

# room MEGABYTES [DIR]: is there disk space for what comes next?
room()
{
	free=$(df -Pm "${2:-$BUILD_DIR}" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$1" ] ||
		die "$free MB free in ${2:-$BUILD_DIR}, $1 needed: free some or name another directory"
}

qemu_of()
{
	case $1 in
	x86_64) echo qemu-system-x86_64 ;;
	arm64) echo qemu-system-aarch64 ;;
	esac
}

# kvm_boots ARCH IMAGE: /dev/kvm may exist and yet run no kernel (nested, or a
# restricted hypervisor): try once per boot of the host.
kvm_boots()
{
	case $1:$(uname -m) in
	x86_64:x86_64) set -- "$@" -M q35 console=ttyS0 ;;
	arm64:aarch64) set -- "$@" -M virt,gic-version=host console=ttyAMA0 ;;
	*) return 1 ;;
	esac
	[ -w /dev/kvm ] || return 1
	tried=$BUILD_DIR/times/kvm-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -s "$tried" ] || [ "$ACCEL" = kvm ]; then
		note "trying /dev/kvm (at most 20 s)"
		# It runs into the panic for want of a root file system.
		if (timeout -k 2 20 "$(qemu_of "$1")" "$3" "$4" -cpu host \
			-accel kvm -smp 2 -m 512 -kernel "$2" -append "$5 panic=-1" \
			-nodefaults -display none -serial stdio -no-reboot \
			</dev/null 2>&1 | grep -q 'Kernel panic') 2>/dev/null; then
			echo yes >"$tried"
		else
			echo no >"$tried"
		fi
	fi
	[ "$(cat "$tried")" = yes ]
}

# tsc_khz: by what a TSC counts that TCG emulates, which is the host's. On a busy
# host the kernel cannot find out, and its clock has a resolution of 4 ms then.
tsc_khz()
{
	[ "$(uname -m)" = x86_64 ] || return 0
	kept=$BUILD_DIR/times/tsc-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -s "$kept" ]; then
		gcc -O2 -o "$kept.$$" "$ROOT/tools/tsc.c"
		"$kept.$$" >"$kept.$$.khz"
		mv "$kept.$$.khz" "$kept"
		rm -f "$kept.$$"
	fi
	cat "$kept"
}

# accel_of ARCH IMAGE: the accelerator that this run uses.
accel_of()
{
	if [ "$ACCEL" != tcg ] && kvm_boots "$@"; then
		echo kvm
	elif [ "$ACCEL" = kvm ]; then
		die "ACCEL=kvm: no /dev/kvm that boots $1 here: use ACCEL=tcg"
	else
		echo tcg
	fi
}
