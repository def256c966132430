// SPDX-License-Identifier: GPL-2.0-only
// A thread that is parked waits for no lock, whatever its word looks like (0xffffffff). "park": main computes
// while a thread is parked until the end: sequential. "channel": main sends one number in four, and a
// thread computes for each: parallel. "scope": a thread of a scope computes while the scope waits: sequential.
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn burn(ms: u64) {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(ms) {
        std::hint::black_box((0..1000u64).sum::<u64>());
    }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("channel") => {
            let (send, receive) = mpsc::channel::<u64>();
            let worker = thread::spawn(move || receive.iter().for_each(|_| burn(20)));
            for i in 0..20 {
                burn(20);
                send.send(i).unwrap();
            }
            drop(send);
            worker.join().unwrap();
        }
        Some("scope") => {
            for _ in 0..10 {
                thread::scope(|s| {
                    s.spawn(|| burn(20));
                });
            }
        }
        _ => {
            let parked = thread::spawn(|| thread::park());
            burn(300);
            parked.thread().unpark();
            parked.join().unwrap();
        }
    }
}
