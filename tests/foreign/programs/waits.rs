// SPDX-License-Identifier: GPL-2.0-only
// "park": a thread parks for ever, main computes: sequential; Rust's parker is the value
// 0xffffffff in a futex, no lock. "mpsc": main sends 30 jobs one at a time and awaits each
// answer: sequential. "turn": a scope for each of two threads, one after the other: sequential.
// "scope": two threads in one scope: parallel. "mutex": two threads compute under one Mutex:
// concurrent, that mutex the serializer.
use std::sync::{mpsc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

static MUTEX: Mutex<u64> = Mutex::new(0);

fn burn(ms: u64) -> u64 {
    let begun = Instant::now();
    let mut x = 1u64;
    while begun.elapsed() < Duration::from_millis(ms) {
        for i in 0..1000 {
            x = std::hint::black_box(x.wrapping_mul(6364136223846793005).wrapping_add(i));
        }
    }
    x
}

fn under_lock() {
    for _ in 0..60 {
        let mut sum = MUTEX.lock().unwrap();
        *sum = sum.wrapping_add(burn(2));
        drop(sum);
        thread::sleep(Duration::from_micros(100));
    }
}

fn main() {
    match std::env::args().nth(1).as_deref().unwrap_or("park") {
        "park" => {
            thread::spawn(thread::park);
            burn(300);
        }
        "mpsc" => {
            let (jobs, todo) = mpsc::channel::<u64>();
            let (answers, done) = mpsc::channel::<u64>();
            thread::spawn(move || {
                for job in todo {
                    answers.send(burn(job)).unwrap();
                }
            });
            for _ in 0..30 {
                jobs.send(8).unwrap();
                done.recv().unwrap();
            }
        }
        "turn" => {
            for _ in 0..2 {
                thread::scope(|scope| {
                    scope.spawn(|| burn(150));
                });
            }
        }
        "scope" => thread::scope(|scope| {
            scope.spawn(|| burn(200));
            scope.spawn(|| burn(200));
        }),
        _ => thread::scope(|scope| {
            scope.spawn(under_lock);
            scope.spawn(under_lock);
        }),
    }
}
