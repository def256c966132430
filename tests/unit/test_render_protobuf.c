/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render/protobuf.h"
#include "unit.h"

static void check_bytes(const struct pb *pb, const char *want, size_t len)
{
	CHECK_EQ(pb->len, len);
	if (pb->len == len)
		CHECK(!memcmp(pb->p, want, len));
}

/* The examples of the encoding's own description, and its edges. */
TEST(protobuf_fields)
{
	struct pb pb = { 0 }, inner = { 0 };

	pb_uint(&pb, 1, 150);
	check_bytes(&pb, "\x08\x96\x01", 3);
	pb.len = 0;
	pb_text(&pb, 2, "testing");
	check_bytes(&pb, "\x12\x07testing", 9);
	pb.len = 0;
	pb_uint(&inner, 1, 150);
	pb_bytes(&pb, 3, &inner);
	check_bytes(&pb, "\x1a\x03\x08\x96\x01", 5);
	pb.len = inner.len = 0;
	pb_varint(&inner, 3);
	pb_varint(&inner, 270);
	pb_varint(&inner, 86942);
	pb_bytes(&pb, 6, &inner);
	check_bytes(&pb, "\x32\x06\x03\x8e\x02\x9e\xa7\x05", 8);
	pb.len = 0;
	pb_uint(&pb, 60, 0);
	check_bytes(&pb, "\xe0\x03\x00", 3);
	pb.len = 0;
	pb_varint(&pb, UINT64_MAX);
	check_bytes(&pb, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
	pb.len = inner.len = 0;
	pb_bytes(&pb, 1, &inner);
	check_bytes(&pb, "\x0a\x00", 2);
	free(pb.p);
	free(inner.p);
}

/* A string must be UTF-8, or a reader refuses the whole message. */
TEST(protobuf_hostile_text)
{
	char longer[600];
	struct pb pb = { 0 };

	pb_text(&pb, 1, "a\x1b[31m\xff\n");
	check_bytes(&pb, "\x0a\x08" "a?[31m??", 10);
	pb.len = 0;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	pb_text(&pb, 1, longer);
	CHECK(pb.len > 200 && pb.len < 260);
	free(pb.p);
}
