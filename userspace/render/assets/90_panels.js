/* SPDX-License-Identifier: GPL-2.0-only */
/* panels - what the report computed of the whole run, as bars and tables; each with lab's own sentence on it. */

const ROWS_SHOWN = 40;

/* lab's sentences with these labels, taken from the top of the page. */
function sentences(...labels) {
	const found = labels.flatMap((label) => [...document.querySelectorAll(`#facts > div[data-label="${label}"]`)]);
	const texts = found.flatMap((el) => [...el.querySelectorAll("dd")].map((dd) => make("p", { class: "sentence", text: dd.textContent })));

	found.forEach((el) => el.remove());
	return texts;
}

function panel(key, ...children) {
	return make("section", { class: "panel", id: `panel-${key}` }, make("h2", { word: key, text: word(key) }), ...children);
}

/* A bar of parts [{ name, value, state }], each as wide as its share, and a list of them below. */
function stackedBar(parts, whole, title) {
	const svg = makeSvg("svg", { viewBox: "0 0 1000 34", preserveAspectRatio: "none", class: "bar", role: "img", "aria-label": title });
	const list = make("ul", { class: "key" });
	let x = 0;

	for (const { name, value, state } of parts) {
		if (!value)
			continue;
		const rect = makeSvg("rect", { x, y: 0, width: 1000 * value / whole, height: 34, class: `fill-${state}` });
		rect.append(makeSvg("title", null, `${name}: ${formatShare(value, whole)}`));
		svg.append(rect);
		x += 1000 * value / whole;
		list.append(make("li", null, swatch(state), `${name} ${formatShare(value, whole)}`));
	}
	return [svg, list];
}

/* A square with the state's colour and pattern. */
function swatch(state) {
	const svg = makeSvg("svg", { viewBox: "0 0 14 14", class: "swatch", "aria-hidden": "true" });

	svg.append(makeSvg("rect", { width: 14, height: 14, class: `fill-${state}` }));
	return svg;
}

function stackPanel(report) {
	const c = report.capacity;

	if (!c)
		return panel("stack", ...sentences("CPUs"));
	const parts = [{ name: word("c_work"), value: c.work_ns, state: "run" }];
	for (const key of ["latency", "affinity", "throttled", "balancing", "undivided"])
		parts.push({ name: word(`c_${key}`), value: c.unplaced[`${key}_ns`], state: "ready" });
	parts.push({ name: word("c_interference"), value: c.interference_ns, state: "foreign" }, { name: word("c_other"), value: c.other_ns, state: "foreign" });
	for (const [reason, ns] of Object.entries(c.blocked_ns))
		parts.push({ name: word("c_blocked") + reason, value: ns, state: STATE_NAMES[STATE_OF_REASON[reason] ?? OTHER] });
	parts.push({ name: word("c_no_thread"), value: c.no_thread_ns, state: "idle" }, { name: word("c_unknown"), value: c.unknown_ns, state: "unknown" });
	return panel("stack", ...stackedBar(parts, c.total_ns, word("stack")), ...sentences("CPUs"));
}

