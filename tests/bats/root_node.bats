#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# --node: what Node.js programs wait for becomes operations, and the programs stay as they are.

load helpers

setup() {
	requires root btf command=node
	cd "$BATS_TEST_TMPDIR"
}

# marked ARG...: run it under --node, its report is run.json
marked() {
	rm -rf out run.json
	run --separate-stderr lab run --node -o out --json=run.json "$@"
	json_holds run.json 'all(r["loss"]["markers_" + k] == 0 for k in ("unread", "malformed", "unmatched"))'
	json_holds run.json 'r["audit"]["clean"]'
}

# beginning TEXT: how many operations have a name that begins so
beginning() {
	python -c 'import json, sys
print(sum(o["name"].startswith(sys.argv[1]) for o in json.load(open("run.json"))["operations"]))' "$1"
}

@test "three timers awaited together are three operations at once, with CommonJS" {
	cat >together.js <<-'JS'
	const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
	setInterval(() => {}, 100000).unref();
	setTimeout(() => {}, 100000).unref();
	const guard = setTimeout(() => {}, 100000);
	clearTimeout(guard);
	Promise.all([400, 200, 600].map(sleep)).then(() => console.log("done"));
	JS
	marked -- node together.js
	[ "$status" -eq 0 ]
	[ "$output" = done ]
	stderr_has "CONCURRENT, not parallel"
	stderr_has "timer in sleep"
	json_holds run.json 'r["concurrency"]["max_operations"] == 3'
	[ "$(beginning "timer in sleep")" -eq 3 ]
}

@test "awaited one after the other they are one at a time, with a module; the exit status is the program's" {
	cat >turns.mjs <<-'JS'
	import { setTimeout as sleep } from "node:timers/promises";
	for (const ms of [400, 200, 600])
		await sleep(ms);
	console.log("done");
	process.exitCode = 3;
	JS
	marked -- node turns.mjs
	[ "$status" -eq 3 ]
	[ "$output" = done ]
	json_holds run.json 'r["concurrency"]["max_operations"] == 1 and len(r["operations"]) == 3'
	json_holds run.json 'all(o["name"].startswith("timer at turns.mjs:3") for o in r["operations"])'
	json_holds run.json 'r["verdict"]["class"] == "sequential"'
}

@test "files read together, and in turn" {
	head -c 2000000 /dev/zero >data
	cat >files.js <<-'JS'
	const { readFile } = require("fs/promises");
	const load = () => readFile("data");
	(async () => {
		if (process.argv[2] === "turns")
			for (let i = 0; i < 5; i++)
				await load();
		else
			await Promise.all(Array.from({ length: 5 }, load));
	})();
	JS
	marked -- node files.js together
	json_holds run.json 'r["concurrency"]["max_operations"] == 5'
	[ "$(beginning "file in load")" -gt 0 ]
	marked -- node files.js turns
	json_holds run.json 'r["concurrency"]["max_operations"] == 1'
}

@test "hashes that are asked for together wait for the threads" {
	cat >hashes.js <<-'JS'
	const { pbkdf2 } = require("crypto");
	const { promisify } = require("util");
	const hash = () => promisify(pbkdf2)("a", "b", 50000, 32, "sha256");
	Promise.all(Array.from({ length: 12 }, hash));
	JS
	UV_THREADPOOL_SIZE=2 marked -- node hashes.js
	json_holds run.json 'r["pool"]["threads"] == 2' 'r["pool"]["operations"] == 12' \
		'r["pool"]["queued_ns"] > 0'
}

# The same server, with so many clients in this or another process.
server() {
	cat >server.js <<-'JS'
	const http = require("http");
	const wait = (ms) => new Promise((done) => setTimeout(done, ms));
	const get = (port) => new Promise((done) => http.get({ port, agent: false }, (answer) =>
		answer.resume().on("end", done)));
	const server = http.createServer(async (request, response) => {
		await wait(100);
		response.end("text");
	}).listen(0, async () => {
		const { port } = server.address();
		const ask = process.argv[2] === "fetch" ?
			async () => (await fetch(`http://127.0.0.1:${port}/`)).text() : () => get(port);
		if (process.argv[3] === "turns")
			for (let i = 0; i < 3; i++)
				await ask();
		else
			await Promise.all([ask(), ask(), ask()]);
		server.close();
		server.closeAllConnections?.();
	});
	JS
}

@test "a server's requests are operations; one that a client here waits for is a part of the client's" {
	server
	for client in http fetch; do
		marked -- node server.js $client together
		json_holds run.json 'r["concurrency"]["max_operations"] == 3'
		[ "$(beginning "GET /")" -eq 6 ]
		marked -- node server.js $client turns
		json_holds run.json 'r["concurrency"]["max_operations"] == 1'
		[ "$(beginning "GET /")" -eq 6 ]
	done
}

