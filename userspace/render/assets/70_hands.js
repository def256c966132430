/* SPDX-License-Identifier: GPL-2.0-only */
/* hands - mouse, touch and keyboard. Whatever the mouse does, a key does too; ? lists them. */

let searchBox = null, tip = null, live = null, theme = "system", drag = null;

function say(text) {
	live.textContent = text;
}

function rowAtY(clientY) {
	const y = clientY - scroller.getBoundingClientRect().top + scroller.scrollTop;

	return rows.find((row) => y >= row.y && y < row.y + row.height) || null;
}

function xIn(event) {
	return event.clientX - scroller.getBoundingClientRect().left;
}

/* ---- tooltip ---- */

function showTip(event) {
	const lines = view.pointer && !drag ? linesAt(view.pointer.row, view.pointer.t) : null;

	tip.hidden = !lines;
	if (!lines)
		return;
	tip.replaceChildren(...lines.map((line, i) => make(i ? "div" : "b", { text: line })));
	const right = event.clientX + 18 + tip.offsetWidth > innerWidth, low = event.clientY + 18 + tip.offsetHeight > innerHeight;
	tip.style.left = `${Math.max(4, right ? event.clientX - tip.offsetWidth - 12 : event.clientX + 18)}px`;
	tip.style.top = `${Math.max(4, low ? event.clientY - tip.offsetHeight - 12 : event.clientY + 18)}px`;
}

/* ---- mouse ---- */

function onMove(event) {
	const x = xIn(event), inside = x >= paint.gutter;

	if (drag) {
		const t = tOf(Math.max(paint.gutter, Math.min(x, paint.gutter + paint.width)));
		drag.moved ||= Math.abs(event.clientX - drag.x) > 3;
		if (drag.type === "range" && drag.moved)
			view.range = [Math.max(0, Math.min(drag.t, t)), Math.min(data.window, Math.max(drag.t, t))].map(Math.round);
		else if (drag.type === "pan" && drag.moved)
			setSpan(drag.from - (event.clientX - drag.x) / paint.width * (drag.to - drag.from),
				drag.to - (event.clientX - drag.x) / paint.width * (drag.to - drag.from));
		else if (drag.type === "map")
			centreMap(x);
	}
	view.pointer = inside && !drag?.type?.startsWith("map") ? { t: tOf(x), row: event.currentTarget === topCanvas ? null : rowAtY(event.clientY) } : null;
	redraw();
	showTip(event);
}

function centreMap(x) {
	const t = (x - paint.gutter) / paint.width * data.window, half = (view.to - view.from) / 2;

	setSpan(t - half, t + half);
}

function onDown(event) {
	const x = xIn(event), onTop = event.currentTarget === topCanvas;

	if (event.button !== 0)
		return;
	if (x < paint.gutter) {
		if (!onTop)
			clickLabel(rowAtY(event.clientY), x);
		return;
	}
	if (x > paint.gutter + paint.width)
		return;
	const y = event.clientY - topCanvas.getBoundingClientRect().top;
	drag = { x: event.clientX, t: tOf(x), from: view.from, to: view.to, moved: false,
		type: onTop && y < TOP.map ? "map" : event.shiftKey ? "range" : "pan", row: onTop ? null : rowAtY(event.clientY) };
	event.currentTarget.setPointerCapture(event.pointerId);
	if (drag.type === "map")
		centreMap(x);
	scroller.focus({ preventScroll: true });
	event.preventDefault();
}

function onUp() {
	if (!drag)
		return;
	const { type, moved, row } = drag;

	drag = null;
	if (type === "range") {
		if (!moved)
			view.range = null;
		rangeChanged();
	} else if (type === "pan" && !moved && row) {
		view.lane = row.key;
		if (row.task)
			view.lock = view.lock === row.task.id ? 0 : row.task.id;
	}
	changed();
}

function clickLabel(row, x) {
	if (!row)
		return;
	view.lane = row.key;
	if (row.process)
		fold(row.process.key);
	else if (row.type === "task" && x < 26)
		toggle(view.details, row.task.id);
	else if (row.task)
		view.lock = view.lock === row.task.id ? 0 : row.task.id;
	rowsChanged();
}

function onWheel(event) {
	const x = xIn(event);

	if (x < paint.gutter && event.currentTarget !== topCanvas)
		return;		/* the names scroll */
	event.preventDefault();
	const unit = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1;
	if (event.shiftKey && event.currentTarget !== topCanvas) {
		scroller.scrollTop += (event.deltaY || event.deltaX) * unit;
		return;
	}
	if (Math.abs(event.deltaX) > Math.abs(event.deltaY))
		panBy(event.deltaX * unit / paint.width);
	else
		zoomAt(tOf(Math.max(paint.gutter, x)), Math.exp(event.deltaY * unit * 0.0022));
}

function onDouble(event) {
	const row = rowAtY(event.clientY), stretch = xIn(event) >= paint.gutter && stretchAt(row, tOf(xIn(event)));

	if (!stretch)
		return;
	const around = (stretch[1] - stretch[0]) * 0.15;
	setSpan(stretch[0] - around, stretch[1] + around);
}

/* ---- keyboard ---- */

function toggle(set, key) {
	if (!set.delete(key))
		set.add(key);
}

function fold(key) {
	toggle(view.folded, key);
}

function foldAll() {
	if (view.folded.size)
		view.folded.clear();
	else
		for (const process of processes)
			if (process.tasks.length > 1)
				view.folded.add(process.key);
	rowsChanged();
}

