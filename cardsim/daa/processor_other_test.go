//go:build !unix

package daa_test

import "time"

// processorTime is not told here: the time that passes stands for it.
func processorTime(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
