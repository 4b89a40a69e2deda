# SPDX-License-Identifier: GPL-2.0
"""Kept runs: what the boots of a folder measured, and how two sides compare.

A run folder holds <arch>-<variant>-<n>.verdict for boot (or run) n of a kernel: the
lines of perf bench -f json (or -f simple, in older ones), each behind "# ", and "ok N
job" after those of a job. <arch>-<variant>-<n>.machine names the machine.
"""
import json
import math
import os
import re
import statistics

# What both sides have to have in common, or their figures are not of the same thing.
SAME = ('threads', 'initiators', 'size', 'page_size', 'spread', 'every', 'back_to_back')
# A percentile of fewer samples than this is another word for the longest.
SAMPLES_FOR = {'p99': 100, 'p99.9': 1000}
MORE_COUNTS = 1.01          # of stock's: measuring.md promises less
ROUNDS_FOR_VERDICT = 6      # all on one side: less than 1 in 30 by chance


def setting(result):
    """What SAME names. membarrier had no memory at first: its victims read no page, not one."""
    size = result.get('size') or result.get('page_size')
    return {k: result.get(k) for k in SAME} | {'size': size}


def number(text):
    try:
        return float(text) if '.' in text else int(text)
    except ValueError:
        return None if text == '-' else text


def combine(runs):
    """One boot's runs: counts and ops added up, times as medians."""
    boot = {}
    for key in runs[0]:
        values = [r.get(key) for r in runs]
        if not all(isinstance(v, (int, float)) for v in values):
            boot[key] = values[0]
        elif key in ('ops', 'shootdowns') or key.startswith('count_'):
            boot[key] = sum(values)
        else:
            boot[key] = statistics.median(values)
    return boot


def block(runs, extra):
    # tlb/scale has a block for each number of victims: the row is of the most.
    threads = sorted({r['threads'] for r in runs if 'threads' in r})
    boot = combine([r for r in runs if r.get('threads') == threads[-1]] if threads else runs)
    for name in {e['benchmark'] for e in extra}:
        # tlb/mprotect-trace: what it adds to the job, under the end of its name
        boot[name.rpartition('-')[2]] = combine([e for e in extra if e['benchmark'] == name])
    if len(threads) > 1:
        boot['scale'] = {t: combine([r for r in runs if r['threads'] == t]) for t in threads}
    return boot


def rt(result):
    """What cyclictest and oslat leave in their file, as a run of a benchmark: latencies in
    microseconds as a histogram; its ops are set to seconds by what counts interrupts."""
    thread = result['thread']['0']
    histogram = sorted((int(us), n) for us, n in thread['histogram'].items())
    # What cyclictest has no column for is not in it. (oslat's last column has the rest.)
    over = thread.get('cycles', 0) - sum(n for _, n in histogram)
    if over > 0:
        histogram.append((thread['max'], over))
    total, seen = sum(n for _, n in histogram), 0
    run = {'benchmark': 'rt', 'run': 1, 'unit': 'ns', 'threads': 1, 'cpu': thread['cpu'],
           'samples': total}
    wanted = [('p1', 1), ('p10', 10), ('p25', 25), ('p50', 50), ('p75', 75), ('p90', 90),
              ('p99', 99), ('p99.9', 99.9)]
    for us, n in histogram:
        seen += n
        while wanted and seen >= total * wanted[0][1] / 100:
            run['op_' + wanted.pop(0)[0]] = us * 1000
    run['op_max'] = thread['max'] * 1000
    # Nearly all rounds of oslat are as long as each other, most latencies of cyclictest a
    # microsecond or two: the tail is what differs.
    if 'duration' in thread:
        usual = max(histogram, key=lambda column: column[1])[0]
        beyond = sum(n * (us - usual) for us, n in histogram if us > usual)
        beyond += max(0, thread['max'] - histogram[-1][0])
        run['judged'] = beyond / thread['duration'] * 1000
        run['judged_by'] = 'time beyond the usual round'
    else:
        run['judged'] = run['op_p99.9']
        run['judged_by'] = 'p99.9'
    return run


def interrupts(run, beside):
    """Of the CPU that was measured, per second; of a server on all, per request."""
    if 'count_int_call' in run:
        return
    cpus = [beside['cpus'][run['cpu']]] if 'cpu' in run else beside['cpus']
    run['count_int_call'] = sum(c['call'] for c in cpus)
    run['count_int_tlb'] = sum(c['tlb'] for c in cpus)
    run.update({f'count_{k}': v for k, v in beside.items() if k.startswith('nr_tlb_')})
    run.setdefault('ops', beside['seconds'])


