package card

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Root is a root key of the card issuers with its name. The keys are not on the card: who checks data must have them
// from elsewhere, and [PinnedRoots] says whether they are the right ones.
type Root struct {
	ID  KeyID
	Key *rsa.PublicKey
}

// Roots are the keys to which the issuer's signatures must lead. Immutable and safe for concurrent use. The zero value
// and nil trust nobody.
type Roots struct{ keys []Root }

// pins are the production roots in circulation: the name and the SHA-256 of the modulus, 256 bytes, exponent 65537.
// J-LIS does not publish these keys. They are in the open in the sources of one independent client (soltia48/myna-card,
// src/ca.rs), whose author checked the certificates of real cards with them; the fingerprints were taken from there in
// November 2026. That is one witness: whoever depends on the result has the keys confirmed by J-LIS.
var pins = map[string]string{
	"5000020-001": "318ab4a79346bbd993d36d31a4d766f02a239f36b10bc323458242130f927a97", // issuer security domain
	"5000023-001": "bb96cc1dc6502005661961f0a45ed843d007c69e3ce167eceb6b1abd5333a932", // card face
	"5000033-001": "409655d477547d83cbe182385acb1ea83c9828eb6e5b8bba90957c339b5f30f7", // text application
}

// PinnedRoots makes roots of production keys that this package knows by name and fingerprint: 5000020-001 above the
// issuer security domain, 5000023-001 above the card face and 5000033-001 above the text application. So it does not
// matter where the keys themselves come from; see the comment of the table in the source for where the fingerprints do.
// A key of another name or fingerprint is an *[Error] with reason [ReasonInvalidRoot]: of a generation that came after
// this version, say. [NewRoots] takes it, and the caller vouches.
func PinnedRoots(roots ...Root) (*Roots, error) {
	if !pinnedIn(pins, roots) {
		return nil, &Error{Step: "configure roots", Reason: ReasonInvalidRoot, Detail: "not among the pinned ones"}
	}
	return newRoots('5', roots)
}

func pinnedIn(table map[string]string, roots []Root) bool {
	for _, r := range roots {
		if !soundKey(r.Key) {
			return false
		}
		sum := sha256.Sum256(r.Key.N.Bytes())
		if table[r.ID.String()] != hex.EncodeToString(sum[:]) {
			return false
		}
	}
	return true
}

// NewRoots makes roots of production keys, whose identifiers begin with 5, for which the caller vouches. The error is
// an *[Error] with reason [ReasonInvalidRoot]: no root at all, a key of the test hierarchy, or one that is not RSA of
// at least 2048 bits with exponent 65537.
func NewRoots(roots ...Root) (*Roots, error) { return newRoots('5', roots) }

// InsecureTestRoots makes roots of test keys, whose identifiers begin with 6. Everybody can have cards made under them.
func InsecureTestRoots(roots ...Root) (*Roots, error) { return newRoots('6', roots) }

func newRoots(hierarchy byte, roots []Root) (*Roots, error) {
	bad := &Error{Step: "configure roots", Reason: ReasonInvalidRoot}
	if len(roots) == 0 {
		return nil, bad
	}
	out := &Roots{}
	for _, r := range roots {
		if !r.ID.valid() || r.ID[0] != hierarchy || !soundKey(r.Key) {
			return nil, bad
		}
		key := &rsa.PublicKey{N: new(big.Int).Set(r.Key.N), E: r.Key.E}
		out.keys = append(out.keys, Root{ID: r.ID, Key: key})
	}
	return out, nil
}

// ParseRoots reads lines "5000033-001 HEX" of identifier and modulus; the exponent is 65537. Empty lines and those that
// begin with # are skipped. Nothing is said of whether the keys are to be trusted: that is for [PinnedRoots] or
// [NewRoots]. The error is an *[Error] with reason [ReasonInvalidRoot] and the number of the line as its detail.
func ParseRoots(text []byte) ([]Root, error) {
	var keys []Root
	if len(text) > limits.KeyFile {
		return nil, &Error{Step: "read roots", Reason: ReasonInvalidRoot, Detail: "more than a file of keys"}
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\uFEFF"))
		if line == "" || line[0] == '#' {
			continue
		}
		id, modulus, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		name, err := ParseKeyID(id)
		b, hexErr := hex.DecodeString(strings.TrimSpace(modulus))
		root := Root{ID: name, Key: &rsa.PublicKey{N: new(big.Int).SetBytes(b), E: issuerExponent}}
		if err != nil || hexErr != nil || !soundKey(root.Key) {
			return nil, &Error{Step: "read roots", Reason: ReasonInvalidRoot, Detail: fmt.Sprintf("line %d", n)}
		}
		keys = append(keys, root)
	}
	return keys, nil
}

