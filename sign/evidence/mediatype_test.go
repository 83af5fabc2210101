package evidence_test

import (
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestMediaTypeDecidesNothing: a signature that was verified is recorded whatever its document is called. What must not
// stand in a record is left out: the parameters first, and the type if it is that.
func TestMediaTypeDecidesNothing(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"application/pdf":                              "application/pdf",
		"text/plain; charset=utf-8":                    "text/plain; charset=utf-8",
		`text/plain; v="文書"`:                           `text/plain; v="文書"`,
		"multipart/mixed; boundary=701234000010":       "multipart/mixed",
		`Application/Octet-Stream; x="7012 3400 0010"`: "application/octet-stream",
		"text/plain;\tcharset=utf-8":                   "text/plain",
		"text/plain; note=\"a\tb\"":                    "text/plain",
		"application/701234000010":                     "",
		"a\x00b":                                       "",
		"":                                             "",
	} {
		r := *verified()
		r.MediaType = given
		rec, err := evidence.FromReport(&r, now)
		if err != nil || rec.Document.MediaType != want {
			t.Errorf("%q: %+v, %v", given, rec, err)
		}
	}
}
