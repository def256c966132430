/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * view - what is shown: a stretch of time, the rows, and what is chosen; kept in the address after #,
 * which is read with strict patterns and never as code or markup.
 */

const view = {
	from: 0, to: 1,
	range: null,		/* [from, to] that is selected */
	lane: null,		/* key of the row under the keyboard's cursor */
	lock: 0,		/* birth number of the task whose arrows stay */
	pins: new Set(), folded: new Set(), details: new Set(),
	query: "", byTask: true, path: false, evidence: false,
	pointer: null,		/* { t, row } under the mouse */
};

let rows = [];	/* { key, type, y, height, label, cpu, task, process, lane } */
let processes = [];	/* { key, label, tasks } */

const ROW_HEIGHTS = { head: 24, cpu: 22, process: 24, task: 20, detail: 18, op: 18 };
const DETAILS_AT_FIRST = 8;	/* tasks, up to which their rows of reasons are open */

/* Threads of one process: those with its tgid, from its first thread's birth on, for numbers recur. */
function makeProcesses() {
	const open = new Map();

	processes = [];
	for (const task of data.tasks) {
		if (task.tid === task.tgid || !open.has(task.tgid)) {
			const process = { key: `p${task.id}`, leader: task, tasks: [] };
			open.set(task.tgid, process);
			processes.push(process);
		}
		open.get(task.tgid).tasks.push(task);
	}
}

function matches(task) {
	const query = view.query.toLowerCase();

	return !query || task.name.toLowerCase().includes(query) || String(task.tid).startsWith(query);
}

function pushTask(task) {
	rows.push({ key: `t${task.id}`, type: "task", task, lane: task.lane, label: task.label });
	if (!view.details.has(task.id))
		return;
	rows.push({ key: `d${task.id}`, type: "detail", task, lane: task.lane, label: "" });
	task.opLanes.forEach((lane, depth) =>
		rows.push({ key: `o${task.id}.${depth}`, type: "op", task, lane, label: depth ? "" : word("operations") }));
}

function makeRows() {
	let y = 0;

	rows = [{ key: "cpus", type: "head", label: word("cpus") }];
	for (const cpu of data.cpus)
		rows.push({ key: `c${cpu.cpu}`, type: "cpu", cpu, lane: cpu.lane, label: cpu.label });
	const pinned = data.tasks.filter((task) => view.pins.has(task.id));
	if (pinned.length) {
		rows.push({ key: "pins", type: "head", label: word("pinned") });
		for (const task of pinned)
			pushTask(task);
	}
	for (const process of processes) {
		const tasks = process.tasks.filter((task) => matches(task) && !view.pins.has(task.id));
		if (!tasks.length)
			continue;
		if (process.tasks.length > 1 || view.folded.has(process.key))
			rows.push({ key: process.key, type: "process", process, tasks,
				label: `${process.leader.name}, ${word("process")} ${process.leader.tgid}: ${process.tasks.length}` });
		if (!view.folded.has(process.key))
			for (const task of tasks)
				pushTask(task);
	}
	for (const row of rows) {
		row.y = y;
		row.height = ROW_HEIGHTS[row.type];
		y += row.height;
	}
	return y;
}

function rowOfKey(key) {
	return rows.find((row) => row.key === key) || null;
}

function rowOfTask(id) {
	return rows.find((row) => row.type === "task" && row.task.id === id) || null;
}

/* ---- time ---- */

const SPAN_LEAST = 20;	/* ns over the whole width */

function setSpan(from, to) {
	const least = Math.min(SPAN_LEAST, Math.max(1, data.window)), length = Math.min(Math.max(to - from, least), Math.max(1, data.window));
	const middle = (from + to) / 2;

	view.from = Math.max(0, Math.min(middle - length / 2, Math.max(1, data.window) - length));
	view.to = view.from + length;
	changed();
}

function zoomAt(t, factor) {
	const length = view.to - view.from, least = Math.min(SPAN_LEAST, Math.max(1, data.window));
	const f = Math.max(least, Math.min(length * factor, Math.max(1, data.window))) / length;
	const from = Math.max(0, t - (t - view.from) * f), to = Math.min(Math.max(1, data.window), from + length * f);

	setSpan(to - length * f, to);
}

function panBy(share) {
	const by = (view.to - view.from) * share;

	setSpan(view.from + by, view.to + by);
}

function setRange(a, b) {
	const clip = (t) => Math.max(0, Math.min(data.window, Math.round(t)));

	view.range = a === null ? null : [clip(Math.min(a, b)), clip(Math.max(a, b))];
	if (view.range && view.range[0] === view.range[1])
		view.range = null;
	rangeChanged();
	changed();
}

/* ---- the address ---- */

let addressTimer = 0;

function addressOf() {
	const parts = [`t=${Math.round(view.from)},${Math.round(view.to)}`];

	if (view.range)
		parts.push(`sel=${view.range.join(",")}`);
	if (view.pins.size)
		parts.push(`pin=${[...view.pins].join(",")}`);
	if (view.lock)
		parts.push(`lock=${view.lock}`);
	if (view.path)
		parts.push("path=1");
	if (view.evidence)
		parts.push("evidence=1");
	if (!view.byTask)
		parts.push("color=state");
	if (language !== "en")
		parts.push(`lang=${language}`);
	if (theme !== "system")
		parts.push(`theme=${theme}`);
	return `#${parts.join("&")}`;
}

function saveAddress() {
	clearTimeout(addressTimer);
	addressTimer = setTimeout(() => {
		const address = addressOf();
		try {
			history.replaceState(null, "", address);
		} catch {
			/* a browser that does not let a file do so: the view is not kept */
		}
	}, 250);
}

function numbersOf(text, least, most) {
	if (!/^\d{1,15}(,\d{1,15}){0,63}$/.test(text || ""))
		return null;
	const numbers = text.split(",").map(Number);

	return numbers.length >= least && numbers.length <= most ? numbers : null;
}

/* What concerns the page itself; before the data is there. */
function readAddressOfPage(parts) {
	if (parts.lang === "es" || parts.lang === "en")
		language = parts.lang;
	if (["light", "dark", "system"].includes(parts.theme))
		theme = parts.theme;
}

function partsOfAddress() {
	const parts = {};

	for (const part of location.hash.slice(1).split("&")) {
		const found = /^([a-z]{1,10})=([a-z0-9,]{1,400})$/.exec(part);
		if (found)
			parts[found[1]] = found[2];
	}
	return parts;
}

function readAddress() {
	const parts = partsOfAddress(), span = numbersOf(parts.t, 2, 2), range = numbersOf(parts.sel, 2, 2);

	view.pins = new Set((numbersOf(parts.pin, 1, 64) || []).filter((id) => data.taskById.has(id)));
	view.lock = (numbersOf(parts.lock, 1, 1) || [0]).find((id) => data.taskById.has(id)) || 0;
	view.path = parts.path === "1";
	view.evidence = parts.evidence === "1";
	view.byTask = parts.color !== "state";
	view.range = range && range[0] < range[1] && range[1] <= data.window ? range : null;
	view.from = 0;
	view.to = Math.max(1, data.window);
	if (span && span[0] < span[1] && span[0] < data.window)
		setSpan(span[0], span[1]);
}
