//go:build unix

package filestore

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lockDir locks a file for this process. The kernel forgets the lock when the process dies, however it dies.
func lockDir(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // a file of the store
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(
		int(f.Fd()),
		syscall.LOCK_EX|syscall.LOCK_NB,
	); err != nil { //nolint:gosec // a descriptor fits
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrLocked
		}
		return nil, errors.Join(err, f.Close())
	}
	return unlocker{f}, nil
}

// unlocker unlocks before it closes: closing alone leaves the lock to a copy of the descriptor, which a program that is
// being started has for a moment.
type unlocker struct{ *os.File }

func (u unlocker) Close() error {
	return errors.Join(syscall.Flock(int(u.Fd()), syscall.LOCK_UN), u.File.Close()) //nolint:gosec // a descriptor fits
}

// syncDir makes new names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // a directory of the store
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
