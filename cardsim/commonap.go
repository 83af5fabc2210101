package cardsim

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/apdu"
)

// References of the common card application and of the resident application.
const (
	commonKey    = 0x0019
	cardPIN      = 0x001C
	cardPINTries = 3
)

// commonApplication is 共通カードAP: what the card says about itself, and a key that answers anyone.
func commonApplication(p person.Details, keys keyring) *application {
	a := newApplication("common", []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00},
		recordEF(0x0001, free, simpleTLV(0x01, cardNumber(p)+p.Subject.MunicipalityCode+p.CardExpiry)),
		recordEF(0x0002, free, keyReferenceRecord()),
		// Its public half is nowhere on the card.
		internalEF(commonKey, free, keys.common()),
		pinEF(cardPIN, newCardPIN(p)),
		ief(0x001E),
	)
	a.messaging.refusal = apdu.SecurityIssue
	return a
}

// CommonKey returns the public half of the key in the common card application that answers INTERNAL AUTHENTICATE. It is
// nowhere on the card: a verifier has it from somewhere else, or from here. A phone has no such key; the result is then
// that of a key that no card uses.
func (c *Card) CommonKey() *rsa.PublicKey {
	return &keyring{jpki: c.jpki, person: c.holder.ID()}.common()().PublicKey
}

// common is the internal authentication key of the common card application.
func (k keyring) common() func() *rsa.PrivateKey { return k.own("common/internal") }

// residentApplication is 住基AP, of the resident register network.
func residentApplication(p person.Details) *application {
	return newApplication("resident", []byte{0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x01},
		recordEF(0x0002, free, keyReferenceRecord()),
		pinEF(cardPIN, newCardPIN(p)),
	)
}

// newCardPIN is the 個人番号カード用PIN. The two applications have one each, which the user interfaces of municipalities set
// to the same value; they are changed one by one.
func newCardPIN(p person.Details) *secret {
	s := newSecret(p.TextPIN, cardPINTries, person.IsPIN)
	s.changedBy = insChangeKey
	return s
}

// cardNumber is the 製造番号: 15 digits that follow from the person, the first of which is 4 as on published cards.
func cardNumber(p person.Details) string {
	digest := sha256.Sum256([]byte("kakunin card number " + p.ID))
	const below = 1e14
	return fmt.Sprintf("4%014d", binary.BigEndian.Uint64(digest[:])%below)
}

// keyReferenceRecord is the record of EF 0002, the same in both applications: a key identifier. Its tag and which key
// it names are assumed.
func keyReferenceRecord() []byte {
	id := chainRoot()
	return simpleTLV(0x01, string(id[:]))
}

// simpleTLV encodes a record: tag and length, one byte each (JICSAP V1.1, 4.4.1).
func simpleTLV(tag byte, value string) []byte {
	return append([]byte{tag, byte(len(value))}, value...) //nolint:gosec // records of a few bytes
}
