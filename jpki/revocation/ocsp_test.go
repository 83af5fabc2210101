package revocation

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/sigalg"
)

func TestOCSPAccepted(t *testing.T) {
	w := newOCSPWorld(t)
	responder := parsed(t, w.responder.Sign(w.ca.Key))
	for name, m := range map[string]func() responseSpec{
		"authority by name": w.direct,
		"authority by key": func() responseSpec {
			s := w.direct()
			if fips140.Enforced() {
				s.responder = byKey(w.ca.Cert.SubjectKeyId)
			} else {
				s.responder = byKey(keyHash(t, w.ca.Cert))
			}
			return s
		},
		"delegated by name": w.delegated,
		"delegated by key": func() responseSpec {
			s := w.delegated()
			s.responder = byKey(keyHash(t, responder))
			return s
		},
		"delegated, among other certificates": func() responseSpec {
			s := w.delegated()
			s.certificates = append([][]byte{w.leaf.Raw(), {0x30, 0}}, s.certificates...)
			return s
		},
		"among other responses": func() responseSpec {
			s := w.direct()
			other := w.id
			other.serial = []byte{0x66}
			s.singles = append(s.singles, single(other.der(), statusRevoked(now), now, time.Time{}))
			return s
		},
		"without nextUpdate": func() responseSpec {
			s := w.direct()
			s.singles = [][]byte{single(w.id.der(), statusGood, now.Add(-5*time.Minute), time.Time{})}
			return s
		},
		"an authority that shares its name with the responder": func() responseSpec {
			s := w.delegated()
			spec := w.responder
			spec.Subject = w.ca.Name
			s.responder, s.certificates = byName(w.ca.Name), [][]byte{spec.Sign(w.ca.Key)}
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := m()
			w.wantGood(t, s.sign())
		})
	}
}

func TestOCSPStatus(t *testing.T) {
	w := newOCSPWorld(t)
	answer := func(status []byte, at time.Time, extensions ...[]byte) (Answer, error) {
		s := w.direct()
		s.singles = [][]byte{single(w.id.der(), status, now.Add(-5*time.Minute), now.Add(10*time.Minute),
			extensions...)}
		return w.verify(s.sign(), at)
	}
	invalid := func(at time.Time) []byte { return ext(oidInvalidityDate, false, generalizedTime(at)) }
	for _, tc := range []struct {
		name       string
		status     []byte
		at         time.Time
		want       Status
		extensions [][]byte
	}{
		{"good", statusGood, now, Good, nil},
		{"good says nothing about an earlier time", statusGood, now.Add(-time.Hour), Unknown, nil},
		{"good says nothing about a later time", statusGood, now.Add(time.Hour), Unknown, nil},
		{"unknown", statusUnknown, now, Unknown, nil},
		{"revoked without reason", statusRevoked(now.Add(-day)), now, Revoked, nil},
		{"affiliationChanged", statusRevoked(now.Add(-day), 3), now, Revoked, nil},
		{"hold", statusRevoked(now.Add(-day), 6), now, Hold, nil},
		{"revoked just now by a clock that is ahead", statusRevoked(now.Add(time.Minute), 4), now, Unknown, nil},
		{"compromised just now by a clock that is ahead", statusRevoked(now.Add(time.Minute), 1), now, Revoked, nil},
		{"to be revoked later", statusRevoked(now.Add(5*time.Minute), 4), now, Good, nil},
		{"removeFromCRL", statusRevoked(now.Add(-day), 8), now, Unknown, nil},
		{"revoked after the time, which is not covered", statusRevoked(now.Add(-day), 4), now.Add(-2 * day), Unknown,
			nil},
		{"compromised after the time", statusRevoked(now.Add(-day), 1), now.Add(-2 * day), Revoked, nil},
		{"revoked before the time", statusRevoked(now.Add(-3*day), 4), now.Add(-2 * day), Revoked, nil},
		{"revoked after, invalid before the time", statusRevoked(now.Add(-day), 4), now.Add(-2 * day), Revoked,
			[][]byte{invalid(now.Add(-3 * day))}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := answer(tc.status, tc.at, tc.extensions...)
			if got.Status != tc.want || (err == nil) != (tc.want != Unknown) {
				t.Errorf("%v, %v, want %v", got, err, tc.want)
			}
			if tc.want == Unknown && !errors.Is(err, &Error{Reason: ReasonStatusUnknown}) {
				t.Error(err)
			}
		})
	}
}