// verify follows a chain of certificates, the one below a root first, and returns the key of the last. Identifiers
// choose the key; only the signature counts.
func (r *Roots) verify(op string, chain ...cvCertificate) (*rsa.PublicKey, error) {
	if len(chain) == 0 {
		return nil, &Error{Step: op, Reason: ReasonUnknownIssuer}
	}
	first, known, certified := chain[0], false, false
	for _, root := range r.keys {
		if root.ID.same(first.certifier) {
			known = true
			certified = certified || signedBy(root.Key, first.signature, first.content)
		}
	}
	switch {
	case !known:
		return nil, &Error{Step: op, Reason: ReasonUnknownIssuer}
	case !certified:
		return nil, &Error{Step: op, Reason: ReasonTampered}
	}
	for i, c := range chain[1:] {
		above := chain[i]
		if !c.certifier.same(above.holder) || !signedBy(above.key, c.signature, c.content) {
			return nil, &Error{Step: op, Reason: ReasonTampered}
		}
	}
	return chain[len(chain)-1].key, nil
}

// Tags of card verifiable certificates and public keys.
const (
	tagCVCertificate tlv.Tag = 0x7F21
	tagHeaderList    tlv.Tag = 0x4D
	tagCVContent     tlv.Tag = 0x5F4E
	tagCVSignature   tlv.Tag = 0x5F37
	tagExponent      tlv.Tag = 0x90
	tagModulus       tlv.Tag = 0x91
)

// keyIDSize is the length of a key identifier.
const keyIDSize = 16

// KeyID names a key of the card issuers (鍵ID): seven digits, the bytes 08 05, three digits and four bytes of padding.
// The first digit is 5 in production and 6 in the test hierarchy.
type KeyID [keyIDSize]byte

// ParseKeyID reads the form that [KeyID.String] writes, such as "5000033-001"; the padding becomes zeros. The error is
// an *[Error] with reason [ReasonInvalidRoot].
func ParseKeyID(s string) (KeyID, error) {
	var id KeyID
	if len(s) != 11 || s[7] != '-' {
		return KeyID{}, &Error{Step: "read key identifier", Reason: ReasonInvalidRoot}
	}
	copy(id[:], s[:7])
	id[7], id[8] = 0x08, 0x05
	copy(id[9:], s[8:])
	if !id.valid() {
		return KeyID{}, &Error{Step: "read key identifier", Reason: ReasonInvalidRoot}
	}
	return id, nil
}

// String returns the ten digits as "5000033-001", or "invalid" if it has another form.
func (id KeyID) String() string {
	if !id.valid() {
		return "invalid"
	}
	return string(id[:7]) + "-" + string(id[9:12])
}

func (id KeyID) valid() bool {
	for i, c := range id[:12] {
		switch {
		case i == 7 && c == 0x08, i == 8 && c == 0x05:
		case i != 7 && i != 8 && c >= '0' && c <= '9':
		default:
			return false
		}
	}
	return true
}

// same compares without the padding, which differs between copies of one identifier.
func (id KeyID) same(other KeyID) bool { return bytes.Equal(id[:12], other[:12]) }

// cvCertificate is a card verifiable certificate: the certifier's signature over a key and its name.
type cvCertificate struct {
	certifier, holder KeyID
	key               *rsa.PublicKey
	content           []byte // what is signed
	signature         []byte
}

// cvHeaderList is what GET DATA puts in front of a certificate's content: the list of its elements, which the content
// has one after the other without their tags (ISO/IEC 7816-8, 5.4: 4D; 42 and 5F20 of 16 bytes, 5F49 of 265).
var cvHeaderList = []byte{0x42, 0x10, 0x5F, 0x20, 0x10, 0x5F, 0x49, 0x82, 0x01, 0x09}

// parseCVCertificate reads 7F21 { 5F4E content, 5F37 signature }, or what is inside of 7F21 as GET DATA returns it,
// with the header list or without.
func parseCVCertificate(b []byte) (cvCertificate, error) {
	bad := &Error{Step: "parse certificate of the issuer", Reason: ReasonMalformed}
	parts, err := tlv.ParseAll(b)
	if err == nil && len(parts) == 1 && parts[0].Tag == tagCVCertificate {
		parts, err = tlv.ParseAll(parts[0].Value)
	}
	if err == nil && len(parts) == 3 && parts[0].Tag == tagHeaderList && bytes.Equal(parts[0].Value, cvHeaderList) {
		parts = parts[1:]
	}
	if err != nil || len(parts) != 2 || parts[0].Tag != tagCVContent || parts[1].Tag != tagCVSignature {
		return cvCertificate{}, bad
	}
	content := parts[0].Value
	if len(content) < 2*keyIDSize {
		return cvCertificate{}, bad
	}
	c := cvCertificate{content: content, signature: parts[1].Value}
	copy(c.certifier[:], content)
	copy(c.holder[:], content[keyIDSize:])
	if c.key, err = parsePublicKey(content[2*keyIDSize:]); err != nil {
		return cvCertificate{}, bad
	}
	return c, nil
}

