package card

import (
	"context"
	"crypto/rand"
	"crypto/rsa"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/apdu"
)

// Record is the record of the common-card application (共通カードAP). Nothing signs it.
type Record struct {
	serial sealed[string]
	// Municipality is the code of the issuing municipality, five digits of which the first two are the prefecture.
	Municipality string
	// Expiry is the card's last day.
	Expiry fourinfo.Date
}

// RevealSerialNumber returns the 15 characters of the serial number (製造番号). It is the same for the life of the card, so
// whoever keeps it can recognise the holder.
func (r Record) RevealSerialNumber() string { return r.serial.open() }

// CardRecord reads serial number, municipality and expiry; no PIN is needed. A phone answers [ReasonApplicationMissing]. The
// card forgets a verified authentication PIN and signing password.
func (c *Card) CardRecord(ctx context.Context) (Record, error) {
	const op = "read card record"
	var out Record
	err := c.s.do(ctx, op, commonApp, 0, func(ctx context.Context) error {
		// P1 is the record, P2 the short identifier and "P1 is a record number" (ISO/IEC 7816-4, 11.4.3).
		r, err := c.s.send(ctx, op, apdu.Command{INS: insReadRecord, P1: 1, P2: efCardRecord<<3 | 0x04, Ne: maxShort})
		if err != nil {
			return err
		}
		switch r.Status {
		case apdu.OK:
		case apdu.FileNotFound, apdu.RecordNotFound:
			return &Error{Op: op, Reason: ReasonFileMissing, Status: uint16(r.Status), Err: r.Status}
		default:
			return refused(op, r.Status)
		}
		var ok bool
		if out, ok = parseCardRecord(r.Data); !ok {
			return &Error{Op: op, Reason: ReasonMalformed}
		}
		return nil
	})
	return out, err
}

// parseCardRecord reads 01 1C { serial number (15), municipality (5), expiry (8) }, a simple TLV object.
func parseCardRecord(b []byte) (Record, bool) {
	const tag, serial, municipality, expiry = 0x01, 15, 5, 8
	if len(b) < 2 || b[0] != tag || b[1] != serial+municipality+expiry || len(b) < 2+int(b[1]) {
		return Record{}, false
	}
	b = b[2 : 2+int(b[1])]
	for _, c := range b {
		if c < '0' || c > '9' {
			return Record{}, false
		}
	}
	r := Record{
		serial:       seal(string(b[:serial])),
		Municipality: string(b[serial : serial+municipality]),
		Expiry:       cardDate(b[serial+municipality:]),
	}
	return r, r.Expiry.Valid()
}

// challengeSize is how much an internal authentication signs; the card takes up to 255 bytes.
const challengeSize = 32

// AuthenticateCommonKey lets the common-card application sign a random value with its internal key and verifies that with
// the public key of this very card, which the caller must have from elsewhere: it is not on the card. No PIN is needed. A
// card that does not hold the key is an *[Error] with reason [ReasonNotGenuine].
//
// The card forgets a verified authentication PIN and signing password.
func (c *Card) AuthenticateCommonKey(ctx context.Context, public *rsa.PublicKey) error {
	const op = "authenticate card"
	if !soundKey(public) {
		return &Error{Op: op, Reason: ReasonUnsupportedKey}
	}
	return c.s.do(ctx, op, commonApp, 0, func(ctx context.Context) error {
		var nonce [challengeSize]byte
		_, _ = rand.Read(nonce[:]) // never fails, see crypto/rand
		r, err := c.s.send(ctx, op, apdu.Command{
			INS: insInternal, P2: currentEF | efCommonKey, Data: nonce[:], Ne: public.Size(),
		})
		if err != nil {
			return err
		}
		if r.Status != apdu.OK || !signedBy(public, r.Data, nonce[:]) {
			return &Error{Op: op, Reason: ReasonNotGenuine, Status: statusUnlessOK(r.Status)}
		}
		return nil
	})
}
