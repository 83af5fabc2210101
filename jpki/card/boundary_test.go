package card

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/apdu"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/testca"
)

// Whatever has a limit is accepted at it and refused one beyond.
func TestLimitsAreInclusive(t *testing.T) {
	date := func(year int) fourinfo.Date { return fourinfo.Date{Year: year, Month: time.January, Day: 2} }
	for name, c := range map[string]struct {
		limit, beyond int
		fits          func(n int) bool
	}{
		"octets of a file of roots": {limits.KeyFile, limits.KeyFile + 1, func(n int) bool {
			_, err := ParseRoots([]byte(strings.Repeat("#", n)))
			return err == nil
		}},
		"bits of a key": {limits.RSABitsMax, limits.RSABitsMax + 1, func(n int) bool {
			modulus := new(big.Int).Lsh(big.NewInt(1), uint(n-1))
			return soundKey(&rsa.PublicKey{N: modulus.SetBit(modulus, 0, 1), E: issuerExponent})
		}},
		"longest password":  {16, 17, func(n int) bool { return upperPassword(bytes.Repeat([]byte{'A'}, n)) }},
		"shortest password": {6, 5, func(n int) bool { return upperPassword(bytes.Repeat([]byte{'A'}, n)) }},
		"last capital": {'Z', 'Z' + 1, func(n int) bool {
			return upperPassword(bytes.Repeat([]byte{byte(n)}, 8))
		}},
		"last letter": {'z', 'z' + 1, func(n int) bool {
			return upperPassword(bytes.Repeat([]byte{byte(n)}, 8))
		}},
		"first letter": {'A', 'A' - 1, func(n int) bool {
			_, err := SigningPIN.encodeNew("12345" + string(rune(n)))
			return err == nil
		}},
		"last year of expiry": {9999, 10000, func(n int) bool {
			_, err := Printed{date(1980), n, "1234"}.NumberB()
			return err == nil
		}},
		"first year of expiry": {1000, 999, func(n int) bool {
			_, err := Printed{date(1980), n, "1234"}.NumberB()
			return err == nil
		}},
		"last year of an era": {2019 + 98, 2019 + 99, func(n int) bool {
			_, err := EraBirthdate(date(n))
			return err == nil
		}},
		"last reference": {len(traits) - 1, len(traits), func(n int) bool { return PIN(n).String() != "unknown PIN" }},
	} {
		if !c.fits(c.limit) {
			t.Errorf("%s: %d is refused", name, c.limit)
		}
		if c.fits(c.beyond) {
			t.Errorf("%s: %d is accepted", name, c.beyond)
		}
	}
}

// A block leaves room for eight octets of padding, and no fewer.
func TestLongestBlock(t *testing.T) {
	key := testca.TestKey("other")
	for size, want := range map[int]bool{32: true, 256 - 11: true, 256 - 10: false, 256 - 2: false} {
		message := bytes.Repeat([]byte{0xFF}, 256)
		message[0], message[1], message[256-size-1] = 0, 1, 0
		block := bytes.Repeat([]byte{0x5A}, size)
		copy(message[256-size:], block)
		signature := new(big.Int).Exp(new(big.Int).SetBytes(message), key.D, key.N).FillBytes(make([]byte, 256))
		if got := signsBlock(&key.PublicKey, signature, block); got != want {
			t.Errorf("a block of %d octets: %v", size, got)
		}
	}
}

// The answer to a challenge: a short one was cut by the reader, none at all or a wrong one is no genuine card's, and a
// status is shown unless it is success.
func TestAnswersToAChallenge(t *testing.T) {
	key := testca.TestKey("other")
	for name, c := range map[string]struct {
		answer apdu.Response
		reason Reason
		status uint16
	}{
		"nothing":   {apdu.Response{Status: apdu.OK}, ReasonNotGenuine, 0},
		"cut":       {apdu.Response{Status: apdu.OK, Data: make([]byte, 255)}, ReasonReaderUnfit, 0},
		"one octet": {apdu.Response{Status: apdu.OK, Data: make([]byte, 1)}, ReasonReaderUnfit, 0},
		"wrong":     {apdu.Response{Status: apdu.OK, Data: make([]byte, 256)}, ReasonNotGenuine, 0},
		"refused":   {apdu.Response{Status: apdu.WrongLength}, ReasonNotGenuine, uint16(apdu.WrongLength)},
	} {
		var e *Error
		err := (&session{}).checkSignature("challenge", &key.PublicKey, c.answer, nil)
		if !errors.As(err, &e) || e.Reason != c.reason || e.Status != c.status {
			t.Errorf("%s: %v, want %v, status %04X", name, err, c.reason, c.status)
		}
	}
}
