# SPDX-License-Identifier: GPL-2.0-only
"""A worker process is joined before its queue is emptied: it waits until somebody reads the pipe."""
import multiprocessing


def work(queue):
    queue.put(b"x" * 1_000_000)


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    queue = multiprocessing.Queue()
    worker = multiprocessing.Process(target=work, args=(queue,))
    worker.start()
    worker.join()
    queue.get()
