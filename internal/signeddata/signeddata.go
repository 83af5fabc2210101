// Package signeddata reads the SignedData of CMS (RFC 5652, section 5), which detached signatures and timestamp tokens
// share, and checks the signature value of a signer. It trusts nobody: whose certificate it is, and whether it is
// valid, is for the caller to judge.
//
// Everything is strict DER, except that lengths may be indefinite or longer than needed, and the content in pieces, as
// programs write that stream (ITU-T X.690, 8.1.3 and 8.7.3). Every refusal is a [Problem], whose text is constant.
package signeddata

import (
	"bytes"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Problem says why something is refused; the values are fixed phrases.
type Problem string

// The problems.
const (
	Size        Problem = "too large"
	Encoding    Problem = "no DER, and no BER that differs from it in lengths alone"
	ContentInfo Problem = "no SignedData"
	Form        Problem = "malformed SignedData"
	Many        Problem = "more certificates, signers or attributes than are read"
	SignerForm  Problem = "malformed SignerInfo"
	Attributes  Problem = "malformed signed attributes"
	Certificate Problem = "the signer's certificate is absent or ambiguous"
	Algorithm   Problem = "an algorithm that is not accepted"
	ContentType Problem = "the signed attributes are about content of another type"
	Digest      Problem = "the signed attributes have another message digest"
	Bound       Problem = "the signed attributes name another certificate or other algorithms"
	Value       Problem = "the signature value does not verify"
)

// Error implements error.
func (p Problem) Error() string { return "signed data: " + string(p) }

// Object identifiers (RFC 5652, sections 4, 5 and 11).
var (
	OIDData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	OIDSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	OIDContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	OIDMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
)

// SignedData is RFC 5652, 5.1. Its parts alias the bytes that were read, or their rewritten form.
type SignedData struct {
	// ContentType is what was signed; Content its octets, nil when the signature is detached.
	ContentType asn1.ObjectIdentifier
	Content     []byte
	// Certificates are DER. Other forms of certificates, and revocation lists, are passed over.
	Certificates [][]byte
	Signers      []Signer
}

// Signer is a SignerInfo (RFC 5652, 5.3).
type Signer struct {
	// issuer and serial, or keyID, say whose certificate it is.
	issuer, serial, keyID []byte

	// Attributes is the DER of the signed attributes as SET OF, which is what the signature is over (RFC 5652, 5.4);
	// nil when there are none and the signature is over the content itself.
	Attributes []byte
	// Unsigned is the content of the unsigned attributes.
	Unsigned []byte
	// Value is the signature value.
	Value []byte

	digest, signature sigalg.Identifier
	attributes        []attribute
}

type attribute struct {
	id     asn1.ObjectIdentifier
	values cryptobyte.String // content of the SET OF
}

// Parse reads a ContentInfo with SignedData. Errors are a [Problem].
func Parse(raw []byte) (*SignedData, error) {
	if len(raw) > limits.SignedData {
		return nil, Size
	}
	definite, ok := Definite(raw)
	if !ok {
		return nil, Encoding
	}
	input := cryptobyte.String(definite)
	var info, explicit, content cryptobyte.String
	var id asn1.ObjectIdentifier
	if !input.ReadASN1(&info, cbasn1.SEQUENCE) || !input.Empty() || !info.ReadASN1ObjectIdentifier(&id) ||
		!id.Equal(OIDSignedData) || !info.ReadASN1(&explicit, der.Tag0C) || !info.Empty() ||
		!explicit.ReadASN1(&content, cbasn1.SEQUENCE) || !explicit.Empty() {
		return nil, ContentInfo
	}
	return read(content)
}

func read(s cryptobyte.String) (*SignedData, error) {
	var d SignedData
	var version int
	var algorithms, encap, certificates, signers cryptobyte.String
	var present bool
	// Version 1 and 3 to 5 (5.1); they say which forms follow, and each form is read by its own tag.
	if !s.ReadASN1Integer(&version) || version < 1 || version > 5 || !s.ReadASN1(&algorithms, cbasn1.SET) ||
		!s.ReadASN1(&encap, cbasn1.SEQUENCE) {
		return nil, Form
	}
	if err := d.readContent(encap); err != nil {
		return nil, err
	}
	if !s.ReadOptionalASN1(&certificates, &present, der.Tag0C) || !s.SkipOptionalASN1(der.Tag1C) ||
		!s.ReadASN1(&signers, cbasn1.SET) || !s.Empty() {
		return nil, Form
	}
	for !certificates.Empty() {
		var one cryptobyte.String
		var tag cbasn1.Tag
		if !certificates.ReadAnyASN1Element(&one, &tag) {
			return nil, Form
		}
		if tag == cbasn1.SEQUENCE {
			d.Certificates = append(d.Certificates, one)
		}
		if len(d.Certificates) > limits.SignedDataCertificates {
			return nil, Many
		}
	}
	for !signers.Empty() {
		var info cryptobyte.String
		if !signers.ReadASN1(&info, cbasn1.SEQUENCE) {
			return nil, Form
		}
		if len(d.Signers) == limits.SignedDataSigners {
			return nil, Many
		}
		var signer Signer
		if err := signer.read(info); err != nil {
			return nil, err
		}
		d.Signers = append(d.Signers, signer)
	}
	return &d, nil
}

// readContent reads EncapsulatedContentInfo (RFC 5652, 5.2).
func (d *SignedData) readContent(s cryptobyte.String) error {
	if !s.ReadASN1ObjectIdentifier(&d.ContentType) {
		return Form
	}
	if s.Empty() {
		return nil
	}
	var explicit cryptobyte.String
	if !s.ReadASN1(&explicit, der.Tag0C) || !s.Empty() {
		return Form
	}
	var ok bool
	if d.Content, ok = readOctets(&explicit); !ok || !explicit.Empty() {
		return Form
	}
	return nil
}

// readOctets reads an OCTET STRING, or one in pieces, as programs write it that stream: a constructed one of primitive
// ones (ITU-T X.690, 8.7.3). The result is not nil, also when it is empty.
func readOctets(s *cryptobyte.String) ([]byte, bool) {
	const constructed = 0x20
	var one, pieces cryptobyte.String
	if !s.PeekASN1Tag(cbasn1.OCTET_STRING | constructed) {
		ok := s.ReadASN1(&one, cbasn1.OCTET_STRING)
		return append([]byte{}, one...), ok
	}
	octets, ok := []byte{}, s.ReadASN1(&pieces, cbasn1.OCTET_STRING|constructed)
	for ok && !pieces.Empty() {
		ok = pieces.ReadASN1(&one, cbasn1.OCTET_STRING)
		octets = append(octets, one...)
	}
	return octets, ok
}

func (s *Signer) read(info cryptobyte.String) error {
	var version int
	if !info.ReadASN1Integer(&version) || !s.readIdentifier(version, &info) {
		return SignerForm
	}
	var ok bool
	if s.digest, ok = sigalg.Read(&info); !ok {
		return SignerForm
	}
	if info.PeekASN1Tag(der.Tag0C) {
		var element cryptobyte.String
		if !info.ReadASN1Element(&element, der.Tag0C) {
			return Attributes
		}
		if err := s.readAttributes(element); err != nil {
			return err
		}
	}
	if s.signature, ok = sigalg.Read(&info); !ok {
		return SignerForm
	}
	var value, unsigned cryptobyte.String
	var present bool
	if !info.ReadASN1(&value, cbasn1.OCTET_STRING) || !info.ReadOptionalASN1(&unsigned, &present, der.Tag1C) ||
		!info.Empty() {
		return SignerForm
	}
	s.Value, s.Unsigned = value, unsigned
	return nil
}

// readIdentifier reads SignerIdentifier: version 1 goes with issuer and serial number, 3 with a key identifier (5.3).
func (s *Signer) readIdentifier(version int, info *cryptobyte.String) bool {
	switch {
	case version == 1 && info.PeekASN1Tag(cbasn1.SEQUENCE):
		var pair, serial cryptobyte.String
		var ok bool
		if !info.ReadASN1(&pair, cbasn1.SEQUENCE) {
			return false
		}
		if s.issuer, ok = der.ReadName(&pair); !ok || !pair.ReadASN1(&serial, cbasn1.INTEGER) || !pair.Empty() {
			return false
		}
		s.serial = serial
		return len(serial) > 0 && len(serial) <= der.MaxSerial
	case version == 3:
		var id cryptobyte.String
		if !info.ReadASN1(&id, der.Tag0) || id.Empty() {
			return false
		}
		s.keyID = id
		return true
	}
	return false
}

// readAttributes reads SignedAttributes: each type once, each with a value (RFC 5652, 5.3 and 11).
func (s *Signer) readAttributes(element cryptobyte.String) error {
	s.Attributes = bytes.Clone(element)
	s.Attributes[0] = byte(cbasn1.SET)
	var ok bool
	s.attributes, ok = parseAttributes(s.Attributes)
	switch {
	case !ok:
		return Attributes
	case len(s.attributes) > limits.SignedDataAttributes:
		return Many
	}
	return nil
}

func parseAttributes(set cryptobyte.String) (list []attribute, ok bool) {
	var content cryptobyte.String
	if !set.ReadASN1(&content, cbasn1.SET) || !set.Empty() || content.Empty() {
		return nil, false
	}
	for !content.Empty() {
		var one cryptobyte.String
		var a attribute
		if !content.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&a.id) ||
			!one.ReadASN1(&a.values, cbasn1.SET) || !one.Empty() || a.values.Empty() {
			return nil, false
		}
		for _, before := range list {
			if before.id.Equal(a.id) {
				return nil, false
			}
		}
		if list = append(list, a); len(list) > limits.SignedDataAttributes {
			return list, true
		}
	}
	return list, true
}

