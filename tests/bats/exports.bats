#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the exports say, read back: the slices are the same in all of them, and add up to the report.

load helpers

SAMPLE=$REPOSITORY/docs/samples/procs.lab

setup() {
	cd "$BATS_TEST_TMPDIR"
}

# read_back TRACE: compare its exports, each read by Python as another program would.
read_back() {
	for format in json chrome speedscope csv folded; do
		run -0 --separate-stderr lab report "$1" -f $format -o out.$format
	done
	python3 - <<-'PYTHON'
	import collections, csv, decimal, json

	report = json.load(open('out.json'))
	slices = collections.defaultdict(list)
	for row in csv.DictReader(open('out.csv')):
	    slices[int(row['id'])].append((int(row['start_ns']), int(row['end_ns']), row['state'],
	                                   row['cpu'], row['reason']))

	# csv adds up to the report, and covers each lifetime without a gap
	for task in report['tasks']:
	    mine = slices[task['id']]
	    assert mine == sorted(mine)
	    assert all(a[1] == b[0] for a, b in zip(mine, mine[1:]))
	    if mine:
	        assert (mine[0][0], mine[-1][1]) == (task['start_ns'], task['end_ns'])
	    total = lambda state: sum(s[1] - s[0] for s in mine if s[2] == state)
	    assert total('running') == task['run_ns'] and total('ready') == task['ready_ns']
	    assert total('unknown') == task['unknown_ns']
	    for reason, ns in task['blocked_ns'].items():
	        assert ns == sum(s[1] - s[0] for s in mine if s[4] == reason)

	# chrome has the same slices
	chrome = json.load(open('out.chrome'), parse_float=decimal.Decimal)
	ns = lambda us: int(decimal.Decimal(us) * 1000)
	words = {'not known': 'unknown'}
	seen, cpus, wakes, ops = (collections.defaultdict(list) for _ in range(4))
	begun = {}
	for e in chrome['traceEvents']:
	    lane = e.get('pid') and 1, e.get('tid')
	    if e['ph'] == 'B':
	        assert lane not in begun
	        begun[lane] = e
	    elif e['ph'] == 'E':
	        b = begun.pop(lane)
	        assert (b['name'], b['args']) == (e['name'], e['args'])
	        if e['pid']:
	            seen[e['tid']].append((ns(b['ts']), ns(e['ts']), words.get(e['name'], e['name']),
	                                   str(e['args'].get('cpu', '')), e['args'].get('reason', '')))
	        else:
	            cpus[e['tid']].append((ns(b['ts']), ns(e['ts']), e['args']['ours']))
	    elif e['ph'] in 'sf':
	        wakes[e['id']].append((e['ph'], e['ts']))
	    elif e['ph'] in 'be':
	        ops[e['id']].append((e['ph'], ns(e['ts'])))
	assert not begun
	assert {k: v for k, v in seen.items()} == {k: v for k, v in slices.items() if v}
	assert all([p for p, _ in w] == ['s', 'f'] and w[0][1] == w[1][1] for w in wakes.values())
	for cpu in report['cpus']:
	    assert cpu['ours_ns'] == sum(e - s for s, e, ours in cpus[cpu['cpu']] if ours)
	assert {o['id']: (o['start_ns'], o['end_ns']) for o in report['operations']} == \
	       {k: (v[0][1], v[1][1]) for k, v in ops.items()}

	# speedscope too: states are the outer frames, and events nest
	scope = json.load(open('out.speedscope'))
	frames = [words.get(f['name'], f['name']) for f in scope['shared']['frames']]
	assert len(scope['profiles']) == len(report['tasks'])
	for task, profile in zip(report['tasks'], scope['profiles']):
	    stack, got, inner = [], [], ''
	    for e in profile['events']:
	        if e['type'] == 'O':
	            stack.append(e)
	            inner = frames[e['frame']] if len(stack) == 2 else ''
	        else:
	            o = stack.pop()
	            assert o['frame'] == e['frame']
	            if len(stack) == 1:
	                held = frames[o['frame']]
	            else:
	                state = frames[o['frame']]
	                got.append((o['at'], e['at'], state,
	                            held[4:] if state == 'running' else '',
	                            held if state == 'blocked' else ''))
	    assert not stack
	    assert got == slices[task['id']], (got[:3], slices[task['id']][:3])

	# folded: the same sums
	folded = {}
	for line in open('out.folded'):
	    stack, ns_text = line.rstrip('\n').rsplit(' ', 1)
	    folded[stack] = folded.get(stack, 0) + int(ns_text)
	assert sum(folded.values()) == sum(t['end_ns'] - t['start_ns'] for t in report['tasks'])
	assert sum(ns for stack, ns in folded.items() if stack.endswith(';not known')) == \
	       sum(t['unknown_ns'] for t in report['tasks'])
	PYTHON
}

