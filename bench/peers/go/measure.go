// SPDX-License-Identifier: BSL-1.0

package main

import (
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

var epoch = time.Now()

func wallNow() time.Duration { return time.Since(epoch) }

// Of all threads of the process.
func cpuNow() time.Duration {
	const clockProcessCPUTime = 2
	var spec syscall.Timespec
	_, _, err := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockProcessCPUTime, uintptr(unsafe.Pointer(&spec)), 0)
	if err != 0 {
		fail("clock_gettime: %v", err)
	}
	return time.Duration(spec.Nano())
}

type spent struct {
	wall, cpu time.Duration
}

func (s spent) per(messages uint64) string {
	return fmt.Sprintf(`{"ns":%.2f,"cpu_ns":%.2f}`, float64(s.wall)/float64(messages), float64(s.cpu)/float64(messages))
}

// Counts from the moment when all stand ready: the senders, which wait, and the receiver, which starts them.
type stopwatch struct {
	ready sync.WaitGroup
	gate  chan struct{}
	began spent
}

func newStopwatch(senders int) *stopwatch {
	watch := &stopwatch{gate: make(chan struct{})}
	watch.ready.Add(senders)
	return watch
}

func (w *stopwatch) wait() {
	w.ready.Done()
	<-w.gate
}

func (w *stopwatch) start() {
	w.ready.Wait()
	w.began = spent{wallNow(), cpuNow()}
	close(w.gate)
}

func (w *stopwatch) stop() spent {
	wall, cpu := wallNow(), cpuNow()
	return spent{wall - w.began.wall, cpu - w.began.cpu}
}

func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		fail("%v", err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		fail("/proc/self/statm: %v", err)
	}
	return resident * int64(os.Getpagesize())
}

// Of the numbers below `messages`, each of which was counted `times` times.
func check(sum, messages, times uint64) {
	// One of two neighbours is even, and 2^32 messages do not overflow the product.
	expect(sum, messages*(messages-1)/2*times)
}

func expect(sum, expected uint64) {
	if sum != expected {
		fail("wrong sum: %d instead of %d", sum, expected)
	}
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}
