package sign

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/authn/wire"
)

// FuzzParseOpened feeds results to the parser: whatever comes, both values or an error.
func FuzzParseOpened(f *testing.F) {
	for _, s := range []string{
		`{"sig":"AQ==","cert":"MA=="}`, `{"sig":"AQ\u003d=","cert":"MA=="}`, "{",
		`{"SIG":"AQ==","sig":"AQ==","cert":"MA=="}`,
	} {
		f.Add([]byte(s))
	}
	names := &wire.Sign{ResultSignatureField: "sig", ResultCertificateField: "cert"}
	f.Fuzz(func(t *testing.T, b []byte) {
		opened, err := ParseOpened(b, names)
		if err != nil {
			if reasonOf(err) != ReasonResponse || opened != nil {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if len(opened.RevealSignature()) == 0 || len(opened.RevealCertificate()) == 0 {
			t.Fatal("empty value accepted")
		}
	})
}

// FuzzParseSealed: what is accepted has five parts and is accepted again.
func FuzzParseSealed(f *testing.F) {
	f.Add(testJWE)
	f.Add("....")
	f.Fuzz(func(t *testing.T, s string) {
		sealed, err := ParseSealed(s)
		if err != nil {
			return
		}
		if again, err := ParseSealed(sealed.RevealJWE()); err != nil || again.RevealJWE() != s ||
			strings.Count(s, ".") != 4 {
			t.Fatal("sealed result would not be accepted again")
		}
	})
}

// FuzzTransaction checks that what is accepted is encoded the same again.
func FuzzTransaction(f *testing.F) {
	good, err := json.Marshal(Transaction{ID: testID, Mode: ModeBareHash, MediaType: "text/plain", Started: testNow,
		Expires: testNow})
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
		if err := json.Unmarshal(encoded, &again); err != nil || again.ID != tx.ID || again.Digest != tx.Digest ||
			again.Mode != tx.Mode {
			t.Fatalf("%s came back as %+v, %v", encoded, again, err)
		}
	})
}
