// SPDX-License-Identifier: BSL-1.0

package main

import (
	"fmt"
	"runtime"
	"sort"
	"time"
)

func sendNumbers(tx chan<- uint64, first, end uint64) {
	for n := first; n != end; n++ {
		tx <- n
	}
}

func receiveNumbers(rx <-chan uint64, count uint64) (sum uint64) {
	for ; count != 0; count-- {
		sum += <-rx
	}
	return sum
}

func seq(asked request) string {
	channel := make(chan uint64, asked.capacity)
	watch := newStopwatch(0)
	watch.start()
	sendNumbers(channel, 0, asked.messages)
	sum := receiveNumbers(channel, asked.messages)
	time := watch.stop()
	check(sum, asked.messages, 1)
	return time.per(asked.messages)
}

func hot(asked request) string {
	channel := make(chan uint64, asked.capacity)
	watch := newStopwatch(0)
	watch.start()
	var sum uint64
	for n := uint64(0); n != asked.messages; n++ {
		channel <- n
		sum += <-channel
	}
	time := watch.stop()
	check(sum, asked.messages, 1)
	return time.per(asked.messages)
}

// Producer k sends its part of the numbers.
func startProducers(producers, messages uint64, watch *stopwatch, send func(k, first, end uint64)) {
	for k := uint64(0); k != producers; k++ {
		k := k // one of its own, also before Go 1.22
		first := k * messages / producers
		end := (k + 1) * messages / producers
		go func() {
			watch.wait()
			send(k, first, end)
		}()
	}
}

func stream(producers uint64) workload {
	return func(asked request) string {
		channel := make(chan uint64, asked.capacity)
		watch := newStopwatch(int(producers))
		startProducers(producers, asked.messages, watch, func(_, first, end uint64) {
			sendNumbers(channel, first, end)
		})
		watch.start()
		sum := receiveNumbers(channel, asked.messages)
		time := watch.stop()
		check(sum, asked.messages, 1)
		return time.per(asked.messages)
	}
}

// Each in memory of its own, which the collector gets back.
func boxStream(producers uint64) workload {
	return func(asked request) string {
		channel := make(chan *uint64, asked.capacity)
		watch := newStopwatch(int(producers))
		startProducers(producers, asked.messages, watch, func(_, first, end uint64) {
			for n := first; n != end; n++ {
				box := new(uint64)
				*box = n
				channel <- box
			}
		})
		watch.start()
		var sum uint64
		for i := uint64(0); i != asked.messages; i++ {
			sum += *<-channel
		}
		time := watch.stop()
		check(sum, asked.messages, 1)
		return time.per(asked.messages)
	}
}

// A structure of so many words, of which the first and the last are set.
func blockStream[Block [8]uint64 | [64]uint64 | [512]uint64](asked request) string {
	channel := make(chan Block, asked.capacity)
	watch := newStopwatch(1)
	go func() {
		watch.wait()
		var block Block
		for n := uint64(0); n != asked.messages; n++ {
			block[0] = n
			block[len(block)-1] = n
			channel <- block
		}
	}()
	watch.start()
	var sum uint64
	for i := uint64(0); i != asked.messages; i++ {
		block := <-channel
		sum += block[0] + block[len(block)-1]
	}
	time := watch.stop()
	check(sum, asked.messages, 2)
	return time.per(asked.messages)
}

func rtt(asked request) string {
	there := make(chan uint64, asked.capacity)
	back := make(chan uint64, asked.capacity)
	watch := newStopwatch(1)
	go func() {
		watch.wait()
		passOn(there, back, asked.messages)
	}()
	watch.start()
	var sum uint64
	for n := uint64(0); n != asked.messages; n++ {
		there <- n
		sum += <-back
	}
	time := watch.stop()
	check(sum, asked.messages, 1)
	return time.per(asked.messages)
}

func passOn(rx <-chan uint64, tx chan<- uint64, count uint64) {
	for ; count != 0; count-- {
		tx <- <-rx
	}
}

func makeChannels(count, capacity int) []chan uint64 {
	all := make([]chan uint64, count)
	for k := range all {
		all[k] = make(chan uint64, capacity)
	}
	return all
}

// One sends, so many pass each message on, and one receives.
func chain(stages int) workload {
	return func(asked request) string {
		all := makeChannels(stages+1, asked.capacity)
		watch := newStopwatch(stages + 1)
		for k := 0; k != stages; k++ {
			rx, tx := all[k], all[k+1]
			go func() {
				watch.wait()
				passOn(rx, tx, asked.messages)
			}()
		}
		go func() {
			watch.wait()
			sendNumbers(all[0], 0, asked.messages)
		}()
		watch.start()
		sum := receiveNumbers(all[stages], asked.messages)
		time := watch.stop()
		check(sum, asked.messages, 1)
		return time.per(asked.messages)
	}
}

