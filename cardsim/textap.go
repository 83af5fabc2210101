package cardsim

import (
	"crypto/rsa"
	"crypto/sha256"
	"sync"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// References of the text application.
const (
	textPIN     = 0x0011
	textBlocked = 0x0012
	textKey     = 0x0013
	textNumberA = 0x0014
	textNumberB = 0x0015
)

const (
	textTries = 3
	// verificationNumberTries is for 照合番号A and B.
	verificationNumberTries = 10
)

// Physical sizes: files that can be rewritten are larger than what is in them, and the rest is FF.
const (
	textAttributesSize  = 512
	textInformationSize = 256
)

// textApplication is 券面事項入力補助AP.
func textApplication(p person.Details, keys keyring, shortLengths bool) *application {
	number := textNumber(p.IndividualNumber)
	attributes := textAttributes(p.Name, p.Address, p.Subject.Birthdate, p.Subject.Gender)
	if shortLengths {
		attributes.file = shortLength(attributes.file, attributeFields)
	}
	municipality := keys.municipality(textMunicipality(), p.Subject.MunicipalityCode)
	internal := keys.own("text/internal")
	secureMessaging := keys.own("text/secure-messaging")

	any3 := openedBy(textPIN, textNumberA, textNumberB)
	a := newApplication("text", []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08},
		ef(0x0001, openedBy(textPIN, textNumberA), number),
		ef(0x0002, openedBy(textPIN, textNumberB), fill(attributes.file, textAttributesSize)),
		lazyEF(0x0003, any3, sync.OnceValues(func() ([]byte, error) {
			return textSignature(number, attributes.signed, municipality())
		})),
		lazyEF(0x0004, free, sync.OnceValues(func() ([]byte, error) {
			return keys.municipalityCertificate(textMunicipality(), p.Subject.MunicipalityCode)
		})),
		ef(0x0005, free, fill(textInformation(p.ID), textInformationSize)),
		lazyEF(0x0006, any3, sync.OnceValues(func() ([]byte, error) {
			return tlv.Append(nil, 0xA1, publicKey(&secureMessaging().PublicKey)), nil
		})),
		lazyEF(0x0007, any3, sync.OnceValues(func() ([]byte, error) {
			return textInternalKey(&internal().PublicKey, municipality())
		})),
		ef(0x0008, any3, unusedFile()),
		ief(0x0010),
		pinEF(textPIN, newSecret(p.TextPIN, textTries, person.IsPIN)),
		pinEF(textBlocked, blockedForever()),
		// The internal authentication key answers challenges without any PIN: it shows that the card is no copy.
		keyEF(textKey, free, internal),
		pinEF(textNumberA, newSecret(p.IndividualNumber, verificationNumberTries, nil)),
		pinEF(textNumberB, newSecret(p.NumberB(),
			verificationNumberTries, nil)),
		ief(0x001C),
		ief(0x001E),
	)
	a.defaultKey = textKey
	// Only the PIN opens the session, and it is verified in the clear; 照合番号A does not.
	a.messaging = messaging{key: secureMessaging, access: openedBy(textPIN)}
	return a
}

// textNumber is EF 0001: the individual number and two filler bytes, over which the signed hash is computed as well.
func textNumber(individualNumber string) []byte {
	return append(tlv.Append(nil, 0xFF10, []byte(individualNumber)), 0xFF, 0xFF)
}

// attributesFile is EF 0002.
type attributesFile struct {
	file []byte
	// signed is what the issuer's hash covers: the objects DF22 to DF25, without the offset table DF21.
	signed []byte
}

// attributeFields is the number of entries in the offset table of EF 0002.
const attributeFields = 4

// textAttributes encodes the four attributes: FF20 { DF21 offsets, DF22 name, DF23 address, DF24 birthdate, DF25 gender
// }.
func textAttributes(name, address, birthdate, gender string) attributesFile {
	values := [][]byte{[]byte(name), []byte(address), []byte(birthdate), []byte(gender)}
	var signed []byte
	for i, v := range values {
		signed = tlv.Append(signed, tlv.Tag(0xDF22+i), v) // i is 0 to 3
	}
	return attributesFile{file: withOffsets(0xFF20, 0xDF21, values), signed: signed}
}

// textSignature is EF 0003: FF30 { DF31 hash of EF 0001, DF32 hash of the attributes, DF33 signature over DF31 and DF32
// }.
func textSignature(number, attributes []byte, key *rsa.PrivateKey) ([]byte, error) {
	a, b := sha256.Sum256(number), sha256.Sum256(attributes)
	return signedObject(0xFF30, tlv.Append(tlv.Append(nil, 0xDF31, a[:]), 0xDF32, b[:]), 0xDF33, key)
}

// textInternalKey is EF 0007: FF50 { DF51 public key, DF52 signature over DF51 }.
func textInternalKey(internal *rsa.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	return signedObject(0xFF50, tlv.Append(nil, 0xDF51, publicKey(internal)), 0xDF52, key)
}

// textInformation is EF 0005: FF40 { DF41 version and chip vendor, DF42 key identifier, DF43 }. What DF43 means is not
// published; it is 32 bytes that differ from card to card, filled up to 128.
func textInformation(person string) []byte {
	opaqueID := sha256.Sum256([]byte("kakunin text application " + person))
	id := issuerKeyID(textInformationKey)
	body := tlv.Append(nil, 0xDF41, []byte{0x01, 0x03, 0x0E, 0x01})
	body = tlv.Append(body, 0xDF42, id[:])
	body = tlv.Append(body, 0xDF43, fill(opaqueID[:], 128))
	return tlv.Append(nil, 0xFF40, body)
}
