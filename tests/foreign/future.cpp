// SPDX-License-Identifier: GPL-2.0-only
// Sequential: main waits for a std::future (its word is 0x80000000 then), one after the other. No lock.
#include <chrono>
#include <future>

int main()
{
	for (int i = 0; i < 10; i++) {
		auto answer = std::async(std::launch::async, [] {
			auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
			long sum = 0;

			while (std::chrono::steady_clock::now() < end)
				sum++;
			return sum;
		});

		if (answer.get() == 0)
			return 1;
	}
}
