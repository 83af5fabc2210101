package certpath

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/certfile"
	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// Certificate is a certificate read strictly into what path validation decides by. Nothing in it is trusted. It is
// immutable and safe for concurrent use. Printed, logged or encoded it says its fingerprint and nothing else, copies of
// it included: its subject may be a person. The zero value is refused wherever a certificate is asked for.
type Certificate struct{ *veil }

// veil keeps what was read behind two pointers: package fmt follows one where it can ask no method, never two.
type veil struct{ *certificate }

// certificate is what was read.
type certificate struct {
	raw, tbs, signature []byte
	algorithm           []byte // AlgorithmIdentifier as encoded
	version             int    // 1, 2 or 3
	serial              []byte // octets of the INTEGER
	issuer, subject     *names.Name
	notBefore, notAfter time.Time
	key                 PublicKey
	keyInfo             []byte                  // SubjectPublicKeyInfo
	keyID               [sha256.Size]byte       // and its hash
	asked               *revocation.Certificate // for the sources of revocation data
	fingerprint         [sha256.Size]byte
	extensions          []der.Extension

	basic struct {
		present, critical, ca bool
		pathLen               int // -1 when absent
	}
	usage struct {
		present bool
		bits    uint16 // bit 0 of RFC 5280, 4.2.1.3 is the highest
	}
	policies struct {
		present, critical, understood bool
		ids                           []string // contents of the OIDs
	}
	mappings          []mapping
	policyConstraints struct{ requireExplicit, inhibitMapping int } // -1 when absent
	inhibitAny        int                                           // -1 when absent
	constraints       *nameConstraints
	subjectNames      []names.General
	hasSubjectNames   bool
	subjectNamesCrit  bool
	subjectKeyID      []byte
	authorityKeyID    []byte
	points, freshest  []names.Point
	extKeyUsages      []asn1.ObjectIdentifier
	// unknownCritical is true when a critical extension is not one that this package processes.
	unknownCritical bool
}

// mapping is one pair of policyMappings (RFC 5280, 4.2.1.5).
type mapping struct{ issuer, subject string }

// Bits of keyUsage (RFC 5280, 4.2.1.3), the first one highest.
const (
	usageDigitalSignature = 1 << 15
	usageCertSign         = 1 << 10
	usageCRLSign          = 1 << 9
)

// ParseCertificate reads one DER certificate (RFC 5280, 4.1). Errors are [*Error] with [ReasonMalformed]. The bytes are
// copied.
func ParseCertificate(raw []byte) (*Certificate, error) {
	if len(raw) > limits.Certificate {
		return nil, malformed("size", "RFC 5280, 4.1")
	}
	c := veiled(&certificate{raw: bytes.Clone(raw), inhibitAny: -1})
	c.basic.pathLen, c.policyConstraints.requireExplicit, c.policyConstraints.inhibitMapping = -1, -1, -1
	if err := c.readFrame(); err != nil {
		var own *Error
		if errors.As(err, &own) && own.Step == "certificate.der" {
			own.Detail = certfile.NotDER(raw)
		}
		return nil, err
	}
	if err := c.readExtensions(); err != nil {
		return nil, err
	}
	// RFC 5280, 4.1.2.6: an authority has a name, and without a subject the names stand in a critical subjectAltName.
	if c.subject.Empty() && (c.basic.ca || !c.hasSubjectNames || !c.subjectNamesCrit) {
		return nil, malformed("subject", "RFC 5280, 4.1.2.6")
	}
	c.fingerprint = sha256.Sum256(c.raw)
	c.asked = revocation.Of(c.facts())
	return c, nil
}

func veiled(c *certificate) *Certificate { return &Certificate{&veil{c}} }

// empty reports whether there is no certificate.
func (c *Certificate) empty() bool { return c == nil || c.veil == nil }

// read returns what was read: nothing of the zero value.
func (c *Certificate) read() *certificate {
	if c.empty() {
		return &certificate{}
	}
	return c.certificate
}

// Raw returns a copy of the DER.
func (c *Certificate) Raw() []byte { return bytes.Clone(c.read().raw) }

// Fingerprint is the SHA-256 of the DER.
func (c *Certificate) Fingerprint() [sha256.Size]byte { return c.read().fingerprint }

