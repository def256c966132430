// SPDX-License-Identifier: GPL-2.0-only
// report - what the tests of report.html do in the browser. TAP; one test for each entry of TESTS.
//
//	node report.mjs PROCS.html ASYNC.html HOSTILE.html MARKERS.html CUT.html LOSSY.html [SCREENSHOT-FOLDER]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { check, checkNear, checkQuiet, openBrowser, openReport, paintedShares } from "./page.mjs";

const [procs, loop, hostile, markers, cut, lossy, shots] = process.argv.slice(2);
const reportOf = (page) => page.evaluate(() => data.report);
const viewOf = (page) => page.evaluate(() => ({ ...view, pins: [...view.pins], details: [...view.details], folded: [...view.folded] }));
const sleep = (page) => page.waitForTimeout(60);

// Area-true: the painted share of running is the share of time, over the whole run and within it.
async function lanesAreTrue(browser, file) {
	const page = await openReport(browser, file);
	const report = await reportOf(page), window = report.window.duration_ns;

	await page.evaluate(() => { view.byTask = false; rowsChanged(); });
	for (const [from, to] of [[0, 1], [0.25, 0.5], [0.31, 0.3137]]) {
		await page.evaluate(([a, b]) => setSpan(a * data.window, b * data.window), [from, to]);
		await sleep(page);
		const shares = await paintedShares(page);
		const want = await page.evaluate(() => visibleRows().filter((r) => r.type === "task" || r.type === "cpu")
			.filter((r) => r.lane.first < r.lane.last)
			.map((r) => [r.key, timesIn(r.lane, view.from, view.to)[0] / (view.to - view.from)]));
		check(want.length >= 3, "lanes are in sight");
		for (const [key, run] of want)
			checkNear(shares[key].run || 0, run, 0.01, `${key} at ${from}-${to}`);
	}
	// What the lanes themselves say is what the report says.
	await page.evaluate(() => setSpan(0, data.window));
	const whole = await page.evaluate(() => data.tasks.map((t) => [t.id, timesIn(t.lane, 0, data.window)[0]]));
	for (const [id, run] of whole)
		checkNear(run, report.tasks.find((t) => t.id === id).run_ns, 1, `run_ns of task ${id}`);
	const cpus = await page.evaluate(() => data.cpus.map((c) => [c.cpu, timesIn(c.lane, 0, data.window)[0]]));
	for (const [cpu, ours] of cpus)
		checkNear(ours, report.cpus.find((c) => c.cpu === cpu).ours_ns, 1, `ours_ns of CPU ${cpu}`);
	check(window > 0, "a window");
	checkQuiet(page);
	await page.context().close();
}

async function headIsThere(browser) {
	const page = await openReport(browser, procs);
	const text = await page.locator("body").innerText(), report = await reportOf(page);

	check(text.includes(report.verdict.class.toUpperCase()), "the verdict");
	for (const word of ["proof", "claim", "audit", "holds", "Where the CPUs went", "Bottles"])
		check(text.includes(word), `${word} is in the page`);
	checkQuiet(page);
	await page.context().close();
}

async function showMe(browser) {
	const page = await openReport(browser, procs);
	const witness = (await reportOf(page)).verdict.witness;

	await page.getByRole("button", { name: "Show me" }).click();
	await sleep(page);
	const view = await viewOf(page), from = Math.max(...witness.map((w) => w.start_ns)), to = Math.min(...witness.map((w) => w.end_ns));
	check(view.evidence && view.from <= from && view.to >= to && view.to - view.from < 20 * (to - from), `the witness fills the view: ${view.from}-${view.to}`);
	checkQuiet(page);
	await page.context().close();
}

async function hands(browser) {
	const page = await openReport(browser, procs), lanes = page.locator("#lanes");
	const box = await lanes.boundingBox(), x = box.x + 700, y = box.y + 60;
	const timeAt = () => page.evaluate((at) => tOf(at - document.getElementById("lanes").getBoundingClientRect().x), x);
	let before = await viewOf(page), at = await timeAt();

	await page.mouse.move(x, y);
	await page.mouse.wheel(0, -400);
	await sleep(page);
	let now = await viewOf(page);
	check(now.to - now.from < before.to - before.from, "the wheel zooms");
	checkNear(await timeAt(), at, (now.to - now.from) / 500, "what is under the cursor stays there");

	before = now;
	await page.mouse.down();
	await page.mouse.move(x - 120, y, { steps: 4 });
	await page.mouse.up();
	await sleep(page);
	now = await viewOf(page);
	check(now.from > before.from && Math.abs(now.to - now.from - (before.to - before.from)) < 2, "dragging pans");

	await page.keyboard.down("Shift");
	await page.mouse.move(x - 200, y);
	await page.mouse.down();
	await page.mouse.move(x, y, { steps: 4 });
	await page.mouse.up();
	await page.keyboard.up("Shift");
	await sleep(page);
	now = await viewOf(page);
	check(now.range && now.range[1] > now.range[0], "shift and dragging select");
	const shown = await page.locator("#range").innerText();
	check(/range/i.test(shown) && shown.includes("worker"), "the statistics of the range are shown and labelled");
	checkQuiet(page);
	await page.context().close();
}

