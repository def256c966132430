# SPDX-License-Identifier: GPL-2.0-only
"""Concurrent, never parallel: processes (the argument, else 2) compute while they hold one multiprocessing.Lock."""
import multiprocessing
import sys
import time


def work(lock):
    for _ in range(100):
        with lock:
            start = time.monotonic()
            while time.monotonic() - start < 0.004:
                pass


if __name__ == "__main__":
    shared = multiprocessing.Lock()
    workers = [multiprocessing.Process(target=work, args=(shared,))
               for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
