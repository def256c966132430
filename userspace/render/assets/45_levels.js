/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * levels - how many at once, summed over all lanes, for the strips and the minimap: time per bin
 * of the whole window, kept as sums; where columns are narrower than bins, from the spans in view.
 */

const BINS = 1 << 16;

/* Stretches that may overlap, as time per column of dt from @from on. */
function makeLoad(from, dt, n) {
	return { from, dt, n, ns: new Float64Array(n + 1), whole: new Float64Array(n + 2) };
}

function loadAdd(load, start, end) {
	const { from, dt, n } = load, a = Math.max(0, (start - from) / dt), b = Math.min(n, (end - from) / dt);

	if (!(a < b))
		return;
	const first = Math.floor(a), last = Math.floor(b);
	if (first === last) {
		load.ns[first] += b - a;
		return;
	}
	load.ns[first] += first + 1 - a;
	load.ns[last] += b - last;
	load.whole[first + 1]++;
	load.whole[last]--;
}

/* The average number at once in each column. */
function loadFinish(load) {
	let whole = 0;

	for (let x = 0; x < load.n; x++) {
		whole += load.whole[x];
		load.ns[x] += whole;
	}
	return load.ns;
}

/* From averages per bin: their sum until each bin's begin. */
function sumsOf(averages, n) {
	const sums = new Float64Array(n + 1);

	for (let i = 0; i < n; i++)
		sums[i + 1] = sums[i] + averages[i];
	return sums;
}

function makeLevels() {
	const dt = Math.max(1, data.window) / BINS, running = makeLoad(0, dt, BINS), ready = makeLoad(0, dt, BINS);
	const { at, state } = data.spans;

	for (const task of data.tasks) {
		for (let i = task.first; i < task.last; i++) {
			if (state[i] === RUN)
				loadAdd(running, at[i], at[i + 1]);
			else if (state[i] === READY)
				loadAdd(ready, at[i], at[i + 1]);
		}
	}
	const operations = makeLoad(0, dt, BINS);
	for (const op of data.operations)
		if (!op.parent)
			loadAdd(operations, op.start_ns, op.end_ns);
	const levels = data.levels = { dt };
	for (const [name, load] of Object.entries({ running, ready, operations })) {
		const averages = loadFinish(load);
		levels[name] = sumsOf(averages, BINS);
		levels[`${name}Max`] = averages.reduce((most, v) => Math.max(most, v), 0);
	}
}

function sumAt(sums, t, dt) {
	const x = Math.min(BINS, Math.max(0, t / dt)), i = Math.min(BINS - 1, Math.floor(x));

	return sums[i] + (sums[i + 1] - sums[i]) * (x - i);
}

function levelOfBins(name, from, dt, n) {
	const sums = data.levels[name], values = new Float64Array(n);
	let last = sumAt(sums, from, data.levels.dt);

	for (let x = 0; x < n; x++) {
		const next = sumAt(sums, from + (x + 1) * dt, data.levels.dt);
		values[x] = (next - last) * data.levels.dt / dt;
		last = next;
	}
	return values;
}

/* Average numbers of running, ready and operations per column. */
function levelsOfColumns(from, dt, n) {
	if (dt >= data.levels.dt)
		return { running: levelOfBins("running", from, dt, n), ready: levelOfBins("ready", from, dt, n),
			operations: levelOfBins("operations", from, dt, n) };
	const running = makeLoad(from, dt, n), ready = makeLoad(from, dt, n), operations = makeLoad(from, dt, n);
	const { at, state } = data.spans, to = from + n * dt;

	for (const task of data.tasks) {
		if (task.first === task.last || at[task.first] >= to || at[task.last] <= from)
			continue;
		for (let i = placeOf(task.lane, from); i < task.last && at[i] < to; i++) {
			if (state[i] === RUN)
				loadAdd(running, at[i], at[i + 1]);
			else if (state[i] === READY)
				loadAdd(ready, at[i], at[i + 1]);
		}
	}
	for (const op of data.operations)
		if (!op.parent && op.start_ns < to && op.end_ns > from)
			loadAdd(operations, op.start_ns, op.end_ns);
	return { running: loadFinish(running), ready: loadFinish(ready), operations: loadFinish(operations) };
}

/* ---- lanes of everything, once the data is there ---- */

function makeLanes() {
	for (const cpu of data.cpus)
		cpu.lane = makeLane(data.segs.at, data.segs.state, cpu.first, cpu.last);
	for (const task of data.tasks)
		task.lane = makeLane(data.spans.at, data.spans.state, task.first, task.last);
	for (const task of data.tasks)
		task.opLanes = makeOpLanes(data.opsByTask.get(task.id) || []);
}

/* A lane per depth of nesting: state 0 while an operation is active, 1 while it is suspended. */
function makeOpLanes(ops) {
	const byDepth = [];

	for (const op of ops)
		(byDepth[op.depth] ||= []).push(op);
	return byDepth.map((row) => {
		const at = [], state = [], ref = [];
		const put = (t, s, op) => {
			at.push(t);
			state.push(s);
			ref.push(op);
		};
		row.forEach((op, k) => {
			let now = op.start_ns;
			const marked = op.fd === null, parts = marked ? op.parts : [[op.start_ns, op.end_ns]];
			for (const [from, to] of parts) {
				if (from > now)
					put(now, 1, op);
				if (to > from)
					put(from, 0, op);
				now = Math.max(now, to);
			}
			if (op.end_ns > now)
				put(now, 1, op);
			const next = row[k + 1]?.start_ns ?? Infinity;
			if (op.end_ns < next)
				put(op.end_ns, ABSENT, null);
		});
		const lane = makeLane(Float64Array.from(at), Uint8Array.from(state), 0, Math.max(0, at.length - 1));
		return Object.assign(lane, { ref });
	});
}