@test "a request that waits for three things at once is three, not four" {
	cat >fan.js <<-'JS'
	const http = require("http");
	const wait = (ms) => new Promise((done) => setTimeout(done, ms));
	const server = http.createServer(async (request, response) => {
		await Promise.all([wait(100), wait(50), wait(150)]);
		response.end("text");
	}).listen(0, () => require("child_process").execFile(process.execPath,
		["-e", `require("http").get({ port: ${server.address().port} }, (a) => a.resume())`],
		() => server.close()));
	JS
	marked -- node fan.js
	json_holds run.json 'sum(o["name"].startswith("timer in wait") for o in r["operations"]) >= 3'
	# the timers, the child, and the child's request
	json_holds run.json 'r["concurrency"]["max_operations"] == 5'
}

@test "a reply on a plain socket is an operation, and the server's work for it a part" {
	cat >echo.js <<-'JS'
	const net = require("net");
	const server = net.createServer((socket) =>
		socket.on("data", (data) => setTimeout(() => socket.write(data), 50)));
	server.listen(0, () => {
		const client = net.connect(server.address().port, "127.0.0.1");
		const ask = () => new Promise((done) => client.once("data", done).write("x"));
		client.on("connect", async () => {
			await ask();
			await ask();
			client.destroy();
			server.close();
		});
	});
	JS
	marked -- node echo.js
	json_holds run.json 'r["concurrency"]["max_operations"] == 1'
	[ "$(beginning reply)" -eq 2 ]
}

@test "threads have names, and children are watched as well" {
	cat >work.js <<-'JS'
	const { Worker, isMainThread } = require("worker_threads");
	const wait = () => new Promise((done) => setTimeout(done, 100));
	if (isMainThread && !process.argv[2]) {
		new Worker(__filename);
		new Worker(__filename);
		require("child_process").fork(__filename, ["child"]);
	} else {
		wait().then(() => process.disconnect && process.disconnect());
	}
	JS
	marked -- node work.js
	[ "$status" -eq 0 ]
	json_holds run.json '{"worker 1", "worker 2"} <= {t["comm"] for t in r["tasks"]}'
	[ "$(beginning "timer in wait")" -eq 3 ]
	[ -z "$(find /tmp -maxdepth 1 -name "lab-hook-*" -newer work.js)" ]
}

@test "the program is what it was: its failure, its words, its modules, its other hook" {
	cat >mine.cjs <<-'JS'
	globalThis.mine = true;
	JS
	cat >fails.js <<-'JS'
	process.on("exit", (code) => console.log(code, process.execArgv, Object.keys(require.cache).length,
		module.children.length, process.listenerCount("exit"), globalThis.mine, Error.stackTraceLimit,
		Object.keys(Error)));
	setTimeout(async () => { throw new Error("as it should"); }, 10);
	JS
	export NODE_OPTIONS="--require $PWD/mine.cjs"
	run --separate-stderr node fails.js
	local status_bare=$status output_bare=$output stderr_bare=$stderr
	[ "$status_bare" -eq 1 ]
	marked -- node fails.js
	[ "$status" -eq "$status_bare" ]
	[ "$output" = "$output_bare" ]
	[[ $stderr == "$stderr_bare"* ]]
	[ "$(beginning timer)" -eq 1 ]
}

@test "where lab does not listen the hook does nothing" {
	cat >hooks.js <<-'JS'
	require("async_hooks").createHook({ init(id, type) { if (type === "Timeout") throw id; } });
	setTimeout(() => {}, 10);
	JS
	command -v strace >/dev/null || skip "needs strace"
	strace -f -o calls env -u LAB_MARKERS node --require "$REPOSITORY/userspace/markers/lab-node.cjs" hooks.js
	run -1 grep -c '"lab:' calls
}

@test "a program that changes its user can still be started" {
	requires command=setpriv
	marked -- setpriv --reuid=65534 --clear-groups node -e 'setTimeout(() => console.log("done"), 50)'
	[ "$status" -eq 0 ]
	[ "$output" = done ]
	[ "$(beginning timer)" -eq 1 ]
}

@test "node --test, a shell around it, and both hooks" {
	cat >a.test.mjs <<-'JS'
	import test from "node:test";
	const wait = (ms) => new Promise((done) => setTimeout(done, ms));
	test("two", async () => { await Promise.all([wait(50), wait(50)]); });
	JS
	marked --python -- sh -c 'node --test a.test.mjs; :'
	[ "$status" -eq 0 ]
	[[ $output == *"pass 1"* ]]
	[ "$(beginning "timer in wait")" -eq 2 ]
}

@test "--node is for a command" {
	run -2 --separate-stderr lab run --node procs
	stderr_has "--node is for a command: lab run --node -- node script.js"
}
