// SPDX-License-Identifier: GPL-2.0-only
// Concurrent, never parallel: as many threads as the first argument says (else 2) compute while they hold one Mutex.
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

static LOCK: Mutex<u64> = Mutex::new(0);

fn main() {
    let threads = std::env::args().nth(1).map_or(2, |n| n.parse().unwrap());
    thread::scope(|s| {
        for _ in 0..threads {
            s.spawn(|| {
                for _ in 0..60 {
                    let mut held = LOCK.lock().unwrap();
                    let start = Instant::now();
                    while start.elapsed() < Duration::from_millis(4) {
                        *held += std::hint::black_box((0..1000u64).sum::<u64>());
                    }
                }
            });
        }
    });
}
