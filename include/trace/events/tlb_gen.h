/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tlb_gen

#if !defined(_TRACE_TLB_GEN_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_TLB_GEN_H

#include <linux/mm_types.h>
#include <linux/tracepoint.h>

#include <asm-generic/tlb_gen.h>

/* The mm word: generation and open windows by slot. */
DECLARE_EVENT_CLASS(tlb_gen_window,

	TP_PROTO(struct mm_struct *mm, u64 word, u64 window),
	TP_ARGS(mm, word, window),

	TP_STRUCT__entry(
		__field(struct mm_struct *,	mm)
		__field(u64,			word)
		__field(unsigned int,		slot)
	),

	TP_fast_assign(
		__entry->mm = mm;
		__entry->word = word;
		__entry->slot = window != tlb_gen_word_one(0);
	),

	TP_printk("mm:%p gen:%llu open:%u,%u slot:%u", __entry->mm,
		  __entry->word >> TLB_GEN_SHIFT,
		  tlb_gen_word_open(__entry->word, 0),
		  tlb_gen_word_open(__entry->word, 1),
		  __entry->slot)
);

/* @word is the value that the window was added to. */
DEFINE_EVENT(tlb_gen_window, tlb_gen_open,
	TP_PROTO(struct mm_struct *mm, u64 word, u64 window),
	TP_ARGS(mm, word, window)
);

/* @word is the value that is left. */
DEFINE_EVENT(tlb_gen_window, tlb_gen_close,
	TP_PROTO(struct mm_struct *mm, u64 word, u64 window),
	TP_ARGS(mm, word, window)
);

TRACE_EVENT(tlb_gen_mark,

	TP_PROTO(struct mm_struct *mm, struct ptdesc *table, u64 mark),
	TP_ARGS(mm, table, mark),

	TP_STRUCT__entry(
		__field(struct mm_struct *,	mm)
		__field(struct ptdesc *,	table)
		__field(u64,			mark)
	),

	TP_fast_assign(
		__entry->mm = mm;
		__entry->table = table;
		__entry->mark = mark;
	),

	TP_printk("mm:%p table:%p gen:%llu gone:%d", __entry->mm, __entry->table,
		  __entry->mark >> TLB_GEN_SHIFT, !!(__entry->mark & TLB_GEN_GONE))
);

DECLARE_EVENT_CLASS(tlb_gen_range,

	TP_PROTO(struct mm_struct *mm, unsigned long start, unsigned long end),
	TP_ARGS(mm, start, end),

	TP_STRUCT__entry(
		__field(struct mm_struct *,	mm)
		__field(unsigned long,		start)
		__field(unsigned long,		end)
	),

	TP_fast_assign(
		__entry->mm = mm;
		__entry->start = start;
		__entry->end = end;
	),

	TP_printk("mm:%p range:%lx-%lx", __entry->mm, __entry->start, __entry->end)
);

DEFINE_EVENT(tlb_gen_range, tlb_gen_inherit,
	TP_PROTO(struct mm_struct *mm, unsigned long start, unsigned long end),
	TP_ARGS(mm, start, end)
);

DEFINE_EVENT(tlb_gen_range, tlb_gen_settle,
	TP_PROTO(struct mm_struct *mm, unsigned long start, unsigned long end),
	TP_ARGS(mm, start, end)
);

#endif /* _TRACE_TLB_GEN_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
