package cardsim

import (
	"crypto/rsa"
	"math/big"

	"github.com/kakunin-go/kakunin/internal/tlv"
)

// keyID names a key of the card issuers: seven digits, 08 05, three digits, four bytes of padding. The first digit is 5
// in production and 6 in the test hierarchy.
type keyID [16]byte

// issuerKeyID makes a key identifier of the test hierarchy from its seven digits.
func issuerKeyID(sevenDigits string) keyID {
	var id keyID
	copy(id[:], sevenDigits)
	id[7], id[8] = 0x08, 0x05
	copy(id[9:], "001")
	return id
}

// municipalityKeyID is the identifier of the key with which a municipality signs the contents of its cards.
func municipalityKeyID(municipality string) keyID { return issuerKeyID("60" + municipality) }

// textIssuerCertificate is EF 0004 of the text application: the municipality's key, certified by the test intermediate.
func textIssuerCertificate(municipality string, key, intermediate *rsa.PrivateKey) ([]byte, error) {
	return cardVerifiableCertificate(issuerKeyID("6000033"), municipalityKeyID(municipality), &key.PublicKey, intermediate)
}

// cardVerifiableCertificate is 7F21 { 5F4E certifier, holder, public key; 5F37 signature over the value of 5F4E }.
func cardVerifiableCertificate(certifier, holder keyID, pub *rsa.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	content := append(append(certifier[:], holder[:]...), publicKey(pub)...)
	signature, err := signSHA256(key, content)
	if err != nil {
		return nil, err
	}
	return tlv.Append(nil, 0x7F21, tlv.Append(tlv.Append(nil, 0x5F4E, content), 0x5F37, signature)), nil
}

// publicKey encodes a key the way all files do: 90 exponent, 91 modulus.
func publicKey(pub *rsa.PublicKey) []byte {
	exponent := big.NewInt(int64(pub.E)).FillBytes(make([]byte, 3))
	return tlv.Append(tlv.Append(nil, 0x90, exponent), 0x91, pub.N.FillBytes(make([]byte, pub.Size())))
}
