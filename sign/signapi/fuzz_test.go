package signapi

import (
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign"
)

// FuzzResult feeds answers of the result endpoint to the parser: whatever comes, exactly one shape or an error.
func FuzzResult(f *testing.F) {
	for _, s := range []string{
		testJWE, `{"box":"` + testJWE + `"}`, `{"sig":"AQ==","cert":"MA=="}`, `{"box":"` + testJWE + `","sig":"AQ=="}`,
		"", "....", `{"box":"....."}`, `{"sig":"AQ\u003d=","cert":"MA=="}`, "{",
		`{"SIG":"AQ==","sig":"AQ==","cert":"MA=="}`,
	} {
		f.Add([]byte(s))
	}
	c := &Client{wire: otherWire()}
	f.Fuzz(func(t *testing.T, b []byte) {
		var res Unverified
		if err := c.parseResult(b, &res); err != nil {
			if reasonOf(err) != ReasonResponse {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if (res.Sealed == nil) == (res.Opened == nil) {
			t.Fatal("not exactly one shape")
		}
		if res.Sealed != nil {
			if _, err := sign.ParseSealed(res.Sealed.RevealJWE()); err != nil ||
				strings.Count(res.Sealed.RevealJWE(), ".") != 4 {
				t.Fatal("sealed result would not be accepted again")
			}
		} else if len(res.Opened.RevealSignature()) == 0 || len(res.Opened.RevealCertificate()) == 0 {
			t.Fatal("empty value accepted")
		}
	})
}

// FuzzStart feeds answers of the start endpoint to the parser.
func FuzzStart(f *testing.F) {
	for _, s := range []string{
		`{"tx":"` + testID + `"}`, `{"tx":"` + testID + `","ttl":120}`, `{"tx":"` + testID + `","ttl":1e2}`,
		`{"tx":"` + testID + `","ttl":-0}`, `{"ttl":1}`, `[]`, "",
	} {
		f.Add([]byte(s))
	}
	c := &Client{wire: otherWire(), now: testClock, validID: uuidShaped}
	f.Fuzz(func(t *testing.T, b []byte) {
		var tx sign.Transaction
		if err := c.parseStart(b, &tx); err != nil {
			if reasonOf(err) != ReasonResponse || tx.ID != "" {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if !uuidShaped(tx.ID) || !tx.Expires.After(tx.Started) {
			t.Fatalf("accepted %+v", tx)
		}
	})
}
