// SPDX-License-Identifier: BSL-1.0

// Go's channels between goroutines, in the scenarios of ../../README.md. Go has no unbounded channel, and no handles of
// senders to copy.
//
//	go build -buildvcs=false -o FILE .
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

type request struct {
	messages uint64
	capacity int
	seconds  uint64
}

type workload func(request) string

var workloads = map[string]workload{
	"seq":       seq,
	"hot":       hot,
	"spsc":      stream(1),
	"mpsc2":     stream(2),
	"mpsc4":     stream(4),
	"mpsc8":     stream(8),
	"mpsc16":    stream(16),
	"rtt":       rtt,
	"chain4":    chain(4),
	"pool4":     pool(4),
	"oneshot":   oneshot,
	"parked":    parked,
	"idle":      idle,
	"spsc_64":   blockStream[[8]uint64],
	"spsc_512":  blockStream[[64]uint64],
	"spsc_4096": blockStream[[512]uint64],

	"mpsc4_box":  boxStream(4),
	"mpsc16_box": boxStream(16),

	"select_rx":   selectStream(false),
	"select_both": selectStream(true),

	"task1":   task1,
	"task2":   stream(1),
	"waiting": waiting,
}

const asManyAsMessages = -1

var kinds = []struct {
	name     string
	capacity int
	shapes   string
}{
	{"boundedN", asManyAsMessages, "seq spsc mpsc4 select_rx select_both"},
	{"bounded1024", 1024, "hot spsc mpsc2 mpsc4 mpsc8 mpsc16 rtt parked spsc_64 spsc_512 spsc_4096"},
	{"bounded64", 64, "spsc mpsc4 mpsc16_box pool4 task1 task2"},
	{"bounded1", 1, "spsc mpsc4 mpsc16 mpsc4_box rtt chain4 oneshot parked idle task1 task2 waiting"},
	{"bounded0", 0, "spsc mpsc4 mpsc16 rtt parked select_rx select_both"},
}

func list() {
	for _, kind := range kinds {
		for _, shape := range strings.Fields(kind.shapes) {
			fmt.Println(kind.name + "_" + shape)
		}
	}
}

func find(scenario string) (run workload, capacity int) {
	name, shape, _ := strings.Cut(scenario, "_")
	for _, kind := range kinds {
		for _, known := range strings.Fields(kind.shapes) {
			if kind.name == name && known == shape {
				return workloads[shape], kind.capacity
			}
		}
	}
	misuse("no such scenario")
	return nil, 0
}

func run(scenario, messagesText, secondsText string) {
	workload, capacity := find(scenario)
	messages, err := strconv.ParseUint(messagesText, 10, 32)
	if err != nil || messages == 0 {
		misuse("MESSAGES must be a whole number from 1 to 4294967295")
	}
	seconds, err := strconv.ParseUint(secondsText, 10, 32)
	if err != nil {
		misuse("SECONDS must be a whole number")
	}
	if capacity == asManyAsMessages {
		capacity = int(messages)
	}
	fmt.Println(workload(request{messages, capacity, seconds}))
}

func misuse(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(2)
}

func main() {
	arguments := os.Args[1:]
	switch {
	case len(arguments) == 1 && arguments[0] == "info":
		version := strings.TrimPrefix(runtime.Version(), "go")
		fmt.Printf("{\"name\":\"go\",\"version\":\"%s\",\"class\":\"tasks\"}\n", version)
	case len(arguments) == 1 && arguments[0] == "list":
		list()
	case len(arguments) == 3 && arguments[0] == "run":
		run(arguments[1], arguments[2], "60")
	case len(arguments) == 4 && arguments[0] == "run":
		run(arguments[1], arguments[2], arguments[3])
	default:
		misuse("usage: info | list | run SCENARIO MESSAGES [SECONDS]")
	}
}
