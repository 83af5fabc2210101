//go:build unix

package cardsim

import (
	"errors"
	"os"
)

// syncDirectory makes a new name in a directory durable.
func syncDirectory(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory of the caller's file
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
