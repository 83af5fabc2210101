package der

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ReadOID reads an OBJECT IDENTIFIER. Those that every certificate has are not decoded again: they are shared, and must
// not be changed.
func ReadOID(s *cryptobyte.String, out *asn1.ObjectIdentifier) bool {
	rest := *s
	var content cryptobyte.String
	if !Short(&rest, &content, cbasn1.OBJECT_IDENTIFIER) {
		return false
	}
	if id, known := commonOIDs[string(content)]; known {
		*s, *out = rest, id
		return true
	}
	return s.ReadASN1ObjectIdentifier(out)
}

// commonOIDs are found by the content of their encoding.
var commonOIDs = map[string]asn1.ObjectIdentifier{
	"\x55\x1d\x0e": {2, 5, 29, 14}, // subjectKeyIdentifier
	"\x55\x1d\x0f": {2, 5, 29, 15}, // keyUsage
	"\x55\x1d\x11": {2, 5, 29, 17}, // subjectAltName
	"\x55\x1d\x12": {2, 5, 29, 18}, // issuerAltName
	"\x55\x1d\x13": {2, 5, 29, 19}, // basicConstraints
	"\x55\x1d\x1f": {2, 5, 29, 31}, // cRLDistributionPoints
	"\x55\x1d\x20": {2, 5, 29, 32}, // certificatePolicies
	"\x55\x1d\x23": {2, 5, 29, 35}, // authorityKeyIdentifier
	"\x55\x1d\x25": {2, 5, 29, 37}, // extKeyUsage

	"\x2b\x06\x01\x05\x05\x07\x01\x01":         {1, 3, 6, 1, 5, 5, 7, 1, 1},     // authorityInfoAccess
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b":     {1, 2, 840, 113549, 1, 1, 11},   // sha256WithRSAEncryption
	"\x2a\x83\x08\x8c\x9b\x55\x08\x05\x05\x01": {1, 2, 392, 200149, 8, 5, 5, 1}, // personalData of JPKI: name
	"\x2a\x83\x08\x8c\x9b\x55\x08\x05\x05\x02": {1, 2, 392, 200149, 8, 5, 5, 2}, // substitutes in the name
	"\x2a\x83\x08\x8c\x9b\x55\x08\x05\x05\x03": {1, 2, 392, 200149, 8, 5, 5, 3}, // gender
	"\x2a\x83\x08\x8c\x9b\x55\x08\x05\x05\x04": {1, 2, 392, 200149, 8, 5, 5, 4}, // birthdate
	"\x2a\x83\x08\x8c\x9b\x55\x08\x05\x05\x05": {1, 2, 392, 200149, 8, 5, 5, 5}, // address
	"\x2a\x83\x08\x8c\x9b\x55\x08\x05\x05\x06": {1, 2, 392, 200149, 8, 5, 5, 6}, // substitutes in the address
}
