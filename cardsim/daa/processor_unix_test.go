//go:build unix

package daa_test

import (
	"syscall"
	"time"
)

// processorTime is what this process spends on f, whatever else the machine does.
func processorTime(f func()) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}
