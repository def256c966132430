/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "render_fixture.h"
#include "unit.h"
#include "util/alloc.h"

static void set_argv(struct render_fixture *f, char **argv, uint32_t argc)
{
	struct trace_meta *meta = &f->model.meta;

	for (uint32_t i = 0; i < meta->argc; i++)
		free(meta->argv[i]);
	free(meta->argv);
	meta->argv = xcalloc(argc + 1, sizeof(*meta->argv));
	for (meta->argc = 0; meta->argc < argc; meta->argc++)
		meta->argv[meta->argc] = xstrdup(argv[meta->argc]);
}

/* Two spans of a task become waits of an event loop that nothing explains. */
static void wait_unseen(struct model *m)
{
	struct model_task *t = m->tasks;

	for (size_t i = 0; i < 2; i++)
		t->spans[i] = (struct model_span){
			.start_ns = t->spans[i].start_ns, .end_ns = t->spans[i].end_ns,
			.state = SPAN_BLOCKED, .reason = REASON_EPOLL, .addr = 3, .syscall = 232,
		};
}

/* A command whose loop waited, and nothing says for what. */
static void waiting_command(struct render_fixture *f, char **argv, uint32_t argc)
{
	fixture_workers(f);
	f->model.meta.is_command = true;
	set_argv(f, argv, argc);
	wait_unseen(&f->model);
	f->report.verdict.class = CLASS_INCONCLUSIVE;
}

static char *rendered(struct render_fixture *f, const char *hook, bool brief)
{
	struct render_opts opts = {
		.width = 200, .hook = hook, .brief = brief, .trace_path = "runs/a/trace.lab",
	};

	return fixture_render(f, "term", &opts);
}

TEST(render_advice_writes_the_command_out)
{
	char *argv[] = { "python3", "-m", "my app", "", "x" };
	struct render_fixture f;
	char *text;

	waiting_command(&f, argv, 5);
	text = rendered(&f, "python", false);
	CHECK(strstr(text, "  next    lab run --python -- python3 -m 'my app' '' x"
			   "   # its operations\n"
			   "          lab view runs/a/trace.lab   # walk"));
	free(text);
	text = rendered(&f, "python", true);
	CHECK(strstr(text, "; for this program: lab run --python -- python3 -m 'my app' '' x\n"));
	free(text);
	text = fixture_render(&f, "term", &(struct render_opts){
		.width = 80, .hook = "python", .trace_path = "t.lab",
		.command = "./lab", .sudo = true,
	});
	CHECK(strstr(text, "  next    sudo ./lab run --python -- python3 -m 'my app' '' x"));
	CHECK(strstr(text, "          ./lab view t.lab   # walk through the timeline\n"));
	free(text);
	text = rendered(&f, NULL, false);
	CHECK(strstr(text, "  next    lab view") && !strstr(text, "lab run"));
	free(text);
	/* what is marked needs no advice */
	*vec_push(f.model.ops, f.model.op_cnt, f.model.op_cap) =
		(struct model_op){ .fd = MODEL_OP_NO_FD, .tgid = f.model.tasks[0].tgid };
	text = rendered(&f, "python", true);
	CHECK(!strstr(text, "lab run"));
	free(text);
	fixture_release(&f);
}

TEST(render_advice_stops_at_what_cannot_be_copied)
{
	char longest[600] = "";
	char *hostile[] = { "node", "a.js", "\033[2J", "b" },
	     *quote[] = { "node", "'; rm -rf x; '" };
	char *long_one[] = { "node", longest };
	struct render_fixture f;
	char *text;

	memset(longest, 'a', sizeof(longest) - 1);
	waiting_command(&f, hostile, 4);
	text = rendered(&f, "node", false);
	CHECK(strstr(text, "lab run --node -- node a.js ...   #") && !strchr(text, '\033'));
	free(text);
	set_argv(&f, quote, 2);
	text = rendered(&f, "node", false);
	CHECK(strstr(text, "lab run --node -- node ...   #"));
	free(text);
	set_argv(&f, long_one, 2);
	text = rendered(&f, "node", false);
	CHECK(strstr(text, "lab run --node -- node ...   #"));
	free(text);
	fixture_release(&f);
}
