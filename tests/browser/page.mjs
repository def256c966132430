// SPDX-License-Identifier: GPL-2.0-only
// page - a report.html in Debian's Chromium, from file://. Whatever it logs, throws or asks the network
// for is kept in page.said, which must stay empty.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

export async function openBrowser() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
	});
}

export async function openReport(browser, file, { hash = "", bypassCSP = false, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP, ...options });
	const page = await context.newPage();

	page.said = [];
	page.on("console", (message) => page.said.push(`console ${message.type()}: ${message.text()}`));
	page.on("pageerror", (error) => page.said.push(`error: ${error.message}`));
	page.on("dialog", (dialog) => { page.said.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
	page.on("request", (request) => {
		if (!/^(file|blob|data):/.test(request.url()))
			page.said.push(`request: ${request.url()}`);
	});
	await page.goto(`file://${file}${hash}`);
	if (options.javaScriptEnabled !== false)
		for (let i = 0; !await page.evaluate(() => document.documentElement.dataset.ready); i++)
			await page.waitForTimeout(i < 100 ? 50 : 1000);	// its policy forbids waitForFunction()
	return page;
}

// A profile in speedscope's release, as its own command line opens it: a script hands it over. It is there when
// its views are. Returns when that was, in ms after the page began to load.
export async function openSpeedscope(tab, index, profile) {
	const script = `${profile}.js`, data = readFileSync(profile).toString("base64");

	writeFileSync(script, `speedscope.loadFileFromBase64("${basename(profile)}", "${data}")`);
	await tab.goto(`${pathToFileURL(index).href}#localProfilePath=${script}`);
	for (let i = 0; i < 12000; i++) {
		const at = await tab.evaluate(() => document.querySelectorAll("canvas").length >= 2 ? performance.now() : 0);
		if (at)
			return at;
		await tab.waitForTimeout(20);
	}
	throw new Error("speedscope never shows the profile");
}

// The shares of a row's picture that have each state's colour, as painted: [key] = { run, ready, ... }.
// A pattern mixes a state's colour with another; what is neither is left out.
export async function paintedShares(page) {
	return page.evaluate(() => {
		drawNow();
		const n = paint.columns, out = {};
		const names = new Map(Object.keys(COLORS).map((name) => [pixelOf(rgbOf(color(name))), name]));

		for (const row of visibleRows().filter((r) => r.lane && r.lane.first < r.lane.last)) {
			const pixels = paint.pixels.subarray(row.line * n, (row.line + TEXELS) * n), shares = {};
			for (const pixel of pixels) {
				const name = names.get(pixel) || "mixed";
				shares[name] = (shares[name] || 0) + 1 / pixels.length;
			}
			out[row.key] = shares;
		}
		return out;
	});
}

export function check(ok, what) {
	if (!ok)
		throw new Error(what);
}

export function checkQuiet(page) {
	check(page.said.length === 0, page.said.join("\n"));
}

export function checkNear(got, want, most, what) {
	check(Math.abs(got - want) <= most, `${what}: ${got}, should be ${want} within ${most}`);
}
