package form_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/internal/form"
)

// certificate is the frame of RFC 5280, 4.1, each part as it stands.
type certificate struct {
	TBS                  tbs
	Algorithm, Signature asn1.RawValue
}

type tbs struct {
	Version, Serial, Algorithm, Issuer, Validity, Subject, Key, Extensions asn1.RawValue
}

func whole(t testing.TB) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	var c certificate
	if rest, err := asn1.Unmarshal(raw, &c); err != nil || len(rest) > 0 {
		t.Fatal(err, rest)
	}
	return c
}

// TestRead: each part of the frame that is not what it must be is named with its clause; the text has nothing of the
// certificate's.
func TestRead(t *testing.T) {
	t.Parallel()
	null := asn1.RawValue{FullBytes: []byte{5, 0}}
	for step, c := range map[string]struct {
		change func(*certificate)
		clause string
	}{
		"":                    {func(*certificate) {}, ""},
		"version":             {func(c *certificate) { c.TBS.Version = null }, "4.1.2.1"},
		"serial":              {func(c *certificate) { c.TBS.Serial = null }, "4.1.2.2"},
		"signature-algorithm": {func(c *certificate) { c.Algorithm = null }, "4.1.1.2"},
		"signature":           {func(c *certificate) { c.Signature = null }, "4.1.1.3"},
		"issuer":              {func(c *certificate) { c.TBS.Issuer = null }, "4.1.2.4"},
		"validity":            {func(c *certificate) { c.TBS.Validity = null }, "4.1.2.5"},
		"subject":             {func(c *certificate) { c.TBS.Subject = null }, "4.1.2.6"},
		"public-key":          {func(c *certificate) { c.TBS.Key = null }, "4.1.2.7"},
		"extensions":          {func(c *certificate) { c.TBS.Extensions = null }, "4.1.2.9"},
	} {
		made := whole(t)
		c.change(&made)
		raw, err := asn1.Marshal(made)
		if err != nil {
			t.Fatal(err)
		}
		got, err := form.Read(raw)
		if step == "" {
			if err != nil || got.X509().Subject.CommonName != "test" {
				t.Errorf("what is right: %v", err)
			}
			continue
		}
		m, ok := errors.AsType[*form.Malformed](err)
		if !ok || m.Step != "certificate."+step || m.Clause != "RFC 5280, "+c.clause {
			t.Errorf("%s: %v", step, err)
			continue
		}
		text := m.Error()
		if text != "certificate."+step+" (RFC 5280, "+c.clause+")" || strings.Contains(text, "test") {
			t.Errorf("%s: %q", step, text)
		}
	}
}

// TestDirectoryNames: of general names only those of directories are taken; that there are others is said.
func TestDirectoryNames(t *testing.T) {
	t.Parallel()
	directory, url := []byte{0xa4, 2, 0x30, 0}, []byte{0x86, 1, 'x'}
	if names, foreign := form.DirectoryNames([][]byte{directory}); len(names) != 1 || foreign {
		t.Errorf("%x, %v", names, foreign)
	}
	if names, foreign := form.DirectoryNames([][]byte{url, directory}); len(names) != 1 || !foreign {
		t.Errorf("%x, %v", names, foreign)
	}
}