def tracked(job, runs):
    """Was it a server that should have been tracked, and was not?"""
    return runs[-1].get('benchmark', '').startswith('app/') and \
        job.endswith(('clear_refs', 'pagemap_scan')) and 'tracker' not in runs[-1]


def parse(path):
    """{job: {key: value}} of a verdict; {job: reason} where it was skipped or is unusable."""
    found, blocks, extra, simple, reason, whole, said = {}, [], [], {}, None, None, ''
    with open(path, errors='replace') as file:
        for line in file:
            line = line.rstrip('\n')
            if m := re.match(r'(not )?ok \d+ (\S+)(?: # (.*))?$', line):
                if m[1]:
                    reason = m[3] or 'failed'
                elif not blocks and (m[3] or '').startswith('SKIP'):
                    # The status of a program that cannot run here; why is what it said.
                    why = said if m[3] == 'SKIP exit 4' and said else m[3][5:]
                    reason = reason or 'skipped: ' + why
                elif not blocks and not reason and not m[2].startswith(('kunit.', 'kernel-log')):
                    reason = 'it printed no result'
                if blocks and not reason and tracked(m[2], blocks):
                    reason = 'its tracker told nothing'
                if reason or blocks:
                    found[m[2]] = reason or block(blocks, extra)
                blocks, extra, simple, reason, whole, said = [], [], {}, None, None, ''
                continue
            if re.match(r'# [^{}"]', line):
                said = line[2:]
            try:
                if whole is not None:       # within an object of many lines
                    whole += line[2:]
                    if line == '# }':
                        blocks.append(rt(json.loads(whole)))
                        whole = None
                elif line == '# {':
                    whole = '{'
                elif line.startswith('# {"benchmark"'):
                    run = json.loads(line[2:])
                    if run['benchmark'].endswith('-partial'):
                        pass            # the job's line says that it was interrupted
                    elif re.search(r'-(trace|fit)$', run['benchmark']):
                        extra += [run] if 'skipped' not in run else []
                    elif 'skipped' in run:
                        reason = 'skipped: ' + run['skipped']
                    else:
                        blocks.append(run)
                elif line.startswith('# {"seconds"') and blocks:
                    interrupts(blocks[-1], json.loads(line[2:]))
                elif line.startswith('# {"tracker"') and blocks:
                    tracker = json.loads(line[2:])
                    blocks[-1]['tracker'] = tracker
                    if not tracker['snapshots'] or not tracker['pages']:
                        reason = 'the tracker found nothing'
                elif m := re.match(r'# (tlb/\S+) \d+$', line):
                    simple = {'benchmark': m[1]}
                    if m[1].endswith(('-trace', '-fit')):
                        extra.append(simple)
                    elif not m[1].endswith('-partial'):
                        blocks.append(simple)
                elif (m := re.match(r'# ([\w.]+) (.*)$', line)) and simple:
                    if m[1] != 'skipped':
                        simple[m[1]] = number(m[2])
                    elif simple in extra:
                        extra.remove(simple)
                    else:
                        reason = 'skipped: ' + m[2]
            except (ValueError, KeyError, ZeroDivisionError, IndexError):
                reason, whole = 'unreadable result', None
    return found


def load(folder):
    """{arch: {variant: {n: boot}}}, {arch: {variant: machine}} of a run folder, and what
    a reader of its figures has to know."""
    kernels, machines, remarks = {}, {}, []
    for name in sorted(os.listdir(folder)):
        if m := re.match(r'([a-z0-9_]+)-(.+)-(\d+)\.verdict$', name):
            boots = kernels.setdefault(m[1], {}).setdefault(m[2], {})
            path = os.path.join(folder, name)
            with open(path, errors='replace') as file:
                lines = file.readlines()
            if not any(line.startswith('Result: ') for line in lines):
                remarks.append(f'{path} has no end and is left out')
                continue
            remarks += [f'{path}: {failed[1]} failed' for line in lines
                        if (failed := re.match(r'not ok \d+ (\S+)', line))]
            boots[int(m[3])] = parse(path)
            try:
                with open(os.path.join(folder, name[:-7] + 'machine')) as file:
                    machines.setdefault(m[1], {}).setdefault(m[2], file.readline().strip())
            except FileNotFoundError:
                pass
        elif name.endswith(('.partial', '.verdict.new')):
            remarks.append(f'{os.path.join(folder, name)} is of a round that did not end')
    if alternated(folder) == 'partly':
        remarks.append(f'{folder} is PARTIAL: it was interrupted')
    return kernels, machines, remarks


