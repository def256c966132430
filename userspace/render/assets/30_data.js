/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * data - reads back what userspace/render/html_data.c wrote: tasks and their spans, CPUs and their
 * segments, as columns of numbers. Times are ns since the window's start.
 *
 * spans.at[first..last) are the begins of a task's spans and spans.at[last] is its end: each task has
 * one more place, of the state ABSENT. cpus are the same: segs.at, segs.state, segs.ref.
 */

/* States of a task, as lanes stack them from the foot up; those of a CPU's lane. */
const RUN = 0, READY = 1, LOCK = 2, EVENT = 3, IO = 4, CHILD = 5, OTHER = 6, SLEEP = 7, LOST = 8, STATES = 9, ABSENT = 9;
const OURS = 0, FOREIGN = 1, UNKNOWN = 2, IDLE = 9;
const STATE_NAMES = ["run", "ready", "lock", "event", "io", "child", "other", "sleep", "unknown"];
const STATE_OF_REASON = {
	lock: LOCK, cond: LOCK, join: CHILD, epoll: EVENT, poll: EVENT, pipe: IO, socket: IO, uring: IO, disk: IO, pagefault: IO,
	sleep: SLEEP, child: CHILD, filelock: LOCK, semaphore: LOCK, queue: IO, eventfd: EVENT,
};
const KIND_MARK = 0x20, KIND_PROGRESS = 0x40, KIND_MASK = 0x1f, KIND_UNKNOWN = 0x1f;
const NO_CALL = 0, STRIDE = 16;

const data = {};	/* filled by loadData() */

function jsonOf(id) {
	const el = document.getElementById(id);
	const value = JSON.parse(el.textContent);

	el.remove();
	return value;
}

function bytesOfBase64(text) {
	if (Uint8Array.fromBase64)
		return Uint8Array.fromBase64(text);
	const raw = atob(text), bytes = new Uint8Array(raw.length);

	for (let i = 0; i < raw.length; i++)
		bytes[i] = raw.charCodeAt(i);
	return bytes;
}

/* Inflate to exactly this many bytes. */
async function inflate(packed, length) {
	const stream = new DecompressionStream("deflate"), writer = stream.writable.getWriter();
	const reader = stream.readable.getReader(), plain = new Uint8Array(length);
	let at = 0;

	const wrote = writer.write(packed).then(() => writer.close());
	wrote.catch(() => {});
	for (;;) {
		const { done, value } = await reader.read();
		if (done)
			break;
		if (at + value.length > length)
			throw new Error("a block is longer than it says");
		plain.set(value, at);
		at += value.length;
	}
	await wrote;
	if (at !== length)
		throw new Error("a block is shorter than it says");
	return plain;
}

/* The columns of one block: numbers from byte planes. */
async function readBlock(el) {
	const columns = el.dataset.columns.split(" ").map((text) => {
		const [name, planes, count] = text.split("/");
		return { name, planes: +planes, count: +count };
	});
	const plain = await inflate(bytesOfBase64(el.textContent), columns.reduce((sum, c) => sum + c.planes * c.count, 0));
	const block = {};
	let from = 0;

	el.remove();
	for (const { name, planes, count } of columns) {
		const values = planes === 1 ? plain.subarray(from, from + count) :
			planes <= 4 ? new Uint32Array(count) : new Float64Array(count);
		for (let plane = 0; planes > 1 && plane < planes; plane++) {
			const base = from + plane * count, scale = Math.pow(2, 8 * plane);
			if (planes <= 4)
				for (let i = 0; i < count; i++)
					values[i] |= plain[base + i] << (8 * plane);
			else
				for (let i = 0; i < count; i++)
					values[i] += plain[base + i] * scale;
		}
		block[name] = values;
		from += planes * count;
	}
	return block;
}

/* Each block of a table in turn, with room for the page to live in between. */
async function forBlocks(table, use) {
	for (const el of [...document.querySelectorAll(`script.lab-block[data-table="${table}"]`)]) {
		use(await readBlock(el));
		await breathe();
	}
}

function breathe() {
	return new Promise((resolve) => setTimeout(resolve, 0));
}

/* ---- spans ---- */

function makeTasks(head, report) {
	let at = 0;

	data.tasks = head.tasks.map((row, index) => {
		const of = report.tasks[index];
		const task = {
			...of, index, name: safe(of.comm), first: at, last: at + row.spans, end: of.end_ns,
			label: `${safe(of.comm)} (${of.tid})`,
		};
		at = task.last + 1;
		return task;
	});
	data.taskById = new Map(data.tasks.map((task) => [task.id, task]));
	return at;
}

