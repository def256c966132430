/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/privilege.h"
#include "cli/runs.h"
#include "cli/self.h"
#include "util/format.h"
#include "util/text.h"

static const struct opt runs_opts[] = { { .name = NULL } };

static void print_run(const struct runs_entry *run)
{
	char when[32] = "", path[256];
	struct tm tm;

	if (localtime_r(&run->written, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	text_for_terminal(path, sizeof(path), run->path, strlen(run->path), sizeof(path), false);
	printf("%-16s  %9s  %s\n", when, fmt_bytes(run->bytes).s, path);
}

static int cmd_runs(int argc, char **argv)
{
	struct privilege_user user;
	struct runs runs;
	bool want_help;
	int cnt = command_parse(runs_opts, NULL, argc, argv, "lab runs", NULL, 0, &want_help);

	if (cnt < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		command_print_help(command_find("runs"));
		return LAB_EXIT_OK;
	}
	if (privilege_workload_ids(false, &user))
		return LAB_EXIT_USAGE;
	if (privilege_become(&user) || privilege_drop_capabilities() || runs_list(&runs))
		return LAB_EXIT_FILE;
	if (!runs.cnt)
		printf("There is no run in the folder " RUNS_DIR " here: %s%s run procs makes "
								 "one.\n",
		       self_sudo(), self_command());
	for (size_t i = 0; i < runs.cnt; i++)
		print_run(&runs.v[i]);
	runs_release(&runs);
	return LAB_EXIT_OK;
}

const struct command command_runs = {
	.name = "runs",
	.summary = "List the runs in the folder runs, newest first",
	.usage = "lab runs",
	.details = "For each run: when its trace was written, how large the trace is, and its "
		   "folder.\n"
		   "lab report, lab view and lab verify take the newest one if none is named.\n",
	.main = cmd_runs,
};
