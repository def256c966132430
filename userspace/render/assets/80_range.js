/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * range - what the report says of the whole run, computed anew for the stretch that is selected, by the same
 * rules (docs/HACKING.md), and labelled "range". The verdict is that of the whole run only.
 */

/* How long how many stretches are open at once within [from, to): [k] of exactly k. */
function profileOf(starts, ends, from, to) {
	const profile = [];
	let level = 0, i = 0, j = 0, now = from;

	starts.sort();
	ends.sort();
	while (j < ends.length) {
		const t = i < starts.length && starts[i] < ends[j] ? starts[i] : ends[j];
		if (t > now)
			profile[level] = (profile[level] || 0) + t - now;
		now = Math.max(now, t);
		while (j < ends.length && ends[j] === t) {
			level--;
			j++;
		}
		while (i < starts.length && starts[i] === t) {
			level++;
			i++;
		}
	}
	if (to > now)
		profile[0] = (profile[0] || 0) + to - now;
	return Array.from(profile, (ns) => ns || 0);
}

/* Stretches of tasks in which this is so, clipped; neighbours of one task are one. */
function stretchesOf(from, to, holds) {
	const starts = [], ends = [], { at } = data.spans;

	for (const task of data.tasks) {
		if (task.first === task.last || at[task.first] >= to || at[task.last] <= from)
			continue;
		let open = false;
		for (let i = placeOf(task.lane, from); i < task.last && at[i] < to; i++) {
			const now = holds(i);
			if (now && !open)
				starts.push(Math.max(from, at[i]));
			if (!now && open)
				ends.push(at[i]);
			open = now;
		}
		if (open)
			ends.push(Math.min(to, at[task.last]));
	}
	return [Float64Array.from(starts), Float64Array.from(ends)];
}

function sumFrom(profile, k) {
	return profile.slice(k).reduce((sum, ns) => sum + ns, 0);
}

/* The time in which two or more tasks, or two or more operations, were in progress, and in which any was. */
function concurrencyOf(from, to) {
	const edges = [], [starts, ends] = stretchesOf(from, to, (i) => (data.spans.kind[i] & KIND_PROGRESS) !== 0);
	const level = [0, 0];
	let active = 0, concurrent = 0, now = from;

	starts.forEach((t) => edges.push([t, 0, 1]));
	ends.forEach((t) => edges.push([t, 0, -1]));
	for (const op of data.operations)
		if (!op.parent && op.start_ns < to && op.end_ns > from && op.end_ns > op.start_ns)
			edges.push([Math.max(from, op.start_ns), 1, 1], [Math.min(to, op.end_ns), 1, -1]);
	edges.sort((a, b) => a[0] - b[0]);
	for (const [t, subject, step] of edges) {
		if (level[0] || level[1])
			active += t - now;
		if (level[0] > 1 || level[1] > 1)
			concurrent += t - now;
		now = t;
		level[subject] += step;
	}
	return { active, concurrent };
}

/* The longest that two slices have in common: CPUs merged by the begins of their slices. */
function longestOverlap(from, to) {
	const { at, state } = data.segs, next = data.cpus.map((cpu) => placeOf(cpu.lane, from));
	let end = -Infinity, longest = 0;

	for (;;) {
		let best = -1;
		data.cpus.forEach((cpu, c) => {
			while (next[c] < cpu.last && state[next[c]] !== OURS)
				next[c]++;
			if (next[c] < cpu.last && at[next[c]] < to && (best < 0 || at[next[c]] < at[next[best]]))
				best = c;
		});
		if (best < 0)
			return longest;
		const start = Math.max(from, at[next[best]]), until = Math.min(to, at[next[best] + 1]);
		longest = Math.max(longest, Math.min(end, until) - start);
		end = Math.max(end, until);
		next[best]++;
	}
}

/* For how long of [from, to) records of a CPU are missing: these times are in no other sum. */
function missingIn(from, to) {
	const { dropped, storage_failures, recursion_misses } = data.report.loss;

	if (storage_failures || recursion_misses || (dropped && !data.losses.length))
		return to - from;
	return data.losses.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, start)), 0);
}

/* The words of docs/HACKING.md: parallel takes two slices that overlap by more than clocks may disagree, too. */
function classOf(parts, from, to) {
	if (parts.missing)
		return "unknown";
	if (!parts.active && !parts.busy)
		return "nothing";
	if (parts.parallel && 20 * parts.parallel >= parts.busy && longestOverlap(from, to) > Math.max(1000, data.report.verdict.eps_ns))
		return "parallel";
	return parts.concurrent && 20 * parts.concurrent >= parts.active ? "concurrent" : "sequential";
}