def alternated(folder):
    """Did make compare boot the kernels of this folder in turn? None, 'partly', 'wholly'"""
    try:
        with open(os.path.join(folder, 'table.json')) as file:
            complete = json.load(file).get('complete')
    except (OSError, ValueError):
        return None
    return None if complete is None else 'wholly' if complete else 'partly'


def median(boots, key):
    values = [b[key] for b in boots if isinstance(b.get(key), (int, float))]
    return statistics.median(values) if values else None


def per_op(boots, key, own=0, of=statistics.median):
    """What the kernel counted for each op, less @own times what the victims' discards did."""
    values = [(b[key] - own * b.get('fault_discards', 0)) / b['ops'] for b in boots
              if isinstance(b.get(key), (int, float))]
    return of(values) if values else None


def side(arch, boots, counted, what):
    flushes, full = (('count_nr_tlb_dsb', 'count_nr_tlb_tlbi_asid') if arch == 'arm64' else
                     ('count_nr_tlb_remote_flush', 'count_nr_tlb_local_flush_all'))
    percentiles = ('p1', 'p10', 'p25', 'p50', 'p75', 'p90', 'p99', 'p99.9', 'max')
    found = {p: median(boots, f'{what}_{p}') for p in percentiles}
    samples = boots[0].get('loops', 0) * boots[0].get('initiators', 1)
    if what not in ('fault', 'stolen'):         # of which there is no fixed number
        found.update({p: None for p, n in SAMPLES_FOR.items() if 0 < samples < n})
    # A victim that drops its pages flushes: on x86 all, and interrupts the others.
    x86 = arch != 'arm64'
    others = boots[0].get('threads', 1) + boots[0].get('initiators', 1) - 1
    counts = {'ipis': ('count_int_call', x86 * others), 'flushes': (flushes, 1),
              'full': (full, x86)}
    for name, (key, own) in counts.items():
        found[name] = per_op(counted, key, own)
        found[f'{name}_least'] = per_op(counted, key, own, min)
        found[f'{name}_most'] = per_op(counted, key, own, max)
    found.update({'faults': median(boots, 'fault_per_op') if what == 'fault' else None,
                  'tlbis': per_op(counted, 'count_nr_tlb_tlbi') if arch == 'arm64' else None,
                  'size': boots[0].get('size'), 'threads': boots[0].get('threads')})
    found['forced'] = None
    trackers = [b['tracker'] for b in boots if 'tracker' in b]
    if trackers:
        found['tracker'] = {k: median(trackers, k) for k in trackers[0]
                            if k in ('snapshots', 'pages') or k.endswith('_p50_us')}
    # Of a server, and of cyclictest and oslat
    theirs = boots[0].get('benchmark', '').startswith(('app/', 'rt'))
    found['tail'] = found['p99.9'] if theirs else None
    found['judged'] = median(boots, 'judged')
    found['per_sec'] = median(boots, 'ops_per_sec') if theirs else None
    if all('scale' in b for b in boots):
        found['scale'] = {t: statistics.median(b['scale'][t][f'{what}_p50'] for b in boots)
                          for t in boots[0]['scale']}
    if all('fit' in b for b in boots):
        found['fit'] = {k: statistics.median(b['fit'][k] for b in boots)
                        for k in ('fixed_ns', 'per_cpu_ns', 'r2')}
    traced = [b['trace'] for b in boots if 'trace' in b]
    if traced:
        medians = {k: median(traced, f'{k}_p50') for k in ('wait', 'queue', 'run', 'window')}
        found['trace'] = {k: v for k, v in medians.items() if v is not None}
        # Requests to flush all, not of CPUs that had missed an earlier flush
        found['forced'] = per_op(traced, 'sent_full')
    if all('stolen_net_per_op' in b for b in boots):
        found['stolen'] = {k: median(boots, k) for k in
                           ('stolen_net_per_op', 'stolen_p50', 'stolen_p99', 'stolen_max',
                            'stolen_ppm', 'idle_ppm')}
    return found


