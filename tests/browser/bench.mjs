// SPDX-License-Identifier: GPL-2.0-only
// bench - how fast a report.html, or speedscope with the same slices, is there and moves. One line of JSON, medians
// of five openings: when something is painted first, when all is, and (report.html) the time of a frame.
//
//	node bench.mjs PAGE.html
//	node bench.mjs SPEEDSCOPE/index.html PROFILE.json
import { pathToFileURL } from "node:url";
import { openBrowser, openSpeedscope } from "./page.mjs";

const [page, profile] = process.argv.slice(2);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const round = (ms) => Math.round(ms * 10) / 10;
const firstPaint = (tab) => tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);

async function openPage(tab) {
	await tab.goto(pathToFileURL(page).href);
	for (let i = 0; i < 12000 && !await tab.evaluate(() => document.documentElement.dataset.ready); i++)
		await tab.waitForTimeout(20);
	return tab.evaluate(() => performance.getEntriesByName("lab-ready")[0].startTime);
}

// Zooms from the whole run to a thousandth, a step each frame, and back: what drawing takes.
const framesOf = (tab) => tab.evaluate(async () => {
	const times = [];

	for (let i = 0; i < 120; i++) {
		const factor = 1000 ** -((i < 60 ? i : 119 - i) / 59), len = data.window * factor;
		await new Promise((done) => requestAnimationFrame(done));
		const from = performance.now();
		setSpan((data.window - len) / 2, (data.window + len) / 2);
		drawNow();
		times.push(performance.now() - from);
	}
	return times;
});

const browser = await openBrowser();
const first = [], all = [], frames = [];
for (let i = 0; i < 5; i++) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
	const tab = await context.newPage();

	tab.setDefaultTimeout(240000);
	all.push(await (profile ? openSpeedscope(tab, page, profile) : openPage(tab)));
	first.push(await firstPaint(tab));
	if (!profile)
		frames.push(...await framesOf(tab));
	await context.close();
}
await browser.close();
console.log(JSON.stringify({ first_ms: round(median(first)), all_ms: round(median(all)),
			     frame_ms: frames.length ? round(median(frames)) : null,
			     frame_max_ms: frames.length ? round(Math.max(...frames)) : null }));
