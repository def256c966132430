/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_SCHEDULE_SIM_H
#define TESTS_SCHEDULE_SIM_H

/*
 * schedule_sim - the inside of the simulation, shared by the schedule_*.c files only.
 *
 * One true clock, sim.now_ns, orders all that happens. An action that takes time moves the clock on
 * at once; what comes later is an event in a queue. Each CPU's stamps are the true time plus the
 * offset of its clock. An effect on another CPU follows its cause by sim_gap() at least, so that no
 * stamps contradict each other.
 */

#include "schedule.h"

#define SIM_BASE_NS 1000000000u	/* the stamp of true time 0 */
#define SIM_CLOCK_OFF 5000000u	/* clock_task less the stamp */
#define SIM_MUTEXES 4
#define SIM_PIPES 4
#define SIM_FDS 12
#define SIM_PIPE_FULL 3

enum kstate {
	K_NEW,
	K_QUEUED,		/* on a CPU's queue */
	K_PLACED,		/* on its way to one */
	K_RUNNING,
	K_ASLEEP,
	K_DEAD,
};

/* What a task goes on with when it has computed, or was woken. */
enum todo {
	TODO_NEXT,		/* whatever comes to its mind */
	TODO_LOCK,		/* arg: mutex */
	TODO_UNLOCK,
	TODO_READ,		/* arg: pipe */
	TODO_WRITE,
	TODO_JOIN,		/* arg: the other's number in sim.tasks */
	TODO_CHILD,
	TODO_LOOP,		/* an epoll_wait returned */
	TODO_EXEC,
	TODO_LEAVE,		/* exit, its last part */
};

/* How a task leaves a CPU to sleep. */
struct khow {
	uint32_t state;
	uint8_t flags;		/* LAB_F_* of SWITCH_OUT */
	int32_t syscall;
	uint64_t args[3];
	uint8_t fd_type;
	bool accept;
	enum reason reason;	/* that the records must come out as; NONE: a futex */
	enum reason meant;
	uint32_t owner;		/* a futex: the tid that the record names */
};

/* For some values the record says that the wait has no time limit; a timer may still end it. */
static inline bool how_has_no_limit(const struct khow *how)
{
	return how->syscall == 202 && how->args[2] % 3 == 2;
}

struct kwait {
	struct khow how;
	uint64_t chan;		/* what it waits for; 0: nothing that another can wake by itself */
	uint32_t gen;
	bool on;		/* from when it made up its mind until it was woken */
	bool committed;		/* on, and still on the CPU or preempted there */
	bool race;		/* woken when it could not turn back */
	bool signal;		/* pending: it will not sleep */
};

struct kmutex {
	struct ktask *owner;
	uint64_t addr;
	uint32_t mm;		/* 0: shared */
	uint32_t state;		/* 0 free, 1 locked, 2 contended */
	uint32_t op;		/* that waits for it, with flags */
	bool by_turns;		/* the value is a counter, not the state; waits are timed */
	bool robust;		/* the value is its owner's tid */
	bool new_call;		/* futex_wait(2) or futex_waitv(2) */
};

/* A process's memory, as far as its threads meet there. */
struct kproc {
	uint32_t tgid, mm;
	uint32_t number;
	struct kproc *parent;
	uint32_t threads, children; /* alive */
	struct kmutex mutexes[SIM_MUTEXES];
	uint32_t cond_seq;
	uint32_t loops;		/* epoll sets made */
	uint32_t zombies;	/* children to be waited for */
};

/* An epoll set, used by one task. */
struct kloop {
	int32_t epfd;
	struct kfd {
		bool on, listening, ready, seen;
		uint32_t gen;
		uint64_t data;
		size_t op;	/* in the truth's; SIZE_MAX: none yet */
		uint64_t start_ns;
	} fds[SIM_FDS];
	uint64_t enter_ns;	/* stamp of the call it is in; 0: not seen */
	bool marked_enter;
};

/* Where a record stands among all. */
struct kplace {
	uint64_t ts, seq;
	uint16_t cpu;
	bool set;
};

