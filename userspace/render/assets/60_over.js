/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * over - what is laid over the rows: the range, the pointer, the evidence, wake-ups, forks and moves of one
 * task, the critical path; and what a stretch says of itself.
 */

const ARROWS_MAX = 400;

function drawRangeOn(context, top, foot) {
	if (view.range) {
		const from = Math.max(paint.gutter, xOf(view.range[0])), to = Math.min(paint.gutter + paint.width, xOf(view.range[1]));
		if (to > from) {
			context.fillStyle = `${color("mark")}22`;
			context.fillRect(from, top, to - from, foot - top);
			context.fillStyle = color("mark");
			context.fillRect(from, top, 1, foot - top);
			context.fillRect(to - 1, top, 1, foot - top);
		}
	}
	const x = xOf(cursorTime());
	if (view.pointer && x >= paint.gutter) {
		context.fillStyle = color("faint");
		context.fillRect(x, top, 1, foot - top);
	}
}

function cursorTime() {
	return view.pointer ? view.pointer.t : (view.from + view.to) / 2;
}

function middleOf(row, top) {
	return row.y - top + row.height / 2;
}

function arrow(context, x0, y0, x1, y1) {
	const angle = Math.atan2(y1 - y0, x1 - x0);

	context.beginPath();
	context.moveTo(x0, y0);
	context.lineTo(x1, y1);
	context.stroke();
	context.beginPath();
	context.moveTo(x1, y1);
	context.lineTo(x1 - 7 * Math.cos(angle - 0.4), y1 - 7 * Math.sin(angle - 0.4));
	context.lineTo(x1 - 7 * Math.cos(angle + 0.4), y1 - 7 * Math.sin(angle + 0.4));
	context.fill();
}

/* Where a task is at t: its own row, else that of the CPU on which it runs. */
function rowAt(task, t) {
	const row = rowOfTask(task.id);

	if (row || task.first === task.last)
		return row;
	const i = placeOf(task.lane, Math.max(t - 1, data.spans.at[task.first]));
	return data.spans.state[i] === RUN ? rowOfKey(`c${data.cpus[data.spans.ref[i]].cpu}`) : null;
}

/* Who woke it, at the end of each block; and where it moved, from CPU to CPU. */
function drawTaskArrows(context, task, top) {
	const { at, state, ref } = data.spans, own = rowOfTask(task.id);
	let drawn = 0, lastRun = -1;

	context.lineWidth = 1.3;
	for (let i = Math.max(task.first, placeOf(task.lane, view.from) - 4); i < task.last && at[i] < view.to && drawn < ARROWS_MAX; i++) {
		if (state[i] === RUN) {
			if (lastRun >= 0 && ref[lastRun] !== ref[i]) {
				const a = rowOfKey(`c${data.cpus[ref[lastRun]].cpu}`), b = rowOfKey(`c${data.cpus[ref[i]].cpu}`);
				context.strokeStyle = context.fillStyle = color("text");
				context.setLineDash([5, 3]);
				if (a && b)
					arrow(context, xOf(at[lastRun + 1]), middleOf(a, top), xOf(at[i]), middleOf(b, top));
				context.setLineDash([]);
				drawn++;
			}
			lastRun = i;
		} else if (state[i] > READY && own && ref[i]) {
			const waker = data.taskById.get(ref[i]), from = waker && rowAt(waker, at[i + 1]);
			context.strokeStyle = context.fillStyle = color("mark");
			if (from && from !== own) {
				arrow(context, xOf(at[i + 1]), middleOf(from, top), xOf(at[i + 1]), middleOf(own, top));
				drawn++;
			}
		}
	}
	context.strokeStyle = context.fillStyle = color("lock");
	for (const child of data.tasks)
		if (child.parent_id === task.id || child.id === task.id) {
			const parent = data.taskById.get(child.parent_id), a = parent && rowAt(parent, child.start_ns), b = rowOfTask(child.id);
			if (a && b && child.start_ns >= view.from && child.start_ns <= view.to && drawn++ < ARROWS_MAX)
				arrow(context, xOf(child.start_ns), middleOf(a, top), xOf(child.start_ns), middleOf(b, top));
		}
}

