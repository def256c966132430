// SPDX-License-Identifier: MIT
//
// `lab run --node` loads this file before a Node.js program, and the program itself stays as it is.
//
// An operation is a wait that the program asked for: a timer, a file request, a name look-up, a
// connection, an HTTP request (as client and as server), a child process, a reply on a socket.
// It begins when it is requested and ends when its answer arrives; the callback is no part of it.
// These are no operations: setInterval and setImmediate, timers of Node's own code, timers after
// unref(), promises by themselves (they wait for one of the others), zlib (its work runs in threads,
// which the kernel sees).
//
// A request that waits for another operation is one activity, not two: the operations that an HTTP
// request waits for are parts of it while there is one of them, and the others count by themselves.
//
// The hooks create no asynchronous resources, and they patch no function of the program. There is no
// destroy hook: it makes a promise ten times as expensive. The end of a cancelled operation is
// found by looking (sweep()).
"use strict";

(function watch() {
	delete require.cache[__filename];
	if (!process.env.LAB_MARKERS || process.platform !== "linux")
		return;

	const fs = require("fs");
	const { existsSync } = fs;

	function complain(error) {
		fs.writeSync(2, `lab: Node.js ${process.version} is not watched: ${error}\n`);
	}

	let hooks, channel, threads;
	try {
		hooks = require("async_hooks");
		channel = require("diagnostics_channel").channel;
		threads = require("worker_threads");
		if (!hooks.AsyncLocalStorage)
			throw new Error("it has no AsyncLocalStorage");
	} catch (error) {
		complain(error.message);
		return;
	}
	const { isMainThread, threadId } = threads;

	// ---- operations ----

	const prefix = isMainThread ? "n" : `n${threadId}w`; // an ID is of the process, not of the thread
	let number = 0;

	// access(2), which the kernel answers and nothing else sees.
	function say(verb, id, name) {
		existsSync(name === undefined ? `lab:${verb}:${id}` : `lab:${verb}:${id}:${name}`);
	}

	class Operation {
		constructor(name, parent) {
			this.name = name.replace(/\0/g, "?");
			this.parent = parent && parent.isOpen ? parent : null;
			this.isOpen = true;
			this.part = null;	// the one operation that is marked as a part of this one
			this.others = null;	// further operations that this one waits for
			if (this.parent)
				this.parent.adopt(this);
			else
				this.begin(prefix + ++number);
		}

		begin(id) {
			this.id = id;
			say("begin", id, this.name);
			say("suspend", id);
		}

		adopt(child) {
			if (this.part) {
				(this.others = this.others || new Set()).add(child);
				child.begin(prefix + ++number);
			} else {
				this.part = child;
				child.begin(`${this.id}.${++number}`);
			}
		}

		lose(child) {
			if (this.part !== child) {
				this.others.delete(child);
				return;
			}
			this.part = null;
			if (!this.others || !this.others.size)
				return;
			const [next] = this.others;
			this.others.delete(next);
			say("end", next.id);
			this.adopt(next);
		}

		current() {
			return this;
		}

		end() {
			if (!this.isOpen)
				return;
			this.isOpen = false;
			say("end", this.id);
			if (this.parent && this.parent.isOpen)
				this.parent.lose(this);
			if (this.part && this.part.isOpen) { // it outlives this one, and counts from now on
				say("end", this.part.id);
				this.part.begin(prefix + ++number);
			}
		}
	}

	// ---- where an operation was asked for ----

	const FRAMES = 8;	// the more, the longer it takes
	const INTERNAL = /^(node:|internal\/|[a-z_]+\.js$)/;
	const TIMERS = /^(node:)?(internal\/)?(timers|async_hooks)/;
	const LOADER = /^(node:)?internal\/modules\//;

	const asSites = (_error, sites) => sites;

	function frames() {
		const { stackTraceLimit, prepareStackTrace } = Error;
		const had = Object.prototype.hasOwnProperty.call(Error, "prepareStackTrace");
		const holder = {};

		try {
			Error.stackTraceLimit = FRAMES;
			Error.prepareStackTrace = asSites;
		} catch (error) {
			return [];	// the program froze it
		}
		Error.captureStackTrace(holder, init);
		const { stack } = holder;
		Error.stackTraceLimit = stackTraceLimit;
		if (had)
			Error.prepareStackTrace = prepareStackTrace;
		else
			delete Error.prepareStackTrace;
		return Array.isArray(stack) ? stack : [];
	}

	const fileOf = (frame) => frame.getFileName() || "";
	const isInternal = (frame) => INTERNAL.test(fileOf(frame));
	const isOwn = (frame) => fileOf(frame) && !isInternal(frame);

	// " in load" or " at script.js:3": the program's innermost function that has a name.
	function place(stack) {
		const own = stack.filter(isOwn);
		const named = own.find((frame) => frame.getFunctionName());

		if (named)
			return ` in ${named.getFunctionName()}`;
		return own.length ? ` at ${fileOf(own[0]).replace(/^.*\//, "")}:${own[0].getLineNumber()}` : "";
	}

	// ---- what is an operation ----

	const open = new Map();		// operations by the number of their resource
	const watched = new Set();	// what may end without a callback: { gone(), op }
	let nextWatched = watched.values();
	const SWEEP_MAX = 8;
	const KEPT_MAX = 1000;

	// Node.js tells nobody in time that a timer was cleared, or a request cancelled.
	function sweep() {
		for (let i = Math.min(watched.size, SWEEP_MAX); i > 0; i--) {
			let { value, done } = nextWatched.next();
			if (done) {
				nextWatched = watched.values();
				value = nextWatched.next().value;
			}
			if (value && value.gone()) {
				watched.delete(value);
				value.end();
			}
		}
	}

	// A list that nothing shortens: the oldest entry goes.
	function bound(list) {
		if (list.size > KEPT_MAX)
			list.delete(list.keys().next().value);
	}

	function watchFor(operation, gone) {
		operation.watcher = { gone, end: () => end(operation) };
		watched.add(operation.watcher);
	}

	function end(operation) {
		watched.delete(operation.watcher);
		clients.delete(operation);
		open.delete(operation.resource);
		operation.end();
	}

	// The frames of Node.js between the program and the hook.
	function inner(stack) {
		const first = stack.findIndex(isOwn);

		return first < 0 ? stack : stack.slice(0, first);
	}

	const isFile = (stack) => !inner(stack).some((frame) => LOADER.test(fileOf(frame)));
	const isJob = (stack) =>
		!inner(stack).some((frame) => /Sync$/.test(frame.getFunctionName() || ""));
	const isChild = (stack) => !stack.some((frame) => frame.getFunctionName() === "fork");
	const always = () => true;

	function isTimer(stack) {
		const caller = stack.find((frame) => !TIMERS.test(fileOf(frame)));

		return !stack.length || (caller && !isInternal(caller));
	}

	// What async_hooks calls it: what a person calls it, and whether the program asked for it.
	const kinds = {
		__proto__: null,
		Timeout: { name: "timer", wanted: isTimer,
			skip: (timer) => timer._repeat !== null || !timer.hasRef(),
			gone: (timer) => timer._destroyed || !timer.hasRef() },
		FSREQCALLBACK: { name: "file", wanted: isFile },
		FSREQPROMISE: { name: "file", wanted: isFile },
		FILEHANDLECLOSEREQ: { name: "file", wanted: isFile },
		GETADDRINFOREQWRAP: { name: "dns", wanted: always },
		GETNAMEINFOREQWRAP: { name: "dns", wanted: always },
		QUERYWRAP: { name: "dns", wanted: always },
		TCPCONNECTWRAP: { name: "connect", wanted: always },
		PIPECONNECTWRAP: { name: "connect", wanted: always },
		PBKDF2REQUEST: { name: "pbkdf2", wanted: isJob },
		SCRYPTREQUEST: { name: "scrypt", wanted: isJob },
		PROCESSWRAP: { name: "child", wanted: isChild,
			gone: (child) => !child.pid || !child.hasRef() },
	};

	const requestOf = new hooks.AsyncLocalStorage();
	let serves = false;	// requestOf is in use

	function enter(whose) {
		serves = true;
		requestOf.enterWith(whose);
	}

	// What waits for the code that runs now: a request, or what a socket belongs to.
	function parentHere() {
		const whose = serves ? requestOf.getStore() : undefined;

		return whose && whose.current();
	}

	// ---- sockets ----

	const servers = new Set();	// numbers of listening sockets
	const fresh = new Map();	// handles of sockets that are not connected yet, by number
	let accepted = [];		// numbers and handles, until their server's callback is over
	const plain = new Map();	// connected sockets that are not known to speak HTTP, by number
	const byPort = new Map();	// those of clients among them, by their own port
	const lower = new Map();	// the number of the socket under a TLS one
	const covered = new Set();	// sockets whose connection belongs to an HTTP request
	const clients = new Set();	// HTTP requests that wait for an answer
	let fetchConnects = false;

	const socketOf = (id) => lower.has(id) ? lower.get(id) : id;

	function onSocket(id, trigger, handle) {
		if (servers.has(trigger)) {
			accepted.push([id, handle]);
		} else if (fetchConnects) {
			fetchConnects = false;
			covered.add(id);
			bound(covered);
		} else {
			fresh.set(id, handle);
			bound(fresh);
		}
	}

	// It speaks HTTP: its requests are operations, not the socket.
	function cover(id) {
		const socket = plain.get(id);

		accepted = accepted.filter(([number]) => number !== id);
		fresh.delete(id);
		if (socket) {
			watched.delete(socket);
			socket.end();
		}
		covered.add(id);
		bound(covered);
		for (const operation of open.values())
			if (operation.socket === id)
				end(operation);
	}

	// A client's socket: from what it sent to the next answer.
	function awaitReply(socket) {
		const sent = socket.handle.bytesWritten || 0;

		if (sent > socket.sent && !socket.op)
			socket.op = new Operation("reply", parentHere());
		socket.sent = sent;
	}

	function portOf(handle, ask) {
		const address = {};

		return handle[ask] && !handle[ask](address) ? address.port : undefined;
	}

	// The other end of an accepted socket is in this process: its client is what waits.
	function dialledHere(port) {
		if (!port)
			return false;
		return byPort.has(port) ||
			[...fresh.values()].some((handle) => handle.fd >= 0 && portOf(handle, "getsockname") === port);
	}

	function onConnected(id, handle, isAccepted) {
		const port = portOf(handle, isAccepted ? "getpeername" : "getsockname");
		const socket = {
			handle,
			sent: handle.bytesWritten || 0,
			op: isAccepted && !dialledHere(port) ? new Operation("connection") : null,
			isAccepted,
			current() {
				const client = byPort.get(port);

				return socket.op || (client && client.op);
			},
			gone() {
				if (!isAccepted && handle.fd >= 0)
					awaitReply(socket);
				return handle.fd < 0;
			},
			end() {
				plain.delete(id);
				if (byPort.get(port) === socket)
					byPort.delete(port);
				if (socket.op)
					end(socket.op);
			},
		};

		plain.set(id, socket);
		watched.add(socket);
		if (!isAccepted && port)
			byPort.set(port, socket);
	}

	function onAnswer(id) {
		const socket = plain.get(socketOf(id));

		if (socket && socket.isAccepted) {
			enter(socket);
		} else if (socket && socket.op) {
			end(socket.op);
			socket.op = null;
		}
	}

	// ---- HTTP ----

	function isAnswered(request) {
		return request.destroyed || (request.res && request.res.complete);
	}

	function onClientRequest(id, resource) {
		const { req } = resource;
		const handle = req.socket && req.socket._handle;

		if (handle && handle.getAsyncId)
			cover(socketOf(handle.getAsyncId()));
		const operation = new Operation(`${req.method} ${req.path}`, parentHere());
		operation.peer = () => req.socket;
		operation.isAnswered = () => isAnswered(req);
		clients.add(operation);
		remember(id, operation);
		watchFor(operation, operation.isAnswered);
	}

	const served = new WeakMap();	// operations by response

	function onServerRequest({ request, response, socket }) {
		let parent;

		// A client in this process waits for it: one activity.
		for (const client of clients) {
			const peer = client.peer();

			if (peer && peer.localPort && peer.localPort === socket.remotePort)
				parent = client;
		}
		const operation = new Operation(`${request.method} ${request.url}`, parent);
		served.set(response, operation);
		watchFor(operation, () => response.destroyed || socket.destroyed);
		enter(operation);
	}

	function onServed({ response }) {
		const operation = served.get(response);

		if (operation)
			end(operation);
	}

	const fetched = new WeakMap();	// operations by undici's request

	function onFetch({ request }) {
		const operation = new Operation(`${request.method} ${request.path}`, parentHere());

		operation.peer = () => operation.via;
		clients.add(operation);
		fetched.set(request, operation);
	}

	function onFetched({ request }) {
		const operation = fetched.get(request);

		if (operation)
			end(operation);
	}

	function onFetchSent({ request, socket }) {
		const operation = fetched.get(request);

		if (operation)
			operation.via = socket;
	}

	// ---- the hooks ----

	function remember(id, operation) {
		operation.resource = id;
		open.set(id, operation);
	}

	function begin(id, kind, trigger, resource) {
		if (kind.skip && kind.skip(resource))
			return;
		const connects = kind.name === "connect" || kind.name === "dns";
		if (connects && covered.has(trigger))
			return;
		const stack = frames();
		if (!kind.wanted(stack))
			return;
		const operation = new Operation(kind.name + place(stack), parentHere());
		remember(id, operation);
		if (connects)
			operation.socket = trigger;
		if (kind.gone)
			watchFor(operation, () => kind.gone(resource));
	}

	function onInit(id, type, trigger, resource) {
		const kind = kinds[type];

		if (kind) {
			sweep();
			begin(id, kind, trigger, resource);
		} else if (type === "TCPWRAP" || type === "PIPEWRAP") {
			onSocket(id, trigger, resource);
		} else if (type === "TCPSERVERWRAP" || type === "PIPESERVERWRAP") {
			servers.add(id);
		} else if (type === "TLSWRAP") {
			lower.set(id, trigger);
			bound(lower);
		} else if (type === "HTTPINCOMINGMESSAGE") {
			cover(socketOf(trigger));
		} else if (type === "HTTPCLIENTREQUEST" && resource.req) {
			onClientRequest(id, resource);
		}
	}

	function onBefore(id) {
		const operation = open.get(id);

		if (operation && !operation.isAnswered) {
			const handle = fresh.get(operation.socket);

			end(operation);
			if (handle && handle.fd >= 0) {
				fresh.delete(operation.socket);
				onConnected(operation.socket, handle, false);
			}
		} else if (plain.size) {
			onAnswer(id);
		}
	}

	function onAfter(id) {
		const operation = open.get(id);

		if (operation && operation.isAnswered && operation.isAnswered())
			end(operation);
		if (accepted.length && servers.has(id)) {
			for (const [number, handle] of accepted)
				onConnected(number, handle, true);
			accepted = [];
		}
		if (watched.size)
			sweep();
	}

	// What goes wrong here must not become the program's trouble.
	let stopped = false;

	function stop(error) {
		stopped = true;
		watcher.disable();
		complain(error && error.stack);
	}

	function guarded(action, value) {
		if (stopped)
			return;
		try {
			action(value);
		} catch (error) {
			stop(error);
		}
	}

	// Each promise of the program passes through these three.
	function init(id, type, trigger, resource) {
		if (type === "PROMISE" || type === "TickObject" || stopped)
			return;
		try {
			onInit(id, type, trigger, resource);
		} catch (error) {
			stop(error);
		}
	}

	function before(id) {
		if (open.size || plain.size)
			guarded(onBefore, id);
	}

	function after(id) {
		if (open.size || watched.size || accepted.length)
			guarded(onAfter, id);
	}

	const watcher = hooks.createHook({ init, before, after });
	const channels = {
		"http.server.request.start": onServerRequest,
		"http.server.response.finish": onServed,
		"undici:request:create": onFetch,
		"undici:request:trailers": onFetched,
		"undici:request:error": onFetched,
		"undici:client:sendHeaders": onFetchSent,
		"undici:client:beforeConnect": () => { fetchConnects = true; },
	};
	watcher.channels = Object.keys(channels).map((name) => { // a channel that nobody holds may go
		const each = channel(name);

		each.subscribe((message) => guarded(channels[name], message));
		return each;
	});

	function nameThread() {
		try {
			const own = "/proc/thread-self/comm";

			if (fs.readFileSync(own, "utf8") === fs.readFileSync("/proc/self/comm", "utf8"))
				fs.writeFileSync(own, `worker ${threadId}`);
		} catch (error) {
			// It keeps the name that it has.
		}
	}

	if (!isMainThread)
		nameThread();
	watcher.enable();
})();
