//go:build !unix

package filestore

import (
	"errors"
	"io"
	"os"
)

// lockDir makes the lock file, which must not exist: where there is no flock, a crash leaves it behind, and whoever
// knows that no process runs deletes it.
func lockDir(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a file of the store
	if errors.Is(err, os.ErrExist) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, err
	}
	return lockedFile{f, path}, nil
}

type lockedFile struct {
	*os.File
	path string
}

func (l lockedFile) Close() error { return errors.Join(l.File.Close(), os.Remove(l.path)) }

// syncDir does nothing: directories cannot be synced here, and names are durable with their files.
func syncDir(string) error { return nil }
