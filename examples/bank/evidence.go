package main

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/sign"
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
	log, err := evidence.OpenLog(evidence.LogConfig{Store: store, Now: now})
	if err == nil {
		_, err = log.Verify(ctx, evidence.Verification{})
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &keptLog{store, log}, nil
}

// kept says what the log holds now.
type kept struct {
	Records int64 `json:"records"`
	// keep a signed checkpoint elsewhere: nothing else tells that the newest records were cut off
	Root        string `json:"root"`
	Certificate bool   `json:"certificate_kept"`
}

// add appends a record, and reads the whole log again as an auditor would. RetainUntil is not set: the years count from
// the end of the contract, which nobody knows today.
func (k *keptLog) add(ctx context.Context, r *sign.Report, p law.Profile) (*kept, error) {
	if k == nil {
		return nil, nil
	}
	options := []evidence.Option{evidence.Basis(p.Law.JA)}
	if p.CertificateKept {
		// in a part that can be deleted later; the log stays provable
		options = append(options, evidence.WithCertificate())
	}
	added, err := k.log.Append(ctx, r, options...)
	if err != nil {
		return nil, err
	}
	state, err := k.log.Verify(ctx, evidence.Verification{})
	if err != nil {
		return nil, err
	}
	return &kept{state.Records, hex.EncodeToString(state.Root[:]), added.Record.Held != nil}, nil
}

func (k *keptLog) close() {
	if k != nil {
		_ = k.store.Close() // what was added was synced
	}
}