def summarize(arch, jobs, first, second, paired, counts=(None, None)):
    """A row for each job. first and second are {n: boot}; counts, where given for a side,
    the boots that its counts come from."""
    rows = []
    for job in jobs:
        a, b = ({n: boot[job] for n, boot in boots.items() if job in boot}
                for boots in (first, second))
        why = [r for r in (*a.values(), *b.values()) if isinstance(r, str)]
        if not why and (len(a) < len(first) or len(b) < len(second)):
            why = ['it did not run in every boot']
        if why or not a or not b:
            # Skipped where both have boots and all of them skip it, or it failed.
            if why and a and b and all(isinstance(x, str) for x in (*a.values(), *b.values())):
                why = why[0]
            else:
                why = f'not on every kernel: {why[0]}' if why else 'not run'
            rows.append({'arch': arch, 'benchmark': job, 'skipped': why})
            continue
        p, q = (setting(next(iter(boots.values()))) for boots in (a, b))
        unlike = [f'{k} {p[k]} and {q[k]}' for k in SAME if p[k] != q[k]]
        if unlike:
            rows.append({'arch': arch, 'benchmark': job, 'skipped': f'not the same: {unlike[0]}'})
            continue
        # Of a whole op, or of the step that the name tells.
        what = job.partition('.')[2] or 'op'
        x, y = ({n: boot.get('judged', boot.get(f'{what}_p50')) or 0
                 for n, boot in boots.items()} for boots in (a, b))
        if paired:      # the boots of one round
            ratios = [y[n] / x[n] for n in x if n in y and x[n] > 0 and y[n] > 0]
        else:
            ratios = [q / p for p in x.values() for q in y.values() if p > 0 and q > 0]
        if not ratios:
            rows.append({'arch': arch, 'benchmark': job, 'skipped': 'skipped: its median is 0'})
            continue
        a, b = list(a.values()), list(b.values())
        counted = [[boot[job] for boot in (from_ or {}).values()
                    if isinstance(boot.get(job), dict)] or of
                   for from_, of in zip(counts, (a, b))]
        rows.append({'arch': arch, 'benchmark': job, 'unit': a[0]['unit'],
                     'ratio': statistics.median(ratios), 'ratio_min': min(ratios),
                     'ratio_max': max(ratios),
                     'rounds': len(ratios) if paired else min(len(a), len(b)),
                     'judged_by': a[0].get('judged_by', 'p50'),
                     'per_second': a[0].get('benchmark') == 'rt',
                     'sides': [side(arch, a, counted[0], what), side(arch, b, counted[1], what)]})
    judge(rows)
    return rows


def judge(rows):
    """Better or worse: on one side of 1 in all rounds, of which there are enough, and further
    from 1 than the floor, a benchmark that contains nothing of what is compared."""
    floor = [abs(math.log(r['ratio'])) for r in rows
             if r['benchmark'].startswith('membarrier') and 'ratio' in r]
    for row in rows:
        if 'ratio' not in row:
            continue
        if row['benchmark'].startswith('membarrier'):
            row['verdict'] = 'floor'
        elif row['rounds'] < ROUNDS_FOR_VERDICT:
            row['verdict'] = 'few'
        elif not floor:
            row['verdict'] = 'no floor'
        elif abs(math.log(row['ratio'])) <= max(floor):
            row['verdict'] = 'same'
        elif row['ratio_max'] < 1:
            row['verdict'] = 'better'
        elif row['ratio_min'] > 1:
            row['verdict'] = 'worse'
        else:
            row['verdict'] = 'same'


def more_counts(rows, names):
    """Is there a row that refutes us, see measuring.md? Only stock and patched are told,
    and, because a kernel interrupts for reasons of its own, too, only where each boot of
    patched counts more than all of stock."""
    if names != ('stock', 'patched'):
        return []
    more = [f'{r["benchmark"]} ({r["arch"]}, {key})' for r in rows if 'sides' in r
            for key in ('ipis', 'flushes', 'full') for a, b in [r['sides']]
            if a.get(key) is not None and b.get(key) is not None and
            b[key] > a[key] * MORE_COUNTS + 0.02 and b[f'{key}_least'] > a[f'{key}_most']]
    return [f'More than stock by over 1 %, in every boot: {", ".join(more) or "none of the counts"}']


def us(nsec):
    if nsec is None:
        return '-'
    return f'{nsec / 1000:.{2 if nsec < 10000 else 1 if nsec < 100000 else 0}f}'


def count(value):
    if value is None:
        return '-'
    return f'{value:.{3 if value < 10 else 1 if value < 1000 else 0}f}'


