package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
)

// keptLog is the log of evidence in a directory; nil keeps nothing.
type keptLog struct {
	store *filestore.Store
	log   *evidence.Log
}

// openLog opens the directory for this process alone, repairs what a crash left, and verifies what it holds.
func openLog(ctx context.Context, dir string, now func() time.Time) (*keptLog, error) {
	if dir == "" {
		return nil, nil
	}
	store, err := filestore.Open(dir)
	switch {
	case errors.Is(err, filestore.ErrLocked):
		return nil, errors.New("another bank has the log open")
	case errors.Is(err, filestore.ErrDamaged):
		return nil, errors.New("the log is damaged")
	case err != nil:
		return nil, errors.New("the log cannot be opened") // the cause names files
	}
	keys, err := openKeys(dir)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	log, err := evidence.OpenLog(evidence.LogConfig{Store: store, Keys: keys, Now: now})
	if err == nil {
		_, err = log.Verify(ctx, evidence.Verification{})
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &keptLog{store, log}, nil
}

// openKeys reads the key under which the keys of the records are wrapped, and those of applications on their way, or
// makes one. It stands beside the directory and not in it: a copy of the log alone shows no certificate. A bank has a
// key service instead.
func openKeys(dir string) (*evidence.LocalKeys, error) {
	path := filepath.Clean(dir) + ".key"
	key, err := os.ReadFile(path) //nolint:gosec // the operator's file
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, keySize)
		_, _ = rand.Read(key) // never fails
		err = os.WriteFile(path, key, 0o600)
	}
	if err != nil {
		return nil, errors.New("the key of the log cannot be read or made") // the cause names files
	}
	return evidence.NewLocalKeys(key)
}

// kept says what the log holds now.
type kept struct {
	Records int64 `json:"records"`
	// keep a signed checkpoint elsewhere: nothing else tells that the newest records were cut off
	Root        string `json:"root"`
	Certificate bool   `json:"certificate_kept"`
	Timestamps  int64  `json:"timestamps"`
	// files that records name: those in the archive, and those that it lacks
	Archived   int64 `json:"archived"`
	Unarchived int64 `json:"unarchived"`
}

// add archives files that the record names, appends it, and reads the whole log again as an auditor would.
func (k *keptLog) add(ctx context.Context, r *evidence.Record, files ...[]byte) (*kept, error) {
	if k == nil {
		return nil, nil
	}
	for _, file := range files {
		if _, err := k.log.Archive(ctx, bytes.NewReader(file)); err != nil {
			return nil, err
		}
	}
	added, err := k.log.AppendRecords(ctx, r)
	if err != nil {
		return nil, err
	}
	state, err := k.log.Verify(ctx, evidence.Verification{Archive: true})
	if err != nil {
		return nil, err
	}
	return &kept{
		state.Records, hex.EncodeToString(state.Root[:]), added[0].Record.Held != nil, state.Timestamps, state.Archived,
		state.Unarchived,
	}, nil
}

// has reports whether there is a record of a transaction. The log was read whole when it was opened, so reading it once
// more costs no more than that.
func (k *keptLog) has(ctx context.Context, transaction string) (bool, error) {
	if k == nil {
		return false, nil
	}
	size, err := k.log.Size(ctx)
	if err != nil {
		return false, err
	}
	for one, err := range k.log.Scan(ctx, 0, size) {
		if err != nil {
			return false, err
		}
		if one.Record != nil && one.Record.TransactionID == transaction {
			return true, nil
		}
	}
	return false, nil
}

func (k *keptLog) close() {
	if k != nil {
		_ = k.store.Close() // what was added was synced
	}
}