// parsePublicKey reads 90 exponent, 91 modulus.
func parsePublicKey(b []byte) (*rsa.PublicKey, error) {
	bad := &Error{Step: "parse public key", Reason: ReasonMalformed}
	parts, err := tlv.ParseAll(b)
	if err != nil || len(parts) != 2 || parts[0].Tag != tagExponent || parts[1].Tag != tagModulus {
		return nil, bad
	}
	exponent := new(big.Int).SetBytes(parts[0].Value)
	if !exponent.IsInt64() || exponent.Int64() != issuerExponent {
		return nil, bad
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(parts[1].Value), E: issuerExponent}
	if !soundKey(key) {
		return nil, bad
	}
	return key, nil
}

// issuerExponent is the public exponent of all keys of the card and its issuers. A small one would change what the
// comparison of a padding proves.
const issuerExponent = 65537

func soundKey(key *rsa.PublicKey) bool {
	return key != nil && key.N != nil && key.N.Sign() > 0 && key.N.BitLen() >= limits.RSABitsMin &&
		key.N.BitLen() <= limits.RSABitsMax && key.N.Bit(0) == 1 && key.E == issuerExponent
}

// signedBy reports whether signature is that of RSASSA-PKCS1-v1_5 with SHA-256 over the data (RFC 8017, 8.2.2).
func signedBy(key *rsa.PublicKey, signature []byte, data ...[]byte) bool {
	digest := sha256.Sum256(bytes.Join(data, nil))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
}

// signsBlock reports whether signature is that of the encoded message 00 01 FF…FF 00 block (RFC 8017, 9.2, steps 4 and
// 5). The one message that is right is built and compared in full. crypto/rsa offers this as hash 0, which panics when
// the program runs under GODEBUG=fips140=only; only public values take part, so math/big's timing reveals nothing.
func signsBlock(key *rsa.PublicKey, signature, block []byte) bool {
	k := key.Size()
	s := new(big.Int).SetBytes(signature)
	// "If the signature representative s is not between 0 and n - 1" (RFC 8017, 5.2.2, step 1); PS has at least 8
	// octets.
	if len(signature) != k || s.Cmp(key.N) >= 0 || len(block) > k-11 {
		return false
	}
	want := bytes.Repeat([]byte{0xFF}, k)
	want[0], want[1] = 0x00, 0x01
	want[k-len(block)-1] = 0x00
	copy(want[k-len(block):], block)
	return bytes.Equal(s.Exp(s, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, k)), want)
}

// cvGuess is how much of an issuer certificate's file is asked for at first; it has 568 bytes.
const cvGuess = 568

// issuerKey returns the key with which the municipality signed the data of the selected application, certified in a
// file of its own by a root.
func (s *session) issuerKey(ctx context.Context, op string, roots *Roots) (*rsa.PublicKey, error) {
	file, err := s.readFile(ctx, op, efIssuer, cvGuess, objectOf(tagCVCertificate))
	if err != nil {
		return nil, err
	}
	certificate, err := parseCVCertificate(file)
	if err != nil {
		return nil, &Error{Step: op, Reason: ReasonMalformed, Err: err}
	}
	return roots.verify(op, certificate)
}

// challenge lets the selected application sign a random value with its internal key and verifies that with the key that
// the issuer certified. A copy of the data does not have that key. No PIN is needed: P2 00 is the application's own
// key.
func (s *session) challenge(ctx context.Context, op string, certified *rsa.PublicKey) error {
	var nonce [sha256.Size]byte
	_, _ = rand.Read(nonce[:]) // never fails, see crypto/rand
	digest := sha256.Sum256(nonce[:])
	info := append(digestInfoPrefix(crypto.SHA256), digest[:]...)
	r, err := s.send(ctx, op, apdu.Command{CLA: claCard, INS: insSign, Data: info, Ne: certified.Size()})
	if err != nil {
		return err
	}
	return s.checkSignature(op, certified, r, nonce[:])
}

// checkSignature reads the answer to a challenge.
func (s *session) checkSignature(op string, key *rsa.PublicKey, r apdu.Response, challenge []byte) error {
	switch {
	case r.Status == apdu.OK && len(r.Data) > 0 && len(r.Data) < key.Size():
		return answerCut(op)
	case r.Status == apdu.OK && signedBy(key, r.Data, challenge):
		return nil
	}
	err := &Error{Step: op, Reason: ReasonNotGenuine, Status: statusUnlessOK(r.Status)}
	if lost(r.Status) || r.Status == apdu.IncorrectP1P2 { // of a key that the selected application does not have
		return s.slip(err)
	}
	return err
}

// statusUnlessOK is what Error.Status shows: a success says nothing.
func statusUnlessOK(s apdu.Status) uint16 {
	if s == apdu.OK {
		return 0
	}
	return uint16(s)
}
