package timestamp_test

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/signeddata"
)

// TestHonestAuthorities: what authorities write that follow RFC 3161 each in its own way, and what they do not write
// but may.
func TestHonestAuthorities(t *testing.T) {
	t.Parallel()
	s := elliptics()
	before := func(f func(*parts)) stamp { return stamp{before: f} }
	issued := func(f func(*parts)) stamp { return stamp{issued: f} }
	after := func(f func(*parts)) stamp { return stamp{after: f} }
	certificate := func(f func(*x509.Certificate)) stamp { return before(func(p *parts) { f(p.template) }) }
	at := func(text string) stamp { return before(func(p *parts) { p.time = genTime(text) }) }
	accuracy := func(fields ...[]byte) stamp {
		return before(func(p *parts) { p.accuracy = element(0x30, fields...) })
	}
	bound := func(f func(raw []byte) [][]byte) stamp {
		return issued(func(p *parts) { p.attributes = append(p.attributes[:2], f(p.raw)...) })
	}
	more := func(attributes ...[]byte) stamp {
		return issued(func(p *parts) { p.attributes = append(p.attributes, attributes...) })
	}
	extension := func(list ...pkix.Extension) stamp {
		return before(func(p *parts) { p.extensions = append([]byte{0xa1}, encoded(list)[1:]...) })
	}
	v1 := func(raw []byte) []byte {
		sum := sha1.Sum(raw)
		return ess(signeddata.OIDSigningCertificate, element(0x30, encoded(sum[:])))
	}
	v2 := func(raw []byte, behind ...[]byte) []byte {
		sum := sha256.Sum256(raw)
		return ess(signeddata.OIDSigningCertificateV2, element(0x30, append([][]byte{encoded(sum[:])}, behind...)...))
	}
	for name, c := range map[string]stamp{
		"as it is":                   {},
		"granted with modifications": before(func(p *parts) { p.status = element(0x30, encoded(1)) }),
		"with words of the authority": before(func(p *parts) {
			p.status = element(0x30, encoded(0), element(0x30, element(0x0c, []byte("Operation Okay"))))
		}),
		"tenths of a second":        at("20261121025959.5Z"),
		"nanoseconds":               at("20261121025959.123456789Z"),
		"four minutes ahead":        at("20261121030400Z"),
		"hundredths of a second":    at("20261121025959.05Z"),
		"accuracy of zero":          accuracy(encoded(0), element(0x80, []byte{0}), element(0x81, []byte{0})),
		"as inaccurate as may be":   accuracy(encoded(60)),
		"accuracy of nothing":       accuracy(),
		"accuracy in full":          accuracy(encoded(1), element(0x80, []byte{1}), element(0x81, []byte{9})),
		"accuracy of a microsecond": accuracy(element(0x81, []byte{1})),
		"ordered":                   before(func(p *parts) { p.ordering = encoded(true) }),
		"not ordered, said so":      before(func(p *parts) { p.ordering = encoded(false) }),
		"with its name": before(func(p *parts) {
			p.name = element(0xa0, element(0xa4, s.root.RawSubject))
		}),
		"a serial number of 160 bits": before(func(p *parts) {
			p.serial = encoded(new(big.Int).Lsh(big.NewInt(1), 159))
		}),
		"qualified (ETSI EN 319 422, 9)": extension(pkix.Extension{Id: oidQualified, Value: element(0x30)}),
		"the hash with NULL": before(func(p *parts) {
			digest := sha256.Sum256(message)
			p.imprint = element(0x30, identifier(signeddata.OIDOf(crypto.SHA256), asn1.NullBytes), encoded(digest[:]))
		}),
		"the certificate by SHA-1": bound(func(raw []byte) [][]byte { return [][]byte{v1(raw)} }),
		"by SHA-1 and SHA-256":     bound(func(raw []byte) [][]byte { return [][]byte{v1(raw), v2(raw)} }),
		"by SHA-256, said so": bound(func(raw []byte) [][]byte {
			sum := sha256.Sum256(raw)
			return [][]byte{ess(signeddata.OIDSigningCertificateV2, element(0x30,
				identifier(signeddata.OIDOf(crypto.SHA256)), encoded(sum[:])))}
		}),
		"by SHA-512": bound(func(raw []byte) [][]byte {
			sum := sha512.Sum512(raw)
			return [][]byte{ess(signeddata.OIDSigningCertificateV2, element(0x30,
				identifier(signeddata.OIDOf(crypto.SHA512)), encoded(sum[:])))}
		}),
		"with issuer and number": bound(func(raw []byte) [][]byte {
			return [][]byte{v2(raw, element(0x30, element(0x30, element(0xa4, s.root.RawSubject)), encoded(3161)))}
		}),
		"with the authority above it": bound(func(raw []byte) [][]byte {
			sum, root := sha256.Sum256(raw), sha256.Sum256(s.root.Raw)
			return [][]byte{ess(signeddata.OIDSigningCertificateV2, element(0x30, encoded(sum[:])), element(0x30,
				encoded(root[:])))}
		}),
		"signing time": more(signeddata.Attribute(oidSigning, element(0x17,
			[]byte("261121030001Z")))),
		"algorithms protected": more(signeddata.Attribute(oidProtection, element(0x30,
			identifier(signeddata.OIDOf(crypto.SHA256)), append([]byte{0xa1}, identifier(oidECDSA256)[1:]...)))),
		"attributes in no order, signed in DER's": after(func(p *parts) {
			slices.Reverse(p.attributes)
			p.sent = element(0xa0, p.attributes...)
		}),
		"attributes in no order, signed so": issued(func(p *parts) {
			p.signed = signeddata.Set(p.attributes...)
			if slices.Reverse(p.attributes); bytes.Equal(p.signed, element(0x31, p.attributes...)) {
				t.Error("they are in order")
			}
			p.signed = element(0x31, p.attributes...)
		}),
		"the root, too":         after(func(p *parts) { p.more = element(0xa0, s.root.Raw, p.raw) }),
		"its certificate twice": after(func(p *parts) { p.more = element(0xa0, p.raw, s.root.Raw, p.raw) }),
		"certificates of other forms": after(func(p *parts) {
			p.more = element(0xa0, element(0xa1, element(0x30)), p.raw, element(0xa3, encoded(oidOther), element(0x30)))
		}),
		"a list of revoked certificates": after(func(p *parts) { p.lists = element(0xa1, element(0x30)) }),
		"attributes that are not signed": after(func(p *parts) {
			p.unsigned = element(0xa1, signeddata.Attribute(oidOther, element(0x30)))
		}),
		"the signer by its key": after(func(p *parts) {
			p.signerVersion, p.signer = 3, element(0x80, []byte{1, 2, 3})
		}),
		"no list of hashes": after(func(p *parts) { p.hashes = element(0x31) }),
		"version 1 of CMS":  after(func(p *parts) { p.dataVersion = 1 }),
		"the content in pieces": after(func(p *parts) {
			p.content = element(0xa0, element(0x24, encoded(p.info[:9]), encoded(p.info[9:])))
		}),
		"the content in pieces, streamed": after(func(p *parts) {
			p.content = slices.Concat([]byte{0xa0, 0x80, 0x24, 0x80}, encoded(p.info), make([]byte, 4))
		}),
		"the signature's hash with NULL": after(func(p *parts) {
			p.hash = identifier(signeddata.OIDOf(crypto.SHA256), asn1.NullBytes)
		}),
		"non-repudiation": certificate(func(c *x509.Certificate) {
			c.KeyUsage = x509.KeyUsageContentCommitment
		}),
		"both usages": certificate(func(c *x509.Certificate) {
			c.KeyUsage |= x509.KeyUsageContentCommitment
		}),
		"no usage":              certificate(func(c *x509.Certificate) { c.KeyUsage = 0 }),
		"no authority, said so": certificate(func(c *x509.Certificate) { c.BasicConstraintsValid = true }),
		"a policy in its certificate": certificate(func(c *x509.Certificate) {
			c.PolicyIdentifiers = []asn1.ObjectIdentifier{oidOther}
		}),
		"a time for the key (RFC 3280, 4.2.1.4)": certificate(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 16},
				Value: element(0x30, element(0x80, []byte("20260101000000Z")))})
		}),
		"certified in this very second": certificate(func(c *x509.Certificate) { c.NotBefore = now }),
		"in its last second":            certificate(func(c *x509.Certificate) { c.NotAfter = now }),
	} {
		got, err := s.judge(t, s.respond(c), nil)
		if err != nil || got.Time.Before(now.Add(-time.Second)) || len(got.Steps) != 15 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
