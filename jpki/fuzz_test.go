package jpki

import (
	"bytes"
	"crypto/x509"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// The fuzz targets hold the strict parsers against crypto/x509: whatever they accept, it accepts too and reads the
// same.

func FuzzParseCertificate(f *testing.F) {
	a := signingAuthority(f, "ca")
	signing, auth := a.SigningSpec(1, 2, 3), a.AuthSpec(4)
	f.Add(signing.Sign(a.Key))
	f.Add(auth.Sign(a.Key))
	f.Add(a.Cert.Raw)
	f.Add([]byte{0x30, 0x80})
	v := newVerifier(f, revocation.InsecureNoRevocation(), a)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := ParseCertificate(der)
		if err != nil {
			if reasonOf(err) != ReasonMalformed || c != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		std, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatalf("crypto/x509 refuses it: %v", err)
		}
		if !c.ValidFrom().Equal(std.NotBefore) || !c.ValidUntil().Equal(std.NotAfter) ||
			len(c.Policies()) != len(std.PolicyIdentifiers) ||
			std.SerialNumber.Sign() <= 0 || len(c.read().form.Extensions) != len(std.Extensions) {
			t.Fatal("crypto/x509 reads something else")
		}
		for i, e := range std.Extensions {
			if !e.Id.Equal(c.read().form.Extensions[i].ID) || e.Critical != c.read().form.Extensions[i].Critical ||
				!bytes.Equal(e.Value, c.read().form.Extensions[i].Value) {
				t.Fatalf("extension %d differs", i)
			}
		}
		// Nobody but the authority can make a good certificate.
		if res, err := v.Verify(t.Context(), c); err == nil && std.CheckSignatureFrom(a.Cert) != nil {
			t.Fatalf("%v", res)
		}
	})
}