@test "the sample, in every export" {
	read_back "$SAMPLE"
}

@test "threads with locks, an event loop, and a pipe, in every export" {
	for trace in threads-lock async pipe; do
		read_back "$REPOSITORY/tests/fixtures/$trace.lab"
	done
}

# 90 records of CPU 1 are missing; what ran on CPU 0 is known all the same.
@test "where records are missing, every export says that it is not known" {
	read_back "$REPOSITORY/tests/fixtures/lossy/pipe.lab"
	grep -q ',unknown,,,,,,$' out.csv
	python3 - <<-'PYTHON'
	import csv, json

	report = json.load(open('out.json'))
	(gap,) = report['loss']['stretches']
	inside = lambda row: int(row['start_ns']) < gap['end_ns'] and gap['start_ns'] < int(row['end_ns'])
	rows = [row for row in csv.DictReader(open('out.csv')) if inside(row)]
	assert {row['state'] for row in rows if row['cpu'] != '0'} == {'unknown'}
	assert any(row['cpu'] == '0' for row in rows)
	assert report['verdict']['class'] == 'parallel' and report['parallelism']['bounds'][0] > 0
	for cpu in report['cpus']:
	    assert cpu['unknown_ns'] == (gap['end_ns'] - gap['start_ns'] if cpu['cpu'] == 1 else 0)
	path = report['critical_path']
	assert path['unknown_ns'] == sum(s['end_ns'] - s['start_ns'] for s in path['segments']
	                                 if s['kind'] == 'unknown') > 0
	capacity = report['capacity']
	assert capacity['unknown_ns'] >= gap['end_ns'] - gap['start_ns']
	PYTHON
	run -0 lab report -v "$REPOSITORY/tests/fixtures/lossy/pipe.lab" -f perfetto -o out.pftrace
	grep -qa 'not known' out.pftrace
	run -0 lab report -v "$REPOSITORY/tests/fixtures/lossy/pipe.lab"
	output_has "as far as the records tell, 105 waits for a CPU"
	output_has "as far as the records tell, 2 migrations"
	output_lacks "tasks running at once"
}

@test "html: what its timeline is drawn from are the slices of csv" {
	local trace
	for trace in "$SAMPLE" "$REPOSITORY"/tests/fixtures/{,lossy/}*.lab; do
		for format in html json csv; do
			lab report "$trace" -f $format -o out.$format
		done
		python -B "$REPOSITORY/tests/reports/page.py" out.html out.json out.csv
	done
}

# Decoded by protoc with the public numbers of the fields, and read as Perfetto reads it.
@test "perfetto: its CPUs, threads and operations are those of the report" {
	requires command=protoc
	local trace
	for trace in "$SAMPLE" "$REPOSITORY"/tests/fixtures/{,lossy/}*.lab; do
		lab report "$trace" -f json -o out.json
		lab report "$trace" -f csv -o out.csv
		lab report "$trace" -f perfetto -o out.pftrace
		protoc --proto_path="$REPOSITORY/tests/reports" --decode=Trace perfetto.proto \
			<out.pftrace >out.text
		run ! grep -E '^ *[0-9]+:' out.text
		python -B "$REPOSITORY/tests/reports/perfetto.py" out.json out.csv <out.text
	done
}
