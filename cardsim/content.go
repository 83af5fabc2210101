package cardsim

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"

	"github.com/kakunin-go/kakunin/internal/tlv"
)

// fill pads a file with FF to its physical size.
func fill(content []byte, size int) []byte {
	if n := size - len(content); n > 0 {
		return append(content, bytes.Repeat([]byte{0xFF}, n)...)
	}
	return content
}

// withOffsets encodes outer { table, fields }: the tags of the fields count up from the one behind the table's, and the
// table has the distance of each from the first byte of the file.
func withOffsets(outer, table tlv.Tag, fields [][]byte) []byte {
	var body []byte
	starts := make([]int, len(fields))
	for i, f := range fields {
		starts[i] = len(body)
		body = tlv.Append(body, table+1+tlv.Tag(i), f) //nolint:gosec // a handful of fields
	}
	// The distances depend on the form that the two lengths in front take.
	size := len(tlv.Append(nil, table, make([]byte, 2*len(fields))))
	header := len(tlv.Append(nil, outer, make([]byte, size+len(body)))) - len(body)
	var offsets []byte
	for _, s := range starts {
		//nolint:gosec // the files are smaller than 32 KiB
		offsets = binary.BigEndian.AppendUint16(offsets, uint16(header+s))
	}
	return tlv.Append(nil, outer, append(tlv.Append(nil, table, offsets), body...))
}

// shortLength turns the length 82 00 LL of what withOffsets made into 81 LL; everything in it moves up by a byte. Other
// lengths have one form only.
func shortLength(file []byte, fields int) []byte {
	if !bytes.HasPrefix(file[2:], []byte{0x82, 0x00}) {
		return file
	}
	out := append(append(bytes.Clone(file[:2]), 0x81), file[4:]...)
	table := out[7:] // behind the tag and the length of the table
	for i := range fields {
		entry := table[2*i : 2*i+2]
		binary.BigEndian.PutUint16(entry, binary.BigEndian.Uint16(entry)-1)
	}
	return out
}

// signedObject is outer { signed, tag signature over signed }.
func signedObject(outer tlv.Tag, signed []byte, tag tlv.Tag, key *rsa.PrivateKey) ([]byte, error) {
	signature, err := signSHA256(key, signed)
	if err != nil {
		return nil, err
	}
	return tlv.Append(nil, outer, tlv.Append(signed, tag, signature)), nil
}

// signSHA256 is RSASSA-PKCS1-v1_5 with SHA-256 over the data (RFC 8017, 8.2).
func signSHA256(key *rsa.PrivateKey, data []byte) ([]byte, error) {
	digest := sha256.Sum256(data)
	return rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
}

// keyID names a key of the card issuers: seven digits, 08 05, three digits, four bytes of padding. The first digit is 5
// in production and 6 in the test hierarchy.
type keyID [16]byte

// The numbers of key identifiers, as a test card has them. A verifier has the keys of the three roots; the three below
// stand in files whose use is not published.
const (
	surfaceRoot           = "6000023" // of EF 0004 of the surface application
	textRoot              = "6000033" // of EF 0004 of the text application
	surfaceInformationKey = "6000024"
	surfaceOpaqueKey      = "5900025"
	textInformationKey    = "6000034"
)

// issuerKeyID makes a key identifier from its seven digits; nearly all have 001 as the other three, and no padding.
func issuerKeyID(sevenDigits string) keyID { return numberedKeyID(sevenDigits, "001", 0x00) }

func numberedKeyID(sevenDigits, threeDigits string, padding byte) keyID {
	var id keyID
	copy(id[:], sevenDigits)
	id[7], id[8] = 0x08, 0x05
	copy(id[9:], threeDigits)
	id[15] = padding
	return id
}

// The three steps of the chain in the issuer security domain: a root certifies a key of the municipality, which
// certifies one that all cards name alike.
func chainRoot() keyID { return numberedKeyID("6000020", "001", 0xA8) }

