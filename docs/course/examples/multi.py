import multiprocessing

def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

if __name__ == "__main__":
    workers = [multiprocessing.Process(target=work, args=(6_000_000,), name=f"work-{i}") for i in (1, 2)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
