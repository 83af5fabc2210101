package testca

import (
	"crypto"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
)

// ListSpec is a CRL to be; every part is encoded as given.
type ListSpec struct {
	Algorithm, Issuer      []byte
	ThisUpdate, NextUpdate []byte // nextUpdate nil: absent
	Entries                [][]byte
	Extensions             [][]byte
	After                  []byte // faults
}

// Sign encodes the list.
func (s *ListSpec) Sign(key crypto.Signer) []byte {
	var revoked []byte
	if len(s.Entries) > 0 {
		revoked = Sequence(s.Entries...)
	}
	tbs := Sequence(
		Integer(1),
		s.Algorithm,
		s.Issuer,
		s.ThisUpdate,
		s.NextUpdate,
		revoked,
		Wrap(der.Tag0C, Sequence(s.Extensions...)),
		s.After,
	)
	return Signed(tbs, s.Algorithm, key)
}

// NumberExt encodes cRLNumber.
func NumberExt(n int64) []byte { return Ext(OIDCRLNumber, false, Integer(n)) }

// ReasonExt encodes reasonCode.
func ReasonExt(code byte) []byte { return Ext(OIDReasonCode, false, []byte{10, 1, code}) }

// Entry encodes an entry of a list.
func Entry(serial []byte, at time.Time, extensions ...[]byte) []byte {
	var list []byte
	if len(extensions) > 0 {
		list = Sequence(extensions...)
	}
	return Sequence(Wrap(cbasn1.INTEGER, serial), UtcTime(at), list)
}

// IDP encodes IssuingDistributionPoint of a city with flags after it.
func IDP(city string, flags ...[]byte) []byte {
	var point []byte
	if city != "" {
		point = Wrap(der.Tag0C, Wrap(der.Tag0C, Wrap(der.Tag4C, PointName(city))))
	}
	return Ext(OIDIssuingDistribution, true, Sequence(append([][]byte{point}, flags...)...))
}

// UserOnly is onlyContainsUserCerts.
var UserOnly = []byte{0x81, 1, 0xff}

// List is a well-formed list of the city with the number, in force for a day.
func (a *Authority) List(number int64, entries ...[]byte) ListSpec {
	return ListSpec{
		Algorithm: AlgorithmSHA256RSA, Issuer: a.Name, ThisUpdate: UtcTime(Now.Add(-6 * time.Hour)),
		NextUpdate: UtcTime(Now.Add(18 * time.Hour)), Entries: entries,
		Extensions: [][]byte{a.KeyIDExt(), NumberExt(number), IDP("Kiyose-shi", UserOnly)},
	}
}
