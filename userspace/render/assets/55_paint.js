/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * paint - the canvases: above the minimap, the axis and the strips; below the rows that are scrolled to.
 * Lanes are drawn a texel at a time into a picture of TEXELS rows for each, one column per device
 * pixel, and stretched to their height. That picture is kept until the time or the rows change.
 */

const TOP = { map: 34, axis: 24, strip: 54, ops: 30 };
const FONT = "12px system-ui, sans-serif";

const paint = { gutter: 190, width: 0, ratio: 1, columns: 0, stale: true, waiting: false, frames: 0, lanes: null };

let topCanvas, laneCanvas, scroller, spacer;
let laneTexels = [], cpuTexels = [], opTexels = [], taskPixels = [];

function makeTexels() {
	laneTexels = patternTexels([...STATE_NAMES, "idle"]);
	cpuTexels = patternTexels(["run", "foreign", "unknown", "idle", "idle", "idle", "idle", "idle", "idle", "idle"]);
	opTexels = patternTexels(["event", "sleep", "idle", "idle", "idle", "idle", "idle", "idle", "idle", "idle"]);
	const back = pixelOf(rgbOf(color("back")));
	for (const texels of [laneTexels, opTexels])
		texels[IDLE] = new Uint32Array(PATTERN_WIDTH * TEXELS).fill(back);
	taskPixels = data.tasks.map((task) => pixelOf(taskRgb(task.index)));
}

function xOf(t) {
	return paint.gutter + (t - view.from) / (view.to - view.from) * paint.width;
}

function tOf(x) {
	return view.from + (x - paint.gutter) / paint.width * (view.to - view.from);
}

/* ---- lanes ---- */

const sampled = new Map();

/* Whose the texels of ours are in a column of a CPU's lane: as many instants of it as there are texels. */
function ownersOf(lane, i, t0, dt, count, out) {
	const { at, state, last } = lane, { ref } = data.segs;
	let n = 0;

	if (count > 1 && paint.manyCpus)
		count = 1;
	const tries = Math.max(count, 2);
	for (let k = 0; k < tries && n < count; k++) {
		let p = placeOf(lane, t0 + (k + 0.5) * dt / tries, i);
		if (state[p] !== OURS && p + 1 < last && at[p + 1] < t0 + dt)
			p++;
		if (state[p] === OURS)
			out[n++] = ref[p];
	}
	return n;
}

function taskOfSpan(i) {
	let low = 0, high = data.tasks.length - 1;

	while (low < high) {
		const mid = (low + high + 1) >> 1;
		if (data.tasks[mid].first <= i)
			low = mid;
		else
			high = mid - 1;
	}
	return data.tasks[low];
}

function paintCpuOwners(lane, cells, dt, n, pixels, line) {
	const owners = new Uint32Array(TEXELS);
	let i = placeOf(lane, view.from), known = -1, task = 0;

	const pixelOfSpan = (span) => {
		if (span !== known) {
			known = span;
			task = taskPixels[taskOfSpan(span).index];
		}
		return task;
	};
	for (let x = 0; x < n; x++) {
		const t0 = view.from + x * dt;
		let count = 0;
		for (let y = 0; y < TEXELS; y++)
			count += cells[TEXELS * x + y] === OURS;
		if (!count)
			continue;
		i = placeOf(lane, t0, i);
		const whole = lane.state[i] === OURS && lane.at[i] <= t0 && lane.at[i + 1] >= t0 + dt;
		const found = whole ? 1 : ownersOf(lane, i, t0, dt, count, owners);
		if (whole)
			owners[0] = data.segs.ref[i];
		if (!found)
			continue;
		owners.subarray(0, found).sort();
		for (let y = 0, k = 0; y < TEXELS; y++)
			if (cells[TEXELS * x + y] === OURS)
				pixels[(line + y) * n + x] = pixelOfSpan(owners[Math.min(found - 1, Math.floor(k++ * found / count))]);
	}
}