func TestOCSPCertID(t *testing.T) {
	w := newOCSPWorld(t)
	good := single(w.id.der(), statusGood, now.Add(-5*time.Minute), now.Add(10*time.Minute))
	about := func(change func(*certID)) []byte {
		id := w.id
		change(&id)
		return single(id.der(), statusGood, now.Add(-5*time.Minute), now.Add(10*time.Minute))
	}
	for _, tc := range []struct {
		name, step string
		singles    [][]byte
	}{
		{"another serial", "ocsp.cert-id", [][]byte{about(func(id *certID) { id.serial = []byte{9} })}},
		// golang.org/x/crypto/ocsp matches the serial number only.
		{"another issuer key", "ocsp.cert-id", [][]byte{about(func(id *certID) {
			id.keyHash = bytes.Repeat([]byte{1}, 32)
		})}},
		{"another issuer name", "ocsp.cert-id", [][]byte{about(func(id *certID) {
			id.nameHash = bytes.Repeat([]byte{1}, 32)
		})}},
		{"another hash algorithm", "ocsp.cert-id", [][]byte{about(func(id *certID) { id.hash = oidSHA1 })}},
		{"two answers", "ocsp.single-response", [][]byte{good, good}},
		{"two contradicting answers", "ocsp.single-response",
			[][]byte{good, single(w.id.der(), statusRevoked(now), now, time.Time{})}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := w.direct()
			s.singles = tc.singles
			w.wantRefused(t, s.sign(), tc.step, ReasonResponse)
		})
	}
}

func TestOCSPTimes(t *testing.T) {
	w := newOCSPWorld(t)
	for _, tc := range []struct {
		name, step           string
		produced, this, next time.Duration // from now; next 0: absent
	}{
		{"41 days past nextUpdate", "ocsp.this-update", -42 * day, -42 * day, -41 * day},
		{"old but with a long nextUpdate", "ocsp.this-update", -day, -day, 30 * day},
		{"past nextUpdate", "ocsp.next-update", -4 * time.Minute, -5 * time.Minute, -3 * time.Minute},
		{"thisUpdate in the future", "ocsp.this-update", 3 * time.Minute, 3 * time.Minute, time.Hour},
		{"produced in the future", "ocsp.produced-at", 3 * time.Minute, 0, time.Hour},
		{"produced long ago, fresh content", "ocsp.produced-at", -time.Hour, 0, time.Hour},
		{"produced before thisUpdate", "ocsp.produced-at", -10 * time.Minute, -time.Minute, time.Hour},
		{"old without nextUpdate", "ocsp.this-update", -time.Hour, -time.Hour, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := w.direct()
			s.producedAt = generalizedTime(now.Add(tc.produced))
			next := time.Time{}
			if tc.next != 0 {
				next = now.Add(tc.next)
			}
			s.singles = [][]byte{single(w.id.der(), statusGood, now.Add(tc.this), next)}
			w.wantRefused(t, s.sign(), tc.step, ReasonResponseStale)
		})
	}
	t.Run("within the skew", func(t *testing.T) {
		s := w.direct()
		s.producedAt = generalizedTime(now.Add(defaultOCSPSkew))
		s.singles = [][]byte{single(w.id.der(), statusGood, now.Add(defaultOCSPSkew), now.Add(time.Hour))}
		w.wantGood(t, s.sign())
	})
	t.Run("nextUpdate before thisUpdate", func(t *testing.T) {
		s := w.direct()
		s.singles = [][]byte{single(w.id.der(), statusGood, now, now.Add(-time.Second))}
		w.wantRefused(t, s.sign(), "ocsp.single-response", ReasonResponse)
	})
	t.Run("UTCTime", func(t *testing.T) {
		s := w.direct()
		s.producedAt = utcTime(now)
		w.wantRefused(t, s.sign(), "ocsp.produced-at", ReasonResponse)
		s = w.direct()
		s.singles = [][]byte{sequence(w.id.der(), statusGood, utcTime(now))}
		w.wantRefused(t, s.sign(), "ocsp.single-response", ReasonResponse)
	})
}

