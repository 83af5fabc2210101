package crl_test

import (
	"bytes"
	"errors"
	"testing"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/crl"
)

// Whatever has a limit is accepted at it and refused one beyond.
func TestLimitsAreInclusive(t *testing.T) {
	number := func(n int) *spec {
		s := extended(nil)
		s.extensions = wrap(0xa0, sequence(ext(20, false, wrap(cbasn1.INTEGER, bytes.Repeat([]byte{1}, n)))))
		return s
	}
	tail := func(n int) *spec { // with extensions of n octets
		unknown := func(size int) *spec {
			return extended(nil, sequence(oid(1, 2, 3), wrap(cbasn1.OCTET_STRING, bytes.Repeat([]byte{'x'}, size))))
		}
		for size := n; ; size-- {
			if s := unknown(size); len(s.extensions) <= n {
				return s
			}
		}
	}
	for name, c := range map[string]struct {
		limit int
		spec  func(n int) *spec
		want  *crl.Error
	}{
		"cRLNumber":  {20, number, &crl.Error{Reason: crl.ReasonMalformed, Step: "crl.number"}},
		"extensions": {limits.CRLPart, tail, &crl.Error{Reason: crl.ReasonLimit, Step: "crl.extensions"}},
	} {
		load(t, c.spec(c.limit).sign(), crl.Options{})
		beyond := c.limit + 1
		for bytes.Equal(c.spec(beyond).extensions, c.spec(c.limit).extensions) {
			beyond++ // a length that no encoding has
		}
		if _, err := parse(t, c.spec(beyond).sign(), crl.Options{}); !errors.Is(err, c.want) {
			t.Errorf("%s beyond the limit: %v, want %v", name, err, c.want)
		}
	}
	list := extended([][]byte{entry([]byte{5}, utc(now))}).sign()
	load(t, list, crl.Options{MaxSize: int64(len(list))})
	one := crl.Options{MaxSize: int64(len(list)) - 1}
	large := &crl.Error{Reason: crl.ReasonLimit, Step: "crl.size"}
	if _, err := crl.Parse(list, one); !errors.Is(err, large) {
		t.Errorf("one octet too many: %v", err)
	}
	if _, err := crl.Read(t.Context(), bytes.NewReader(list), one); !errors.Is(err, large) {
		t.Errorf("one octet too many, read: %v", err)
	}
}

// The empty set of reasons has one encoding, too (ITU-T X.690, 11.2.2). A list of no reasons decides nothing.
func TestNoReasons(t *testing.T) {
	list := func(bits ...byte) *spec { return extended(nil, ext(28, true, sequence(wrap(0x83, bits)))) }
	if got := load(t, list(0).sign(), crl.Options{}).Header().Scope.OnlySomeReasons; got != 0 {
		t.Errorf("reasons %v", got)
	}
	wantRefused(t, list(1), "crl.issuing-distribution-point", crl.ReasonMalformed)
	wantRefused(t, list(0, 0), "crl.issuing-distribution-point", crl.ReasonMalformed)
}