// Every key of the help does something, and the address keeps it.
async function keys(browser) {
	const page = await openReport(browser, procs), focus = () => page.locator("#scroller").focus();
	const press = async (key) => { await page.keyboard.press(key); await sleep(page); return viewOf(page); };
	const start = await viewOf(page);

	await focus();
	let v = await press("w");
	check(v.to - v.from < start.to - start.from, "w");
	let last = v;
	v = await press("d");
	check(v.from > last.from, "d");
	last = v;
	v = await press("a");
	check(v.from < last.from, "a");
	last = v;
	v = await press("s");
	check(v.to - v.from > last.to - last.from, "s");
	await focus();
	for (let i = 0; i < 4; i++)
		v = await press("ArrowDown");
	check(v.lane, "an arrow chooses a row");
	check((await press("Enter")).lock, "Enter locks a task");
	check((await press("p")).pins.length === 1, "p pins it");
	check((await press("p")).pins.length === 0, "p again");
	const details = v.details.length;
	check((await press("r")).details.length !== details, "r opens and closes its rows");
	await press("[");
	await press("d");
	check((await press("]")).range, "[ and ] select");
	v = await press("z");
	check(Math.abs(v.from - v.range[0]) < 2 && Math.abs(v.to - v.range[1]) < 2, "z shows the range");
	check((await press("c")).byTask === false, "c");
	check((await press("x")).path === true, "x");
	check((await press("e")).evidence === true, "e");
	last = await press("0");
	check(last.from === start.from && last.to === start.to, "0");
	await press("n");
	await press("Shift+N");
	await press("f");
	await press("t");
	check(await page.evaluate(() => document.documentElement.dataset.theme) === "dark", "t");
	await press("l");
	check((await page.locator("body").innerText()).includes("En qué se fueron las CPU"), "l: Spanish");
	await press("l");
	await press("?");
	check(await page.locator("#help").isVisible(), "?");
	await page.keyboard.press("Escape");
	await press("/");
	await page.keyboard.type("worker/2");
	await sleep(page);
	check(await page.evaluate(() => rows.filter((r) => r.type === "task").length) === 1, "the search filters");
	await page.keyboard.press("Escape");
	await page.waitForTimeout(400);
	const hash = await page.evaluate(() => location.hash);
	check(/path=1/.test(hash) && /color=state/.test(hash) && /theme=dark/.test(hash), `the address keeps it: ${hash}`);
	checkQuiet(page);
	await page.context().close();

	const again = await openReport(browser, procs, { hash: "#t=1000,2000000&sel=5000,90000&path=1&color=state&lang=es" });
	v = await viewOf(again);
	check(v.from === 1000 && v.to === 2000000 && v.range[0] === 5000 && v.path && !v.byTask, "an address is followed");
	checkQuiet(again);
	await again.context().close();
	const evil = await openReport(browser, procs, { hash: "#t=9e99,1&sel=<img src=x onerror=alert(1)>&pin=99999&lang=__proto__" });
	v = await viewOf(evil);
	check(v.from === 0 && !v.range && !v.pins.length, "an address that is none is not followed");
	checkQuiet(evil);
	await evil.context().close();
}

async function saves(browser) {
	const page = await openReport(browser, procs);
	for (const [name, begins] of [["Save SVG", "<"], ["Save PNG", "\x89PNG"]]) {
		const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
		const bytes = readFileSync(await download.path(), "latin1");

		check(bytes.startsWith(begins) && bytes.length > 2000, `${name}: ${bytes.length} bytes`);
		check(begins !== "<" || (bytes.includes("<svg") && !bytes.includes("<script")), "the SVG is one, without a script");
	}
	checkQuiet(page);
	await page.context().close();
}

