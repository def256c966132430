# SPDX-License-Identifier: GPL-2.0-only
# Concurrent, never parallel: threads (the argument, else 2) compute, and Ruby's interpreter lock lets one run at a time.
threads = (ARGV[0] || 2).to_i.times.map do
  Thread.new do
    finish = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 1.0
    count = 0
    count += 1 while Process.clock_gettime(Process::CLOCK_MONOTONIC) < finish
  end
end
threads.each(&:join)
