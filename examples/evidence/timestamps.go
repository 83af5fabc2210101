package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// tokenVerifier believes the authorities of -timestamp-anchor; nil when none is given.
func (o *options) tokenVerifier() (*timestamp.Verifier, error) {
	var anchors []*certpath.Certificate
	for _, name := range o.anchors {
		der, err := readFile(name)
		if err != nil {
			return nil, err
		}
		anchor, err := certpath.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		anchors = append(anchors, anchor)
	}
	if len(anchors) == 0 {
		return nil, nil //nolint:nilnil // none is given
	}
	return timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: anchors, Revocation: revocation.InsecureNoRevocation(), Now: o.now,
	})
}

// verifyToken verifies a token at its own time: that of what the reference says, over what has this SHA-256.
func verifyToken(ctx context.Context, v *timestamp.Verifier, raw []byte, ref evidence.TimestampRef, sum string) error {
	token, err := timestamp.Parse(raw)
	if err != nil {
		return err
	}
	digest, err := hex.DecodeString(sum)
	if err != nil {
		return err
	}
	if !token.Time.Truncate(time.Second).Equal(ref.Time) {
		return errors.New("the token has another time than the record")
	}
	_, err = v.Verify(ctx, token, timestamp.Expect{Request: timestamp.Request{Digest: digest}, At: token.Time})
	return err
}

// stamped is a timestamp that a log names, and the SHA-256 of what it is over.
type stamped struct {
	ref evidence.TimestampRef
	sum string
}

// stampedBy are the timestamps of an entry: of a record's signature, or of a checkpoint.
func stampedBy(k evidence.Kept) ([]stamped, error) {
	var all []stamped
	switch {
	case k.Record != nil:
		sum := k.Record.SignatureSHA256
		if sum == "" {
			sum = k.Record.SealedSHA256
		}
		for _, ref := range k.Record.Timestamps {
			all = append(all, stamped{ref, sum})
		}
	case k.Note.Kind == evidence.KindTimestamp:
		var of evidence.LogTimestamp
		if err := json.Unmarshal(k.Note.Body, &of); err != nil {
			return nil, errors.New("the note of a timestamp is malformed")
		}
		all = append(all, stamped{of.Timestamp, of.SHA256})
	}
	return all, nil
}

// verifyTimestamps verifies every token that the log names and its archive has. It returns the entry, counted from 1,
// whose token does not hold, with the error.
func (o *options) verifyTimestamps(ctx context.Context, l *evidence.Log, f *finding) (int, error) {
	v, err := o.tokenVerifier()
	if v == nil || err != nil {
		return 0, err
	}
	for k, err := range l.Scan(ctx, 0, f.Records+f.Notes) {
		if err != nil {
			return 0, err
		}
		entry := int(k.Index) + 1
		all, err := stampedBy(k)
		if err != nil {
			return entry, failed{err}
		}
		for _, s := range all {
			raw, err := archived(ctx, l, s.ref.SHA256)
			if errors.Is(err, &evidence.Error{Reason: evidence.ReasonAbsent}) {
				continue
			}
			if err != nil {
				return entry, err
			}
			if err := verifyToken(ctx, v, raw, s.ref, s.sum); err != nil {
				return entry, failed{err}
			}
			f.TimestampsVerified++
		}
	}
	return 0, nil
}

// archived reads a small file of the archive; Verify has compared its hash.
func archived(ctx context.Context, l *evidence.Log, name string) ([]byte, error) {
	r, err := l.Archived(ctx, name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, limits.TimestampResponse+1))
	return data, errors.Join(err, r.Close())
}
