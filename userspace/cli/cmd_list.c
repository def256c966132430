/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/command.h"

#include <stdio.h>

#include "cli/exit.h"
#include "util/log.h"
#include "util/minmax.h"
#include "util/nearest.h"
#include "workload/workload.h"

static const struct opt list_opts[] = { { .name = NULL } };

static void print_stall(const struct claim *claim)
{
	unsigned long long ms = claim->stall_ns / 1000000;

	switch (claim->stall) {
	case STALL_COMPUTING:
		printf("; the event loop computes for %llu ms or longer at a stretch", ms);
		break;
	case STALL_BLOCKED:
		printf("; the event loop is blocked in another call for %llu ms or longer", ms);
		break;
	case STALL_NONE:
		printf("; nothing holds the event loop up for %llu ms", ms);
		break;
	}
}

static void print_claim(const struct workload *workload)
{
	struct claim claim = { 0 };

	workload->claim(&workload->defaults, &claim);
	if (claim.class == CLASS_NONE) {
		printf("  claims nothing\n");
		return;
	}
	printf("  claims %s%s: \"%s\"", claim.at_least ? "at least " : "",
	       verdict_class_name(claim.class), claim.why);
	if (claim.min_parallelism_milli)
		printf("; at least %u.%02u CPUs while busy", claim.min_parallelism_milli / 1000,
		       claim.min_parallelism_milli % 1000 / 10);
	if (claim.min_operations)
		printf("; at least %u operations at once", claim.min_operations);
	if (claim.serializer)
		printf("; one lock lets one task run at a time");
	if (claim.deadlock)
		printf("; at the end tasks wait for each other in a circle");
	print_stall(&claim);
	if (claim.needs_cpus > 1)
		printf("; needs %u CPUs", claim.needs_cpus);
	printf("\n");
}

static void print_workload(const struct workload *workload)
{
	printf("%s - %s\n", workload->name, workload->shows);
	print_claim(workload);
	if (workload->opts && workload->opts[0].name)
		opts_print_help(workload->opts);
}

static int unknown_workload(const char *name)
{
	log_err("there is no workload '%s'%s", name,
		nearest_or(NEAREST_OF(name, workloads), "; 'lab list' shows all").s);
	return LAB_EXIT_USAGE;
}

static int cmd_list(int argc, char **argv)
{
	const char *name = NULL;
	bool want_help;
	int cnt = command_parse(list_opts, NULL, argc, argv, "lab list", &name, 1, &want_help);

	if (cnt < 0)
		return LAB_EXIT_USAGE;
	if (want_help) {
		command_print_help(command_find("list"));
		return LAB_EXIT_OK;
	}
	if (cnt) {
		const struct workload *workload = workload_find(name);

		if (!workload)
			return unknown_workload(name);
		print_workload(workload);
		return LAB_EXIT_OK;
	}
	for (size_t i = 0; workloads[i]; i++) {
		if (i)
			printf("\n");
		print_workload(workloads[i]);
	}
	return LAB_EXIT_OK;
}

const struct command command_list = {
	.name = "list",
	.summary = "Show the built-in workloads: what each shows, what it claims, its options",
	.usage = "lab list [WORKLOAD]",
	.details = "The claims shown are those of the defaults on this machine. The options stand "
		   "after\n"
		   "the workload's name: lab run procs --tasks 4.\n",
	.main = cmd_list,
};
