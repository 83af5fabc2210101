package filestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

const blobsDir = "blobs"

// PutBlob implements evidence.Store: a file named by its hash appears in one piece.
func (s *Store) PutBlob(_ context.Context, r io.Reader) (hash evidence.Hash, err error) {
	if err := s.usable(); err != nil {
		return hash, err
	}
	dir := filepath.Join(s.dir, blobsDir)
	f, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return hash, err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), r)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return hash, errors.Join(err, os.Remove(f.Name()))
	}
	hash = evidence.Hash(sum.Sum(nil))
	if err := os.Rename(f.Name(), s.blobFile(hash)); err != nil {
		return hash, errors.Join(err, os.Remove(f.Name()))
	}
	return hash, syncDir(dir)
}

// Blob implements evidence.Store.
func (s *Store) Blob(_ context.Context, hash evidence.Hash) (io.ReadCloser, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	f, err := os.Open(s.blobFile(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, evidence.ErrAbsent
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (s *Store) blobFile(hash evidence.Hash) string {
	return filepath.Join(s.dir, blobsDir, hex.EncodeToString(hash[:]))
}

func (s *Store) usable() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.broken
}

// removeUnfinishedBlobs deletes what a crash left of files that were being put.
func (s *Store) removeUnfinishedBlobs() error {
	left, err := filepath.Glob(filepath.Join(s.dir, blobsDir, "new-*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