function paintLane(row, times, cells, dt, n, pixels, line) {
	const texels = row.type === "cpu" ? cpuTexels : row.type === "op" ? opTexels : laneTexels;

	timesOfColumns(row.lane, view.from, dt, n, times);
	if (row.type === "detail")
		for (let x = 0; x < n; x++)
			times[STATES * x + RUN] = times[STATES * x + READY] = 0;
	texelsOf(times, dt, n, cells);
	for (let y = 0; y < TEXELS; y++) {
		const to = (line + y) * n;
		for (let x = 0, p = 0; x < n; x++) {
			pixels[to + x] = texels[cells[TEXELS * x + y]][TEXELS * p + y];
			if (++p === PATTERN_WIDTH)
				p = 0;
		}
	}
	if (row.type === "cpu" && view.byTask)
		paintCpuOwners(row.lane, cells, dt, n, pixels, line);
}

function visibleRows() {
	const top = scroller.scrollTop, foot = top + scroller.clientHeight;

	return rows.filter((row) => row.y + row.height > top && row.y < foot);
}

/* Texels of all rows in sight that are lanes. */
function paintLanes(shown) {
	const lanes = shown.filter((row) => row.lane && row.lane.first < row.lane.last), n = paint.columns;
	const key = `${view.from} ${view.to} ${n} ${dark} ${view.byTask} ${lanes.map((row) => row.key).join()}`;

	if (!paint.stale && paint.key === key)
		return;
	paint.key = key;
	paint.stale = false;
	const height = Math.max(1, lanes.length * TEXELS);
	const canvas = paint.lanes ||= document.createElement("canvas"), context = canvas.getContext("2d");
	if (canvas.width !== n || canvas.height !== height) {
		canvas.width = n;
		canvas.height = height;
		paint.image = context.createImageData(n, height);
		paint.pixels = new Uint32Array(paint.image.data.buffer);
		paint.times = new Float64Array(STATES * n);
		paint.cells = new Uint8Array(TEXELS * n);
	}
	const dt = (view.to - view.from) / n;
	paint.manyCpus = lanes.filter((row) => row.type === "cpu").length > 16;
	lanes.forEach((row, i) => {
		row.line = i * TEXELS;
		paintLane(row, paint.times, paint.cells, dt, n, paint.pixels, row.line);
	});
	context.putImageData(paint.image, 0, 0);
}

/* ---- texts on what is wide enough ---- */

function textOfPlace(row, i) {
	if (row.type === "cpu") {
		const { state, ref } = data.segs;
		return state[i] === OURS ? taskOfSpan(ref[i]).name : state[i] === FOREIGN ? data.comms[data.others.comm[ref[i]]] || word("foreign") : "";
	}
	if (row.type === "op")
		return row.lane.ref[i] && row.lane.state[i] === 0 ? row.lane.ref[i].name : "";
	const { state, ref } = data.spans;
	if (row.type === "task")
		return state[i] === RUN ? data.cpus[ref[i]].label : state[i] === READY ? word("ready") : state[i] === LOST ? word("unknown") : "";
	return state[i] > READY ? reasonOf(i) : "";
}

/* "epoll", "lock: futex". */
function reasonOf(i) {
	const kind = data.spans.kind[i] & KIND_MASK, call = data.spans.call[i], reason = data.reasons[kind - 2] || "";

	return call === NO_CALL ? reason : `${reason}: ${data.calls[call - 1]}`;
}

function textColorOn(row, i) {
	if (row.type === "cpu" && view.byTask && data.segs.state[i] === OURS) {
		const [r, g, b] = taskRgb(taskOfSpan(data.segs.ref[i]).index);
		return 0.299 * r + 0.587 * g + 0.114 * b > 130 ? "#000" : "#fff";
	}
	const state = row.type === "cpu" ? ["run", "foreign", "unknown"][data.segs.state[i]] : row.type === "op" ? "event" : STATE_NAMES[row.lane.state[i]];
	const [r, g, b] = rgbOf(color(state || "idle"));
	return 0.299 * r + 0.587 * g + 0.114 * b > 130 ? "#000" : "#fff";
}

