package jpki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/certfile"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/jpki/internal/form"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// Certificate is a certificate of a person as [ParseCertificate] read it. Nothing in it is trusted before
// [Verifier.Verify] said so. It is immutable: what its methods return are copies. It is safe for concurrent use, and
// holds personal data: printing, logging or marshalling it shows nothing of them.
type Certificate struct {
	redacted
	parsed redact.Value[*parsedCertificate]
}

type redacted = redact.Mark

// parsedCertificate is what a Certificate holds.
type parsedCertificate struct {
	form       *form.Certificate
	asked      *revocation.Certificate // for the sources of revocation data
	kind       Kind
	test       bool
	person     fourinfo.Person
	problems   []fourinfo.Problem
	otherNames []form.OtherName
}

// ParseCertificate parses one DER certificate (X.509 v3) of at most 16 KiB, without trailing bytes. It validates form
// only, not trust: a certificate that matches no profile passes and has UnknownKind. Errors are [*Error] with
// [ReasonMalformed]. The input is copied.
func ParseCertificate(der []byte) (*Certificate, error) {
	f, err := form.Read(der)
	if err != nil {
		e := malformedForm(err)
		if e.Step == "certificate.der" {
			e.Detail = certfile.NotDER(der)
		}
		return nil, e
	}
	p := &parsedCertificate{form: f, asked: revocation.Of(f.Facts())}
	fields, found, rest, err := readPerson(f.OtherNames)
	if err != nil {
		return nil, err
	}
	p.otherNames = rest
	if found {
		p.person, p.problems = fourinfo.FromCertificate(fields)
	}
	if row := profileOf(f.Policies, f.Key); row != nil && f.KeyUsage == row.keyUsage {
		p.kind, p.test = row.kind, row.test
	}
	return &Certificate{parsed: redact.Seal(p)}, nil
}

// read returns what was parsed; nothing for a Certificate that was not.
func (c *Certificate) read() *parsedCertificate {
	if c != nil && !c.parsed.Empty() {
		return c.parsed.Reveal()
	}
	return &parsedCertificate{form: &form.Certificate{}}
}

// Raw returns the DER.
func (c *Certificate) Raw() []byte { return bytes.Clone(c.read().form.Raw) }

// X509 returns what crypto/x509 makes of the DER, anew at each call; nil for a Certificate that was not parsed. It does
// not redact itself.
func (c *Certificate) X509() *x509.Certificate {
	parsed, err := x509.ParseCertificate(c.Raw())
	if err != nil {
		return nil
	}
	return parsed
}

// PublicKey returns the holder's key, an *rsa.PublicKey or *ecdsa.PublicKey for every known kind.
func (c *Certificate) PublicKey() crypto.PublicKey {
	switch key := c.read().form.Key.(type) {
	case *rsa.PublicKey:
		return &rsa.PublicKey{N: new(big.Int).Set(key.N), E: key.E}
	case *ecdsa.PublicKey:
		copied := *key // its coordinates are deprecated and must not be changed
		return &copied
	default:
		return key
	}
}

// Kind is what the certificate claims to be for, by its policy and key usage; UnknownKind when no profile matches.
func (c *Certificate) Kind() Kind { return c.read().kind }

// IsTest reports whether the policy is one of test hierarchies; false when the kind is unknown.
func (c *Certificate) IsTest() bool { return c.read().test }

// Policies returns the certificate policies, in order.
func (c *Certificate) Policies() []asn1.ObjectIdentifier {
	out := slices.Clone(c.read().form.Policies)
	for i := range out {
		out[i] = slices.Clone(out[i])
	}
	return out
}

// Person returns the four attributes of a certificate that carries them, which only signing certificates do.
func (c *Certificate) Person() fourinfo.Person { return c.read().person }

// PersonProblems returns attributes that were present but could not be read, and warnings. They hold no values.
func (c *Certificate) PersonProblems() []fourinfo.Problem { return slices.Clone(c.read().problems) }

// DistributionPoints returns the DER of each directoryName of cRLDistributionPoints: where its municipality's list is.
func (c *Certificate) DistributionPoints() [][]byte {
	var out [][]byte
	for _, name := range c.read().form.Points.Directory {
		out = append(out, bytes.Clone(name))
	}
	return out
}

// OtherNames returns the otherNames beyond those of the four attributes.
func (c *Certificate) OtherNames() []OtherName {
	var out []OtherName
	for _, n := range c.read().otherNames {
		out = append(out, OtherName{name: redact.Seal(n)})
	}
	return out
}

// ValidFrom returns the first moment of the validity period; the zero time for a Certificate that was not parsed.
func (c *Certificate) ValidFrom() time.Time { return c.read().form.NotBefore }

// ValidUntil returns the last moment of the validity period, at which the certificate is still valid (RFC 5280,
// 4.1.2.5); the zero time for a Certificate that was not parsed.
func (c *Certificate) ValidUntil() time.Time { return c.read().form.NotAfter }

// readPerson separates the six otherNames of the four attributes, which may come in any order, from the rest. Each may
// appear once and must be a UTF8String; anything else is not a JPKI certificate.
func readPerson(
	names []form.OtherName,
) (fields fourinfo.CertificateFields, found bool, rest []form.OtherName, err error) {
	slots := [...]**string{
		&fields.Name,
		&fields.NameSubstitutes,
		&fields.Gender,
		&fields.Birthdate,
		&fields.Address,
		&fields.AddressSubstitutes,
	}
	for i := range names {
		field := form.PersonalField(names[i].OID)
		if field == 0 {
			rest = append(rest, names[i])
			continue
		}
		value := cryptobyte.String(names[i].Raw)
		var text cryptobyte.String
		slot := slots[field-1]
		if *slot != nil || !value.ReadASN1(&text, cbasn1.UTF8String) || !value.Empty() ||
			len(text) > limits.Attribute || !utf8.Valid(text) {
			return fields, false, nil, malformed("other-name", "JPKI certificate profile, subjectAltName")
		}
		s := string(text)
		*slot, found = &s, true
	}
	return fields, found, rest, nil
}

// OtherName is a subjectAltName otherName that is not one of the six of the four attributes and is kept as it came,
// because more of them are expected (the phonetic name, for one). It is personal data and redacts itself.
type OtherName struct {
	redacted
	name redact.Value[form.OtherName]
}

// OID returns the type of the name.
func (n OtherName) OID() asn1.ObjectIdentifier { return slices.Clone(n.name.Reveal().OID) }

// Raw returns the DER of the value, without the [0] around it.
func (n OtherName) Raw() []byte { return bytes.Clone(n.name.Reveal().Raw) }