def snapshots(rows):
    """What the trackers of servers say of themselves."""
    out = []
    for row in rows:
        both = [s.get('tracker') for s in row.get('sides', ())]
        if both and all(both):
            out.append(f'{row["benchmark"]}: ' + ', '.join(
                f'{k.replace("_p50_us", " us")} {both[0][k]:g} {both[1][k]:g}' for k in both[0]))
    return out


def added(rows):
    """What cyclictest and oslat have more of than in the row of the same name where nothing
    happens."""
    judged = {r['benchmark']: [s.get('judged') for s in r['sides']] for r in rows if 'sides' in r}
    out = []
    for name, base in judged.items():
        what, _, load = name.rpartition('-')
        if load != 'quiet' or None in base:
            continue
        parts = [f'quiet {us(base[0])} {us(base[1])}']
        parts += [f'{other[len(what) + 1:]} adds {us(v[0] - base[0])} {us(v[1] - base[1])}'
                  for other, v in judged.items()
                  if other.startswith(what + '-') and other != name and None not in v]
        by = next(r['judged_by'] for r in rows if r['benchmark'] == name)
        out.append(f'{what}, {by} in us: {", ".join(parts)}')
    return out


# The key, its heading, how it is shown
PAIRS = (('p50', 'p50', us), ('p99', 'p99', us), ('tail', 'p99.9', us), ('max', 'max', us),
         ('per_sec', 'ops/s', count), ('faults', 'faults', count), ('ipis', 'ipis', count), ('flushes', 'flushes', count),
         ('full', 'full', count), ('forced', 'forced', count), ('tlbis', 'tlbis', count))


def table(rows, names, machines, rounds, notes):
    """One screen for people."""
    out = []
    for arch in dict.fromkeys(r['arch'] for r in rows):
        mine = [r for r in rows if r['arch'] == arch]
        # Runs of an earlier version do not have all.
        shown = {p[0]: [v for r in mine if 'sides' in r for s in r['sides']
                        if (v := s.get(p[0])) is not None] for p in PAIRS}
        pairs = [p for p in PAIRS if any(shown[p[0]]) or (shown[p[0]] and p[0] != 'forced')]
        head = ['times in us']
        for key, heading, _ in pairs:
            head += [heading, '']
            if key == 'max':
                head += ['ratio', '(range)', 'verdict']
        lines = [head]
        for row in mine:
            if 'skipped' in row:
                lines.append((row['benchmark'], row['skipped']))
                continue
            line = [row['benchmark']]
            for key, _, show in pairs:
                line += [show(s.get(key)) for s in row['sides']]
                if key == 'max':
                    line += [f'{row["ratio"]:.3f}',
                             f'({row["ratio_min"]:.2f}..{row["ratio_max"]:.2f})', row['verdict']]
            lines.append(line)
        full = [line for line in lines if isinstance(line, list)]
        width = [max(len(line[i]) for line in full) for i in range(len(head))]
        width[0] = max(len(line[0]) for line in lines)
        out.append(f'{arch}: {machines.get(arch, "unknown machine")}')
        for line in lines:
            if isinstance(line, tuple):
                out.append(f'{line[0]:{width[0]}}  {line[1]}')
                continue
            out.append('  '.join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in
                                 enumerate(zip(line, width))).rstrip())
        out += snapshots(mine) + added(mine) + ['']
    out.append(f'Pairs: {names[0]}, {names[1]}; medians of {rounds} of each. Counts are per op. '
               f'ratio: {names[1]}/{names[0]} of p50, median and range.')
    for by in sorted({r.get('judged_by', 'p50') for r in rows} - {'p50'}):
        named = dict.fromkeys(r['benchmark'] for r in rows if r.get('judged_by') == by)
        out.append(f'ratio of the {by}: {", ".join(named)}')
    if any(r.get('per_second') for r in rows):
        out.append('Counts of cyclictest and oslat are per second: ipis of the CPU that was '
                   'measured, flushes of all.')
    out.append('verdict: on one side of 1 in every round, and further away than membarrier, which '
               'has none of our code; few: less than')
    out.append(f'{ROUNDS_FOR_VERDICT} rounds. flushes: shootdowns begun (x86), DSBs waited for '
               '(arm64). full: whole TLBs dropped on a CPU (x86), ASIDs (arm64).')
    return '\n'.join(out + more_counts(rows, names) + notes) + '\n'
