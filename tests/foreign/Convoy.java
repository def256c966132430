// SPDX-License-Identifier: GPL-2.0-only
// Concurrent, never parallel: threads (second argument, else 2) compute while they hold one lock: a monitor, or
// with "reentrant" as the first argument a ReentrantLock.
import java.util.concurrent.locks.ReentrantLock;

public class Convoy {
    static final Object monitor = new Object();
    static final ReentrantLock lock = new ReentrantLock();
    static volatile long sum;

    static void burn(long ms) {
        long end = System.nanoTime() + ms * 1_000_000;
        while (System.nanoTime() < end)
            for (int i = 0; i < 1000; i++)
                sum += i;
    }

    public static void main(String[] args) throws Exception {
        boolean reentrant = args.length > 0 && args[0].equals("reentrant");
        Thread[] threads = new Thread[args.length > 1 ? Integer.parseInt(args[1]) : 2];
        for (int t = 0; t < threads.length; t++) {
            threads[t] = new Thread(() -> {
                for (int i = 0; i < 200; i++) {
                    if (reentrant) {
                        lock.lock();
                        try { burn(4); } finally { lock.unlock(); }
                    } else {
                        synchronized (monitor) { burn(4); }
                    }
                }
            }, "convoy-" + t);
            threads[t].start();
        }
        for (Thread thread : threads)
            thread.join();
    }
}
