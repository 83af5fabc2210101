package cardsim

import (
	"crypto/rsa"
	"crypto/sha256"
	"sync"

	"github.com/kakunin-go/kakunin/cardsim/internal/cardface"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// References of the surface application.
const (
	surfaceBirth   = 0x0011
	surfaceNumberB = 0x0012
	surfaceNumberA = 0x0013
	surfaceKey     = 0x001A
)

// surfaceApplication is 券面事項確認AP: what is printed on the card. Each of its references opens as much as someone who
// knows the value has already seen.
func surfaceApplication(p person.Details, keys keyring) *application {
	internal := keys.own("surface/internal")
	municipality := keys.municipality(surfaceMunicipality(), p.Subject.MunicipalityCode)
	birthdate := p.Subject.Birthdate

	a := newApplication("surface", []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02},
		lazyEF(0x0001, openedBy(surfaceBirth), sync.OnceValues(func() ([]byte, error) {
			return surfaceAge(birthdate, &internal().PublicKey, municipality())
		})),
		lazyEF(0x0002, openedBy(surfaceNumberA, surfaceNumberB), sync.OnceValues(func() ([]byte, error) {
			return surfaceFace(p, &internal().PublicKey, municipality())
		})),
		ef(0x0003, free, surfaceInformation(p)),
		lazyEF(0x0004, free, sync.OnceValues(func() ([]byte, error) {
			return keys.municipalityCertificate(surfaceMunicipality(), p.Subject.MunicipalityCode)
		})),
		lazyEF(0x0005, openedBy(surfaceNumberA), sync.OnceValues(func() ([]byte, error) {
			return surfaceNumber(p.IndividualNumber, &internal().PublicKey, municipality())
		})),
		ef(0x0006, openedBy(surfaceNumberA, surfaceNumberB), unusedFile()),
		pinEF(surfaceBirth, newSecret(p.EraBirthdate(), verificationNumberTries, nil)),
		pinEF(surfaceNumberB, newSecret(p.NumberB(), verificationNumberTries, nil)),
		pinEF(surfaceNumberA, newSecret(p.IndividualNumber, verificationNumberTries, nil)),
		ief(0x0014),
		ief(0x0015),
		keyEF(surfaceKey, free, internal),
		ief(0x001C),
		ief(0x001E),
	)
	a.defaultKey = surfaceKey
	a.messaging.refusal = apdu.SecurityIssue
	return a
}

// surfaceAge is EF 0001: FF10 { DF11 birth date, DF12 key of the card, DF13 signature over DF11 and DF12 }.
func surfaceAge(birthdate string, internal *rsa.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	signed := tlv.Append(tlv.Append(nil, 0xDF11, []byte(birthdate)), 0xDF12, publicKey(internal))
	return signedObject(0xFF10, signed, 0xDF13, key)
}

// surfaceNumber is EF 0005: FF40 { DF41 image of the individual number, DF42 key of the card, DF43 signature over DF41
// and DF42 }.
func surfaceNumber(individualNumber string, internal *rsa.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	image, err := cardface.NumberImage(individualNumber)
	if err != nil {
		return nil, err
	}
	signed := tlv.Append(tlv.Append(nil, 0xDF41, image), 0xDF42, publicKey(internal))
	return signedObject(0xFF40, signed, 0xDF43, key)
}

// surfaceFace is EF 0002: FF20 { DF21 offsets, DF22 birth date, DF23 gender, DF24 key of the card, DF25 image of the
// name, DF26 image of the address, DF27 portrait, DF28 signature, DF29 expiry, DF2A image of the security code }. The
// signature does not cover DF29 and DF2A.
func surfaceFace(p person.Details, internal *rsa.PublicKey, key *rsa.PrivateKey) ([]byte, error) {
	name, err := cardface.NameImage(p.Name)
	if err != nil {
		return nil, err
	}
	address, err := cardface.AddressImage(p.Address)
	if err != nil {
		return nil, err
	}
	portrait, err := cardface.Portrait(p.ID)
	if err != nil {
		return nil, err
	}
	code, err := cardface.SecurityCodeImage(p.SecurityCode)
	if err != nil {
		return nil, err
	}
	fields := [][]byte{
		[]byte(p.Subject.Birthdate), []byte(p.Subject.Gender), publicKey(internal), name, address, portrait,
		nil, // the signature
		[]byte(p.CardExpiry), code,
	}
	const signature = 6
	objects := func(from, to int) []byte {
		var b []byte
		for i := from; i < to; i++ {
			b = tlv.Append(b, tlv.Tag(0xDF22+i), fields[i]) //nolint:gosec // at most 8
		}
		return b
	}
	if fields[signature], err = signFace(key, objects(0, 3), objects(3, 5), objects(5, 6)); err != nil {
		return nil, err
	}
	return withOffsets(0xFF20, 0xDF21, fields), nil
}

// digestInfo96 is the DER of a DigestInfo (RFC 8017, 9.2) with the algorithm SHA-256 and a digest of 96 bytes, which no
// standard has: the card issuers sign three hashes at once.
func digestInfo96() []byte {
	return []byte{
		0x30,
		0x71,
		0x30,
		0x0D,
		0x06,
		0x09,
		0x60,
		0x86,
		0x48,
		0x01,
		0x65,
		0x03,
		0x04,
		0x02,
		0x01,
		0x05,
		0x00,
		0x04,
		0x60,
	}
}

// signFace signs the SHA-256 hashes of three groups of objects, one behind the other, as one digest.
func signFace(key *rsa.PrivateKey, groups ...[]byte) ([]byte, error) {
	block := digestInfo96()
	for _, g := range groups {
		digest := sha256.Sum256(g)
		block = append(block, digest[:]...)
	}
	return signVerbatim(key, block)
}

// surfaceInformation is EF 0003: FF30 { DF31 version and chip vendor, DF32 key identifier, DF33 version, DF34
// municipality, DF35 key identifier and 256 bytes }. What DF35 means is not published; here it is a hash of the person,
// repeated.
func surfaceInformation(p person.Details) []byte {
	id := issuerKeyID(surfaceInformationKey)
	opaqueID := issuerKeyID(surfaceOpaqueKey)
	opaque := opaqueID[:]
	digest := sha256.Sum256([]byte("kakunin surface application " + p.ID))
	for range 256 / len(digest) {
		opaque = append(opaque, digest[:]...)
	}
	body := tlv.Append(nil, 0xDF31, []byte{0x06, 0x03, 0x0E, 0x01})
	body = tlv.Append(body, 0xDF32, id[:])
	body = tlv.Append(body, 0xDF33, []byte{0x00})
	body = tlv.Append(body, 0xDF34, []byte(p.Subject.MunicipalityCode))
	body = tlv.Append(body, 0xDF35, opaque)
	return tlv.Append(nil, 0xFF30, body)
}
