package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// DeleteHeld implements evidence.Store.
func (s *Store) DeleteHeld(_ context.Context, index int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	if index < 0 || index >= s.size {
		return evidence.ErrAbsent
	}
	if err := os.Remove(s.heldFile(index)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return syncDir(filepath.Join(s.dir, heldDir))
}

func (s *Store) heldFile(index int64) string {
	return filepath.Join(s.dir, heldDir, strconv.FormatInt(index, 10)+".json")
}

func (s *Store) writeHeld(entries []evidence.Entry) error {
	any := false
	for i, e := range entries {
		if e.Held == nil {
			// The file of an append that a crash cut off must not become this entry's.
			if err := os.Remove(s.heldFile(s.size + int64(i))); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			continue
		}
		any = true
		f, err := os.OpenFile(s.heldFile(s.size+int64(i)), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(e.Held)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	if !any {
		return nil
	}
	return syncDir(filepath.Join(s.dir, heldDir))
}

func (s *Store) removeHeld(entries []evidence.Entry) error {
	var errs []error
	for i, e := range entries {
		if e.Held == nil {
			continue
		}
		if err := os.Remove(s.heldFile(s.size + int64(i))); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
