package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kakunin-go/kakunin/examples/internal/evidencestore"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// opened is a log that is open until close.
type opened struct {
	log   *evidence.Log
	close func()
}

// open opens the log. One that is not there is not made.
func (o *options) open(ctx context.Context) (*opened, error) {
	path := strings.TrimPrefix(o.where, "sqlite:")
	if !strings.HasPrefix(o.where, "postgres://") && !strings.HasPrefix(o.where, "postgresql://") {
		if _, err := stat(path); err != nil {
			return nil, err
		}
	}
	config := evidence.LogConfig{PlainHeld: true, Now: o.now}
	if o.wrappingKey != "" {
		secret, err := readFile(o.wrappingKey)
		if err != nil {
			return nil, err
		}
		keys, err := evidence.NewLocalKeys(secret)
		if err != nil {
			return nil, err
		}
		config.Keys = keys
	}
	store, err := evidencestore.Open(ctx, o.where)
	if err != nil {
		return nil, err
	}
	config.Store = store
	log, err := evidence.OpenLog(config)
	if err != nil {
		return nil, err
	}
	if n := store.Recovered.Torn; n > 0 {
		_, _ = fmt.Fprintf(o.stderr, "evidence: %d bytes that were never acknowledged were moved aside\n", n)
	}
	return &opened{log, func() { _ = store.Close() }}, nil
}

// readCheckpoints reads those that were given.
func (o *options) readCheckpoints() ([]evidence.Checkpoint, error) {
	var all []evidence.Checkpoint
	for _, name := range o.checkpoints {
		signed, err := readFile(name)
		if err != nil {
			return nil, err
		}
		c, err := evidence.ParseCheckpoint(signed, o.key)
		if err != nil {
			return nil, failed{err}
		}
		all = append(all, c)
	}
	return all, nil
}

// folder returns the folder of an exported record, or the file of one record: what is no log.
func (o *options) folder() (folder, file string, is bool) {
	info, err := stat(o.where)
	switch {
	case err != nil:
		return "", "", false
	case !info.IsDir() && !strings.HasPrefix(o.where, "sqlite:"):
		return "", o.where, true
	}
	if _, err := stat(filepath.Join(o.where, "record.json")); err != nil {
		return "", "", false
	}
	return o.where, filepath.Join(o.where, "record.json"), true
}

// What the auditor's own command line names is read, wherever it is.

func readFile(name string) ([]byte, error) { return os.ReadFile(name) } //nolint:gosec // see above

func openFile(name string) (*os.File, error) { return os.Open(name) } //nolint:gosec // see above

func stat(name string) (os.FileInfo, error) { return os.Stat(name) } //nolint:gosec // see above
