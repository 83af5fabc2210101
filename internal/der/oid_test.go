package der

import (
	"bytes"
	"encoding/asn1"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// TestCommonOIDs: what is not decoded is what would have been decoded.
func TestCommonOIDs(t *testing.T) {
	for content, id := range commonOIDs {
		encoded, err := asn1.Marshal(id)
		if err != nil || string(encoded[2:]) != content {
			t.Errorf("%v is % x", id, encoded)
		}
	}
}

// FuzzReadOID: it reads, refuses and leaves over what cryptobyte does.
func FuzzReadOID(f *testing.F) {
	for content := range commonOIDs {
		f.Add(append([]byte{6, byte(len(content))}, content+"rest"...))
	}
	f.Add([]byte{6, 0x81, 3, 0x55, 0x1d, 0x0e})
	f.Add([]byte{6, 4, 0x55, 0x1d, 0x80, 0x0e})
	f.Fuzz(func(t *testing.T, in []byte) {
		ours, theirs := cryptobyte.String(in), cryptobyte.String(in)
		var got, want asn1.ObjectIdentifier
		if ok := ReadOID(&ours, &got); ok != theirs.ReadASN1ObjectIdentifier(&want) || ok &&
			(!got.Equal(want) || !bytes.Equal(ours, theirs)) {
			t.Errorf("% x: %v, cryptobyte reads %v", in, got, want)
		}
	})
}
