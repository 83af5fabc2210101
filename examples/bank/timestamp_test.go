package main

import (
	"bytes"
	"encoding/hex"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// TestTimestampIsKept: what was signed is stamped, by either business, and whoever has the log finds token and
// authorities in its archive. Without its timestamp no account is opened, and nothing is kept.
func TestTimestampIsKept(t *testing.T) {
	t.Parallel()
	for business, want := range map[string]outcome{certifiedVerifier: opened, privateBusiness: needsHuman} {
		w, err := newWorld(t.Context(), around(t), person.Hanako, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "log")
		o := options{
			business: business, lang: "en", purpose: "living", occupation: "employee", evidence: dir, timestamp: true,
		}
		r, err := openAccount(t.Context(), w, o)
		if err != nil || r.Outcome != want || r.Evidence.Timestamps != 1 || r.Evidence.Unarchived != 0 {
			t.Fatalf("%s: %+v, %v", business, r, err)
		}
		if text := r.text("en"); !strings.Contains(text, "timestamps: 1") {
			t.Error(text)
		}
		l, err := openLog(t.Context(), dir, at)
		if err != nil {
			t.Fatal(err)
		}
		record, err := l.log.Record(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		sum := record.SignatureSHA256 + record.SealedSHA256 // one of them is empty
		digest, err := hex.DecodeString(sum)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := l.log.Archived(t.Context(), record.Timestamps[0].SHA256)
		if err != nil {
			t.Fatal(err)
		}
		der, err := io.ReadAll(raw)
		if err != nil {
			t.Fatal(err)
		}
		token, err := timestamp.Parse(der)
		if err != nil || !bytes.Equal(token.Digest, digest) {
			t.Errorf("%s: the token is of something else: %v", business, err)
		}
		l.close()

		w.tsaURL = "http://127.0.0.1:1/tsa"
		r, err = openAccount(t.Context(), w, o)
		if kakunin.FamilyOf(err) != kakunin.Unavailable || r.Evidence != nil {
			t.Errorf("%s: an authority that does not answer: %+v, %v", business, r, err)
		}
		w.close()
		if l, err = openLog(t.Context(), dir, at); err != nil {
			t.Fatal(err)
		}
		if n, err := l.log.Size(t.Context()); err != nil || n != 1 {
			t.Errorf("%s: %d records, %v", business, n, err)
		}
		l.close()
	}
	if code, _, stderr := command(t, "-timestamp"); code != exitUsage || !strings.Contains(stderr, "-evidence") {
		t.Errorf("a token that is kept nowhere: exit %d, %s", code, stderr)
	}
}