/* What the end waited for, along the task lanes: looked up at each pixel, for there may be millions of segments. */
function drawPath(context, top) {
	const { at, task, kind } = data.path, lane = { at, first: 0, last: task.length };
	let i = -1, startX = 0, lastRow = null;

	if (!task.length)
		return;
	const byTask = new Map(rows.filter((row) => row.type === "task").map((row) => [row.task.id, row]));
	const close = (x) => {
		const row = i >= 0 ? byTask.get(task[i]) : null;
		if (!row)
			return;
		const y = row.y - top + row.height - 3;
		context.fillStyle = color("text");
		if (lastRow && lastRow !== row)
			context.fillRect(startX - 1, Math.min(y, lastRow.y - top + lastRow.height - 3), 2, Math.abs(row.y + row.height - lastRow.y - lastRow.height) + 3);
		const whole = (kind[i] & KIND_MASK) === 0;
		for (let px = startX; px < x; px += whole ? x - startX : 6)
			context.fillRect(px, y, Math.min(whole ? x - startX : 4, x - px), 3);
		lastRow = row;
	};
	for (let x = 0; x <= paint.width; x++) {
		const p = placeOf(lane, tOf(paint.gutter + x), Math.max(0, i));
		if (i < 0 || task[p] !== task[i] || ((kind[p] & KIND_MASK) === 0) !== ((kind[i] & KIND_MASK) === 0)) {
			close(paint.gutter + x);
			startX = paint.gutter + x;
		}
		i = p;
	}
	close(paint.gutter + paint.width);
}

function drawBox(context, row, from, to, top) {
	const x = Math.max(paint.gutter - 4, xOf(from)), end = Math.min(paint.gutter + paint.width + 4, xOf(to));

	if (!row || end < paint.gutter || x > paint.gutter + paint.width)
		return;
	const width = Math.max(4, end - x);
	context.lineWidth = 5;
	context.strokeStyle = color("back");
	context.strokeRect(x, row.y - top + 1, width, row.height - 2);
	context.lineWidth = 2.5;
	context.strokeStyle = color("text");
	context.strokeRect(x, row.y - top + 1, width, row.height - 2);
}

/* The slices or stretches that the verdict rests on, and what they have in common. */
function drawEvidence(context, top) {
	const { witness, overlap } = data.report.verdict;

	for (const part of witness) {
		drawBox(context, part.cpu !== null && part.kind === "slice" ? rowOfKey(`c${part.cpu}`) : null, part.start_ns, part.end_ns, top);
		drawBox(context, rowOfTask(part.id), part.start_ns, part.end_ns, top);
	}
	if (!overlap)
		return;
	const from = xOf(overlap.start_ns), to = Math.max(from + 2, xOf(overlap.end_ns));
	context.fillStyle = `${color("mark")}33`;
	context.fillRect(from, 0, to - from, scroller.clientHeight);
	context.fillStyle = color("mark");
	for (const x of [from, to])
		context.fillRect(x - 1, 0, 2, scroller.clientHeight);
}

function drawOver(context, top) {
	drawRangeOn(context, 0, scroller.clientHeight);
	if (view.path)
		drawPath(context, top);
	if (view.evidence)
		drawEvidence(context, top);
	const hovered = view.pointer?.row?.task;
	const locked = view.lock ? data.taskById.get(view.lock) : null;
	if (locked)
		drawTaskArrows(context, locked, top);
	if (hovered && hovered !== locked)
		drawTaskArrows(context, hovered, top);
}

/* ---- the evidence ---- */

function showEvidence() {
	const { witness, overlap } = data.report.verdict;

	if (!witness.length)
		return;
	for (const part of witness) {
		const task = data.taskById.get(part.id);
		for (const process of processes)
			if (task && process.tasks.includes(task))
				view.folded.delete(process.key);
	}
	view.query = "";
	if (searchBox)
		searchBox.value = "";
	view.evidence = true;
	rowsChanged();
	const from = overlap ? overlap.start_ns : witness[0].start_ns, to = overlap ? overlap.end_ns : witness[0].end_ns;
	const around = Math.max(to - from, (Math.min(...witness.map((p) => p.end_ns - p.start_ns))) / 4, 2000);
	setSpan(from - 1.2 * around, to + 1.2 * around);
	const wanted = rowOfTask(witness[0].id);
	if (wanted && (wanted.y < scroller.scrollTop || wanted.y + wanted.height > scroller.scrollTop + scroller.clientHeight))
		scroller.scrollTop = wanted.y - scroller.clientHeight / 2;
	document.getElementById("timeline").scrollIntoView({ block: "nearest" });
	say([...document.querySelectorAll("#facts [data-label=proof] dd")].map((dd) => dd.textContent).join(" "));
}

