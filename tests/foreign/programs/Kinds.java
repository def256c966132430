// SPDX-License-Identifier: GPL-2.0-only
// "stream": a parallel stream: parallel. "monitor": two threads compute in one synchronized
// block; "reentrant": under one ReentrantLock: concurrent, and that lock is named. "submit":
// submit().get(), a job at a time, to a pool of four: sequential. "sleep": two threads sleep at
// once: concurrent. "alone": main alone computes: sequential.
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;

class Kinds {
    static final Object monitor = new Object();
    static final ReentrantLock lock = new ReentrantLock();

    static long burn(long ms) {
        long end = System.nanoTime() + ms * 1000000, x = 1;
        while (System.nanoTime() < end)
            for (int i = 0; i < 1000; i++)
                x = x * 6364136223846793005L + i;
        return x;
    }

    static void both(Runnable work) throws Exception {
        Thread a = new Thread(work, "first"), b = new Thread(work, "second");
        a.start();
        b.start();
        a.join();
        b.join();
    }

    static void sleep(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            throw new RuntimeException(e);
        }
    }

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
        case "stream":
            IntStream.range(0, 40).parallel().forEach(i -> burn(20));
            break;
        case "monitor":
            both(() -> {
                for (int i = 0; i < 120; i++) {
                    synchronized (monitor) {
                        burn(4);
                    }
                    sleep(1);
                }
            });
            break;
        case "reentrant":
            both(() -> {
                for (int i = 0; i < 120; i++) {
                    lock.lock();
                    burn(4);
                    lock.unlock();
                    sleep(1);
                }
            });
            break;
        case "submit":
            var pool = Executors.newFixedThreadPool(4);
            for (int i = 0; i < 100; i++)
                pool.submit(() -> burn(8)).get();
            pool.shutdown();
            break;
        case "sleep":
            both(() -> sleep(800));
            break;
        default:
            burn(900);
        }
    }
}