// Names that would be markup, scripts or controls, were they not text.
async function hostileNames(browser) {
	const page = await openReport(browser, hostile);

	await page.locator("#scroller").focus();
	for (const key of ["c", "x", "e", "l", "l", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"]) {
		await page.keyboard.press(key);
		await sleep(page);
	}
	const box = await page.locator("#lanes").boundingBox();
	await page.mouse.move(box.x + 500, box.y + 60);
	await sleep(page);
	const found = await page.evaluate(() => ({
		scripts: document.querySelectorAll("script:not([type]), script[src]").length, images: document.images.length,
		links: document.querySelectorAll("a[href], iframe, object, embed").length, ran: window.ran,
		text: document.body.innerText,
	}));
	check(!found.ran && found.images === 0 && found.links === 0, "nothing of it is markup");
	check(found.scripts === 1, `one script: ${found.scripts}`);
	check(found.text.includes("<img"), "the name is shown as text");
	check(!/[\u202a-\u202e\u2066-\u2069]/.test(found.text), "no text runs backwards");
	checkQuiet(page);
	await page.context().close();
}

async function operations(browser) {
	for (const file of [loop, markers]) {
		const page = await openReport(browser, file), report = await reportOf(page);

		check(report.operations.length > 1, "there are operations");
		check(await page.evaluate(() => rows.some((r) => r.type === "op")), "they have rows");
		await page.evaluate(() => drawNow());
		checkQuiet(page);
		await page.context().close();
	}
}

// The page of a run that is too large: its head says from when on something is missing.
async function sizeSaid(browser) {
	const page = await openReport(browser, cut);

	check((await page.locator("#cut").innerText()).includes("From +500.000 ms on, 12 stretches are not in this file"), "what is left out");
	check((await page.locator("#cut").innerText()).includes("lab report -f perfetto and -f csv"), "and who has it");
	checkQuiet(page);
	await page.context().close();
}

// Where records are missing nothing is painted as if it were known, and what would sum over it is not there.
async function missingIsNotKnown(browser) {
	const page = await openReport(browser, lossy);
	const [stretch] = (await reportOf(page)).loss.stretches, text = await page.locator("body").innerText();

	for (const title of ["How many ran at once", "Bottles"])
		check(!text.includes(title), `no panel "${title}"`);
	await page.evaluate(([from, to]) => { view.byTask = false; rowsChanged(); setSpan(from, to); }, [stretch.start_ns, stretch.end_ns]);
	await sleep(page);
	const shares = await paintedShares(page);
	checkNear(shares[`c${stretch.cpu}`].run || 0, 0, 0.01, "no task is painted on that CPU");
	checkQuiet(page);
	await page.context().close();
}

async function withoutScript(browser) {
	const page = await openReport(browser, procs, { javaScriptEnabled: false });

	check(await page.locator("#overview svg").isVisible(), "a picture is there");
	check((await page.locator("body").innerText()).includes("PARALLEL"), "and the verdict");
	await page.context().close();
}

async function accessible(browser) {
	const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

	for (const colorScheme of ["light", "dark"]) {
		const page = await openReport(browser, procs, { bypassCSP: true, colorScheme, reducedMotion: "reduce" });
		await page.addScriptTag({ content: axe });
		const wrong = await page.evaluate(async () => (await axe.run()).violations
			.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes[0].html}`));
		check(!wrong.length, wrong.join("\n"));
		checkQuiet(page);
		await page.context().close();
	}
}

async function pictures(browser) {
	for (const [name, file] of [["procs", procs], ["loop", loop]])
		for (const width of [1280, 1920])
			for (const colorScheme of ["light", "dark"]) {
				const page = await openReport(browser, file, { viewport: { width, height: 1000 }, colorScheme });
				const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

				check(wide <= 0, `nothing is wider than the window: ${wide}`);
				if (shots)
					await page.screenshot({ path: `${shots}/${name}-${width}-${colorScheme}.png` });
				checkQuiet(page);
				await page.context().close();
			}
}

const TESTS = [
	["the verdict and its words", headIsThere],
	["lanes are true to time at every zoom: processes", (b) => lanesAreTrue(b, procs)],
	["lanes are true to time at every zoom: an event loop", (b) => lanesAreTrue(b, loop)],
	["the evidence is shown", showMe],
	["wheel, drag and selection", hands],
	["every key, and the address", keys],
	["pictures are saved", saves],
	["hostile names are text", hostileNames],
	["operations and markers have rows", operations],
	["what is left out is said", sizeSaid],
	["where records are missing nothing is known", missingIsNotKnown],
	["without a script there is a picture", withoutScript],
	["axe finds nothing serious, light and dark", accessible],
	["windows of 1280 and 1920", pictures],
];

const browser = await openBrowser();
let failed = 0, number = 0;

console.log(`1..${TESTS.length}`);
for (const [name, run] of TESTS) {
	number++;
	try {
		await run(browser);
		console.log(`ok ${number} ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${number} ${name}\n# ${error.message.replace(/\n/g, "\n# ")}`);
	}
}
await browser.close();
process.exit(failed ? 1 : 0);
