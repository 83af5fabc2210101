package filestore

import (
	"errors"
	"syscall"
)

// dataSync makes what was written to a file durable, with its length, but without the time of the change: a write over
// what is there then needs no entry in the file system's own journal.
func dataSync(f disk) error {
	plain, ok := f.(syscall.Conn)
	if !ok {
		return f.Sync()
	}
	conn, err := plain.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		for failed = syscall.EINTR; errors.Is(failed, syscall.EINTR); {
			failed = syscall.Fdatasync(int(fd)) //nolint:gosec // a descriptor fits
		}
	})
	return errors.Join(err, failed)
}
