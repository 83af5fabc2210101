package main

import (
	"io"
	"os"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// readRoots reads the issuers' keys; nil without a file. They are not part of this project, which knows their
// fingerprints.
func readRoots(name string) (*card.Roots, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name) //nolint:gosec // the file that the person named
	if err != nil {
		return nil, problem("-roots のファイルを読み取れません。", "The file of -roots cannot be read.")
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limits.KeyFile+1))
	if err != nil || len(data) > limits.KeyFile {
		return nil, problem("-roots のファイルを読み取れません。", "The file of -roots cannot be read.")
	}
	return useRoots(data)
}

// useRoots takes the keys that package card knows by fingerprint, and others on the person's word.
func useRoots(data []byte) (*card.Roots, error) {
	keys, err := card.ParseRoots(data)
	if err != nil {
		return nil, err
	}
	if pinned, err := card.PinnedRoots(keys...); err == nil {
		return pinned, nil
	}
	return card.NewRoots(keys...)
}
