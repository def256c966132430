// SPDX-License-Identifier: GPL-2.0-only
// Two helpers wait on an atomic that stays at the value of the first argument while main computes; then
// both compute. No lock, whatever the value is: 2 must come out as 5 does.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

static void burn(int ms)
{
	auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);

	while (std::chrono::steady_clock::now() < end)
		;
}

int main(int argc, char **argv)
{
	int value = argc > 1 ? std::atoi(argv[1]) : 2;
	std::atomic<int> word(value);
	auto work = [&] {
		for (int seen = value; seen < value + 5; seen++) {
			while (word.load() == value && seen == value)
				word.wait(value);
			burn(20);
		}
	};
	std::thread a(work), b(work);

	for (int i = 0; i < 40; i++) {
		burn(5);
		word.notify_all();	// the value is the old one: both go back to sleep
	}
	word = value + 1;
	word.notify_all();
	a.join();
	b.join();
}
