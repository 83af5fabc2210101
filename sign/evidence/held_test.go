package evidence

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestHeldJSON: held parts are encoded as encoding/json does it, and in the room that was made for them.
func TestHeldJSON(t *testing.T) {
	t.Parallel()
	some := [][]byte{nil, {}, []byte("a"), []byte("ab"), {0, 255, 62, 63}, bytes.Repeat([]byte("certificate"), 99)}
	for _, certificate := range some {
		for _, signature := range some {
			for _, attributes := range some {
				for _, revocation := range some {
					p := HeldParts{certificate, signature, attributes, revocation}
					want, err := json.Marshal(p)
					if err != nil {
						t.Fatal(err)
					}
					if got := p.appendJSON(nil); !bytes.Equal(got, want) || len(got) > p.sizeJSON() {
						t.Fatalf("%s, %d octets at most; want %s", got, p.sizeJSON(), want)
					}
				}
			}
		}
	}
}

// TestRevealedIsACopy: whoever changes what was revealed changes nothing that is kept.
func TestRevealedIsACopy(t *testing.T) {
	t.Parallel()
	held := hold(HeldParts{[]byte("certificate"), []byte("signature"), []byte("attributes"), []byte("revocation")})
	p := held.Reveal()
	for _, b := range [][]byte{p.Certificate, p.Signature, p.Attributes, p.Revocation} {
		b[0]++
	}
	want := `{"certificate":"Y2VydGlmaWNhdGU=","signature":"c2lnbmF0dXJl","attributes":"YXR0cmlidXRlcw==",` +
		`"revocation":"cmV2b2NhdGlvbg=="}`
	if got := held.shared().appendJSON(nil); string(got) != want {
		t.Errorf("%s", got)
	}
}