// AreAttributes reports whether the bytes can be signed attributes with a message digest. A signature over a document
// of this form fits, without a change, another document whose digest stands there: whoever verifies signatures
// without signed attributes refuses such documents.
func AreAttributes(document []byte) bool {
	list, ok := parseAttributes(document)
	s := Signer{attributes: list}
	_, found := s.Attribute(OIDMessageDigest)
	return ok && found
}

// ReadAttributes reads signed attributes that were kept apart from their SignedData, in the form of
// [Signer.Attributes]. The signer knows nothing else. Errors are a [Problem].
func ReadAttributes(set []byte) (*Signer, error) {
	if len(set) > limits.SignedData {
		return nil, Size
	}
	if len(set) == 0 || set[0] != byte(cbasn1.SET) {
		return nil, Attributes
	}
	var s Signer
	if err := s.readAttributes(set); err != nil {
		return nil, err
	}
	return &s, nil
}

// Attribute returns the single value of a signed attribute, as an element; found is false when the attribute is
// absent or has several values.
func (s *Signer) Attribute(id asn1.ObjectIdentifier) (value cryptobyte.String, found bool) {
	for _, a := range s.attributes {
		if a.id.Equal(id) {
			values := a.values
			var tag cbasn1.Tag
			return value, values.ReadAnyASN1Element(&value, &tag) && values.Empty()
		}
	}
	return nil, false
}

// Has reports whether there is a signed attribute of the type.
func (s *Signer) Has(id asn1.ObjectIdentifier) bool {
	for _, a := range s.attributes {
		if a.id.Equal(id) {
			return true
		}
	}
	return false
}
