package main

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// keptLog is the hash-chained log of evidence in a file; nil keeps nothing.
type keptLog struct {
	file *os.File
	log  *evidence.Log
}

// openLog verifies what the file holds and continues it. One process writes at a time.
func openLog(path string, now func() time.Time) (*keptLog, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600) //nolint:gosec // the file that was asked for
	if err != nil {
		return nil, errors.New("the log cannot be opened")
	}
	log, err := evidence.ResumeLog(f, f, now)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &keptLog{f, log}, nil
}

// kept says what the log holds now.
type kept struct {
	Records     int    `json:"records"`
	Head        string `json:"head"` // keep a copy elsewhere: without it nobody notices that the newest records were cut off
	Certificate bool   `json:"certificate_kept"`
}

// add appends a record, and reads the whole log again as an auditor would. RetainUntil is not set: the years count from
// the end of the contract, which nobody knows today.
func (k *keptLog) add(r *sign.Report, p law.Profile) (*kept, error) {
	if k == nil {
		return nil, nil
	}
	options := []evidence.Option{evidence.Basis(p.Law.JA)}
	if p.CertificateKept {
		options = append(options, evidence.WithCertificate()) // in a part that can be deleted later without breaking the chain
	}
	record, err := k.log.Append(r, options...)
	if err != nil {
		return nil, err
	}
	_, errSeek := k.file.Seek(0, io.SeekStart)
	chain, errChain := evidence.VerifyChain(k.file)
	switch {
	case errors.Join(k.file.Sync(), errSeek, errChain) != nil:
		return nil, errors.New("the log cannot be read again")
	case chain.Head != record.Hash:
		return nil, errors.New("somebody else writes to the log")
	}
	return &kept{chain.Records, chain.Head, record.Held != nil}, nil
}

func (k *keptLog) close() {
	if k != nil {
		_ = k.file.Close() // what was added was synced
	}
}
