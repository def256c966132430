/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_attempts.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/apart.h"
#include "util/log.h"

struct attempt {
	struct run *run;
	run_attempt_fn *fn;
};

struct answer {
	bool given;
	int status;		/* as of run_attempt_fn */
};

static void be_attempt(void *arg, void *out)
{
	const struct attempt *attempt = arg;
	struct answer *answer = out;

	apart_unblock_signals();
	answer->given = true;
	answer->status = attempt->fn(attempt->run);
}

int run_attempts_check_stdin(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return 0;
	log_err("--until-quiet may run the command more than once, and a %s can be read only once: "
		"give it a file as standard input (< FILE), or nothing (< /dev/null)",
		S_ISFIFO(st.st_mode) ? "pipe" : "socket");
	return -EINVAL;
}

int run_attempts(struct run *run, run_attempt_fn *fn)
{
	struct attempt attempt = { run, fn };
	off_t input_off = lseek(STDIN_FILENO, 0, SEEK_CUR);	/* -1 of a terminal */
	struct answer answer;
	int interrupted_by, status;

	apart_block_signals();
	for (;;) {
		run->attempt++;
		status = apart_run(be_attempt, &attempt, &answer, sizeof(answer), &interrupted_by);
		if (status)
			return status;
		if (answer.given && answer.status >= 0)
			return answer.status;
		if (interrupted_by) {
			log_info("interrupted between two runs: none of them is kept");
			return 128 + interrupted_by;
		}
		if (input_off >= 0)
			lseek(STDIN_FILENO, input_off, SEEK_SET);
	}
}
