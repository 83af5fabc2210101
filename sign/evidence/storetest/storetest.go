// Package storetest tells whether an evidence.Store keeps what it promises. [Run] is called in a test of the store with
// a function that makes a fresh one; [Crash] and [Child] make a program that is killed while it appends. See the tests
// of package sign/evidence/filestore.
//
// # Compatibility
//
// The suite may become stricter: what it finds was always promised.
package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Harness is a fresh store under test.
type Harness struct {
	// Open opens the store; closeStore is called before it is opened again, unless Shared.
	Open func() (store evidence.Store, closeStore func(), err error)
	// Shared: several may be open at once, as instances of one application are.
	Shared bool
	// Tamper does what somebody does who can write to the disk or the database. The store is closed meanwhile.
	Tamper Tamper
}

// open opens a store that nothing is wrong with.
func (h Harness) open(tb testing.TB) (evidence.Store, func()) {
	tb.Helper()
	s, closeStore, err := h.Open()
	if err != nil {
		tb.Fatal(explain(err))
	}
	return s, closeStore
}

// Tamper changes a store behind its back. Every function is given, or named in LeftOut: an attack that is not tried is
// a decision of the store's author, which its test shows, and never an oversight.
type Tamper struct {
	// LeftOut has the reason for each function that is nil, by its name: "Swap": "nothing but this program writes".
	LeftOut map[string]string
	// Rewrite changes the bytes of the entry's record, and whatever belongs to the store's own form so that nothing but
	// the record is odd.
	Rewrite func(tb testing.TB, index int64, change func(record []byte) []byte)
	// Swap exchanges two entries, without their places in the tree.
	Swap func(tb testing.TB, a, b int64)
	// Cut removes all entries but the first size ones without a trace.
	Cut func(tb testing.TB, size int64)
	// DropHeld removes the held part of an entry; SwapHeld exchanges those of two entries with their keys.
	DropHeld func(tb testing.TB, index int64)
	SwapHeld func(tb testing.TB, a, b int64)
	// RewriteBlob changes an archived file.
	RewriteBlob func(tb testing.TB, hash evidence.Hash, change func([]byte) []byte)
}

// Now is the time of all records that this package makes.
func Now() time.Time { return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC) }

// Record makes a verdict's record, without a signature value; number makes it one of its own.
func Record(tb testing.TB, number int) *evidence.Record {
	tb.Helper()
	r, err := verdictRecord(number)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func verdictRecord(number int) (*evidence.Record, error) {
	sealed, err := sign.ParseSealed("aGVhZA.a2V5.aXY.Y2lwaGVy.dGFn")
	if err != nil {
		return nil, err
	}
	tx := &sign.Transaction{
		ID: fmt.Sprintf(
			"tx-%d",
			number,
		),
		Mode:      sign.ModeBareHash,
		MediaType: "text/plain",
		Digest:    digest("document", number),
	}
	verdict := &sign.Verdict{VerificationID: tx.ID, Status: jpki.Good, VerifiedAt: Now(), Method: "OCSP"}
	return evidence.FromVerdict(evidence.Judged{Verdict: verdict, Sealed: sealed, Transaction: tx}, Now())
}

// Report makes a report without keys and certificates, whose parts are bytes that stand for them. The signature value
// depends on the document alone.
func Report(document, transaction int) *sign.Report {
	certificate := bytes.Repeat([]byte(fmt.Sprintf("certificate %d.", document)), 60)
	signature := digest("signature", document)
	return &sign.Report{
		Mode: sign.ModeDigestInfo, Digest: digest("document", document), MediaType: "text/plain",
		TransactionID: fmt.Sprintf("tx-%d", transaction),
		Opened:        sign.NewOpened(signature[:], certificate), Certificate: new(jpki.Certificate),
		Chain: &jpki.Result{
			Status:            jpki.Good,
			Kind:              jpki.SigningCard,
			AnchorKeyID:       []byte{1, 2, 3},
			AnchorFingerprint: digest("anchor", 0),
			Revocation:        revocation.Answer{Method: "OCSP", Status: revocation.Good, Evidence: []byte("response")},
		},
		At: Now(), VerifiedAt: Now(), Steps: []jpki.Step{{Name: "chain", OK: true}},
	}
}

func digest(what string, number int) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", what, number))
}

func hexDigest(what string, number int) string {
	sum := digest(what, number)
	return hex.EncodeToString(sum[:])
}

// Log opens a log over a store, with a key for held parts that is always the same.
func Log(tb testing.TB, s evidence.Store) *evidence.Log {
	tb.Helper()
	l, err := openLog(s)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func openLog(s evidence.Store) (*evidence.Log, error) {
	keys, err := evidence.NewLocalKeys(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		return nil, err
	}
	return evidence.OpenLog(evidence.LogConfig{Store: s, Keys: keys, Now: Now})
}

// checkpoint is the log's present state; a test needs no signature for that.
func checkpoint(tb testing.TB, l *evidence.Log) evidence.Checkpoint {
	tb.Helper()
	s, err := l.Verify(context.Background(), evidence.Verification{})
	if err != nil {
		tb.Fatal(explain(err))
	}
	return evidence.Checkpoint{Origin: "test", Size: s.Records, Root: s.Root}
}

// explain adds the causes, which errors of evidence do not show.
func explain(err error) string {
	text := fmt.Sprint(err)
	for ; err != nil; err = errors.Unwrap(err) {
		text += ": " + err.Error()
	}
	return text
}

// want checks reason and position of an error; a position below 0 is not compared.
func want(tb testing.TB, err error, reason evidence.Reason, position int) {
	tb.Helper()
	var e *evidence.Error
	if !errors.As(err, &e) || e.Reason != reason || position >= 0 && e.Record != position {
		tb.Errorf("want %q at %d, got %s", reason, position, explain(err))
	}
}
