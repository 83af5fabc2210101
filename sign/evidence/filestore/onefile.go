package filestore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// In directories of version 1 each part and each key is a file of its own: in clear, encrypted, and the keys of the
// encrypted ones. They are read and deleted, and no longer written.
const (
	plainSuffix  = ".json"
	sealedSuffix = ".sealed"
	keySuffix    = ".key"
)

// ownFiles are the files that an entry of version 1 may have.
func (s *Store) ownFiles(index int64) [3]string {
	n := strconv.FormatInt(index, 10)
	return [3]string{
		filepath.Join(s.dir, heldDir, n+plainSuffix),
		filepath.Join(s.dir, heldDir, n+sealedSuffix),
		filepath.Join(s.dir, keysDir, n+keySuffix),
	}
}

// readOwnFiles adds the part and its key to an entry. A part without its key is one whose deletion a crash
// interrupted: it is as good as gone.
func (s *Store) readOwnFiles(e *evidence.Entry, index int64) error {
	var contents [3][]byte
	for i, path := range s.ownFiles(index) {
		b, err := os.ReadFile(path) //nolint:gosec // a file of the store
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		contents[i] = b
	}
	switch plain, sealed, key := contents[0], contents[1], contents[2]; {
	case plain != nil:
		e.Held = plain
	case sealed != nil && key != nil:
		e.Held, e.Key = sealed, key
	}
	return nil
}

// removeOwnFiles removes parts: keys first, so that what a crash leaves cannot be read.
func (s *Store) removeOwnFiles(indexes []int64) error {
	if len(indexes) == 0 {
		return nil
	}
	for _, dir := range []string{keysDir, heldDir} {
		for _, i := range indexes {
			for _, path := range s.ownFiles(i) {
				if filepath.Base(filepath.Dir(path)) != dir {
					continue
				}
				if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
		}
		if err := syncDir(filepath.Join(s.dir, dir)); err != nil {
			return err
		}
	}
	return nil
}

// numbered reads the number before a suffix of a file's name.
func numbered(name, suffix string) (int64, bool) {
	number, ok := strings.CutSuffix(name, suffix)
	n, err := strconv.ParseInt(number, 10, 64)
	return n, ok && err == nil && n >= 0 && strconv.FormatInt(n, 10) == number
}

// ownFilesFrom lists the entries from first on that have files of their own in a directory.
func (s *Store) ownFilesFrom(sub string, first int64) ([]int64, error) {
	dir, err := os.Open(filepath.Join(s.dir, sub)) //nolint:gosec // a directory of the store
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	var indexes []int64
	for _, name := range names {
		for _, suffix := range []string{plainSuffix, sealedSuffix, keySuffix} {
			if i, ok := numbered(name, suffix); ok && i >= first {
				indexes = append(indexes, i)
			}
		}
	}
	slices.Sort(indexes)
	return slices.Compact(indexes), nil
}

// takeOver ends version 1: entries below the present size may have files of their own, and those that a crash left
// behind it must not become other entries'.
func (s *Store) takeOver() error {
	s.ownFilesTo, s.taken = s.size, true
	for _, sub := range []string{heldDir, keysDir} {
		left, err := s.ownFilesFrom(sub, s.size)
		if err != nil {
			return err
		}
		if err := s.removeOwnFiles(left); err != nil {
			return err
		}
	}
	return nil
}
