# SPDX-License-Identifier: GPL-2.0-only
# "threads": two threads compute under Ruby's interpreter lock: concurrent, that lock the
# serializer. "sleep": two threads sleep at once: concurrent; "naps":
# twenty times each. "fork": two processes compute: parallel. "queue": a job at a time to two threads: sequential.
def burn(ms)
  limit = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) + ms / 1000.0
  nil while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) < limit
end

case ARGV[0]
when 'threads'
  2.times.map { Thread.new { burn(1000) } }.each(&:join)
when 'sleep'
  [0.6, 0.4].map { |s| Thread.new { sleep s } }.each(&:join)
when 'naps'
  2.times.map { Thread.new { 20.times { sleep 0.04 } } }.each(&:join)
when 'fork'
  2.times { fork { burn(400) } }
  Process.waitall
else
  jobs, answers = Queue.new, Queue.new
  2.times { Thread.new { loop { burn(jobs.pop); answers << 1 } } }
  Thread.pass until jobs.num_waiting == 2 # else one waits for the interpreter lock with work to do
  20.times { jobs << 40; answers.pop }
end