function writeOn(context, row, y) {
	const { at, last } = row.lane, scale = paint.width / (view.to - view.from);
	let seen = 0;

	context.font = "11px system-ui, sans-serif";
	context.textAlign = "left";
	for (let i = placeOf(row.lane, view.from); i < last && at[i] < view.to && seen < 2000; i++, seen++) {
		if ((at[i + 1] - at[i]) * scale < 28)
			continue;
		const text = textOfPlace(row, i), from = Math.max(paint.gutter, xOf(at[i])), to = Math.min(paint.gutter + paint.width, xOf(at[i + 1]));
		if (!text || to - from < 28)
			continue;
		const cut = fitted(context, text, to - from - 8);
		if (!cut)
			continue;
		const plain = row.type === "op" || row.lane.state[i] === SLEEP || row.lane.state[i] === RUN || row.type === "cpu";
		if (!plain) {
			context.fillStyle = dark ? "#0008" : "#fff9";
			context.fillRect(from + 2, y + 3, context.measureText(cut).width + 5, row.height - 7);
		}
		context.fillStyle = plain ? textColorOn(row, i) : color("text");
		context.fillText(cut, from + 4, y + row.height / 2);
	}
}

function fitted(context, text, width) {
	if (context.measureText(text).width <= width)
		return text;
	for (let n = text.length - 1; n > 1; n--)
		if (context.measureText(`${text.slice(0, n)}…`).width <= width)
			return `${text.slice(0, n)}…`;
	return "";
}

/* A long name is cut, never the number behind it: names recur, numbers tell tasks apart. */
function fittedLabel(context, row, width) {
	const tail = row.type === "task" ? row.label.slice(row.label.lastIndexOf(" (")) : "";

	return fitted(context, row.label.slice(0, row.label.length - tail.length), width - context.measureText(tail).width) + tail;
}

/* ---- rows ---- */

function drawLabel(context, row, y) {
	const heading = row.type === "head" || row.type === "process", folded = row.process && view.folded.has(row.process.key);

	context.font = heading ? `600 ${FONT}` : FONT;
	context.textAlign = "left";
	context.fillStyle = heading ? color("text") : color("text");
	let x = 10;
	if (row.type === "process") {
		context.fillText(folded ? "▸" : "▾", 6, y + row.height / 2);
		x = 22;
	} else if (row.type === "task") {
		context.fillStyle = color("faint");
		context.fillText(view.details.has(row.task.id) ? "▾" : "▸", 14, y + row.height / 2);
		context.fillStyle = color("text");
		if (view.lock === row.task.id)
			context.font = `600 ${FONT}`;
		x = 28;
	} else if (row.type === "cpu") {
		x = 28;
	} else if (row.type === "op") {
		context.fillStyle = color("faint");
		x = 40;
	}
	const text = row.type === "detail" ? word("reasons") : row.label;
	if (row.type === "detail") {
		context.fillStyle = color("faint");
		x = 40;
	}
	if (row.type === "cpu" || row.type === "task") {
		const share = formatShare(row.lane.total[RUN], row.type === "cpu" ? data.cut : row.lane.at[row.lane.last] - row.lane.at[row.lane.first]);
		context.textAlign = "right";
		context.fillStyle = color("faint");
		context.fillText(share, paint.gutter - 8, y + row.height / 2);
		context.textAlign = "left";
		context.fillStyle = color("text");
		context.fillText(fittedLabel(context, row, paint.gutter - x - 60), x, y + row.height / 2);
	} else {
		const width = heading ? paint.gutter + paint.width - x - 10 : paint.gutter - x - 6;
		context.fillText(fitted(context, text, width), x, y + row.height / 2);
	}
}

function drawRow(context, row, y) {
	if (row.type === "head" || row.type === "process") {
		context.fillStyle = color("idle");
		context.fillRect(0, y, paint.gutter + paint.width, row.height);
	}
	if (row.key === view.lane) {
		context.fillStyle = color("mark");
		context.fillRect(0, y + 1, 4, row.height - 2);
	}
	drawLabel(context, row, y);
	if (!row.lane || row.lane.first >= row.lane.last)
		return;
	const inset = row.type === "task" || row.type === "cpu" ? 2 : 1;
	context.imageSmoothingEnabled = false;
	context.drawImage(paint.lanes, 0, row.line, paint.columns, TEXELS, paint.gutter, y + inset, paint.width, row.height - 2 * inset);
	writeOn(context, row, y);
}

