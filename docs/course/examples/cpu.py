import threading

def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

threads = [threading.Thread(target=work, args=(6_000_000,), name=f"work-{i}") for i in (1, 2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
