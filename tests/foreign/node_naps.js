// SPDX-License-Identifier: GPL-2.0-only
//
// Three timers of 400, 200 and 600 ms: node node_naps.js [turns]
// Together they are three operations in flight; in turns there is one at a time.
"use strict";

const NAPS_MS = [400, 200, 600];
const nap = (ms) => new Promise((done) => setTimeout(done, ms));

async function main(inTurns) {
	if (inTurns)
		for (const ms of NAPS_MS)
			await nap(ms);
	else
		await Promise.all(NAPS_MS.map(nap));
	console.log("done");
}

main(process.argv[2] === "turns");