func TestOCSPNonce(t *testing.T) {
	w := newOCSPWorld(t)
	for name, extensions := range map[string][][]byte{
		"absent": nil, "another": {nonceExt(bytes.Repeat([]byte{8}, nonceSize))}, "cut": {nonceExt(w.nonce[1:])},
		"longer": {nonceExt(append(bytes.Clone(w.nonce), 7))},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.direct()
			s.extensions = extensions
			w.wantRefused(t, s.sign(), "ocsp.nonce", ReasonResponse)
			if answer, err := w.verify(s.sign(), now, func(p *acceptance) { p.nonce = nil }); err != nil ||
				answer.Status != Good {
				t.Errorf("when none was sent: %v", err)
			}
		})
	}
	for name, nonce := range map[string][]byte{"empty": {}, "129 octets": make([]byte, 129)} {
		t.Run(name, func(t *testing.T) {
			s := w.direct()
			s.extensions = [][]byte{nonceExt(nonce)}
			w.wantRefused(t, s.sign(), "ocsp.nonce", ReasonResponse)
		})
	}
}

func TestOCSPMalformed(t *testing.T) {
	w := newOCSPWorld(t)
	critical := ext([]int{1, 2, 3}, true, []byte{5, 0})
	for _, tc := range []struct {
		name, step string
		mutate     func(*responseSpec)
	}{
		{"critical response extension", "ocsp.critical-extensions",
			func(s *responseSpec) { s.extensions = append(s.extensions, critical) }},
		{"critical single extension", "ocsp.critical-extensions", func(s *responseSpec) {
			s.singles = [][]byte{single(w.id.der(), statusGood, now, time.Time{}, critical)}
		}},
		{"extension twice", "ocsp.response-extensions", func(s *responseSpec) {
			s.extensions = append(s.extensions, s.extensions[0])
		}},
		{"no response", "ocsp.der", func(s *responseSpec) { s.singles = nil }},
		{"good with content", "ocsp.single-response", func(s *responseSpec) {
			s.singles = [][]byte{single(w.id.der(), []byte{0x80, 1, 0}, now, time.Time{})}
		}},
		{"status of another tag", "ocsp.single-response", func(s *responseSpec) {
			s.singles = [][]byte{single(w.id.der(), []byte{0x83, 0}, now, time.Time{})}
		}},
		{"undefined reason", "ocsp.single-response", func(s *responseSpec) {
			s.singles = [][]byte{single(w.id.der(), statusRevoked(now, 7), now, time.Time{})}
		}},
		{"responder of another tag", "ocsp.responder-id", func(s *responseSpec) {
			s.responder = wrap(tag3c, w.ca.Name)
		}},
		{"version 2", "ocsp.version", func(s *responseSpec) {
			s.responder = append(wrap(tag0c, integer(1)), s.responder...)
		}},
		{"SHA-1 signature", "ocsp.signature-algorithm", func(s *responseSpec) {
			s.algorithm = sequence(oid([]int{1, 2, 840, 113549, 1, 1, 5}), []byte{5, 0})
		}},
		{"MD5 signature", "ocsp.signature-algorithm", func(s *responseSpec) {
			s.algorithm = sequence(oid([]int{1, 2, 840, 113549, 1, 1, 4}), []byte{5, 0})
		}},
		{"ECDSA with NULL parameters", "ocsp.signature-algorithm",
			func(s *responseSpec) { s.algorithm = sequence(oid(sigalg.ECDSAWithSHA256.ID), []byte{5, 0}) }},
		{"algorithm of another hash", "ocsp.responder-id", func(s *responseSpec) {
			s.algorithm = sequence(oid(sigalg.SHA384WithRSA.ID), []byte{5, 0})
		}},
		{"algorithm of another key", "ocsp.responder-id", func(s *responseSpec) {
			s.algorithm = sequence(oid(sigalg.ECDSAWithSHA256.ID))
		}},
		{"too many certificates", "ocsp.certificates", func(s *responseSpec) {
			s.certificates = slices.Repeat([][]byte{{0x30, 0}}, limits.OCSPCertificates+1)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := w.direct()
			tc.mutate(&s)
			w.wantRefused(t, s.sign(), tc.step, ReasonResponse)
		})
	}
	s := w.delegated()
	der := s.sign()
	for n := range der {
		if answer, err := w.verify(der[:n], now); err == nil || answer.Status != Unknown {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(der))
		}
	}
	w.wantRefused(t, append(bytes.Clone(der), 0), "ocsp.der", ReasonResponse)
	w.wantRefused(t, make([]byte, limits.OCSPResponse+1), "ocsp.size", ReasonResponse)
	w.wantRefused(t, sequence([]byte{10, 1, 0}, wrap(tag0c, sequence(oid([]int{1, 2, 3}),
		wrap(cbasn1.OCTET_STRING, []byte{0x30, 0})))), "ocsp.type", ReasonResponse)
	w.wantRefused(t, sequence([]byte{10, 1, 3}, wrap(tag0c, sequence())), "ocsp.response-status", ReasonResponse)
	for status, want := range map[byte]Reason{
		1: ReasonResponderRefused, 2: ReasonResponderUnavailable, 3: ReasonResponderUnavailable, 4: ReasonResponse,
		5: ReasonResponderRefused, 6: ReasonResponderRefused, 7: ReasonResponse,
	} {
		w.wantRefused(t, sequence([]byte{10, 1, status}), "ocsp.response-status", want)
	}
}