/* Bars side by side with their names below: [{ name, value }]. */
function columnChart(bars, whole, title) {
	const width = 560, height = 120, step = width / Math.max(1, bars.length);
	const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height + 36}`, class: "chart", role: "img", "aria-label": title });

	bars.forEach(({ name, value }, i) => {
		const high = whole ? value / whole * height : 0;
		svg.append(makeSvg("rect", { x: i * step + step * 0.12, y: height - high + 14, width: step * 0.76, height: high, class: "fill-run" }));
		if (step > 44)
			svg.append(makeSvg("text", { x: (i + 0.5) * step, y: height - high + 9, "text-anchor": "middle" }, formatShare(value, whole)));
		if (step > 20 || i % Math.ceil(24 / step) === 0)
			svg.append(makeSvg("text", { x: (i + 0.5) * step, y: height + 30, "text-anchor": "middle" }, name));
	});
	return svg;
}

function profilePanel(report) {
	if (!report.audit.lossless)
		return null;
	const bars = report.parallelism.profile_ns.map((value, k) => ({ name: String(k), value }));

	return panel("profile", columnChart(bars, report.window.duration_ns, word("profile")));
}

/* The tallest at the foot: as tall as the share of the time put down to a task, as wide as what ran beside it. */
function bottlePanel(report) {
	const tasks = report.tasks.filter((task) => task.bottle_ns > 0).sort((a, b) => b.bottle_ns - a.bottle_ns);
	const total = tasks.reduce((sum, task) => sum + task.bottle_ns, 0), shown = tasks.slice(0, 12);
	const width = 560, height = 220, most = Math.max(1, ...tasks.map((task) => task.run_ns / task.bottle_ns)), middle = 140;
	const svg = makeSvg("svg", { viewBox: `0 0 ${width} ${height + 6}`, class: "chart", role: "img", "aria-label": word("bottles") });
	let y = height;

	if (shown.length < 2 || !report.audit.lossless)
		return null;
	for (const task of shown) {
		const high = task.bottle_ns / total * height, wide = task.run_ns / task.bottle_ns / most * 240;
		const rect = makeSvg("rect", { x: middle - wide / 2, y: y - high + 3, width: wide, height: Math.max(1, high - 1), class: "fill-run" });
		rect.append(makeSvg("title", null, safe(task.comm)));
		svg.append(rect);
		if (high > 11)
			svg.append(makeSvg("text", { x: 275, y: y - high / 2 + 7 },
				`${safe(task.comm)} (${task.tid}): ${formatShare(task.bottle_ns, report.window.duration_ns)}, ${(task.run_ns / task.bottle_ns).toFixed(2)}`));
		y -= high;
	}
	return panel("bottles", svg, make("p", { class: "faint" }, make("span", { word: "height", text: word("height") }), "; ", make("span", { word: "width", text: word("width") })), ...sentences("shape"));
}

function waitsPanel(report) {
	const waits = report.run_queue_wait, histogram = report.wakeup_latency.histogram;

	if (!waits.count)
		return null;
	const first = histogram.findIndex((n) => n > 0), last = histogram.length - 1 - [...histogram].reverse().findIndex((n) => n > 0);
	const unit = (i) => i < 10 ? `${2 ** i} ns` : i < 20 ? `${2 ** (i - 10)} us` : i < 30 ? `${2 ** (i - 20)} ms` : `${2 ** (i - 30)} s`;
	const bars = histogram.slice(first, last + 1).map((value, i) => ({ name: unit(first + i), value }));

	return panel("waits", columnChart(bars, waits.count, word("waits")), ...sentences("wait"));
}

function labelOf(row) {
	const task = row.id === null ? null : data.taskById?.get(row.id);

	return task ? task.label : `${row.comm ? safe(row.comm) : "?"} (${row.tid})`;
}

function cutRows(rowsOf) {
	const more = rowsOf.length > ROWS_SHOWN ? make("p", { class: "faint", text: word("more", { n: formatCount(rowsOf.length - ROWS_SHOWN) }) }) : null;

	return [rowsOf.slice(0, ROWS_SHOWN), more];
}

function locksPanel(report) {
	if (!report.locks.length)
		return null;
	const [shown, more] = cutRows(report.locks);

	return panel("locks", make("div", { class: "wide" }, makeTable(["name", "kind", "count", "total", "max", "waiters", "handed", "preempted"], shown.map((lock) => [
		safe(lock.symbol ?? lock.addr), lock.kind, formatCount(lock.waits), formatNs(lock.wait_ns), formatNs(lock.max_wait_ns), formatCount(lock.waiters),
		lock.holders.slice(0, 3).map(labelOf).join(", "), formatShare(lock.holder_ready_ns, lock.wait_ns)]), word("locks"))), more);
}

/* One sentence for each loop is lab's own: labels follow each other until the next. */
function loopsPanel(report) {
	return report.event_loops.length ? panel("loops", ...sentences("loop")) : null;
}

function movesPanel(report) {
	const { matrix, count } = report.migrations;

	if (!count)
		return null;
	const cpus = [...new Set(matrix.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b).slice(0, 32);
	const cells = new Map(matrix.map(({ from, to, count: n }) => [`${from} ${to}`, n]));

	return panel("moves", ...sentences("moves"), make("div", { class: "wide" }, makeTable([`${word("from")} \\ ${word("to")}`, ...cpus.map(String)],
		cpus.map((from) => [`CPU ${from}`, ...cpus.map((to) => cells.get(`${from} ${to}`) || "")]), word("moves"))));
}

function criticalPanel(report) {
	const path = report.critical_path, parts = [{ name: word("running"), value: path.run_ns, state: "run" }, { name: word("ready"), value: path.ready_ns, state: "ready" }];

	for (const [reason, ns] of Object.entries(path.blocked_ns))
		parts.push({ name: reason, value: ns, state: STATE_NAMES[STATE_OF_REASON[reason] ?? OTHER] });
	parts.push({ name: word("unknown"), value: path.unknown_ns, state: "unknown" }, { name: word("none"), value: path.none_ns, state: "idle" });
	return panel("critical", ...stackedBar(parts, path.length_ns, word("critical")), ...sentences("path"),
		make("button", { type: "button", id: "path-here", word: "path", text: word("path"), on: { click: () => onBoth("path") } }));
}

function serializerPanel() {
	const texts = sentences("lock", "turns");

	return texts.length ? panel("serializer", ...texts) : null;
}

function blockedText(task) {
	const texts = task.blocked_in.slice(0, 2).map(({ call, reason, ns }) => `${call ?? reason} ${formatNs(ns)}`);

	if (task.unknown_ns)
		texts.push(`${word("unknown")} ${formatNs(task.unknown_ns)}`);
	return texts.join(", ");
}

const TASK_COLUMNS = [
	["task", (t) => `${safe(t.comm)}`, (t) => t.comm], ["tid", (t) => t.tid, (t) => t.tid], ["running", (t) => formatNs(t.run_ns), (t) => -t.run_ns],
	["ready", (t) => formatNs(t.ready_ns), (t) => -t.ready_ns], ["longest", (t) => formatNs(t.max_ready_ns), (t) => -t.max_ready_ns],
	["voluntary", (t) => formatCount(t.voluntary), (t) => -t.voluntary], ["involuntary", (t) => formatCount(t.involuntary), (t) => -t.involuntary],
	["migrations", (t) => formatCount(t.migrations), (t) => -t.migrations], ["reasons", blockedText, (t) => -Object.values(t.blocked_ns).reduce((a, b) => a + b, 0)],
];
let taskOrder = 2;

function fillTasks(section, report) {
	const key = TASK_COLUMNS[taskOrder][2], sorted = [...report.tasks].sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.id - b.id);
	const shown = sorted.slice(0, 200);
	const table = makeTable(TASK_COLUMNS.map(([name]) => name), shown.map((task) => TASK_COLUMNS.map(([, text], i) => i ? text(task) :
		make("button", { type: "button", class: "link", text: text(task), on: { click: () => gotoTask(task.id) } }))), word("table"));

	[...table.tHead.rows[0].cells].forEach((cell, i) => {
		delete cell.dataset.word;
		cell.setAttribute("aria-sort", i === taskOrder ? "ascending" : "none");
		cell.replaceChildren(make("button", { type: "button", class: "link", word: TASK_COLUMNS[i][0], text: word(TASK_COLUMNS[i][0]), on: { click: () => {
			taskOrder = i;
			fillTasks(section, report);
		} } }));
	});
	section.querySelector(".wide").replaceChildren(table, sorted.length > shown.length ? make("p", { text: word("more", { n: formatCount(sorted.length - shown.length) }) }) : "");
}

function tasksPanel(report) {
	const section = panel("tasks", make("div", { class: "wide" }));

	section.classList.add("full");
	fillTasks(section, report);
	return section;
}

/* To a task's row, and its arrows. */
function gotoTask(id) {
	const process = processes.find((p) => p.tasks.some((task) => task.id === id));

	view.query = searchBox.value = "";
	if (process)
		view.folded.delete(process.key);
	view.lock = id;
	rowsChanged();
	const row = rowOfTask(id);
	if (row) {
		view.lane = row.key;
		scroller.scrollTop = row.y - scroller.clientHeight / 3;
	}
	document.getElementById("timeline").scrollIntoView({ block: "nearest" });
	scroller.focus({ preventScroll: true });
	redraw();
}

function legendPanel() {
	const list = make("dl", { class: "legend" });

	for (const state of [...STATE_NAMES.slice(0, LOST), "foreign", "unknown"])
		list.append(make("div", null, make("dt", null, swatch(state), make("span", { word: state === "foreign" || state === "unknown" ? state : `s_${state}`, text: word(state === "foreign" || state === "unknown" ? state : `s_${state}`) })),
			make("dd", { word: `l_${state}`, text: word(`l_${state}`) })));
	return make("section", { class: "panel full", id: "legend" }, make("h2", { word: "legend", text: word("legend") }),
		make("p", { word: "legendlead", text: word("legendlead") }), list,
		...["l_conc", "l_par", "l_seq"].map((key) => make("p", { word: key, text: word(key) })));
}

function makePanels(report) {
	const panels = make("div", { id: "panels" });

	panels.append(...[legendPanel(), stackPanel(report), profilePanel(report), bottlePanel(report), waitsPanel(report), serializerPanel(), locksPanel(report),
		loopsPanel(report), criticalPanel(report), movesPanel(report), tasksPanel(report)].filter(Boolean));
	const about = sentences("run", "cost", "shape", "lock");
	if (about.length)
		panels.append(panel("about", ...about));
	return panels;
}