struct ktask {
	uint32_t number;	/* in sim.tasks */
	uint32_t id;		/* birth number; 0: none, or not yet */
	uint32_t tid;
	char comm[LAB_COMM_LEN];
	bool foreign, invisible, worker, marked, seeded;
	struct ktask *parent;	/* that made it */
	struct kproc *proc;
	enum kstate state;
	uint32_t cpu;		/* it is there, queued there, or was last */
	uint32_t allowed;	/* bit set, of indices */
	uint32_t told;		/* the same, as the probes told last; 0: not yet */
	uint32_t gen;		/* changes with every switch: events of before are void */
	uint64_t left_ns;	/* of its computing */
	uint64_t due_ns;
	uint64_t last_ns;	/* true time of what was last done to it */
	uint64_t left_cpu_ns, woken_ns; /* and of its last switch-out and waking */
	struct kwait wait;
	enum todo todo;
	uint32_t arg;
	bool exiting, killed, vfork_child;
	struct kloop *loop;
	/* the kernel's counters */
	uint64_t nvcsw, nivcsw, sum_exec_ns, clock_in_ns, in_ns;
	uint32_t migrations;
	/* the probes' */
	uint32_t first_kind;
	uint32_t seed_record;	/* in sim.records, + 1; 0: none to be filled in */
	struct lab_ev_task_total total;
	uint64_t base_nvcsw, base_nivcsw, base_exec_ns; /* when it became ours */
	/* for the truth */
	struct truth_task life;	/* its last span is the open one */
	struct truth_span before_in; /* the one that its last switch-in ended */
	bool living;		/* between its first and its last span */
	bool in_seen, came_unwoken;
	struct kplace in, out;
	uint64_t own_ts;	/* stamp of the last record that shows it off every CPU; 0: none */
	uint16_t known_cpu;	/* the number of where it was put last, as records tell */
	struct kwaking {	/* the last one that was seen */
		struct kplace at;
		uint8_t flags;
		uint32_t waker_id, waker_tid;
		int32_t syscall;
		uint64_t arg0;
	} waking;
	bool woken_before_out;	/* and it is before the switch-out, as records are ordered */
};

/* How a switch shows. */
enum khow_seen { SEEN_RECORDED, SEEN_UNRECORDED, SEEN_NOT };

/* Someone took a CPU. */
struct kholding {
	uint64_t ts;
	bool idle, seeded;	/* seeded: it had the CPU already, and that was recorded */
	uint32_t id, tid;	/* id 0: not ours */
	char comm[LAB_COMM_LEN];
	enum khow_seen seen;
};

struct kcpu {
	uint32_t idx;
	uint16_t number;
	uint64_t offset_ns;
	struct ktask *cur;	/* NULL: idle */
	struct ktask **queue;
	size_t queue_cnt, queue_cap;
	struct lab_cpu_slot slot;
	bool percpu_known;
	uint64_t steal_ns;
	uint64_t recorded_ts;	/* of the last record that says who has it; 0: none */
	bool recorded;
	uint64_t refuse_until_ns;
	struct kholding *holdings;
	size_t holding_cnt, holding_cap;
};

enum kevent_kind {
	KE_COMPUTED,		/* task: it is done computing */
	KE_SLEEP,		/* task: now it switches */
	KE_PLACE,		/* task, cpu: on its queue */
	KE_RESCHED,		/* cpu */
	KE_TICK,		/* cpu: whoever has it has had it for long */
	KE_WAKE,		/* task, gen: what it waits for, or its timeout; arg: kwake_mode */
	KE_FD,			/* task, arg: an fd of its loop becomes ready */
	KE_BALANCE,
	KE_ARM,
	KE_SEED,
	KE_SEED_READ,		/* task */
	KE_RELEASE,
};

enum kwake_mode { WAKE_HARDIRQ, WAKE_SOFTIRQ, WAKE_BY_TASK, WAKE_MODES };

struct kevent {
	uint64_t at_ns, order;
	struct ktask *task;
	uint32_t gen, cpu, arg;
	enum kevent_kind kind;
};

/* An event as it was made. */
struct krecord {
	union lab_event ev;
	uint32_t cpu;
	bool refused;
};

struct sim {
	struct schedule *out;
	const struct schedule_options *opt;
	uint64_t rng, now_ns, order;
	uint64_t again_ns;	/* run, and not charged */
	struct kcpu cpus[SCHEDULE_CPUS_MAX];
	struct ktask **tasks;
	size_t task_cnt, task_cap;
	struct kproc **procs;
	size_t proc_cnt, proc_cap;
	struct kevent *queue;	/* a heap */
	size_t queue_cnt, queue_cap;
	struct krecord *records;
	size_t record_cnt, record_cap;
	union lab_event nowhere;	/* of a record that no probe makes */
	struct kmutex shared[2];
	struct { uint32_t bytes; } pipes[SIM_PIPES];
	uint32_t births, live, mms;
	struct ktask *root;
	bool armed, over, seeded_all;
	uint64_t seeded_ts;	/* stamp of the last seed */
	uint64_t release_ts;
	uint64_t end_ts;
};

