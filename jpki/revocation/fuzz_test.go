package revocation

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"
)

func FuzzAddList(f *testing.F) {
	a := signingAuthority(f, "ca")
	c := a.signingLeaf(f)
	for _, entries := range [][][]byte{nil, {revoked(c, now)},
		{revoked(c, now, reasonExt(6), ext(oidInvalidityDate, false, generalizedTime(now))), entry([]byte{1}, now)}} {
		spec := a.List(1, entries...)
		f.Add(spec.Sign(a.Key))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		store := new(Store)
		if err := store.Add(t.Context(), bytes.NewReader(der)); err != nil {
			if reasonOf(err) != ReasonList {
				t.Fatal(err)
			}
			return
		}
		std, err := x509.ParseRevocationList(der)
		if err != nil && strings.Contains(err.Error(), "RDNSequence") {
			return // it decodes the strings of names, which are compared as encoded here
		}
		if err != nil {
			t.Fatalf("crypto/x509 refuses it: %v", err)
		}
		// A list that the authority did not sign decides nothing.
		answer, err := store.Check(t.Context(), Query{Certificate: c, Issuer: a.asked(), At: now})
		if err == nil && std.CheckSignatureFrom(a.Cert) != nil {
			t.Fatalf("%v", answer)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	w := newOCSPWorld(f)
	direct, delegated := w.direct(), w.delegated()
	seeds := [][]byte{direct.sign(), delegated.sign(), {0x30, 3, 10, 1, 6}}
	direct.singles = [][]byte{single(w.id.der(), statusRevoked(now, 1), now, time.Time{},
		ext(oidInvalidityDate, false, generalizedTime(now)))}
	seeds = append(seeds, direct.sign())
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := parseResponse(der)
		if err == nil && (len(r.singles) == 0 || r.algorithm == nil ||
			(r.responderName == nil) == (r.responderKey == nil)) {
			t.Fatal("incomplete response")
		}
		w.t = t
		// Nobody but the authority and its responder can decide anything: whatever decides has bytes that they signed.
		answer, err := w.verify(der, now)
		signed := func(seed []byte) bool {
			known, _ := parseResponse(seed)
			return known != nil && r != nil && bytes.Equal(known.tbs, r.tbs)
		}
		if (err == nil) != (answer.Status != Unknown) || err == nil && !slices.ContainsFunc(seeds, signed) {
			t.Fatalf("%v, %v", answer, err)
		}
	})
}
