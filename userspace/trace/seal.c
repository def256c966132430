/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/seal.h"

#include <stdlib.h>
#include <sys/random.h>

#include "trace/bytes.h"
#include "util/alloc.h"

struct piece {
	uint64_t off, len, digest;
};

struct trace_seal {
	uint8_t key[SEAL_KEY_BYTES];
	struct piece *pieces;	/* ascending by off */
	size_t piece_cnt, piece_cap;
};

/* ---- SipHash-2-4 ---- */

static uint64_t rotated(uint64_t v, unsigned int bits)
{
	return v << bits | v >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int cnt)
{
	while (cnt--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotated(v[1], 13) ^ v[0];
		v[3] = rotated(v[3], 16) ^ v[2];
		v[0] = rotated(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotated(v[1], 17) ^ v[2];
		v[3] = rotated(v[3], 21) ^ v[0];
		v[2] = rotated(v[2], 32);
	}
}

static void sip_take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_rounds(v, 2);
	v[0] ^= word;
}

uint64_t seal_siphash(const uint8_t key[SEAL_KEY_BYTES], const void *text, size_t len)
{
	const uint8_t *at = text, *words_end = at + len / 8 * 8;
	uint64_t k0 = get_le64(key), k1 = get_le64(key + 8), last = (uint64_t)len << 56;
	uint64_t v[4] = {
		k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573),
	};

	for (; at < words_end; at += 8)
		sip_take(v, get_le64(at));
	for (size_t i = 0; i < len % 8; i++)
		last |= (uint64_t)at[i] << 8 * i;
	sip_take(v, last);
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the pieces ---- */

struct trace_seal *trace_seal_new(void)
{
	struct trace_seal *seal = xcalloc(1, sizeof(*seal));

	/*
	 * It never fails for so few bytes, but that the kernel has no such call: then nothing is
	 * safe.
	 */
	if (getrandom(seal->key, sizeof(seal->key), 0) != sizeof(seal->key))
		abort();
	return seal;
}

/* Where the piece at @off is, or belongs. */
static size_t place_of(const struct trace_seal *seal, uint64_t off)
{
	size_t low = 0, high = seal->piece_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (seal->pieces[mid].off < off)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* They are put in order, but for the header, which is put twice. */
void trace_seal_put(struct trace_seal *seal, uint64_t off, const void *piece, size_t len)
{
	size_t i = place_of(seal, off);

	if (i == seal->piece_cnt)
		vec_push(seal->pieces, seal->piece_cnt, seal->piece_cap);
	seal->pieces[i] = (struct piece){ off, len, seal_siphash(seal->key, piece, len) };
}

bool trace_seal_holds(const struct trace_seal *seal, uint64_t off, const void *piece, size_t len)
{
	size_t i = place_of(seal, off);

	return i < seal->piece_cnt && seal->pieces[i].off == off && seal->pieces[i].len == len &&
	       seal->pieces[i].digest == seal_siphash(seal->key, piece, len);
}

size_t trace_seal_piece_cnt(const struct trace_seal *seal)
{
	return seal->piece_cnt;
}

void trace_seal_free(struct trace_seal *seal)
{
	if (!seal)
		return;
	free(seal->pieces);
	free(seal);
}
