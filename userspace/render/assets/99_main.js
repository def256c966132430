/* SPDX-License-Identifier: GPL-2.0-only */
/* main - builds the page around what is there already, then reads the data, then draws. */

/* ---- light and dark ---- */

const darkSystem = matchMedia("(prefers-color-scheme: dark)");

function applyTheme() {
	dark = theme === "dark" || (theme === "system" && darkSystem.matches);
	document.documentElement.dataset.theme = dark ? "dark" : "light";
	if (data.levels) {
		makeTexels();
		paint.stale = true;
		redraw();
	}
}

function nextTheme() {
	theme = { system: "dark", dark: "light", light: "system" }[theme];
	applyTheme();
	saveAddress();
	flash(`${word("theme")}: ${theme}`);
}

/* The words of the page anew; panels are made anew, for their words are in many places. */
function setLanguage(to) {
	language = to;
	retranslate(document);
	const [facts, panels] = [document.getElementById("facts"), document.getElementById("panels")];
	if (panels) {
		facts.append(...data.facts.map((el) => el.cloneNode(true)));
		panels.replaceWith(makePanels(data.report));
	}
	for (const dt of document.querySelectorAll("#facts dt"))
		dt.textContent = word(dt.parentElement.dataset.label);
	showCut();
	showRange();
	rowsChanged();
}

/* A word that is seen for a moment. */
function flash(text) {
	const el = document.getElementById("flash");

	el.textContent = text;
	el.hidden = false;
	clearTimeout(flash.timer);
	flash.timer = setTimeout(() => el.hidden = true, 2500);
}

/* ---- the page ---- */

function button(key, act, id) {
	return make("button", { type: "button", id, word: key, text: word(key), on: { click: act } });
}

function makeTools() {
	searchBox = make("input", { type: "search", hint: "search", placeholder: word("search"), "aria-label": word("search"), tip: "search", maxlength: 60 });
	searchBox.addEventListener("input", () => setQuery(searchBox.value));
	return make("div", { class: "tools", role: "toolbar", tip: "title", "aria-label": word("title") }, searchBox,
		button("all", () => setSpan(0, data.window)), button("zoomin", () => zoomAt((view.from + view.to) / 2, 0.5)), button("zoomout", () => zoomAt((view.from + view.to) / 2, 2)),
		button("color", () => onBoth("byTask"), "b-color"), button("path", () => onBoth("path"), "b-path"),
		button("svg", saveSvg), button("png", savePng), button("copy", copyPng), button("print", () => print()),
		button("theme", nextTheme), button("language", () => setLanguage(language === "en" ? "es" : "en")), button("help", () => KEYS["?"]()));
}

function syncButtons() {
	document.getElementById("b-path")?.setAttribute("aria-pressed", view.path);
	document.getElementById("path-here")?.setAttribute("aria-pressed", view.path);
	document.getElementById("b-color")?.setAttribute("aria-pressed", view.byTask);
}

function makeHelp() {
	const list = make("dl", { class: "keys" });

	for (const [keys, key] of HELP)
		list.append(make("div", null, make("dt", null, ...keys.split(", ").map((k) => make("kbd", { text: k }))), make("dd", { word: key, text: word(key) })));
	return make("dialog", { id: "help", "aria-labelledby": "help-title" }, make("h2", { id: "help-title", word: "keys", text: word("keys") }), list,
		make("p", { word: "k_mouse", text: word("k_mouse") }), make("form", { method: "dialog" }, make("button", { text: "OK" })));
}

function makePage() {
	topCanvas = make("canvas", { id: "top", "aria-hidden": "true" });
	laneCanvas = make("canvas", { id: "lanes", "aria-hidden": "true" });
	spacer = make("div", { class: "spacer" });
	scroller = make("div", { id: "scroller", tabindex: 0, role: "application", tip: "title", "aria-label": word("title"), "aria-describedby": "hint" }, laneCanvas, spacer);
	tip = make("div", { id: "tip", hidden: "" });
	live = make("div", { id: "live", class: "unseen", role: "status", "aria-live": "polite" });
	const section = make("section", { id: "timeline" }, make("h2", { class: "unseen", word: "title", text: word("title") }), makeTools(),
		make("p", { id: "hint", class: "unseen", word: "k_mouse", text: word("k_mouse") }), make("p", { id: "cut", hidden: "" }), topCanvas, scroller);

	document.getElementById("overview").after(section, make("section", { id: "range", class: "panel", hidden: "", "aria-live": "polite" }), makeHelp());
	document.body.append(tip, live, make("div", { id: "flash", hidden: "" }));
	document.body.classList.add("scripted");
	bindHands();
}

/* "Show me" beside the proof. */
function makeShow() {
	const proof = document.querySelector("#facts [data-label=proof] dd:last-of-type");

	if (proof && data.report.verdict.witness.length)
		proof.append(" ", button("showme", showEvidence, "show"));
}

function showCut() {
	const cut = document.getElementById("cut");

	if (!cut || !data.head || data.head.cut_ns === null)
		return;
	cut.hidden = false;
	cut.textContent = word("cut", { at: `+${formatNs(data.head.cut_ns)}`, n: formatCount(data.head.left_out) });
}

/* What the top of the page keeps; the others go with their panels. */
const KEPT = new Set(["before", "stuck", "proof", "exit", "claim", "audit", "loss", "scope", "seen"]);

async function start() {
	applyTheme();
	const head = data.head = jsonOf("lab-head"), report = data.report = jsonOf("lab-report");
	await breathe();
	data.facts = [...document.querySelectorAll("#facts > div")].filter((el) => !KEPT.has(el.dataset.label)).map((el) => el.cloneNode(true));
	await loadData(head, report);
	makeLanes();
	makeLevels();
	makeProcesses();
	if (data.tasks.length <= DETAILS_AT_FIRST)
		data.tasks.forEach((task) => view.details.add(task.id));
	readAddress();
	makePage();
	makeTexels();
	makeShow();
	document.querySelector("main").append(makePanels(report));
	document.getElementById("overview").hidden = true;
	if (language !== "en")
		setLanguage(language);
	showCut();
	syncButtons();
	rowsChanged();
	scroller.style.height = `${Math.min(Math.max(rows[rows.length - 1].y + rows[rows.length - 1].height + 2, 120), Math.max(300, innerHeight * 0.62))}px`;
	rowsChanged();
	resized();
	showRange();
	drawNow();
	document.documentElement.dataset.ready = "1";
	performance.mark("lab-ready");
}

readAddressOfPage(partsOfAddress());
applyTheme();
darkSystem.addEventListener("change", applyTheme);
addEventListener("DOMContentLoaded", () => {
	const fail = (text) => {
		document.getElementById("overview").after(make("p", { class: "failed", role: "alert", text }));
		document.documentElement.dataset.ready = "0";
	};

	if (typeof DecompressionStream === "undefined")
		fail(word("old"));
	else
		start().catch((error) => fail(word("damaged", { why: error.message })));
});
