package sign

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzResult feeds answers of the result endpoint to the parser: whatever comes, exactly one shape or an error.
func FuzzResult(f *testing.F) {
	for _, s := range []string{
		testJWE, `{"box":"` + testJWE + `"}`, `{"sig":"AQ==","cert":"MA=="}`, `{"box":"` + testJWE + `","sig":"AQ=="}`,
		"", "....", `{"box":"....."}`, `{"sig":"AQ\u003d=","cert":"MA=="}`, "{", `{"SIG":"AQ==","sig":"AQ==","cert":"MA=="}`,
	} {
		f.Add([]byte(s))
	}
	c := &Client{wire: otherWire()}
	f.Fuzz(func(t *testing.T, b []byte) {
		var res Result
		if err := c.parseResult(b, &res); err != nil {
			if ReasonOf(err) != ReasonResponse {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if (res.Sealed == nil) == (res.Opened == nil) {
			t.Fatal("not exactly one shape")
		}
		if res.Sealed != nil {
			if _, err := ParseSealed(res.Sealed.RevealJWE()); err != nil || strings.Count(res.Sealed.RevealJWE(), ".") != 4 {
				t.Fatal("sealed result would not be accepted again")
			}
		} else if len(res.Opened.Signature) == 0 || len(res.Opened.Certificate) == 0 {
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
	c := &Client{wire: otherWire(), now: testClock, idShape: uuidShaped}
	f.Fuzz(func(t *testing.T, b []byte) {
		tx, err := c.parseStart(b)
		if err != nil {
			if ReasonOf(err) != ReasonResponse || tx != nil {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if !uuidShaped(tx.ID) || !tx.Expires.After(tx.Started) {
			t.Fatalf("accepted %+v", tx)
		}
	})
}

// FuzzTransaction checks that what is accepted is encoded the same again.
func FuzzTransaction(f *testing.F) {
	good, err := json.Marshal(Transaction{ID: testID, Mode: ModeBareHash, MediaType: "text/plain", Started: testNow, Expires: testNow})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"id":"x","mode":"bare-hash","sha256":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var tx, again Transaction
		if json.Unmarshal(b, &tx) != nil {
			return
		}
		encoded, err := json.Marshal(tx)
		if err != nil {
			return // a time zone that RFC 3339 cannot write
		}
		if err := json.Unmarshal(encoded, &again); err != nil || again.ID != tx.ID || again.Digest != tx.Digest || again.Mode != tx.Mode {
			t.Fatalf("%s came back as %+v, %v", encoded, again, err)
		}
	})
}
