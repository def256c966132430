// SPDX-License-Identifier: GPL-2.0-only
// Waits of C++ that are no lock, though the value in their futex looks like one's: "future"
// (0x80000000), "two" (std::atomic::wait for a change from 2), "five" (from 5). A thread waits
// while main computes: sequential, no lock named. "async": two std::async compute, parallel.
// "latch": two threads meet at a latch, parallel. "jobs": a future for each of 30 jobs, each
// awaited before the next: sequential. "nap", "naps": one thread, or two, waits twenty times for a
// condition that never comes, for 20 ms: sequential, and concurrent.
#include <atomic>
#include <condition_variable>
#include <future>
#include <latch>
#include <string>
#include <thread>
#include "work.h"

static void waits_for(int value)
{
	std::atomic<int> word{value};
	std::thread waiter([&] { word.wait(value); });

	burn(300);
	word = value + 1;
	word.notify_all();
	waiter.join();
}

static void nap()
{
	std::mutex mutex;
	std::condition_variable never;
	std::unique_lock<std::mutex> lock(mutex);

	for (int i = 0; i < 20; i++)
		never.wait_for(lock, std::chrono::milliseconds(20));
}

int main(int argc, char **argv)
{
	std::string kind = argc > 1 ? argv[1] : "future";

	if (kind == "two")
		waits_for(2);
	if (kind == "five")
		waits_for(5);
	if (kind == "future") {
		std::promise<int> promise;
		std::thread waiter([&] { promise.get_future().get(); });

		burn(300);
		promise.set_value(1);
		waiter.join();
	}
	if (kind == "async") {
		auto a = std::async(std::launch::async, [] { burn(150); });
		auto b = std::async(std::launch::async, [] { burn(150); });
	}
	if (kind == "latch") {
		std::latch both(2);
		auto work = [&] { burn(20); both.arrive_and_wait(); burn(150); };
		std::thread a(work), b(work);

		a.join();
		b.join();
	}
	if (kind == "nap" || kind == "naps") {
		burn(40);
		std::thread a(nap);
		if (kind == "naps")
			std::thread(nap).join();
		a.join();
	}
	for (int i = 0; kind == "jobs" && i < 30; i++)
		std::async(std::launch::async, [] { burn(8); }).get();
}