func chainMunicipality(code string) keyID { return numberedKeyID(code+"30", "002", 0x98) }

func chainEnd() keyID { return numberedKeyID("0000050", "001", 0x40) }

// municipalityKey is one of the two keys with which a municipality signs the contents of its cards: each 券面 application
// has its own, certified by its own root.
type municipalityKey struct {
	root   string // seven digits
	suffix string // behind the code of the municipality, in the identifier
	label  string // behind the code of the municipality, in the label of the key
}

func surfaceMunicipality() municipalityKey {
	return municipalityKey{root: surfaceRoot, suffix: "21", label: "/surface"}
}

func textMunicipality() municipalityKey { return municipalityKey{root: textRoot, suffix: "31"} }

// id is the identifier of the key: the municipality's code is part of it.
func (m municipalityKey) id(code string) keyID { return numberedKeyID(code+m.suffix, "000", 0x00) }

// root is the key of a root, the same on all cards of a JPKI.
func (k keyring) root(id keyID) func() *rsa.PrivateKey { return k.issuers("root/" + string(id[:7])) }

// municipality is a key with which a municipality signs the contents of its cards.
func (k keyring) municipality(m municipalityKey, code string) func() *rsa.PrivateKey {
	return k.issuers("municipality/" + code + m.label)
}

// municipalityCertificate is such a key, certified by its root: EF 0004 of the two 券面 applications.
func (k keyring) municipalityCertificate(m municipalityKey, code string) ([]byte, error) {
	root := issuerKeyID(m.root)
	return cardVerifiableCertificate(root, m.id(code), &k.municipality(m, code)().PublicKey, k.root(root)())
}

// IssuerRoots returns the keys that certify the contents of the cards (券面), by their 16-byte key identifiers (証明者鍵ID).
// They are the test hierarchy of this card's JPKI, like [issuer.JPKI.Trust] for the certificates of the holder. The map
// belongs to the caller.
func (c *Card) IssuerRoots() map[[16]byte]*rsa.PublicKey {
	keys := keyring{jpki: c.jpki}
	out := map[[16]byte]*rsa.PublicKey{}
	for _, id := range []keyID{chainRoot(), issuerKeyID(surfaceRoot), issuerKeyID(textRoot)} {
		out[id] = &keys.root(id)().PublicKey
	}
	return out
}

// cardVerifiableCertificate is 7F21 { 5F4E certifier, holder, public key; 5F37 signature over the value of 5F4E }.
func cardVerifiableCertificate(certifier, holder keyID, pub *rsa.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	content, err := certificateContent(certifier, holder, pub, key)
	if err != nil {
		return nil, err
	}
	return tlv.Append(nil, 0x7F21, content), nil
}

// headedCertificate is how GET DATA gives what is inside 7F21: behind a header list (ISO/IEC 7816-4, 8.5.2), which
// names the parts of the content as 42, 5F20 and 5F49 with their lengths.
func headedCertificate(certifier, holder keyID, pub *rsa.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	content, err := certificateContent(certifier, holder, pub, key)
	list := []byte{0x42, 0x10, 0x5F, 0x20, 0x10, 0x5F, 0x49, 0x82, 0x01, 0x09}
	return append(tlv.Append(nil, 0x4D, list), content...), err
}

// certificateContent is what is inside 7F21.
func certificateContent(certifier, holder keyID, pub *rsa.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	body := append(append(certifier[:], holder[:]...), publicKey(pub)...)
	signature, err := signSHA256(key, body)
	if err != nil {
		return nil, err
	}
	return tlv.Append(tlv.Append(nil, 0x5F4E, body), 0x5F37, signature), nil
}

// publicKey encodes a key the way all files do: 90 exponent, 91 modulus.
func publicKey(pub *rsa.PublicKey) []byte {
	exponent := big.NewInt(int64(pub.E)).FillBytes(make([]byte, 3))
	return tlv.Append(tlv.Append(nil, 0x90, exponent), 0x91, pub.N.FillBytes(make([]byte, pub.Size())))
}
