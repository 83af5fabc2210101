//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package crl

import "os"

// openFile reads a file into memory, where it cannot be mapped.
func openFile(name string) (data []byte, unmap func(), err error) {
	data, err = os.ReadFile(name) //nolint:gosec // the operator's own
	return data, func() {}, err
}
