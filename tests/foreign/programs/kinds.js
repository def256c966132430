// SPDX-License-Identifier: GPL-2.0-only
// "timers": three timers awaited together; lab cannot see them without --node. "turn": three
// timers, each awaited before the next. "files": 40 reads of a file, one at a time, by the pool
// of libuv: one activity. "workers": two worker_threads compute: parallel. "children": two
// commands, one after the other: sequential. "sha": four jobs at once for the pool: parallel.
// "atomics": two workers compute under one lock made of Atomics.wait: concurrent.
'use strict';
const { Worker, isMainThread, workerData } = require('worker_threads');
const { pbkdf2 } = require('crypto');
const { execFileSync } = require('child_process');
const fs = require('fs');

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function burn(ms) {
  const end = process.cpuUsage().user + ms * 1000;
  const until = Date.now() + ms;
  while (Date.now() < until) Math.sqrt(end);
}

function underLock(word) {
  for (let i = 0; i < 150; i++) {
    while (Atomics.compareExchange(word, 0, 0, 1) !== 0) Atomics.wait(word, 0, 1);
    burn(4);
    Atomics.store(word, 0, 0);
    Atomics.notify(word, 0, 1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.2);
  }
}

const work = (kind) => {
  const shared = new SharedArrayBuffer(4);
  for (let i = 0; i < 2; i++) new Worker(__filename, { workerData: { kind, shared } });
};

const kinds = {
  timers: () => Promise.all([sleep(400), sleep(200), sleep(600)]),
  turn: async () => { for (const ms of [200, 100, 300]) await sleep(ms); },
  files: async () => {
    for (let i = 0; i < 40; i++) {
      await fs.promises.readFile(__filename);
      burn(12);
    }
  },
  workers: () => work('burn'),
  atomics: () => work('atomics'),
  children: () => { for (let i = 0; i < 2; i++) execFileSync('gzip', ['-k', '-c', 'data'], { stdio: 'ignore' }); },
  sha: () => { for (let i = 0; i < 4; i++) pbkdf2('a', 'b', 400000, 32, 'sha256', () => 0); },
};

if (!isMainThread) {
  if (workerData.kind === 'burn') burn(500);
  else underLock(new Int32Array(workerData.shared));
} else {
  kinds[process.argv[2]]();
}