async function readSpans(head, report) {
	const places = makeTasks(head, report);
	const spans = data.spans = {
		at: new Float64Array(places), kind: new Uint8Array(places), state: new Uint8Array(places).fill(ABSENT),
		ref: new Uint32Array(places), call: new Uint16Array(places),
	};
	let t = 0, i = 0, at = 0;

	const nextTask = () => {
		while (t < data.tasks.length && i === data.tasks[t].last) {
			const task = data.tasks[t++];
			spans.at[i++] = task.first === task.last ? task.start_ns : at;
			task.end = spans.at[i - 1];
			at = t < data.tasks.length ? data.tasks[t].start_ns : 0;
		}
	};
	at = data.tasks.length ? data.tasks[0].start_ns : 0;
	nextTask();
	await forBlocks("spans", (block) => {
		const { kind, dur, cpu, call, waker } = block;
		let runs = 0, blocks = 0;

		for (let k = 0; k < kind.length; k++) {
			const what = kind[k] & KIND_MASK;
			spans.at[i] = at;
			spans.kind[i] = kind[k];
			spans.state[i] = data.stateOfKind[what];
			if (what === 0) {
				spans.ref[i] = cpu[runs++];
			} else if (what > 1 && what !== KIND_UNKNOWN) {
				spans.call[i] = call[blocks];
				spans.ref[i] = waker[blocks++];
			}
			at += dur[k];
			i++;
			nextTask();
		}
	});
	if (i !== places)
		throw new Error("spans are missing");
}

/* ---- CPUs ---- */

/* Indices of the running spans of one CPU, as runs that ascend, merged. */
function mergeRuns(list, bounds, at) {
	let from = list, to = new Uint32Array(list.length);

	while (bounds.length > 2) {
		const merged = [0];
		for (let b = 0; b + 1 < bounds.length; b += 2) {
			let i = bounds[b], j = bounds[b + 1], k = i;
			const iEnd = j, jEnd = bounds[Math.min(b + 2, bounds.length - 1)];
			while (i < iEnd && j < jEnd)
				to[k++] = at[from[j]] < at[from[i]] ? from[j++] : from[i++];
			while (i < iEnd)
				to[k++] = from[i++];
			while (j < jEnd)
				to[k++] = from[j++];
			merged.push(k);
		}
		[from, to] = [to, from];
		bounds = merged;
	}
	return from;
}

function runsByCpu() {
	const { state, ref, at } = data.spans, counts = new Uint32Array(data.cpus.length);

	for (let i = 0; i < state.length; i++)
		if (state[i] === RUN)
			counts[ref[i]]++;
	const lists = data.cpus.map((_, c) => new Uint32Array(counts[c]));
	const bounds = data.cpus.map(() => [0]);
	counts.fill(0);
	for (const task of data.tasks) {
		for (let i = task.first; i < task.last; i++)
			if (state[i] === RUN)
				lists[ref[i]][counts[ref[i]]++] = i;
		for (let c = 0; c < data.cpus.length; c++)
			if (counts[c] > bounds[c][bounds[c].length - 1])
				bounds[c].push(counts[c]);
	}
	return lists.map((list, c) => mergeRuns(list, bounds[c], at));
}

/* Ours and others' in one order; what is between is idle. Where two contradict each other, the first has the CPU. */
function makeSegments(runs, others, end) {
	const count = data.cpus.reduce((sum, _, c) => sum + 2 * (runs[c].length + others[c].length) + 2, 0);
	const segs = data.segs = { at: new Float64Array(count), state: new Uint8Array(count).fill(ABSENT), ref: new Uint32Array(count) };
	const { at } = data.spans;
	let n = 0;

	data.cpus.forEach((cpu, c) => {
		let i = 0, j = 0, now = 0;
		const put = (start, until, state, ref) => {
			if (until <= now)
				return;
			if (start > now) {
				segs.at[n] = now;
				segs.state[n++] = IDLE;
				now = start;
			}
			segs.at[n] = now;
			segs.state[n] = state;
			segs.ref[n++] = ref;
			now = until;
		};
		cpu.first = n;
		while (i < runs[c].length || j < others[c].length) {
			const run = i < runs[c].length ? at[runs[c][i]] : Infinity;
			const other = j < others[c].length ? data.others.at[others[c][j]] : Infinity;
			if (run <= other) {
				put(run, at[runs[c][i] + 1], OURS, runs[c][i]);
				i++;
			} else {
				const o = others[c][j++];
				put(other, other + data.others.dur[o], data.others.unknown[o] ? UNKNOWN : FOREIGN, o);
			}
		}
		if (now < end) {
			segs.at[n] = now;
			segs.state[n++] = IDLE;
		}
		cpu.last = n;
		segs.at[n++] = Math.max(end, now);
	});
}

