package filestore

import (
	"io"
	"io/fs"
	"os"
)

// disk is an open file.
type disk interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Stat() (fs.FileInfo, error)
	Name() string
	Close() error
}

// openDisk opens a file of the store, which it makes if there is none.
func openDisk(path string) (disk, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // a file of the store
	if err != nil {
		return nil, err // and no disk that is a nil file
	}
	return f, nil
}
