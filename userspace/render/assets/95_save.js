/* SPDX-License-Identifier: GPL-2.0-only */
/* save - what is seen as a picture: the canvases as PNG, the same texels as SVG, or the page on paper. */

function download(blob, name) {
	const url = URL.createObjectURL(blob), link = make("a", { href: url, download: name });

	link.click();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
	say(word("saved"));
}

function fileName(ending) {
	return `${(data.report.workload.name.replace(/[^A-Za-z0-9_-]+/g, "_") || "run").slice(0, 40)}-timeline.${ending}`;
}

function pictureBlob() {
	const canvas = document.createElement("canvas"), context = canvas.getContext("2d");

	drawTop();
	drawRows();
	canvas.width = topCanvas.width;
	canvas.height = topCanvas.height + laneCanvas.height;
	context.drawImage(topCanvas, 0, 0);
	context.drawImage(laneCanvas, 0, topCanvas.height);
	return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

async function savePng() {
	download(await pictureBlob(), fileName("png"));
}

async function copyPng() {
	try {
		await navigator.clipboard.write([new ClipboardItem({ "image/png": pictureBlob() })]);
		say(word("copied"));
		flash(word("copied"));
	} catch {
		say(word("nocopy"));
		flash(word("nocopy"));
	}
}

/* ---- SVG ---- */

function svgPattern(name) {
	const pattern = makeSvg("pattern", { id: `p-${name}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" });

	pattern.append(makeSvg("rect", { width: 8, height: 8, fill: color(name) }));
	const lines = { ready: "M-2 2l4-4M0 8l8-8M6 10l4-4", lock: "M0 0l8 8M8 0l-8 8", event: "M0 4h8", io: "M3 3h2v2h-2z", child: "M4 0v8", other: "M0 0l8 8", foreign: "M0 0l8 8M8 0l-8 8", unknown: "M0 4h8M4 0v8" }[name];
	if (lines)
		pattern.append(makeSvg("path", { d: lines, stroke: dark ? "#000" : "#fff", "stroke-opacity": 0.55, fill: "none" }));
	return pattern;
}

/* One path for each state of a lane; columns that are alike are one piece. */
function svgLane(svg, row, y) {
	const n = Math.round(paint.width), dt = (view.to - view.from) / n, times = new Float64Array(STATES * n), paths = new Map();
	const names = row.type === "cpu" ? ["run", "foreign", "unknown"] : row.type === "op" ? ["event", "sleep"] : STATE_NAMES, height = row.height - 4;

	timesOfColumns(row.lane, view.from, dt, n, times);
	const like = (a, b) => {
		for (let s = 0; s < STATES; s++)
			if (Math.abs(times[STATES * a + s] - times[STATES * b + s]) > dt / 200)
				return false;
		return true;
	};
	for (let x = 0, end; x < n; x = end) {
		for (end = x + 1; end < n && like(x, end); end++)
			;
		let foot = y + 2 + height;
		for (let s = 0; s < names.length; s++) {
			const high = times[STATES * x + s] / dt * height;
			if (!high || (row.type === "detail" && s < LOCK))
				continue;
			paths.set(s, `${paths.get(s) || ""}M${paint.gutter + x} ${(foot - high).toFixed(1)}H${paint.gutter + end}V${foot.toFixed(1)}H${paint.gutter + x}z`);
			foot -= high;
		}
	}
	for (const [s, d] of paths)
		svg.append(makeSvg("path", { d, fill: `url(#p-${names[s]})` }));
}

function svgStrip(svg, levels, top) {
	const most = Math.max(1, data.cpus.length), height = TOP.strip - 6;
	const area = (values) => {
		let d = `M${paint.gutter} ${top + height}`;
		values.forEach((v, x) => d += `V${(top + height - Math.min(1, v / most) * height).toFixed(1)}H${paint.gutter + x + 1}`);
		return `${d}V${top + height}z`;
	};

	svg.append(makeSvg("path", { d: area(levels.running), fill: "url(#p-run)" }));
	for (const [start, end] of data.losses) {
		const from = Math.max(paint.gutter, xOf(start)), to = Math.min(paint.gutter + paint.width, xOf(end));
		if (from < to)
			svg.append(makeSvg("path", { d: `M${from} ${top}H${to}V${top + height}H${from}z`, fill: "url(#p-unknown)" }));
	}
	svg.append(makeSvg("text", { x: 10, y: top + 14 }, `${word("running")} (0-${most})`));
}

function makePicture() {
	const shown = visibleRows(), top = scroller.scrollTop, width = paint.gutter + paint.width, head = TOP.axis + TOP.strip;
	const height = head + Math.min(scroller.clientHeight, shown.length ? shown[shown.length - 1].y + shown[shown.length - 1].height - top : 0) + 8;
	const svg = makeSvg("svg", { xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "system-ui, sans-serif", "font-size": 12, fill: color("text") });
	const defs = makeSvg("defs");

	defs.append(...[...STATE_NAMES, "foreign"].map(svgPattern));
	svg.append(defs, makeSvg("rect", { width, height, fill: color("back") }));
	for (const { at, text } of ticksOf(view.from, view.to, paint.width, 95).ticks) {
		svg.append(makeSvg("path", { d: `M${xOf(at)} ${TOP.axis - 7}v7`, stroke: color("text") }));
		svg.append(makeSvg("text", { x: xOf(at) + 4, y: TOP.axis / 2 + 4 }, text));
	}
	const n = Math.round(paint.width);
	svgStrip(svg, levelsOfColumns(view.from, (view.to - view.from) / n, n), TOP.axis);
	for (const row of shown) {
		const y = head + row.y - top;
		if (y < head)
			continue;
		svg.append(makeSvg("text", { x: row.type === "process" || row.type === "head" ? 10 : 28, y: y + row.height / 2 + 4, "font-weight": row.type === "process" || row.type === "head" ? 600 : 400 }, row.label.slice(0, 48)));
		if (row.lane && row.lane.first < row.lane.last)
			svgLane(svg, row, y);
	}
	return new XMLSerializer().serializeToString(svg);
}

function saveSvg() {
	download(new Blob([makePicture()], { type: "image/svg+xml" }), fileName("svg"));
}
