// SPDX-License-Identifier: GPL-2.0-only
// speedscope - opens exports of procs in its release, and says what it took them for. TAP.
//
//	node speedscope.mjs INDEX.html PROCS.speedscope PROCS.chrome PROCS.folded
import { check, openBrowser, openSpeedscope } from "./page.mjs";

const [index, ...profiles] = process.argv.slice(2);
const KINDS = ["speedscope json file", "Trace Event Format profile", "collapsed stack format"];
const SHOWN = [/lab \(tid \d+\) \(1\/5\)/, /CPU 0 \(tid 0\) \(1\/7\)/, /procs\.folded/];

async function opens(browser, profile, kind, shown) {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
	const tab = await context.newPage(), said = [];

	tab.on("console", (message) => said.push(message.text()));
	tab.on("pageerror", (error) => said.push(`error: ${error.message}`));
	await openSpeedscope(tab, index, profile);
	check(said.includes(`Importing as ${kind}`), `not taken for ${kind}: ${said}`);
	check(!said.some((text) => /^error|Tried to end|still open/.test(text)), `it complains: ${said}`);
	check(shown.test(await tab.locator("body").innerText()), `${shown} is not shown`);
	await context.close();
}

const browser = await openBrowser();
let failed = 0;

console.log(`1..${profiles.length}`);
for (const [i, profile] of profiles.entries()) {
	try {
		await opens(browser, profile, KINDS[i], SHOWN[i]);
		console.log(`ok ${i + 1} speedscope opens the ${KINDS[i]}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${i + 1} speedscope opens the ${KINDS[i]}\n# ${error.message.replace(/\n/g, "\n# ")}`);
	}
}
await browser.close();
process.exit(failed ? 1 : 0);
