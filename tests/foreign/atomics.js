// SPDX-License-Identifier: GPL-2.0-only
// Concurrent, never parallel: two workers compute while they hold a mutex made of Atomics.wait.
const { Worker, isMainThread, workerData } = require("worker_threads");

if (isMainThread) {
	const word = new Int32Array(new SharedArrayBuffer(4));

	for (let i = 0; i < 2; i++)
		new Worker(__filename, { workerData: word });
} else {
	const word = workerData;

	for (let i = 0; i < 150; i++) {
		if (Atomics.compareExchange(word, 0, 0, 1) !== 0)
			while (Atomics.exchange(word, 0, 2) !== 0)
				Atomics.wait(word, 0, 2);
		for (const start = performance.now(); performance.now() - start < 4;)
			;
		if (Atomics.exchange(word, 0, 0) === 2)
			Atomics.notify(word, 0, 1);
	}
}