async function readOthers(head) {
	const count = head.cpus.reduce((sum, cpu) => sum + cpu.others, 0), lists = head.cpus.map((cpu) => new Uint32Array(cpu.others));
	const others = data.others = {
		at: new Float64Array(count), dur: new Float64Array(count), unknown: new Uint8Array(count),
		tid: new Uint32Array(count), comm: new Uint32Array(count),
	};
	let o = 0, c = 0, k = 0, now = 0;

	await forBlocks("others", (block) => {
		for (let i = 0; i < block.gap.length; i++, o++) {
			while (k === head.cpus[c].others) {
				c++;
				k = now = 0;
			}
			others.at[o] = now + block.gap[i];
			others.dur[o] = block.dur[i];
			others.unknown[o] = block.class[i] === 2 ? 0 : 1;
			others.tid[o] = block.tid[i];
			others.comm[o] = block.comm[i];
			now = others.at[o] + block.dur[i];
			lists[c][k++] = o;
		}
	});
	return lists;
}

/* ---- the rest ---- */

async function readPath(head) {
	const n = head.segments, path = data.path = { at: new Float64Array(n + 1), task: new Uint32Array(n), kind: new Uint8Array(n) };
	let i = 0;

	await forBlocks("path", (block) => {
		for (let k = 0; k < block.dur.length; k++, i++) {
			path.at[i + 1] = path.at[i] + block.dur[k];
			path.task[i] = block.task[k];
			path.kind[i] = block.kind[k];
		}
	});
}

/* Operations by task, each with its stretches that were not suspended and its depth among those around it. */
async function readOperations(head, report) {
	const byId = new Map(report.operations.map((op) => [op.id, { ...op, name: safe(op.name), parts: [] }]));

	data.operations = [...byId.values()];
	await forBlocks("parts", (block) => {
		for (let k = 0; k < block.op.length; k++)
			byId.get(block.op[k])?.parts.push([block.start[k], block.start[k] + block.dur[k], block.task[k]]);
	});
	data.opsByTask = new Map();
	for (const op of data.operations) {
		if (!data.opsByTask.has(op.task_id))
			data.opsByTask.set(op.task_id, []);
		data.opsByTask.get(op.task_id).push(op);
	}
	for (const ops of data.opsByTask.values()) {
		const open = [];
		ops.sort((a, b) => a.start_ns - b.start_ns || b.end_ns - a.end_ns);
		for (const op of ops) {
			op.depth = open.findIndex((end) => end <= op.start_ns);
			if (op.depth < 0)
				op.depth = open.length;
			open[op.depth] = op.end_ns;
		}
	}
}

/* Where records of any CPU are missing: [start, end], in order, none overlaps. */
function lossesOf({ stretches }) {
	const losses = [];

	for (const { start_ns, end_ns } of [...stretches].sort((a, b) => a.start_ns - b.start_ns)) {
		const last = losses[losses.length - 1], end = end_ns ?? data.window;
		if (last && start_ns <= last[1])
			last[1] = Math.max(last[1], end);
		else
			losses.push([start_ns, end]);
	}
	return losses;
}

/* Everything. @onCpus is called when the CPU lanes can be drawn. */
async function loadData(head, report) {
	data.window = head.window_ns;
	data.cut = head.cut_ns ?? head.window_ns;
	data.calls = head.calls;
	data.comms = head.comms.map(safe);
	data.losses = lossesOf(report.loss);
	data.reasons = head.reasons;
	data.stateOfKind = new Uint8Array(32);
	data.stateOfKind[1] = READY;
	data.stateOfKind[KIND_UNKNOWN] = LOST;
	head.reasons.forEach((name, i) => data.stateOfKind[i + 2] = STATE_OF_REASON[name] ?? OTHER);
	data.cpus = head.cpus.map(({ cpu }, index) => ({ cpu, index, label: `CPU ${cpu}` }));
	await readSpans(head, report);
	const others = await readOthers(head);
	makeSegments(runsByCpu(), others, data.cut);
	await readPath(head);
	await readOperations(head, report);
}
