package cardsim

import (
	"sync"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/tlv"
)

// Tags of the data objects of the issuer security domain.
const (
	objectIssuer       = 0x0042
	objectCardNumber   = 0x0045
	objectRecognition  = 0x0066
	objectMunicipality = 0x00F0
	objectExpiry       = 0x00F2
	objectIntermediate = 0x00F7
	objectUpper        = 0x00F8
	objectATR          = 0x5F51
	objectLower        = 0x7F21
)

// securityDomain is the GlobalPlatform issuer security domain (card manager): the state after power-up. It has no
// files, only data objects.
func securityDomain(p person.Details, keys keyring) *application {
	a := newApplication("ISD", []byte{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00})
	a.domain = true
	code := p.Subject.MunicipalityCode
	root, intermediate := chainRoot(), chainMunicipality(code)
	intermediateKey := keys.issuers("municipality/" + code + "/chain")
	a.objects = map[uint16]func() ([]byte, error){
		// Which key the issuer's reference names is assumed.
		objectIssuer:       constant(root[:]),
		objectCardNumber:   constant([]byte(cardNumber(p))),
		objectRecognition:  constant(cardRecognitionData()),
		objectMunicipality: constant([]byte(code)),
		objectExpiry:       constant([]byte(p.CardExpiry)),
		objectIntermediate: constant(intermediate[:]),
		objectUpper: sync.OnceValues(func() ([]byte, error) {
			return headedCertificate(root, intermediate, &intermediateKey().PublicKey, keys.root(root)())
		}),
		objectLower: sync.OnceValues(func() ([]byte, error) {
			end := keys.issuers("chain-end")()
			return headedCertificate(intermediate, chainEnd(), &end.PublicKey, intermediateKey())
		}),
		// The contact interface's, which is not the one that a reader makes up for the contactless interface.
		objectATR: constant([]byte{0xE0, 0x00, 0xFF, 0x81, 0x31, 0xFE, 0x45, 0x14}),
	}
	return a
}

func constant(b []byte) func() ([]byte, error) {
	return func() ([]byte, error) { return b, nil }
}

// cardRecognitionData is the value of tag 66 of GlobalPlatform Card Specification 2.2, H.2: 73 { arc globalPlatform 1;
// 60 { 2, version 2.1.1 }; 63 { 3 }; 64 { 4, SCP02 option 15 } } under the arc 1.2.840.114283. Which versions real
// cards name is not published.
func cardRecognitionData() []byte {
	oid := func(arcs ...byte) []byte {
		return tlv.Append(nil, 0x06, append([]byte{0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B}, arcs...))
	}
	body := oid(1)
	body = tlv.Append(body, 0x60, oid(2, 2, 1, 1))
	body = tlv.Append(body, 0x63, oid(3))
	body = tlv.Append(body, 0x64, oid(4, 2, 0x15))
	return tlv.Append(nil, 0x73, body)
}