// One deals out to the workers, each of which has its channel, and these send to one that receives.
func pool(workers uint64) workload {
	return func(asked request) string {
		tasks := makeChannels(int(workers), asked.capacity)
		results := make(chan uint64, asked.capacity)
		watch := newStopwatch(int(workers) + 1)
		for k := uint64(0); k != workers; k++ {
			rx := tasks[k]
			part := (asked.messages + workers - 1 - k) / workers
			go func() {
				watch.wait()
				passOn(rx, results, part)
			}()
		}
		go func() {
			watch.wait()
			for n := uint64(0); n != asked.messages; n++ {
				tasks[n%workers] <- n
			}
		}()
		watch.start()
		sum := receiveNumbers(results, asked.messages)
		time := watch.stop()
		check(sum, asked.messages, 1)
		return time.per(asked.messages)
	}
}

func oneshot(asked request) string {
	watch := newStopwatch(0)
	watch.start()
	var sum uint64
	for n := uint64(0); n != asked.messages; n++ {
		channel := make(chan uint64, asked.capacity)
		channel <- n
		sum += <-channel
	}
	time := watch.stop()
	check(sum, asked.messages, 1)
	return time.per(asked.messages)
}

// The runtime's timers may be up to a millisecond late, so that fewer than 10,000 messages a second are sent. A sender that
// blocked its thread in the system instead would be no goroutine any more.
const sendPeriod = 100 * time.Microsecond

func parked(asked request) string {
	channel := make(chan uint64, asked.capacity)
	result := make(chan uint64, 1)
	delays := make([]time.Duration, asked.messages)
	watch := newStopwatch(1)
	go func() {
		watch.wait()
		var sum uint64
		due := wallNow()
		for i := uint64(0); i != asked.messages; i++ {
			time.Sleep(due - wallNow())
			sent := uint64(wallNow())
			channel <- sent
			sum += sent
			due += sendPeriod
			// A late sender must not catch up with a burst: that would find the receiver awake.
			if now := wallNow(); due < now {
				due = now
			}
		}
		result <- sum
	}()
	watch.start()
	var sum uint64
	for i := range delays {
		sent := <-channel
		delays[i] = wallNow() - time.Duration(sent)
		sum += sent
	}
	spent := watch.stop()
	expect(sum, <-result)

	sort.Slice(delays, func(a, b int) bool { return delays[a] < delays[b] })
	quantile := func(thousandths uint64) int64 { return int64(delays[asked.messages*thousandths/1000]) }
	return fmt.Sprintf(`{"p50_ns":%d,"p99_ns":%d,"p999_ns":%d,"cpu_ns":%.2f}`, quantile(500), quantile(990), quantile(999),
		float64(spent.cpu)/float64(asked.messages))
}

func idle(asked request) string {
	channels := make([]chan uint64, asked.messages)
	// Written to, and so resident, before the first look.
	placeholder := make(chan uint64)
	for i := range channels {
		channels[i] = placeholder
	}
	before := residentBytes()
	for i := range channels {
		channels[i] = make(chan uint64, asked.capacity)
	}
	after := residentBytes()
	var sum uint64
	for i, channel := range channels {
		channel <- uint64(i)
		sum += <-channel
	}
	check(sum, asked.messages, 1)
	return fmt.Sprintf(`{"bytes":%.2f}`, float64(after-before)/float64(asked.messages))
}

func task1(asked request) string {
	runtime.GOMAXPROCS(1)
	return stream(1)(asked)
}

func waiting(asked request) string {
	channel := make(chan uint64, asked.capacity)
	var begun uint64
	runtime.GOMAXPROCS(1)
	before := residentBytes()
	for n := uint64(0); n != asked.messages; n++ {
		go func(n uint64) {
			begun++ // one at a time runs
			channel <- n
		}(n)
	}
	for begun != asked.messages {
		runtime.Gosched()
	}
	after := residentBytes()
	check(receiveNumbers(channel, asked.messages), asked.messages, 1)
	return fmt.Sprintf(`{"bytes":%.2f}`, float64(after-before)/float64(asked.messages))
}

const selectedChannels = 4

func sendAny(c *[selectedChannels]chan uint64, n uint64) {
	select {
	case c[0] <- n:
	case c[1] <- n:
	case c[2] <- n:
	case c[3] <- n:
	}
}

func receiveAny(c *[selectedChannels]chan uint64) (n uint64) {
	select {
	case n = <-c[0]:
	case n = <-c[1]:
	case n = <-c[2]:
	case n = <-c[3]:
	}
	return n
}

// Each channel has its producer, or each producer any channel.
func selectStream(both bool) workload {
	return func(asked request) string {
		var channels [selectedChannels]chan uint64
		for k := range channels {
			channels[k] = make(chan uint64, asked.capacity)
		}
		watch := newStopwatch(selectedChannels)
		startProducers(selectedChannels, asked.messages, watch, func(k, first, end uint64) {
			if !both {
				sendNumbers(channels[k], first, end)
				return
			}
			for n := first; n != end; n++ {
				sendAny(&channels, n)
			}
		})
		watch.start()
		var sum uint64
		for i := uint64(0); i != asked.messages; i++ {
			sum += receiveAny(&channels)
		}
		time := watch.stop()
		check(sum, asked.messages, 1)
		return time.per(asked.messages)
	}
}