/* ---- schedule_queue.c: chance and time ---- */

uint32_t sim_random(struct sim *s, uint32_t below);
bool sim_chance(struct sim *s, uint32_t of_16);

/* A duration between 1 grain and about @most_ns, small ones as likely as large ones. */
uint64_t sim_span_ns(struct sim *s, uint64_t most_ns);

/* That an effect on another CPU comes after its cause. */
uint64_t sim_gap(const struct sim *s);

/* A moment passes, or none. */
void sim_moment(struct sim *s);

struct kevent *sim_event(struct sim *s, enum kevent_kind kind, uint64_t at_ns);
bool sim_next(struct sim *s, struct kevent *out);

uint64_t sim_stamp(const struct sim *s, const struct kcpu *c);

/* ---- schedule_record.c: the probes ---- */

/* Whether a probe that runs on @c now would run at all. */
bool record_sees(const struct sim *s, const struct kcpu *c);

bool record_switch(struct sim *s, struct kcpu *c, struct ktask *next, const struct khow *how,
		   bool preempt, enum khow_seen *seen, uint64_t *seq);
bool record_waking(struct sim *s, struct kcpu *c, struct ktask *t, uint8_t irq, int32_t syscall,
		   uint64_t arg0, uint8_t *flags);
bool record_migrate(struct sim *s, struct kcpu *c, struct ktask *t, uint32_t dest, bool waking);
void record_new(struct sim *s, struct kcpu *c, struct ktask *t, uint64_t clone_flags);
void record_wakeup_new(struct sim *s, struct kcpu *c, struct ktask *t);
uint32_t record_seed(struct sim *s, struct kcpu *c, struct ktask *t);
void record_seed_read(struct sim *s, struct ktask *t, uint32_t at);
void record_exec(struct sim *s, struct kcpu *c, struct ktask *t, uint32_t old_tid);
void record_exit(struct sim *s, struct kcpu *c, struct ktask *t);
void record_rename(struct sim *s, struct kcpu *c, struct ktask *t, const char *comm);
void record_ctl(struct sim *s, struct kcpu *c, struct ktask *t, int op, int fd, uint64_t data,
		bool listening);
void record_wait(struct sim *s, struct kcpu *c, struct ktask *t, const int *fds, uint32_t cnt,
		 int32_t ret);
void record_totals(struct sim *s);

/* ---- schedule_cpu.c: who has the CPUs ---- */

/* Leave the CPU that @t has: asleep, dead, or (how->state 0, or @stays) to its queue. */
void cpu_leave(struct sim *s, struct ktask *t, const struct khow *how, bool preempt, bool stays);

/* The same of one that was woken when it could not turn back. */
void cpu_leave_woken(struct sim *s, struct ktask *t, const struct khow *how);

/* In whose context something is woken. */
struct kctx {
	struct kcpu *cpu;
	uint8_t irq;		/* LAB_F_HARDIRQ, ...; 0: of the task that has the CPU */
	uint8_t many;		/* LAB_F_WAKES_MANY, or 0 */
	int32_t syscall;
	uint64_t arg0;
};

/* Wake @t if it waits. */
bool cpu_wake(struct sim *s, struct ktask *t, const struct kctx *ctx);

/* Wake up to @most of those that wait for @chan. Return: how many. */
unsigned int cpu_wake_chan(struct sim *s, uint64_t chan, unsigned int most, const struct kctx *ctx);

void cpu_place_new(struct sim *s, struct ktask *t, struct kcpu *c);
void cpu_on_place(struct sim *s, const struct kevent *e);
void cpu_on_resched(struct sim *s, const struct kevent *e);
void cpu_on_tick(struct sim *s, const struct kevent *e);
void cpu_on_wake(struct sim *s, const struct kevent *e);
void cpu_on_balance(struct sim *s);

/* ---- schedule_task.c: births and ends ---- */

