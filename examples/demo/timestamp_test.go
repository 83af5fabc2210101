package main

import (
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestTimestamps: with -timestamp what was signed is stamped, by either business; the record names the token, and the
// archive of the log has it with the authorities. An authority that does not answer is no evidence.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	for _, business := range []string{certifiedVerifier, private} {
		d := bring(t, nil, "-addr", "127.0.0.1:0", "-business", business, "-timestamp")
		b := browse(t, d)
		if err := b.logIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.signDocument(t.Context()); err != nil {
			t.Fatal(err)
		}
		rep, err := b.fetchReport(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		record, err := evidence.Parse(rep.Evidence)
		if err != nil || len(record.Timestamps) != 1 {
			t.Fatalf("%s: %+v, %v", business, record, err)
		}
		state, err := d.app.verifyLog(t.Context())
		if err != nil || state.Timestamps != 1 || state.Unarchived != 0 || state.Archived < 2 {
			t.Errorf("%s: %+v, %v", business, state, err)
		}
		if err := d.servers[1].Close(); err != nil { // the authority: it starts after the service
			t.Fatal(err)
		}
		if err := b.signDocument(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("%s, without an answer: %v", business, err)
		}
		if after, err := d.app.verifyLog(t.Context()); err != nil || after.Records != 1 {
			t.Errorf("%s, without an answer: %+v, %v", business, after, err)
		}
		var text strings.Builder
		if d.announce(&text); !strings.Contains(text.String(), "timestamp authority: "+d.stamps) {
			t.Error(text.String())
		}
	}
	code, object, _, stderr := once(t, "-timestamp")
	record, _ := object["evidence"].(map[string]any)
	if code != exitOK || record["timestamps"] == nil {
		t.Errorf("-once: exit %d, %v, %s", code, record, stderr)
	}
}