// Validity returns the first and the last second of the validity period (RFC 5280, 4.1.2.5).
func (c *Certificate) Validity() (notBefore, notAfter time.Time) {
	return c.read().notBefore, c.read().notAfter
}

// begun and over compare a time with the validity period, which consists of whole seconds and includes both ends (RFC
// 5280, 4.1.2.5): the second of notAfter is over when it has passed.
func (c *Certificate) begun(at time.Time) bool { return !at.Before(c.notBefore) }

func (c *Certificate) over(at time.Time) bool { return at.Truncate(time.Second).After(c.notAfter) }

// Purposes returns the OIDs of extKeyUsage (RFC 5280, 4.2.1.12); nil when the extension is absent: any purpose. Whether
// a purpose fits is for the caller to judge, who knows what the certificate is used for.
func (c *Certificate) Purposes() []asn1.ObjectIdentifier { return slices.Clone(c.read().extKeyUsages) }

// String names the certificate by its fingerprint; subject and serial number may belong to a person.
func (c Certificate) String() string {
	fingerprint := c.read().fingerprint
	return "certificate " + hex.EncodeToString(fingerprint[:8])
}

// GoString is String.
func (c Certificate) GoString() string { return c.String() }

// Format writes String for every verb and flag: without it package fmt prints the fields for verbs that do not ask for
// a string.
func (c Certificate) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, c.String()) // a formatter cannot report an error
}

// LogValue implements slog.LogValuer by String.
func (c Certificate) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String, for encoders. It cannot be read back: store [Certificate.Raw].
func (c Certificate) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c *Certificate) extension(id asn1.ObjectIdentifier) *der.Extension {
	return der.Find(c.extensions, id)
}

// readFrame reads everything outside the extensions.
func (c *Certificate) readFrame() error {
	input := cryptobyte.String(c.raw)
	var cert, tbs cryptobyte.String
	if !input.ReadASN1(&cert, cbasn1.SEQUENCE) || !input.Empty() {
		return malformed("der", "RFC 5280, 4.1")
	}
	if !cert.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return malformed("der", "RFC 5280, 4.1.1.1")
	}
	c.tbs = tbs
	outer, ok := readAlgorithm(&cert)
	if !ok {
		return malformed("signature-algorithm", "RFC 5280, 4.1.1.2")
	}
	if c.signature, ok = der.ReadBits(&cert); !ok || !cert.Empty() {
		return malformed("signature", "RFC 5280, 4.1.1.3")
	}
	c.algorithm = outer
	return c.readBody(tbs)
}

// readBody reads TBSCertificate (RFC 5280, 4.1.2).
func (c *Certificate) readBody(element cryptobyte.String) error {
	var tbs cryptobyte.String
	if !element.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return malformed("der", "RFC 5280, 4.1.1.1")
	}
	if !c.readVersion(&tbs) {
		return malformed("version", "RFC 5280, 4.1.2.1")
	}
	var ok bool
	if c.serial, ok = readSerial(&tbs); !ok {
		return malformed("serial", "RFC 5280, 4.1.2.2")
	}
	inner, ok := readAlgorithm(&tbs)
	if !ok || !bytes.Equal(inner, c.algorithm) {
		return malformed("signature-algorithm", "RFC 5280, 4.1.1.2")
	}
	if c.issuer, ok = names.Read(&tbs); !ok || c.issuer.Empty() {
		return malformed("issuer", "RFC 5280, 4.1.2.4")
	}
	if c.notBefore, c.notAfter, ok = readValidity(&tbs); !ok {
		return malformed("validity", "RFC 5280, 4.1.2.5")
	}
	if c.subject, ok = names.Read(&tbs); !ok {
		return malformed("subject", "RFC 5280, 4.1.2.6")
	}
	var info cryptobyte.String
	if !tbs.ReadASN1Element(&info, cbasn1.SEQUENCE) || !c.key.read(info) {
		return malformed("public-key", "RFC 5280, 4.1.2.7")
	}
	c.keyInfo, c.keyID = info, sha256.Sum256(info)
	for _, tag := range [...]cbasn1.Tag{der.Tag1, der.Tag2} { // unique identifiers, which mean nothing here
		var present bool
		var id cryptobyte.String
		if !tbs.ReadOptionalASN1(&id, &present, tag) || present && (c.version == 1 || id.Empty()) {
			return malformed("unique-identifiers", "RFC 5280, 4.1.2.8")
		}
	}
	if tbs.Empty() {
		return nil
	}
	var explicit cryptobyte.String
	if c.version != 3 || !tbs.ReadASN1(&explicit, der.Tag3C) || !tbs.Empty() {
		return malformed("extensions", "RFC 5280, 4.1.2.9")
	}
	if c.extensions, ok = der.ReadExtensions(explicit); !ok || len(c.extensions) > limits.Extensions {
		return malformed("extensions", "RFC 5280, 4.2")
	}
	return nil
}

