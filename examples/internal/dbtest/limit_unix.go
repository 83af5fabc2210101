//go:build unix

package dbtest

import (
	"syscall"
	"testing"
)

// FullFiles returns a function that makes files of this process full: no file grows over so many bytes. Use it in a
// test that has [InOwnProcess].
func FullFiles(t *testing.T, most uint64) (fill func(full bool)) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	return func(full bool) {
		limit := old
		if full {
			limit.Cur = most
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Error(err)
		}
	}
}
