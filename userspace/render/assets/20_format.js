/* SPDX-License-Identifier: GPL-2.0-only */
/* format - how numbers and names look, as userspace/render/format.c has it; and how elements are made. */

function formatNs(ns) {
	ns = Math.round(ns);
	if (ns < 1000)
		return `${ns} ns`;
	if (ns < 1e6 - 50)
		return `${(ns / 1e3).toFixed(1)} us`;
	if (ns < 1e9 - 500)
		return `${(ns / 1e6).toFixed(3)} ms`;
	const s = Math.floor(ns / 1e9);
	if (s < 3600)
		return `${(ns / 1e9).toFixed(3)} s`;
	if (s < 86400)
		return `${Math.floor(s / 3600)} h ${String(Math.floor(s % 3600 / 60)).padStart(2, "0")} min`;
	return `${Math.floor(s / 86400)} d ${String(Math.floor(s % 86400 / 3600)).padStart(2, "0")} h`;
}

function formatCount(n) {
	return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/* "98.4 %"; never "0.0 %" or "100.0 %" of what is not none or all. */
function formatShare(part, whole) {
	if (!whole || !part)
		return "0.0 %";
	const percent = (100 * part / whole).toFixed(1);
	if (percent === "0.0")
		return "<0.1 %";
	if (percent === "100.0" && part < whole)
		return ">99.9 %";
	return `${percent} %`;
}

/* As is_hostile() of util/text.c: what would act on a reader, or cannot be seen. */
const HOSTILE = /[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2028\u2029\ufff9-\ufffb]/gu;

function safe(text) {
	return String(text).replace(HOSTILE, "\ufffd");
}

/* An element with properties (text, class, and fixed attributes) and children. */
function make(tag, props, ...children) {
	const el = document.createElement(tag);

	for (const [key, value] of Object.entries(props || {})) {
		if (value === undefined || value === null)
			continue;
		if (key === "text")
			el.textContent = value;
		else if (key === "class")
			el.className = value;
		else if (key === "word" || key === "tip" || key === "hint")
			el.dataset[key] = value;
		else if (key === "on")
			for (const [type, handler] of Object.entries(value))
				el.addEventListener(type, handler);
		else
			el.setAttribute(key, value);
	}
	el.append(...children.filter((child) => child !== null && child !== undefined));
	return el;
}

const SVG = "http://www.w3.org/2000/svg";

function makeSvg(tag, attributes, text) {
	const el = document.createElementNS(SVG, tag);

	for (const [key, value] of Object.entries(attributes || {}))
		el.setAttribute(key, value);
	if (text !== undefined)
		el.textContent = text;
	return el;
}

/* A table with a caption for who does not see it; cells are texts, numbers, or elements. */
function makeTable(heads, rows, caption) {
	const table = make("table");

	if (caption)
		table.append(make("caption", { class: "unseen", text: caption }));
	table.append(make("thead", null, make("tr", null, ...heads.map((head) =>
		make("th", { scope: "col", word: head in WORDS.en ? head : undefined, text: head in WORDS.en ? word(head) : head })))));
	table.append(make("tbody", null, ...rows.map((cells) => make("tr", null, ...cells.map((cell, i) => {
		const el = make(i ? "td" : "th", i ? null : { scope: "row" });
		el.append(cell instanceof Node ? cell : String(cell));
		return el;
	})))));
	return table;
}

/* 1, 2 or 5 times a power of ten, at least the argument. */
function niceStep(least) {
	let step = Math.pow(10, Math.floor(Math.log10(Math.max(least, 1))));

	for (const factor of [1, 2, 5, 10])
		if (step * factor >= least)
			return step * factor;
	return step * 10;
}

/* Ticks of an axis: when a tick's own digits would be lost, relative to an origin that is stated. */
function ticksOf(from, to, width, least) {
	const step = niceStep((to - from) * least / width);
	const unit = step >= 1e9 ? [1e9, "s"] : step >= 1e6 ? [1e6, "ms"] : step >= 1e3 ? [1e3, "us"] : [1, "ns"];
	const relative = to > 1e4 * step;
	const origin = relative ? Math.floor(from / (100 * step)) * 100 * step : 0;
	const ticks = [];

	for (let at = Math.ceil(from / step) * step; at <= to; at += step)
		ticks.push({ at, text: `${relative ? "+" : ""}${Math.round((at - origin) / unit[0])} ${unit[1]}` });
	return { ticks, origin: relative ? formatOrigin(origin) : "" };
}

function formatOrigin(ns) {
	return `${(ns / 1e9).toFixed(9).replace(/0{1,8}$/, "")} s`;
}
