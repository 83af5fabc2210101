package evidence_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/sign/evidence"
)

// A record has one spelling of every member and value. encoding/json alone would take others for the same, and a reader
// of another language would see something else under the same hash.
func TestParseAcceptsOneSpelling(t *testing.T) {
	t.Parallel()
	rec := record(t, evidence.Basis("犯収法"), evidence.WithCertificate())
	whole, err := rec.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	signature := `"` + base64.StdEncoding.EncodeToString(rec.Held.Reveal().Signature) + `"`
	last := strings.LastIndexByte(signature, '=')
	for name, change := range map[string][2]string{
		"member in upper case":       {`"revocation":`, `"REVOCATION":`},
		"inner member in mixed case": {`"status":`, `"Status":`},
		"member with a Kelvin sign":  {`"kind":`, "\"\u212aind\":"},
		"held member in upper case":  {`"signature": "`, `"SIGNATURE": "`},
		"null for an absent member":  {`"version": 1,`, `"version": 1, "previous": null,`},
		"empty for an absent member": {`"version": 1,`, `"version": 1, "transaction_id": "",`},
		"time with an offset":        {`00Z"`, `00+00:00"`},
		"time with a fraction":       {`00Z"`, `00.0Z"`},
		"line break in base64":       {signature, signature[:9] + `\n` + signature[9:]},
		"stray bits in base64": {signature, signature[:last-2] + string(signature[last-2]+1) +
			signature[last-1:]},
		"null for held": {`"held": {`, `"held": null, "x": {`},
	} {
		if strings.Count(string(whole), change[0]) == 0 {
			t.Fatalf("%s: nothing to change", name)
		}
		changed := strings.Replace(string(whole), change[0], change[1], 1)
		if _, err := evidence.Parse([]byte(changed)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := evidence.Parse(whole); err != nil {
		t.Error(err)
	}
	// White space and the order of members are free (RFC 8259, section 2; RFC 8785 hashes neither).
	if _, err := evidence.Parse(bytes.ReplaceAll(whole, []byte("\n"), []byte("\r\n\t"))); err != nil {
		t.Error(err)
	}
}
