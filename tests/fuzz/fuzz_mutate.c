/* SPDX-License-Identifier: GPL-2.0-only */
/* fuzz_mutate - chance, and changes of bytes that know nothing of what these are. */
#include "fuzz.h"

#include <string.h>

#include "util/minmax.h"

#define STRETCH_MAX 64

uint64_t fuzz_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1d;
}

uint64_t fuzz_below(uint64_t *state, uint64_t n)
{
	return (fuzz_random(state) >> 16) % n;
}

static uint64_t odd_value(uint64_t *random)
{
	static const uint64_t odd[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		INT64_MAX, UINT64_MAX,
	};

	return odd[fuzz_below(random, ARRAY_SIZE(odd))];
}

size_t fuzz_mutate_bytes(uint8_t *data, size_t size, size_t size_max, uint64_t *random)
{
	size_t at = size ? fuzz_below(random, size) : 0, left = size - at;
	size_t len = min_u64(1 + fuzz_below(random, STRETCH_MAX), left), from;
	uint64_t value = odd_value(random);

	switch (size ? fuzz_below(random, 8) : 6) {
	case 0:
	case 1:
		data[at] ^= (uint8_t)(1u << fuzz_below(random, 8));
		break;
	case 2:
		data[at] = (uint8_t)fuzz_random(random);
		break;
	case 3:
		memcpy(data + at, &value, min_u64((size_t)1 << fuzz_below(random, 4), left));
		break;
	case 4:
		return fuzz_below(random, 16) ? size : at;
	case 5:
		memmove(data + at, data + at + len, left - len);
		return size - len;
	case 6:
		len = min_u64(1 + fuzz_below(random, STRETCH_MAX), size_max - size);
		memmove(data + at + len, data + at, left);
		memset(data + at, (int)fuzz_random(random), len);
		return size + len;
	default:
		from = fuzz_below(random, size - len + 1);
		memmove(data + at, data + from, len);
	}
	return size;
}
