package revocation

import (
	"crypto"
	"crypto/fips140"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// TestOCSPResponderNames: a delegated responder is found however the answer may name it – by key hash, by name in
// another string type or with other spaces and case – and among certificates that have the same name or the same key.
func TestOCSPResponderNames(t *testing.T) {
	w := newOCSPWorld(t)
	spelt := func(tag cbasn1.Tag, organization string) []byte {
		return name(attribute(oidC, cbasn1.PrintableString, "JP"), attribute(oidO, tag, organization),
			attribute(oidOU, cbasn1.UTF8String, "OCSP Responder"))
	}
	responder := func(change func(*certSpec)) []byte {
		spec := w.responder
		spec.Extensions = append([][]byte(nil), spec.Extensions...)
		if change != nil {
			change(&spec)
		}
		return spec.Sign(w.ca.Key)
	}
	good := responder(nil)
	expired := responder(func(s *certSpec) { s.NotAfter = utcTime(now.Add(-time.Second)) })
	ordinary := responder(func(s *certSpec) { s.Replace(oidExtendedKeyUsage, nil) })
	otherKey := responder(func(s *certSpec) { s.Key = spki(testKey("leaf")) })
	hash := byKey(keyHash(t, parsed(t, good)))
	for name, c := range map[string]struct {
		id           []byte
		certificates [][]byte
	}{
		"by key hash":                    {hash, [][]byte{good}},
		"by name":                        {byName(w.responder.Subject), [][]byte{good}},
		"by name as PrintableString":     {byName(spelt(cbasn1.PrintableString, "JPKI-TEST")), [][]byte{good}},
		"by name in other case":          {byName(spelt(cbasn1.UTF8String, "jpki-test")), [][]byte{good}},
		"by name with more spaces":       {byName(spelt(cbasn1.UTF8String, " JPKI-TEST ")), [][]byte{good}},
		"behind one that has expired":    {byName(w.responder.Subject), [][]byte{expired, good}},
		"behind one of no purpose":       {byName(w.responder.Subject), [][]byte{ordinary, good}},
		"behind one of another key":      {byName(w.responder.Subject), [][]byte{otherKey, good}},
		"by key hash, behind an old one": {hash, [][]byte{expired, ordinary, good}},
		"no authorityKeyIdentifier": {byName(w.responder.Subject),
			[][]byte{responder(func(s *certSpec) { s.Replace(oidAuthorityKeyID, nil) })}},
		"issuer spelt otherwise": {byName(w.responder.Subject),
			[][]byte{responder(func(s *certSpec) { s.Issuer = jpkiName("jpki-test", unitSigning, unitLASDEC) })}},
		"no keyUsage": {byName(w.responder.Subject),
			[][]byte{responder(func(s *certSpec) { s.Replace(oidKeyUsage, nil) })}},
		"its own name for the authority": {byName(jpkiName("jpki-test", unitSigning, unitLASDEC)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.delegated()
			if c.certificates == nil {
				s = w.direct()
			}
			s.responder, s.certificates = c.id, c.certificates
			w.t = t
			w.wantGood(t, s.sign())
		})
	}
	for name, c := range map[string]struct {
		id           []byte
		certificates [][]byte
		step         string
	}{
		"another name": {byName(spelt(cbasn1.UTF8String, "JPKI-TEST2")), [][]byte{good}, "ocsp.responder-id"},
		"another key":  {byKey(make([]byte, 20)), [][]byte{good}, "ocsp.responder-id"},
		"none that will do": {byName(w.responder.Subject), [][]byte{expired, ordinary, otherKey},
			"ocsp.responder-validity"},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.delegated()
			s.responder, s.certificates = c.id, c.certificates
			w.t = t
			w.wantRefused(t, s.sign(), c.step, ReasonResponse)
		})
	}
}

// TestOCSPContradiction: an answer that speaks of one certificate under two hashes of its issuer is refused, whatever
// it says, fresh or recorded: one of the statements would be ignored.
func TestOCSPContradiction(t *testing.T) {
	if fips140.Enforced() {
		return // SHA-1 identifiers cannot be told from those of strangers
	}
	w := newOCSPWorld(t)
	for _, asked := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		for _, second := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			one, errOne := newCertID(asked, w.leaf.known(), w.ca.asked().known())
			other, errOther := newCertID(second, w.leaf.known(), w.ca.asked().known())
			if errOne != nil || errOther != nil {
				t.Fatal(errOne, errOther)
			}
			for name, status := range map[string][]byte{"good": statusGood,
				"revoked": statusRevoked(now.Add(-day), 1)} {
				for _, first := range []bool{true, false} {
					s := w.direct()
					parts := [][]byte{
						single(one.der(), statusGood, now.Add(-5*time.Minute), now.Add(10*time.Minute)),
						single(other.der(), status, now.Add(-5*time.Minute), now.Add(10*time.Minute)),
					}
					if !first {
						parts[0], parts[1] = parts[1], parts[0]
					}
					s.singles = parts
					w.id = one
					w.wantRefused(t, s.sign(), "ocsp.single-response", ReasonResponse)
					record := RecordedOCSP{Response: s.sign()}
					if answer, err := record.Check(t.Context(),
						Query{Certificate: w.leaf, Issuer: w.ca.asked(), At: now}); err == nil {
						t.Errorf("%v and %v, %s: recorded: %v", asked, second, name, answer)
					}
				}
			}
		}
	}
	// An identifier of another certificate is none of the question's business.
	s := w.direct()
	neighbour := w.id
	neighbour.serial = []byte{0x66}
	s.singles = append(s.singles, single(neighbour.der(), statusRevoked(now.Add(-day), 1), now, now.Add(time.Hour)))
	s.singles[0] = single(w.id.der(), statusGood, now.Add(-5*time.Minute), now.Add(10*time.Minute))
	w.wantGood(t, s.sign())
}
