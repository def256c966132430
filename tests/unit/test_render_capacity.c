/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render_fixture.h"
#include "unit.h"

static const struct render_opts wide = { .verbose = true, .width = 200 };

static char *term_with(struct render_fixture *f, enum capacity_loss largest, enum reason reason)
{
	f->report.capacity.largest = largest;
	f->report.capacity.largest_reason = reason;
	return fixture_render(f, "term", &wide);
}

/* A sentence of its own for each loss. */
static void check_sentence(struct render_fixture *f, enum capacity_loss largest,
			   enum reason reason)
{
	char *text = term_with(f, largest, reason);
	const char *at = strstr(text, "largest loss, 3.8 %: ");

	REQUIRE(at);
	at = strchr(at, ';');
	CHECK(at && at[1] && at[2]);
	CHECK(!strstr(text, "(null)"));
	free(text);
}

TEST(render_capacity_every_loss_has_a_sentence)
{
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	for (int loss = LOSS_NONE + 1; loss <= LOSS_BALANCING; loss++)
		if (loss != LOSS_BLOCKED)
			check_sentence(&f, (enum capacity_loss)loss, REASON_NONE);
	for (int reason = REASON_NONE + 1; reason < REASON_CNT; reason++)
		check_sentence(&f, LOSS_BLOCKED, (enum reason)reason);
	check_sentence(&f, LOSS_SERIALIZED, REASON_LOCK);
	text = term_with(&f, LOSS_NONE, REASON_NONE);
	CHECK(!strstr(text, "largest loss"));
	free(text);
	fixture_release(&f);
}

/* What is lost to a reason lies on CPUs that others had meanwhile, too: those were not idle. */
TEST(render_capacity_names_others_beside_idle_cpus)
{
	struct render_fixture f;
	struct report_capacity *c = &f.report.capacity;
	char *text;

	fixture_workers(&f);
	c->other.blocked_ns[REASON_LOCK] = c->largest_ns / 2;
	text = term_with(&f, LOSS_BLOCKED, REASON_LOCK);
	CHECK(strstr(text, "CPUs were idle, or other programs had them, while tasks waited for "
			   "a lock"));
	free(text);
	c->other.blocked_ns[REASON_LOCK] = c->largest_ns / 21;
	text = term_with(&f, LOSS_BLOCKED, REASON_LOCK);
	CHECK(strstr(text, "CPUs were idle while tasks waited for a lock"));
	free(text);
	c->pinned_ns = c->affinity_ns = 0;
	c->other.affinity_ns = c->largest_ns;
	text = term_with(&f, LOSS_AFFINITY, REASON_NONE);
	CHECK(strstr(text, "tasks waited while CPUs that they may not use were in use by other "
			   "programs"));
	free(text);
	c->pinned_ns = c->affinity_ns = 1000;
	text = term_with(&f, LOSS_AFFINITY, REASON_NONE);
	CHECK(strstr(text, "was idle, for 1.0 us, or other programs had CPUs that they may not "
			   "use, for 1.500 ms"));
	free(text);
	fixture_release(&f);
}

TEST(render_capacity_under_a_quota)
{
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	f.model.quota_milli_cpus = 1500;
	f.report.capacity.latency_known = f.report.capacity.throttled_known = false;
	f.report.capacity.undivided_ns = f.report.capacity.unplaced_ns;
	f.report.capacity.latency_ns = 0;
	text = term_with(&f, LOSS_UNDIVIDED, REASON_NONE);
	CHECK(!strstr(text, "wake-up latency"));
	CHECK(strstr(text, "idle beside waiting tasks 0.7 %"));
	CHECK(strstr(text, "allows 1.50 CPUs\n") && !strstr(text, "came under"));
	CHECK(strstr(text, "allow a larger quota, or use fewer wake-ups"));
	free(text);
	f.model.quota_entered = true;
	text = term_with(&f, LOSS_UNDIVIDED, REASON_NONE);
	CHECK(strstr(text, "1.50 CPUs\n") && strstr(text, "came under"));
	free(text);
	text = term_with(&f, LOSS_INTERFERENCE, REASON_NONE);
	CHECK(strstr(text, "for these or for the quota; allow a larger quota, or close other "
			   "programs"));
	free(text);
	text = term_with(&f, LOSS_NO_THREAD, REASON_NONE);
	CHECK(strstr(text, "divide the work among more tasks"));
	free(text);
	f.report.capacity.largest = LOSS_UNDIVIDED;
	text = fixture_render(&f, "json", &wide);
	CHECK(!strstr(text, "latency_ns"));
	CHECK(strstr(text, "\"unplaced\": {\"undivided_ns\": 280000}"));
	CHECK(strstr(text, "\"largest_loss\": \"unplaced.undivided\""));
	free(text);
	fixture_release(&f);
}

TEST(render_capacity_that_is_not_known_is_absent)
{
	struct render_fixture f;
	char *text;

	fixture_workers(&f);
	f.report.capacity = (struct report_capacity){ 0 };
	text = fixture_render(&f, "term", &wide);
	CHECK(strstr(text, "  CPUs    2 x 20.000 ms\n"));
	CHECK(!strstr(text, "largest loss"));
	free(text);
	text = fixture_render(&f, "json", &wide);
	CHECK(!strstr(text, "\"capacity\""));
	CHECK(!strstr(text, "largest_loss"));
	free(text);
	fixture_release(&f);
}
