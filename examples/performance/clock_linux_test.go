package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has spent on a processor so far, to the nanosecond: what else the machine does is
// not in it.
func processorTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil {
		panic("the system does not tell the time of this process")
	}
	return time.Duration(t.Nano())
}
