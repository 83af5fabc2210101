package signeddata

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/sha1" //nolint:gosec // ESSCertID is defined with it: it names a certificate inside what is signed
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

// Object identifiers of signed attributes that bind a certificate or the algorithms (RFC 5035, RFC 6211).
var (
	OIDSigningCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	OIDSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidAlgorithmProtection  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}
	oidRSA                  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidSubjectKeyID         = asn1.ObjectIdentifier{2, 5, 29, 14}
)

// Certificate returns the DER of the signer's certificate: the one among the given and those of the SignedData that
// the signer names. Errors are a [Problem].
func (d *SignedData) Certificate(s *Signer, more ...[]byte) ([]byte, error) {
	var found []byte
	for _, raw := range append(append([][]byte(nil), more...), d.Certificates...) {
		if !s.names(raw) || bytes.Equal(raw, found) {
			continue
		}
		if found != nil {
			return nil, Certificate
		}
		found = raw
	}
	if found == nil {
		return nil, Certificate
	}
	return found, nil
}

// names reports whether a certificate is the one that the signer names.
func (s *Signer) names(raw []byte) bool {
	tbs, issuer, serial, ok := identify(raw)
	if !ok {
		return false
	}
	if s.keyID == nil {
		return bytes.Equal(issuer, s.issuer) && bytes.Equal(serial, s.serial)
	}
	var skipped, explicit cryptobyte.String
	var present bool
	for range 3 { // validity, subject, subjectPublicKeyInfo
		ok = ok && tbs.SkipASN1(cbasn1.SEQUENCE)
	}
	if !ok || !tbs.ReadOptionalASN1(&skipped, &present, der.Tag1) ||
		!tbs.ReadOptionalASN1(&skipped, &present, der.Tag2) || !tbs.ReadASN1(&explicit, der.Tag3C) {
		return false
	}
	list, ok := der.ReadExtensions(explicit)
	e := der.Find(list, oidSubjectKeyID)
	var id cryptobyte.String
	return ok && e != nil && e.Value.ReadASN1(&id, cbasn1.OCTET_STRING) && bytes.Equal(id, s.keyID)
}

// Hash is the digest algorithm of the signer: SHA-256, SHA-384 or SHA-512. Errors are [Algorithm].
func (s *Signer) Hash() (crypto.Hash, error) { return HashOf(s.digest) }

// HashOf is the hash that an AlgorithmIdentifier names (RFC 5754, section 2). Errors are [Algorithm].
func HashOf(id sigalg.Identifier) (crypto.Hash, error) {
	for hash, known := range hashes {
		if id.ID.Equal(known) && id.Plain() {
			return hash, nil
		}
	}
	return 0, Algorithm
}

// OIDOf is the object identifier of SHA-256, SHA-384 or SHA-512; nil for others.
func OIDOf(hash crypto.Hash) asn1.ObjectIdentifier { return hashes[hash] }

var hashes = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
	crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2},
	crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
}

// Sum hashes data; nil for a hash that is not accepted.
func Sum(hash crypto.Hash, data []byte) []byte {
	switch hash { //nolint:exhaustive // no others are accepted
	case crypto.SHA256:
		sum := sha256.Sum256(data)
		return sum[:]
	case crypto.SHA384:
		sum := sha512.Sum384(data)
		return sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512(data)
		return sum[:]
	}
	return nil
}

// Algorithm is the signature algorithm: RSASSA-PKCS1-v1_5 or ECDSA with the signer's digest algorithm (RFC 5754,
// section 3). A name of the key alone (rsaEncryption) takes the hash from the digest algorithm. Errors are [Algorithm].
func (s *Signer) Algorithm() (*sigalg.Algorithm, error) {
	hash, err := s.Hash()
	if err != nil {
		return nil, err
	}
	a := s.signature.Allowed()
	if s.signature.ID.Equal(oidRSA) && s.signature.Plain() {
		a = sigalg.RSA(hash)
	}
	if a == nil || a.Hash != hash {
		return nil, Algorithm
	}
	return a, nil
}

// CheckContentType checks the attribute with the type of the content, once (RFC 5652, 11.1). Errors are [ContentType].
func (s *Signer) CheckContentType(contentType asn1.ObjectIdentifier) error {
	value, found := s.Attribute(OIDContentType)
	var id asn1.ObjectIdentifier
	if !found || !value.ReadASN1ObjectIdentifier(&id) || !value.Empty() || !id.Equal(contentType) {
		return ContentType
	}
	return nil
}

// CheckAlgorithms checks the attribute that protects the names of the algorithms, where it is present (RFC 6211).
// Errors are [Bound].
func (s *Signer) CheckAlgorithms() error {
	if s.Has(oidAlgorithmProtection) && !s.protected() {
		return Bound
	}
	return nil
}

// CheckDigest checks the message digest, once (RFC 5652, 11.2): that of the content under [Signer.Hash], computed by
// the caller. Errors are [Digest].
func (s *Signer) CheckDigest(digest []byte) error {
	value, found := s.Attribute(OIDMessageDigest)
	var signed cryptobyte.String
	if !found || !value.ReadASN1(&signed, cbasn1.OCTET_STRING) || !value.Empty() || !bytes.Equal(signed, digest) {
		return Digest
	}
	return nil
}