// TestOCSPOfStandardEncoder reads a response that golang.org/x/crypto/ocsp made.
func TestOCSPOfStandardEncoder(t *testing.T) {
	if fips140.Enforced() {
		return // that package identifies by SHA-1
	}
	w := newOCSPWorld(t)
	id, err := newCertID(crypto.SHA1, w.leaf.known(), w.ca.asked().known())
	if err != nil {
		t.Fatal(err)
	}
	w.id = id
	responder := parsed(t, w.responder.Sign(w.ca.Key))
	// CreateResponse stamps producedAt with the machine's clock.
	real := time.Now()
	der, err := ocsp.CreateResponse(w.ca.Cert, responder, ocsp.Response{
		Status: ocsp.Revoked, SerialNumber: new(big.Int).SetBytes(w.leaf.Serial()), ThisUpdate: real.Add(-time.Minute),
		NextUpdate: real.Add(time.Hour),
		RevokedAt:  now.Add(-day), RevocationReason: ocsp.AffiliationChanged, IssuerHash: crypto.SHA1,
		Certificate:        responder,
		SignatureAlgorithm: x509.SHA256WithRSA,
	}, testKey("responder"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseResponse(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.verifySigner(t.Context(), w.ca.asked().known(), acceptance{now: now}); err != nil {
		t.Error(err)
	}
	got, err := r.only([]certID{id}, Query{Certificate: w.leaf, Issuer: w.ca.asked()})
	if err != nil || got.status != Revoked || got.event.reason != 3 ||
		!got.event.date.Equal(now.Add(-day).Truncate(time.Minute)) && !got.event.date.Equal(now.Add(-day)) {
		t.Errorf("%+v, %v", got, err)
	}
}
