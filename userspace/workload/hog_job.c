/* SPDX-License-Identifier: GPL-2.0-only */
#include "workload/hog_job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/io.h"
#include "util/log.h"
#include "workload/work.h"

#define WRITE_BYTES (256 * 1024)	/* before each fsync */

/* ---- who answers ---- */

static void __attribute__((noreturn)) be_answerer(int request_fd, int answer_fd, uint64_t long_ns,
						  pid_t parent)
{
	char byte;

	prctl(PR_SET_NAME, "answerer");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It says first that it is there: what its start costs is not to fall into the loop. */
	if (getppid() != parent || write(answer_fd, "!", 1) != 1)
		_exit(EXIT_FAILURE);
	while (read(request_fd, &byte, 1) == 1) {
		work_sleep_until(work_now_ns() + long_ns);
		if (write(answer_fd, &byte, 1) != 1)
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

static int open_answerer(struct hog_job *job)
{
	int request[2] = { -1, -1 }, answer[2] = { -1, -1 };
	pid_t parent = getpid();
	int err = 0;

	if (pipe2(request, O_CLOEXEC) || pipe2(answer, O_CLOEXEC) || (job->answerer = fork()) < 0) {
		err = -errno;
		job->answerer = 0;
		log_err("hog: there can be no process that answers: %s", strerror(-err));
	} else if (!job->answerer) {
		close(request[1]);
		close(answer[0]);
		be_answerer(request[0], answer[1], job->long_ns, parent);
	}
	if (request[0] >= 0)
		close(request[0]);
	if (answer[1] >= 0)
		close(answer[1]);
	job->request_fd = request[1];
	job->answer_fd = answer[0];
	return err ? err : hog_job_take_answer(job);
}

int hog_job_ask(const struct hog_job *job)
{
	return io_write_all(job->request_fd, "?", 1);
}

int hog_job_take_answer(const struct hog_job *job)
{
	char byte;
	ssize_t n;

	do
		n = read(job->answer_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 1 ? 0 : -EPIPE;
}

/* ---- the file ---- */

static int open_file(struct hog_job *job)
{
	char path[] = "hog-XXXXXX";
	int err;

	job->file_fd = mkostemp(path, O_CLOEXEC);
	if (job->file_fd >= 0) {
		unlink(path);
		return 0;
	}
	err = -errno;
	log_err("hog: no file can be made in the working folder: %s", strerror(-err));
	return err;
}

static int write_and_sync(const struct hog_job *job)
{
	uint64_t end_ns = work_now_ns() + job->long_ns;
	static const char zeros[WRITE_BYTES];

	do {
		if (pwrite(job->file_fd, zeros, sizeof(zeros), 0) < 0 || fsync(job->file_fd))
			return -errno;
	} while (work_now_ns() < end_ns);
	return 0;
}

/* ---- the job ---- */

int hog_job_open(struct hog_job *job, const struct workload_args *args)
{
	*job = (struct hog_job){
		.how = (enum hog_how)args->how,
		.call = (enum hog_call)args->call,
		.long_ns = args->long_ns,
		.seed = args->seed,
		.request_fd = -1,
		.answer_fd = -1,
		.file_fd = -1,
	};
	if (job->how == HOG_BLOCKING && job->call == HOG_READ)
		return open_answerer(job);
	if (job->how == HOG_BLOCKING && job->call == HOG_FSYNC)
		return open_file(job);
	return 0;
}

void hog_job_close(struct hog_job *job)
{
	if (job->request_fd >= 0)
		close(job->request_fd);
	if (job->answer_fd >= 0)
		close(job->answer_fd);
	if (job->file_fd >= 0)
		close(job->file_fd);
	if (job->answerer) {
		kill(job->answerer, SIGKILL);
		waitpid(job->answerer, NULL, 0);
	}
}

int hog_job_do(const struct hog_job *job)
{
	struct work_rng rng;
	int err;

	if (job->how == HOG_COMPUTING) {
		work_rng_init(&rng, job->seed, 0);
		return work_compute_cpu(&rng, job->long_ns);
	}
	switch (job->call) {
	case HOG_SLEEP:
		work_sleep_until(work_now_ns() + job->long_ns);
		return 0;
	case HOG_READ:
		err = hog_job_ask(job);
		return err ? err : hog_job_take_answer(job);
	case HOG_FSYNC:
		return write_and_sync(job);
	}
	return -EINVAL;
}