// protected reads CMSAlgorithmProtection (RFC 6211, section 2): the algorithms are those of the SignerInfo.
func (s *Signer) protected() bool {
	value, found := s.Attribute(oidAlgorithmProtection)
	var content, signature, wrapped cryptobyte.String
	if !found || !value.ReadASN1(&content, cbasn1.SEQUENCE) || !value.Empty() {
		return false
	}
	digest, ok := sigalg.Read(&content)
	if !ok || !digest.ID.Equal(s.digest.ID) || !content.ReadASN1(&signature, der.Tag1C) || !content.Empty() {
		return false
	}
	wrapped = cryptobyte.String(wrap(cbasn1.SEQUENCE, signature)) // [1] IMPLICIT AlgorithmIdentifier
	id, ok := sigalg.Read(&wrapped)
	return ok && id.ID.Equal(s.signature.ID)
}

func wrap(tag cbasn1.Tag, content []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	return b.BytesOrPanic()
}

// CheckCertificate checks the attributes signingCertificate and signingCertificateV2 (RFC 5035, sections 3 and 5.4):
// the first entry of each that is there names the certificate by its hash and, where it has one, by issuer and serial
// number. One of them must be there if it is required. Errors are [Bound].
func (s *Signer) CheckCertificate(certificate []byte, required bool) error {
	found := !required
	for id, version := range map[*asn1.ObjectIdentifier]int{&OIDSigningCertificate: 1, &OIDSigningCertificateV2: 2} {
		if !s.Has(*id) {
			continue
		}
		value, ok := s.Attribute(*id)
		if !ok || !s.essNames(value, version, certificate) {
			return Bound
		}
		found = true
	}
	if !found {
		return Bound
	}
	return nil
}

func (s *Signer) essNames(value cryptobyte.String, version int, certificate []byte) bool {
	var content, list, first, hash cryptobyte.String
	if !value.ReadASN1(&content, cbasn1.SEQUENCE) || !value.Empty() || !content.ReadASN1(&list, cbasn1.SEQUENCE) ||
		!list.ReadASN1(&first, cbasn1.SEQUENCE) {
		return false
	}
	var sum []byte
	switch {
	case version == 2 && first.PeekASN1Tag(cbasn1.SEQUENCE):
		id, ok := sigalg.Read(&first)
		algorithm, err := HashOf(id)
		if !ok || err != nil {
			return false
		}
		sum = Sum(algorithm, certificate)
	case version == 2:
		sum = Sum(crypto.SHA256, certificate) // DEFAULT
	case !fips140.Enforced():
		old := sha1.Sum(certificate) //nolint:gosec // see above
		sum = old[:]
	}
	if !first.ReadASN1(&hash, cbasn1.OCTET_STRING) || sum == nil || !bytes.Equal(hash, sum) {
		return false
	}
	if first.Empty() {
		return true
	}
	// IssuerSerial: GeneralNames with one directoryName, and the serial number.
	var pair, general, directory, serial cryptobyte.String
	if !first.ReadASN1(&pair, cbasn1.SEQUENCE) || !first.Empty() || !pair.ReadASN1(&general, cbasn1.SEQUENCE) ||
		!general.ReadASN1(&directory, der.Tag4C) || !general.Empty() || !pair.ReadASN1(&serial, cbasn1.INTEGER) ||
		!pair.Empty() {
		return false
	}
	issuer, ok := der.ReadName(&directory)
	named := Signer{issuer: issuer, serial: serial}
	return ok && directory.Empty() && named.names(certificate)
}

// CheckValue checks the signature value with the certificate's key: over the signed attributes if there are any, else
// over the content. Errors are a [Problem].
func (s *Signer) CheckValue(certificate *x509.Certificate, content []byte) error {
	a, err := s.Algorithm()
	if err != nil {
		return err
	}
	signed := content
	if s.Attributes != nil {
		s.PutInOrder(certificate.PublicKey)
		signed = s.Attributes
	}
	if a.Verify(certificate.PublicKey, signed, s.Value) != nil {
		return Value
	}
	return nil
}

// PutInOrder puts the signed attributes into the order of DER if the signature is over that: "a separate encoding of
// the signedAttrs field is performed for message digest calculation … the DER encoding … MUST be used" (RFC 5652, 5.4),
// whatever the order in which they came. Programs that hash what they send, in no order, are understood, too: there the
// attributes stay as they are. The key decides nothing else: whether the signature verifies is still to be asked.
func (s *Signer) PutInOrder(key crypto.PublicKey) {
	var content, one cryptobyte.String
	set := cryptobyte.String(s.Attributes)
	var elements [][]byte
	for ok := set.ReadASN1(&content, cbasn1.SET); ok && !content.Empty(); elements = append(elements, one) {
		if ok = content.ReadASN1Element(&one, cbasn1.SEQUENCE); !ok {
			return
		}
	}
	ordered := Set(elements...)
	a, err := s.Algorithm()
	if err != nil || len(elements) < 2 || bytes.Equal(ordered, s.Attributes) ||
		a.Verify(key, ordered, s.Value) != nil {
		return
	}
	if again, err := ReadAttributes(ordered); err == nil {
		s.Attributes, s.attributes = again.Attributes, again.attributes
	}
}
