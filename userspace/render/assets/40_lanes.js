/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lanes - how long a lane was in which state, exactly, for any stretch of time: sums are kept at every
 * STRIDE-th span, so that a column of the screen costs the same whether it stands for a microsecond
 * or an hour; and a lane as texels: in each column as many of its TEXELS as the share of time, what
 * rounding leaves over carried on to the next column.
 */

const TEXELS = 8;

/* A lane over places first..last of columns at and state; absent states (>= STATES) are not summed. */
function makeLane(at, state, first, last) {
	const marks = Math.ceil((last - first) / STRIDE) + 1, sums = new Float64Array(marks * STATES), sum = new Float64Array(STATES);

	for (let i = first, mark = 0; i <= last; i++) {
		if ((i - first) % STRIDE === 0)
			sums.set(sum, STATES * mark++);
		if (i < last && state[i] < STATES)
			sum[state[i]] += at[i + 1] - at[i];
	}
	return { at, state, first, last, sums, total: sum };
}

/* The place whose stretch holds t: the last that does not begin after it; first if all do. From a place not after it. */
function placeOf(lane, t, from = lane.first) {
	const { at, last } = lane;
	let low = from, step = 1;

	if (low >= last)
		return Math.max(lane.first, last - 1);
	while (low + step < last && at[low + step] <= t) {
		low += step;
		step *= 2;
	}
	let high = Math.min(low + step, last);
	while (high - low > 1) {
		const mid = (low + high) >> 1;
		if (at[mid] <= t)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* Time in each state from the lane's begin until t, which is in place i. */
function sumsUntil(lane, i, t, out, base) {
	const { at, state, first, last, sums } = lane, mark = (i - first) >> 4;

	for (let s = 0; s < STATES; s++)
		out[base + s] = sums[STATES * mark + s];
	for (let k = first + mark * STRIDE; k < i; k++)
		if (state[k] < STATES)
			out[base + state[k]] += at[k + 1] - at[k];
	if (i < last && state[i] < STATES && t > at[i])
		out[base + state[i]] += Math.min(t, at[i + 1]) - at[i];
}

const before = new Float64Array(STATES), after = new Float64Array(STATES);

/* The time in each state within [from, to). */
function timesIn(lane, from, to) {
	const times = new Float64Array(STATES);

	if (lane.first === lane.last)
		return times;
	sumsUntil(lane, placeOf(lane, from), from, before, 0);
	sumsUntil(lane, placeOf(lane, to), to, after, 0);
	for (let s = 0; s < STATES; s++)
		times[s] = after[s] - before[s];
	return times;
}

/* The same for each of n columns of dt from @from on: times[STATES * x + state]. */
function timesOfColumns(lane, from, dt, n, times) {
	const { at, state, first, last } = lane;

	times.fill(0, 0, STATES * n);
	if (first === last)
		return;
	const born = at[first], dead = at[last];
	let i = placeOf(lane, from), x = Math.max(0, Math.floor((born - from) / dt) - 1), known = -1;

	for (; x < n; x++) {
		const t0 = from + x * dt, t1 = t0 + dt, base = STATES * x;
		if (t1 <= born)
			continue;
		if (t0 >= dead)
			break;
		if (at[i + 1] >= t1 && at[i] <= t0) {	/* one state fills the column */
			if (state[i] < STATES)
				times[base + state[i]] = dt;
		} else if (i + STRIDE >= last || at[i + STRIDE] >= t1) {
			let t = Math.max(t0, at[i]);
			for (;;) {
				const end = Math.min(at[i + 1], t1);
				if (state[i] < STATES && end > t)
					times[base + state[i]] += end - t;
				t = end;
				if (at[i + 1] > t1 || i + 1 >= last)
					break;
				i++;
			}
			continue;
		} else {
			if (known !== x)
				sumsUntil(lane, i, t0, before, 0);
			i = placeOf(lane, t1, i);
			sumsUntil(lane, i, t1, after, 0);
			for (let s = 0; s < STATES; s++) {
				times[base + s] = after[s] - before[s];
				before[s] = after[s];
			}
			known = x + 1;
			continue;
		}
		if (at[i + 1] <= t1 && i + 1 < last)
			i++;
	}
}

/*
 * Texels of each column from its times: cells[TEXELS * x + y] is a state, IDLE where there is none;
 * y = 0 is the top. As many of a column's texels as its share, and over the lane as much as the time.
 */
function texelsOf(times, dt, n, cells) {
	const owed = new Float64Array(STATES + 1), want = new Float64Array(STATES + 1), got = new Int32Array(STATES + 1);

	for (let x = 0; x < n; x++) {
		const base = STATES * x, to = TEXELS * x;
		let rest = dt, only = -1;

		for (let s = 0; s < STATES; s++) {
			const ns = times[base + s];
			if (ns > 0) {
				rest -= ns;
				only = only === -1 ? s : -2;
			}
		}
		if (only === -1 || (only >= 0 && rest <= dt * 1e-9)) {
			cells.fill(only === -1 ? IDLE : only, to, to + TEXELS);
			continue;
		}
		let left = TEXELS;
		for (let s = 0; s <= STATES; s++) {
			const ns = s < STATES ? times[base + s] : Math.max(0, rest);
			got[s] = 0;
			want[s] = ns > 0 ? TEXELS * ns / dt + owed[s] : -Infinity;
			if (want[s] > 0)
				left -= got[s] = Math.min(left, Math.floor(want[s]));
		}
		while (left > 0) {
			let best = 0;
			for (let s = 1; s <= STATES; s++)
				if (want[s] - got[s] > want[best] - got[best])
					best = s;
			got[best]++;
			left--;
		}
		let y = TEXELS;
		for (let s = 0; s <= STATES; s++) {
			if (want[s] > -Infinity)
				owed[s] = want[s] - got[s];
			for (let k = 0; k < got[s]; k++)
				cells[to + --y] = s;
		}
	}
}

/* ---- colours ---- */

/* [light, dark] and the texels on which the pattern is laid: so that no state is told by colour alone. */
const COLORS = {
	run: ["#009e73", "#12b886"], ready: ["#d55e00", "#f0803c"], lock: ["#cc79a7", "#d98cb8"], event: ["#0072b2", "#3d9ad6"],
	io: ["#e69f00", "#f0b429"], child: ["#8a8f98", "#8d939c"], other: ["#6b7280", "#717885"], sleep: ["#d3d7dc", "#3f4650"],
	foreign: ["#57606a", "#9aa4b0"], unknown: ["#f0e442", "#f0e442"], idle: ["#f6f8fa", "#161b22"], back: ["#ffffff", "#0d1117"],
	text: ["#1b1f24", "#e6edf3"], faint: ["#59636e", "#9aa4b0"], line: ["#d1d9e0", "#30363d"], mark: ["#0969da", "#58a6ff"],
};
const PATTERNS = {
	run: () => false, ready: (x, y) => (x + y) % 6 < 2, lock: (x, y) => (x + y) % 8 === 0 || (x - y + 800) % 8 === 0,
	event: (x, y) => y % 4 === 1, io: (x, y) => x % 5 < 2 && y % 4 > 1, child: (x) => x % 6 === 0,
	other: (x, y) => (x - y + 800) % 6 === 0, sleep: () => false, foreign: (x, y) => (x + y) % 4 === 0 || (x - y + 800) % 4 === 0,
	unknown: (x, y) => x % 4 === 0 || y % 4 === 0,
};
const PATTERN_WIDTH = 120;	/* a multiple of every pattern's period */

let dark = false;

function color(name) {
	return COLORS[name][dark ? 1 : 0];
}

function rgbOf(hex) {
	return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/* A pixel of ImageData's buffer, on any machine that a browser runs on (little-endian). */
function pixelOf([r, g, b]) {
	return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
}

function mixed(rgb, other, share) {
	return rgb.map((v, i) => Math.round(v + (other[i] - v) * share));
}

/* [state][TEXELS * (x % PATTERN_WIDTH) + y] */
function patternTexels(names) {
	return names.map((name) => {
		const rgb = rgbOf(color(name)), plain = pixelOf(rgb);
		const laid = pixelOf(mixed(rgb, dark ? [0, 0, 0] : [255, 255, 255], dark ? 0.45 : 0.55));
		const texels = new Uint32Array(PATTERN_WIDTH * TEXELS);

		for (let x = 0; x < PATTERN_WIDTH; x++)
			for (let y = 0; y < TEXELS; y++)
				texels[TEXELS * x + y] = PATTERNS[name]?.(x, y) ? laid : plain;
		return texels;
	});
}

/* Colours of tasks on the CPU lanes: the palette of the states, which colour-blind readers tell apart, then steps of lightness. */
const TASK_COLORS = ["#0072b2", "#e69f00", "#56b4e9", "#cc79a7", "#009e73", "#b5a642", "#8c6bb1", "#a65628", "#7f9db9", "#d55e00"];

function taskRgb(index) {
	const rgb = rgbOf(TASK_COLORS[index % TASK_COLORS.length]), turn = Math.floor(index / TASK_COLORS.length) % 4;

	return mixed(rgb, turn === 2 ? [0, 0, 0] : [255, 255, 255], [0, 0.35, 0.3, 0.6][turn]);
}
