# SPDX-License-Identifier: GPL-2.0-only
"""One kind of program for each first argument; tests/foreign/rows says what each must be."""
import asyncio
import concurrent.futures
import multiprocessing
import queue
import subprocess
import sys
import threading
import time


def burn(ms):
    end = time.thread_time() + ms / 1000
    while time.thread_time() < end:
        for _ in range(1000):
            pass


def both(kind, work, *args):
    members = [kind(target=work, args=args) for _ in range(2)]
    for member in members:
        member.start()
    for member in members:
        member.join()


def under_lock(lock):
    for _ in range(100):
        with lock:
            burn(4)


def fill(items):
    for i in range(100):
        items.put(b"x" * 10000)


async def together():
    await asyncio.gather(*(asyncio.sleep(s) for s in (0.2, 0.1, 0.3)))


async def in_turn():
    for seconds in (0.1, 0.1, 0.2):
        await asyncio.sleep(seconds)


async def executor_then_cat():
    cat = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for _ in range(10):
        await asyncio.to_thread(time.sleep, 0.03)
        cat.stdin.write(b"a line\n")
        await cat.stdout.readline()
    cat.stdin.close()
    await cat.wait()


def daemons():
    done = []

    def serve_by_the_clock():
        while True:
            time.sleep(0.05)
            done.append(1)

    for _ in range(2):
        threading.Thread(target=serve_by_the_clock, daemon=True).start()
    while len(done) < 20:
        time.sleep(0.01)


def serve(jobs, answers):
    while (job := jobs.get()) is not None:
        burn(job)
        answers.put(job)


def job_at_a_time(workers):
    jobs, answers = queue.Queue(), queue.Queue()
    for _ in range(workers):
        threading.Thread(target=serve, args=(jobs, answers), daemon=True).start()
    for _ in range(30):
        jobs.put(8)
        answers.get()


def popen_polled():
    child = subprocess.Popen(["gzip", "-k", "-c", "data"], stdout=subprocess.DEVNULL)
    while child.poll() is None:
        time.sleep(0.01)


def run_in_turn():
    for _ in range(2):
        subprocess.run(["gzip", "-k", "-c", "data"], stdout=subprocess.DEVNULL, check=True)


def pool_map():
    with multiprocessing.Pool(2) as pool:
        pool.map(burn, [25] * 20, 1)


def pool_apply():
    with multiprocessing.Pool(2) as pool:
        for _ in range(25):
            pool.apply(burn, (60,))


def executor_sleeps():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(time.sleep, [0.2] * 4))


def join_before_get():
    items = multiprocessing.Queue()
    child = multiprocessing.Process(target=fill, args=(items,))
    burn(200)
    child.start()
    child.join()


KINDS = {
    "threads": lambda: both(threading.Thread, burn, 200),
    "processes": lambda: both(multiprocessing.Process, burn, 300),
    "map": pool_map,
    "apply": pool_apply,
    "gather": lambda: asyncio.run(together()),
    "executor": lambda: asyncio.run(executor_then_cat()),
    "daemons": daemons,
    "turn": lambda: asyncio.run(in_turn()),
    "jobs": lambda: job_at_a_time(2),
    "run": run_in_turn,
    "polled": popen_polled,
    "mplock": lambda: both(multiprocessing.Process, under_lock, multiprocessing.Lock()),
    "lock": lambda: both(threading.Thread, under_lock, threading.Lock()),
    "sleeps": executor_sleeps,
    "full": join_before_get,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]]()