function drawRows() {
	const context = laneCanvas.getContext("2d"), shown = visibleRows(), top = scroller.scrollTop;

	paintLanes(shown);
	context.setTransform(paint.ratio, 0, 0, paint.ratio, 0, 0);
	context.fillStyle = color("back");
	context.fillRect(0, 0, paint.gutter + paint.width, scroller.clientHeight);
	context.textBaseline = "middle";
	for (const row of shown)
		drawRow(context, row, row.y - top);
	context.fillStyle = color("line");
	context.fillRect(paint.gutter - 1, 0, 1, scroller.clientHeight);
	drawCut(context, scroller.clientHeight);
	context.save();
	context.beginPath();
	context.rect(paint.gutter, 0, paint.width, scroller.clientHeight);
	context.clip();
	drawOver(context, top);
	context.restore();
}

/* What is not in the file is told from what is idle. */
function drawCut(context, height) {
	if (data.cut >= data.window || data.cut >= view.to)
		return;
	const x = Math.max(paint.gutter, xOf(data.cut));

	context.fillStyle = color("idle");
	context.fillRect(x, 0, paint.gutter + paint.width - x, height);
	context.fillStyle = color("text");
	context.textAlign = "left";
	context.fillText(fitted(context, word("cuthere"), paint.gutter + paint.width - x - 8), x + 6, Math.min(height / 2, 60));
}

/* ---- above ---- */

function drawArea(context, values, top, height, most, style, base) {
	context.fillStyle = style;
	context.beginPath();
	context.moveTo(paint.gutter, top + height);
	const step = paint.width / values.length;
	for (let x = 0; x < values.length; x++) {
		const y = top + height - Math.min(1, (values[x] + (base ? base[x] : 0)) / most) * height;
		context.lineTo(paint.gutter + x * step, y);
		context.lineTo(paint.gutter + (x + 1) * step, y);
	}
	context.lineTo(paint.gutter + paint.width, top + height);
	context.fill();
}

/* Over a strip or the map: how many there were where records are missing is not known. */
function drawLosses(context, top, height, x) {
	if (!data.losses.length)
		return;
	const tile = new OffscreenCanvas(8, 8), on = tile.getContext("2d");
	on.fillStyle = color("unknown");
	on.fillRect(0, 0, 8, 8);
	on.strokeStyle = "#0006";
	on.stroke(new Path2D("M-2 2l4-4M0 8l8-8M6 10l4-4"));
	context.fillStyle = context.createPattern(tile, "repeat");
	for (const [start, end] of data.losses) {
		const from = Math.max(paint.gutter, x(start)), to = Math.min(paint.gutter + paint.width, x(end));
		if (from < to)
			context.fillRect(from, top, Math.max(1, to - from), height);
	}
}

function drawMap(context) {
	const n = paint.columns, values = levelOfBins("running", 0, Math.max(1, data.window) / n, n);
	const scale = paint.width / Math.max(1, data.window), from = paint.gutter + view.from * scale, to = paint.gutter + view.to * scale;

	context.fillStyle = color("idle");
	context.fillRect(paint.gutter, 2, paint.width, TOP.map - 4);
	drawArea(context, values, 2, TOP.map - 4, Math.max(1, data.cpus.length), color("run"));
	drawLosses(context, 2, TOP.map - 4, (t) => paint.gutter + t * scale);
	if (view.range) {
		context.fillStyle = `${color("mark")}44`;
		context.fillRect(paint.gutter + view.range[0] * scale, 2, (view.range[1] - view.range[0]) * scale, TOP.map - 4);
	}
	context.fillStyle = dark ? "#0d1117bb" : "#ffffffbb";
	context.fillRect(paint.gutter, 2, from - paint.gutter, TOP.map - 4);
	context.fillRect(to, 2, paint.gutter + paint.width - to, TOP.map - 4);
	context.strokeStyle = color("mark");
	context.lineWidth = 1.5;
	context.strokeRect(from, 2, Math.max(2, to - from), TOP.map - 4);
	context.textAlign = "left";
	context.fillStyle = color("faint");
	context.fillText(formatNs(data.window), 10, TOP.map / 2);
}

function drawAxis(context, top) {
	const { ticks, origin } = ticksOf(view.from, view.to, paint.width, 95);

	context.fillStyle = color("faint");
	context.textAlign = "left";
	context.fillText(origin || formatNs(view.to - view.from), 10, top + TOP.axis / 2);
	context.fillStyle = color("text");
	for (const { at, text } of ticks) {
		const x = xOf(at);
		context.fillRect(x, top + TOP.axis - 7, 1, 7);
		if (x < paint.gutter + paint.width - 30)
			context.fillText(text, x + 4, top + TOP.axis / 2);
	}
}