function statisticsOf(from, to) {
	const { at, state } = data.spans, tasks = [];
	const profile = profileOf(...stretchesOf(from, to, (i) => state[i] === RUN), from, to);
	const busy = sumFrom(profile, 1), parallel = sumFrom(profile, 2), { active, concurrent } = concurrencyOf(from, to);

	for (const task of data.tasks) {
		if (task.first === task.last || at[task.first] >= to || at[task.last] <= from)
			continue;
		let runs = 0, worst = 0;
		for (let i = placeOf(task.lane, from); i < task.last && at[i] < to; i++) {
			runs += state[i] === RUN;
			if (state[i] === READY)
				worst = Math.max(worst, Math.min(to, at[i + 1]) - Math.max(from, at[i]));
		}
		tasks.push({ task, runs, worst, times: timesIn(task.lane, from, to) });
	}
	tasks.sort((a, b) => b.times[RUN] - a.times[RUN] || a.task.id - b.task.id);
	return {
		profile, busy, parallel, active, concurrent, tasks, work: profile.reduce((sum, ns, k) => sum + k * ns, 0), max: profile.length - 1,
		cpus: data.cpus.map((cpu) => ({ cpu, times: timesIn(cpu.lane, from, to) })),
		missing: missingIn(from, to),
		class: classOf({ busy, parallel, active, concurrent, missing: missingIn(from, to) }, from, to),
	};
}

const RANGE_ROWS = 50;

function rangeTables(stats, length) {
	const blocked = (times) => times.subarray(LOCK, LOST).reduce((sum, ns) => sum + ns, 0);
	const reasons = (times) => STATE_NAMES.slice(LOCK, LOST).map((name, i) => [name, times[LOCK + i]]).filter(([, ns]) => ns > 0)
		.sort((a, b) => b[1] - a[1]).slice(0, 2).map(([name, ns]) => `${word(`s_${name}`)} ${formatNs(ns)}`).join(", ");
	const tasks = makeTable(["task", "running", "ready", "longest", "blocked", "unknown", "reasons", "run"], stats.tasks.slice(0, RANGE_ROWS).map(({ task, runs, worst, times }) =>
		[task.label, formatNs(times[RUN]), formatNs(times[READY]), formatNs(worst), formatNs(blocked(times)), formatNs(times[LOST]), reasons(times), formatCount(runs)]), word("tasks"));
	const cpus = makeTable(["cpu", "running", "foreign", "idle", "unknown"], stats.cpus.map(({ cpu, times }) =>
		[cpu.label, formatShare(times[OURS], length), formatShare(times[FOREIGN], length),
			formatShare(Math.max(0, length - times[OURS] - times[FOREIGN] - times[UNKNOWN]), length), formatShare(times[UNKNOWN], length)]), word("cpus"));
	const more = stats.tasks.length > RANGE_ROWS ? make("p", { class: "faint", text: word("more", { n: formatCount(stats.tasks.length - RANGE_ROWS) }) }) : null;

	return [make("div", { class: "wide" }, tasks, more), cpus];
}

let rangeTimer = 0;

function rangeChanged() {
	clearTimeout(rangeTimer);
	rangeTimer = setTimeout(showRange, 60);
}

function showRange() {
	const panel = document.getElementById("range");

	if (!panel)
		return;
	panel.hidden = !view.range;
	if (!view.range)
		return;
	const [from, to] = view.range, stats = statisticsOf(from, Math.min(to, data.cut)), length = to - from;
	const average = stats.busy ? (stats.work / stats.busy).toFixed(2) : "0";
	panel.replaceChildren(
		make("h2", { text: word("rangehead", { from: `+${formatNs(from)}`, to: `+${formatNs(to)}`, len: formatNs(length) }) }),
		make("p", null, make("strong", { class: `class ${stats.class}`, text: word("rangeclass", { class: word(stats.class) }) }), " ",
			stats.missing ? `${word("rangemissing", { a: formatShare(stats.missing, length) })} ` : "",
			stats.class === "nothing" ? "" : `${word("rangepar", { a: formatShare(stats.parallel, stats.busy), avg: average, max: stats.max })}; ${word("rangecon", { a: formatShare(stats.concurrent, stats.active) })}`),
		data.report.verdict.class === "inconclusive" ? make("p", { class: "faint", text: word("rangedoubt") }) : "",
		make("div", { class: "columns" }, ...rangeTables(stats, length)),
		make("button", { type: "button", word: "clear", text: word("clear"), on: { click: () => setRange(null) } }));
}