struct ktask *ktask_make(struct sim *s, struct ktask *parent, struct kproc *proc);
struct kproc *proc_make(struct sim *s, uint32_t tgid, struct kproc *parent, uint32_t mm);
void ktask_foreign(struct sim *s, bool invisible);
void ktask_fork(struct sim *s, struct ktask *parent, uint64_t clone_flags);
void ktask_exec(struct sim *s, struct ktask *t);
void ktask_exit_begin(struct sim *s, struct ktask *t);
void ktask_exit_end(struct sim *s, struct ktask *t);
void ktask_kill(struct sim *s, struct ktask *t);
/* Threads of its process other than @t that are alive. */
unsigned int ktask_others(struct sim *s, const struct ktask *t);
void ktask_begin(struct sim *s);
void ktask_on_arm(struct sim *s);
void ktask_on_seed(struct sim *s);
/* If its seed's record still has to be filled in. */
void ktask_seed_read(struct sim *s, struct ktask *t);
void ktask_on_release(struct sim *s);

/* ---- schedule_action.c, schedule_wait.c: what programs do ---- */

/* @t has a CPU and nothing to do. */
void action_next(struct sim *s, struct ktask *t);
void action_compute(struct sim *s, struct ktask *t, uint64_t most_ns);

/* Sleep for @chan; @timeout_ns 0: none. */
void wait_for(struct sim *s, struct ktask *t, const struct khow *how, uint64_t chan,
	      uint64_t timeout_ns, enum kwake_mode mode);
void wait_on_sleep(struct sim *s, const struct kevent *e);
void wait_mutexes(struct sim *s, struct kproc *p);
struct khow wait_how(int32_t syscall, uint64_t arg0, enum reason reason);

void wait_lock(struct sim *s, struct ktask *t, struct kmutex *m, bool again);
void wait_unlock(struct sim *s, struct ktask *t, struct kmutex *m);
struct kmutex *wait_mutex(struct sim *s, struct ktask *t, uint32_t arg);
void wait_cond(struct sim *s, struct ktask *t);
void wait_signal_cond(struct sim *s, struct ktask *t);
void wait_join(struct sim *s, struct ktask *t, struct ktask *other);
void wait_child(struct sim *s, struct ktask *t);
void wait_read(struct sim *s, struct ktask *t, uint32_t pipe);
void wait_write(struct sim *s, struct ktask *t, uint32_t pipe);
void wait_some(struct sim *s, struct ktask *t);
void wait_sleep(struct sim *s, struct ktask *t);

void loop_turn(struct sim *s, struct ktask *t);
void loop_return(struct sim *s, struct ktask *t);
void loop_on_fd(struct sim *s, const struct kevent *e);
/* Its descriptors are closed. */
void loop_close(struct sim *s, struct ktask *t);

enum {
	CHAN_FUTEX = 1, CHAN_JOIN, CHAN_CHILD, CHAN_VFORK, CHAN_READ, CHAN_WRITE, CHAN_EXEC,
	CHAN_LOOP,
};

static inline uint64_t chan_of(unsigned int kind, uint64_t which, uint64_t addr)
{
	return (uint64_t)kind << 56 | which << 40 | addr;
}

/* ---- schedule_truth.c ---- */

void truth_in(struct sim *s, struct ktask *t, struct kcpu *c, bool seen, uint64_t seq);
void truth_out(struct sim *s, struct ktask *t, struct kcpu *c, const struct khow *how, bool ready,
	       bool preempted, uint64_t seq);
/* @flags: those of the record; @waker: who had the CPU. NULL: idle. */
void truth_woken(struct sim *s, struct ktask *t, struct kcpu *c, uint8_t flags,
		 const struct ktask *waker, int32_t syscall, uint64_t arg0);
void truth_moved(struct sim *s, struct ktask *t, struct kcpu *c, uint32_t from, uint32_t to,
		 bool waking);
/* The probe on @c told that @t may use the CPUs of @set. */
void truth_bound(struct sim *s, const struct ktask *t, const struct kcpu *c, uint32_t set);
void truth_born(struct sim *s, struct ktask *t, struct kcpu *c);
void truth_seeded(struct sim *s, struct ktask *t, uint64_t ts);
/* The same, as its record says when it is filled in. */
void truth_seeded_ready(struct sim *s, struct ktask *t);
void truth_finish(struct sim *s);

/* ---- schedule_holdings.c ---- */

void truth_holds(struct sim *s, struct kcpu *c, struct ktask *next, enum khow_seen seen);
/* Who has @c became ours at @ts. */
void truth_holds_already(struct kcpu *c, const struct ktask *t, uint64_t ts);
void holdings_finish(struct sim *s);

#endif /* TESTS_SCHEDULE_SIM_H */