// readVersion reads "[0] EXPLICIT Version DEFAULT v1"; DER does not encode a default.
func (c *Certificate) readVersion(tbs *cryptobyte.String) bool {
	var explicit cryptobyte.String
	var present bool
	var version int
	if !tbs.ReadOptionalASN1(&explicit, &present, der.Tag0C) {
		return false
	}
	if !present {
		c.version = 1
		return true
	}
	ok := explicit.ReadASN1Integer(&version) && explicit.Empty() && (version == 1 || version == 2)
	c.version = version + 1
	return ok
}

// readSerial reads a minimal INTEGER of at most 20 octets. Its sign is judged by the validator: "Certificate users
// SHOULD be prepared to gracefully handle such certificates" (RFC 5280, 4.1.2.2, of negative and zero serial numbers).
func readSerial(s *cryptobyte.String) ([]byte, bool) {
	var octets []byte
	if !s.ReadASN1Bytes(&octets, cbasn1.INTEGER) || len(octets) == 0 || len(octets) > der.MaxSerial {
		return nil, false
	}
	if len(octets) > 1 && (octets[0] == 0 && octets[1]&0x80 == 0 || octets[0] == 0xff && octets[1]&0x80 != 0) {
		return nil, false
	}
	return octets, true
}

func readValidity(tbs *cryptobyte.String) (notBefore, notAfter time.Time, ok bool) {
	var validity cryptobyte.String
	if !tbs.ReadASN1(&validity, cbasn1.SEQUENCE) {
		return notBefore, notAfter, false
	}
	notBefore, okBefore := der.ReadTime(&validity)
	notAfter, okAfter := der.ReadTime(&validity)
	return notBefore, notAfter, okBefore && okAfter && validity.Empty() && !notAfter.Before(notBefore)
}

// readAlgorithm returns an AlgorithmIdentifier as encoded.
func readAlgorithm(s *cryptobyte.String) ([]byte, bool) {
	var raw, content, value cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
		return nil, false
	}
	rest := raw
	if !rest.ReadASN1(&content, cbasn1.SEQUENCE) || !content.SkipASN1(cbasn1.OBJECT_IDENTIFIER) {
		return nil, false
	}
	return raw, content.Empty() || content.ReadAnyASN1(&value, &tag) && content.Empty()
}

// read reads a SubjectPublicKeyInfo.
func (k *PublicKey) read(info cryptobyte.String) bool {
	whole := info
	var content, algorithm, parameters cryptobyte.String
	var tag cbasn1.Tag
	if !info.ReadASN1(&content, cbasn1.SEQUENCE) || !content.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&k.Algorithm) {
		return false
	}
	if !algorithm.Empty() {
		if !algorithm.ReadAnyASN1Element(&parameters, &tag) || !algorithm.Empty() {
			return false
		}
		k.Parameters = parameters
	}
	bits, ok := der.ReadBits(&content)
	if !ok || !content.Empty() {
		return false
	}
	k.Bits = bits
	// Keys of algorithms that crypto/x509 does not know stay nil and verify nothing by default.
	if key, err := x509.ParsePKIXPublicKey(whole); err == nil {
		k.Key = key
	}
	return true
}

// selfIssued reports whether subject and issuer are the same name (RFC 5280, 6.1).
func (c *Certificate) selfIssued() bool { return c.subject.Equal(c.issuer) }

// positiveSerial is what RFC 5280, 4.1.2.2 demands of authorities.
func (c *Certificate) positiveSerial() bool { return der.Positive(c.serial) }

// permits reports whether keyUsage permits the use; without the extension every use is permitted.
func (c *Certificate) permits(bit uint16) bool { return !c.usage.present || c.usage.bits&bit != 0 }
