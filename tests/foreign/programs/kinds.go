// SPDX-License-Identifier: GPL-2.0-only
// "both": two goroutines compute: parallel. "lock": two compute under one sync.Mutex.
// With GOMAXPROCS=1 goroutines share one thread, and lab sees only that: sequential. "ping": two hand
// a token back and forth by channels, on as many threads as Go likes. "one": main alone
// computes; Go's monitor thread, which sleeps beside it until the end, does nothing: sequential.
package main

import (
	"os"
	"sync"
	"time"
)

func burn(ms int) {
	end := time.Now().Add(time.Duration(ms) * time.Millisecond)
	for x := 0; time.Now().Before(end); x++ {
		for i := 0; i < 1000; i++ {
			x += i & x
		}
	}
}

func both(work func(me int)) {
	var wait sync.WaitGroup
	for me := 0; me < 2; me++ {
		wait.Add(1)
		go func(me int) { work(me); wait.Done() }(me)
	}
	wait.Wait()
}

func main() {
	var mutex sync.Mutex
	turns := []chan int{make(chan int, 1), make(chan int, 1)}
	switch os.Args[1] {
	case "both":
		both(func(int) { burn(250) })
	case "lock":
		both(func(int) {
			for i := 0; i < 40; i++ {
				mutex.Lock()
				burn(3)
				mutex.Unlock()
			}
		})
	case "ping":
		turns[0] <- 1
		both(func(me int) {
			for i := 0; i < 40; i++ {
				<-turns[me]
				burn(3)
				turns[1-me] <- 1
			}
		})
	default:
		burn(300)
	}
}
