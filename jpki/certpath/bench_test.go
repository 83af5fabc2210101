package certpath

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// benchChain is a root, an authority and a certificate with RSA-2048 keys, and the lists of the two authorities.
type benchChain struct {
	certificates []*Certificate
	standard     []*x509.Certificate
	lists        *revocation.Lists
	key          *rsa.PublicKey // of the authority
}

func newBenchChain(b *testing.B) benchChain {
	b.Helper()
	var out benchChain
	var issuer *x509.Certificate
	var issuerKey *rsa.PrivateKey
	var lists []*crl.Unverified
	for i, name := range []string{"Root", "Authority", "Holder"} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: noon().Add(-day),
			NotAfter:              noon().Add(day),
			BasicConstraintsValid: true, IsCA: i < 2, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
		if i == 0 {
			issuer, issuerKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
		if err != nil {
			b.Fatal(err)
		}
		if issuer, err = x509.ParseCertificate(der); err != nil {
			b.Fatal(err)
		}
		issuerKey = key
		out.standard = append(out.standard, issuer)
		out.certificates = append(out.certificates, mustParse(b, der))
		if i < 2 {
			out.key = &key.PublicKey
			template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: noon().Add(-time.Hour),
				NextUpdate: noon().Add(time.Hour)}
			encoded, err := x509.CreateRevocationList(rand.Reader, template, issuer, key)
			if err != nil {
				b.Fatal(err)
			}
			list, err := crl.Parse(encoded, crl.Options{})
			if err != nil {
				b.Fatal(err)
			}
			lists = append(lists, list)
		}
	}
	var err error
	if out.lists, err = revocation.NewLists(lists...); err != nil {
		b.Fatal(err)
	}
	return out
}

// bare verifies one RSA-2048 signature.
func (c *benchChain) bare(b *testing.B) func() {
	b.Helper()
	leaf := c.standard[2]
	digest := sha256.Sum256(leaf.RawTBSCertificate)
	return func() {
		if err := rsa.VerifyPKCS1v15(c.key, crypto.SHA256, digest[:], leaf.Signature); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValidate is a path of two certificates beside crypto/x509, as a multiple of one bare RSA-2048 verification;
// both verify two signatures, and with lists ours verifies four.
func BenchmarkValidate(b *testing.B) {
	chain := newBenchChain(b)
	for name, policy := range map[string]revocation.Policy{
		"path": revocation.InsecureNoRevocation(), "path-and-lists": revocation.Require(chain.lists),
	} {
		b.Run(name, func(b *testing.B) {
			v, err := NewVerifier(VerifierConfig{
				Anchors: chain.certificates[:1], Pool: chain.certificates[1:2], Revocation: policy, Now: noon,
			})
			if err != nil {
				b.Fatal(err)
			}
			tests.InTurns(b, "x-bare", chain.bare(b), func() {
				if _, err := v.Verify(context.Background(), chain.certificates[2]); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
	b.Run("crypto-x509", func(b *testing.B) {
		o := x509.VerifyOptions{
			Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: noon(),
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		}
		o.Roots.AddCert(chain.standard[0])
		o.Intermediates.AddCert(chain.standard[1])
		tests.InTurns(b, "x-bare", chain.bare(b), func() {
			if _, err := chain.standard[2].Verify(o); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// BenchmarkParse reads one certificate, beside crypto/x509.
func BenchmarkParse(b *testing.B) {
	chain := newBenchChain(b)
	raw := chain.certificates[2].raw
	tests.InTurns(b, "x-crypto/x509", func() {
		if _, err := x509.ParseCertificate(raw); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := ParseCertificate(raw); err != nil {
			b.Fatal(err)
		}
	})
}
