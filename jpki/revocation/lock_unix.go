//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package revocation

import (
	"os"
	"path/filepath"
	"syscall"
)

// lockDirectory keeps other processes from writing to the directory until unlock is called.
func lockDirectory(directory string) (unlock func(), err error) {
	f, err := os.OpenFile( //nolint:gosec // the operator's directory
		filepath.Join(directory, ".lock"),
		os.O_CREATE|os.O_RDWR,
		0o600,
	)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil { //nolint:gosec // a descriptor
		_ = f.Close() // the first error is the one to report
		return nil, err
	}
	return func() { _ = f.Close() }, nil // and with it goes the lock
}