/* ---- what is under the pointer ---- */

function linesOfSpan(task, i) {
	const { at, state, ref, kind } = data.spans, from = at[i], to = at[i + 1], lines = [task.label];
	const what = state[i] === RUN ? `${word("running")}: ${data.cpus[ref[i]].label}` :
		state[i] === READY ? word("ready") : state[i] === LOST ? `${word("unknown")}: ${word("l_unknown")}` : `${word("blocked")}: ${reasonOf(i)}`;

	lines.push(what, `${formatNs(to - from)}, +${formatNs(from)} - +${formatNs(to)}`);
	if (state[i] === RUN && kind[i] & KIND_MARK)
		lines.push(word("hidden"));
	if (state[i] === READY && kind[i] & KIND_MARK)
		lines.push(word("preempt"));
	if (state[i] > READY && ref[i] && data.taskById.has(ref[i]))
		lines.push(`${word("wokenby")} ${data.taskById.get(ref[i]).label}`);
	else if (state[i] > READY && kind[i] & KIND_MARK)
		lines.push(`${word("wokenby")}: ${word("woke")}`);
	if (state[i] === READY)
		lines.push(...antagonistsOf(from, to));
	return lines;
}

/* Who had the CPUs meanwhile. */
function antagonistsOf(from, to) {
	const times = new Map();
	let seen = 0;

	for (const cpu of data.cpus)
		for (let i = placeOf(cpu.lane, from); i < cpu.last && data.segs.at[i] < to && seen < 500; i++, seen++) {
			const ns = Math.min(to, data.segs.at[i + 1]) - Math.max(from, data.segs.at[i]);
			if (data.segs.state[i] === IDLE || ns <= 0)
				continue;
			const name = nameOfSegment(i);
			times.set(name, (times.get(name) || 0) + ns);
		}
	const most = [...times].sort((a, b) => b[1] - a[1]).slice(0, 3);
	return most.length ? [`${word("heldby")}: ${most.map(([name, ns]) => `${name} ${formatNs(ns)}`).join(", ")}`] : [];
}

function nameOfSegment(i) {
	const { state, ref } = data.segs;

	if (state[i] === OURS)
		return taskOfSpan(ref[i]).label;
	if (state[i] === UNKNOWN)
		return word("unknown");
	if (state[i] === FOREIGN)
		return `${data.comms[data.others.comm[ref[i]]] || "?"} (${data.others.tid[ref[i]]}), ${word("foreign")}`;
	return word("idle");
}

function linesAt(row, t) {
	if (!row || !row.lane || row.lane.first === row.lane.last || t < row.lane.at[row.lane.first] || t > row.lane.at[row.lane.last])
		return null;
	const i = placeOf(row.lane, t);

	if (row.type === "cpu") {
		const lines = data.segs.state[i] === OURS ? linesOfSpan(taskOfSpan(data.segs.ref[i]), data.segs.ref[i]) :
			[nameOfSegment(i), `${formatNs(data.segs.at[i + 1] - data.segs.at[i])}, +${formatNs(data.segs.at[i])} - +${formatNs(data.segs.at[i + 1])}`];
		return [row.label, ...lines];
	}
	if (row.type === "op") {
		const op = row.lane.ref[i];
		return op ? [`${word("operation")} ${op.id}: ${op.name}`, `${formatNs(op.end_ns - op.start_ns)}, +${formatNs(op.start_ns)} - +${formatNs(op.end_ns)}`] : null;
	}
	return linesOfSpan(row.task, i);
}

/* The stretch under a point: its ends. */
function stretchAt(row, t) {
	if (!row?.lane || row.lane.first === row.lane.last)
		return null;
	const i = placeOf(row.lane, t);

	return [row.lane.at[i], row.lane.at[i + 1]];
}