function moveLane(step) {
	const at = rows.findIndex((row) => row.key === view.lane), row = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))];

	view.lane = row.key;
	if (row.y < scroller.scrollTop)
		scroller.scrollTop = row.y;
	else if (row.y + row.height > scroller.scrollTop + scroller.clientHeight)
		scroller.scrollTop = row.y + row.height - scroller.clientHeight;
	redraw();
	sayLane(row);
}

function sayLane(row) {
	const lines = linesAt(row, cursorTime());

	say(lines ? lines.join(". ") : row.label);
}

/* To the next or the previous stretch of the lane. */
function stepStretch(step) {
	const row = rowOfKey(view.lane);

	if (!row?.lane || row.lane.first === row.lane.last)
		return;
	const { at, first, last } = row.lane, middle = (view.from + view.to) / 2;
	const i = Math.max(first, Math.min(last - 1, placeOf(row.lane, middle) + step)), length = view.to - view.from;
	const centre = (at[i] + at[i + 1]) / 2;
	view.pointer = null;
	setSpan(centre - length / 2, centre + length / 2);
	sayLane(row);
}

function rangeEnd(which) {
	const t = cursorTime(), [from, to] = view.range || [view.from, view.to];

	if (which === 0)
		setRange(t, t < to ? to : view.to);
	else
		setRange(t > from ? from : view.from, t);
}

function enter() {
	const row = rowOfKey(view.lane);

	if (row?.process)
		fold(row.process.key);
	else if (row?.task)
		view.lock = view.lock === row.task.id ? 0 : row.task.id;
	rowsChanged();
}

function letGo() {
	const help = document.getElementById("help");

	if (help.open)
		help.close();
	else if (view.range)
		setRange(null);
	else if (view.lock || view.evidence) {
		view.lock = 0;
		view.evidence = false;
	} else if (view.query)
		setQuery("");
	else
		view.lane = null;
	changed();
}

function withTask(use) {
	const row = rowOfKey(view.lane);

	if (!row?.task)
		return;
	use(row.task.id);
	rowsChanged();
}

function onBoth(flag) {
	view[flag] = !view[flag];
	paint.stale = true;
	syncButtons();
	changed();
}

const KEYS = {
	a: () => panBy(-0.15), d: () => panBy(0.15), ArrowLeft: () => panBy(-0.15), ArrowRight: () => panBy(0.15),
	w: () => zoomAt(cursorTime(), 0.7), s: () => zoomAt(cursorTime(), 1 / 0.7), "+": () => zoomAt(cursorTime(), 0.7), "-": () => zoomAt(cursorTime(), 1 / 0.7),
	ArrowUp: () => moveLane(-1), ArrowDown: () => moveLane(1), PageUp: () => moveLane(-10), PageDown: () => moveLane(10),
	Enter: enter, p: () => withTask((id) => toggle(view.pins, id)), r: () => withTask((id) => toggle(view.details, id)), f: foldAll,
	"[": () => rangeEnd(0), "]": () => rangeEnd(1), z: () => view.range && setSpan(view.range[0], view.range[1]),
	0: () => setSpan(0, data.window), Home: () => setSpan(0, data.window), "/": () => searchBox.focus(),
	n: () => stepStretch(1), N: () => stepStretch(-1), c: () => onBoth("byTask"), x: () => onBoth("path"), e: showEvidence,
	t: () => nextTheme(), l: () => setLanguage(language === "en" ? "es" : "en"), Escape: letGo,
	"?": () => document.getElementById("help").showModal(),
};
const HELP = [
	["A, D, ←, →", "k_move"], ["W, S, +, -", "k_zoom"], ["↑, ↓", "k_lane"], ["Enter", "k_lock"], ["P", "k_pin"], ["F", "k_fold"], ["R", "k_detail"],
	["[, ]", "k_range"], ["Z", "k_fit"], ["0, Home", "k_all"], ["/", "k_find"], ["N, Shift+N", "k_next"], ["C", "k_color"], ["X", "k_path"],
	["E", "k_witness"], ["T", "k_theme"], ["L", "k_lang"], ["Esc", "k_esc"],
];

function onKey(event) {
	const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
	const local = /^(Arrow|Page|Home|Enter)/.test(event.key);

	if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape"))
		return;
	if (local && event.target !== scroller)
		return;		/* the page's own, but on the timeline */
	if (document.getElementById("help").open)
		return;		/* the dialogue has its own way to be left */
	const key = KEYS[event.key] || KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
	if (!key)
		return;
	event.preventDefault();
	if (typing)
		scroller.focus();
	key();
}

function setQuery(text) {
	view.query = text;
	if (searchBox.value !== text)
		searchBox.value = text;
	rowsChanged();
	say(text ? word("found", { n: data.tasks.filter(matches).length, all: data.tasks.length }) : "");
}

function bindHands() {
	for (const canvas of [topCanvas, laneCanvas]) {
		canvas.addEventListener("pointermove", onMove);
		canvas.addEventListener("pointerdown", onDown);
		canvas.addEventListener("pointerup", onUp);
		canvas.addEventListener("pointercancel", onUp);
		canvas.addEventListener("wheel", onWheel, { passive: false });
		canvas.addEventListener("pointerleave", () => {
			view.pointer = null;
			tip.hidden = true;
			redraw();
		});
	}
	laneCanvas.addEventListener("dblclick", onDouble);
	scroller.addEventListener("scroll", () => redraw(false));
	document.addEventListener("keydown", onKey);
	new ResizeObserver(resized).observe(scroller);
	addEventListener("hashchange", () => {
		readAddress();
		rangeChanged();
		rowsChanged();
	});
}
