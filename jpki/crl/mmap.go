//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package crl

import (
	"os"
	"syscall"
)

// openFile maps a file into memory.
func openFile(name string) (data []byte, unmap func(), err error) {
	f, err := os.Open(name) //nolint:gosec // the operator's own
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }() // the mapping stays
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() == 0 || !info.Mode().IsRegular() || int64(int(info.Size())) != info.Size() {
		return nil, func() {}, nil
	}
	data, err = syscall.Mmap(
		int(f.Fd()),
		0,
		int(info.Size()),
		syscall.PROT_READ,
		syscall.MAP_SHARED,
	) //nolint:gosec // a descriptor
	if err != nil {
		return nil, nil, err
	}
	return data, func() { _ = syscall.Munmap(data) }, nil // there is nobody to tell
}