/* Running and ready stacked, with a line where the CPUs end. */
function drawStrip(context, levels, top) {
	const cpus = Math.max(1, data.cpus.length), height = TOP.strip - 6;
	let most = cpus;

	for (let x = 0; x < levels.running.length; x++)
		most = Math.max(most, levels.running[x] + levels.ready[x]);
	most = Math.min(most, 4 * cpus);
	context.fillStyle = color("idle");
	context.fillRect(paint.gutter, top + 2, paint.width, height);
	drawArea(context, levels.ready, top + 2, height, most, color("ready"), levels.running);
	drawArea(context, levels.running, top + 2, height, most, color("run"));
	drawLosses(context, top + 2, height, xOf);
	const line = top + 2 + height - cpus / most * height;
	context.strokeStyle = color("text");
	context.setLineDash([4, 3]);
	context.beginPath();
	context.moveTo(paint.gutter, line);
	context.lineTo(paint.gutter + paint.width, line);
	context.stroke();
	context.setLineDash([]);
	context.fillStyle = color("text");
	context.textAlign = "left";
	context.fillText(word("strip"), 10, top + 16);
	context.fillStyle = color("faint");
	context.fillText(`${cpus} ${word("cpus")}, 0-${Math.round(most)}`, 10, top + 34);
}

function drawOps(context, levels, top) {
	const most = Math.max(1, data.levels.operationsMax), height = TOP.ops - 6;

	context.fillStyle = color("idle");
	context.fillRect(paint.gutter, top + 2, paint.width, height);
	drawArea(context, levels.operations, top + 2, height, most, color("event"));
	context.fillStyle = color("text");
	context.fillText(fitted(context, `${word("operations")}, 0-${Math.round(most)}`, paint.gutter - 14), 10, top + TOP.ops / 2);
}

function topHeight() {
	return TOP.map + TOP.axis + TOP.strip + (data.operations.length ? TOP.ops : 0);
}

function drawTop() {
	const context = topCanvas.getContext("2d"), levels = levelsOfColumns(view.from, (view.to - view.from) / paint.columns, paint.columns);

	context.setTransform(paint.ratio, 0, 0, paint.ratio, 0, 0);
	context.fillStyle = color("back");
	context.fillRect(0, 0, paint.gutter + paint.width, topHeight());
	context.font = FONT;
	context.textBaseline = "middle";
	drawMap(context);
	drawAxis(context, TOP.map);
	drawStrip(context, levels, TOP.map + TOP.axis);
	if (data.operations.length)
		drawOps(context, levels, TOP.map + TOP.axis + TOP.strip);
	drawRangeOn(context, TOP.map, topHeight());
	context.fillStyle = color("line");
	context.fillRect(paint.gutter - 1, 0, 1, topHeight());
}

/* ---- when ---- */

function resized() {
	paint.ratio = window.devicePixelRatio || 1;
	const width = scroller.clientWidth;

	paint.gutter = width < 700 ? 130 : 210;
	paint.columns = Math.max(10, Math.round((width - paint.gutter) * paint.ratio));
	paint.width = paint.columns / paint.ratio;
	for (const [canvas, height] of [[topCanvas, topHeight()], [laneCanvas, scroller.clientHeight]]) {
		canvas.width = Math.round(width * paint.ratio);
		canvas.height = Math.round(height * paint.ratio);
		canvas.style.width = `${width}px`;
		canvas.style.height = `${height}px`;
	}
	paint.stale = true;
	redraw();
}

/* At most once for each frame of the screen. */
function redraw(topToo = true) {
	paint.topToo ||= topToo;
	if (paint.waiting || !paint.width)
		return;
	paint.waiting = true;
	requestAnimationFrame(drawNow);
}

function drawNow() {
	paint.waiting = false;
	if (paint.topToo)
		drawTop();
	paint.topToo = false;
	drawRows();
	paint.frames++;
}

/* The time or what is chosen is another. */
function changed() {
	saveAddress();
	redraw();
}

/* The rows are others. */
function rowsChanged() {
	const height = makeRows();

	spacer.style.height = `${Math.max(0, height - scroller.clientHeight)}px`;
	paint.stale = true;
	changed();
}
