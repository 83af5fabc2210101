package jpki_test

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
)

// These tests use the package from outside, with the test JPKI that everything else is tested with.

type simulated struct {
	*issuer.JPKI
	now time.Time
}

func simulate(t *testing.T) *simulated {
	t.Helper()
	s := &simulated{now: clock()}
	j, err := issuer.New(issuer.Config{Now: func() time.Time { return s.now }, Seed: "jpki"})
	if err != nil {
		t.Fatal(err)
	}
	s.JPKI = j
	return s
}

func (s *simulated) issue(t *testing.T, ca *issuer.CA, city string) *jpki.Certificate {
	t.Helper()
	der, err := ca.Issue(issuer.Request{Key: &issuer.KeyFromSeed("jpki", "holder").PublicKey, Holder: issuer.Subject{
		Name: "試験　太郎", Address: "東京都架空市１－２", Gender: "1", Birthdate: "19900401",
		PrefectureRomaji: "Tokyo-to", CityRomaji: city, MunicipalityCode: "13999",
	}, IssuedAt: s.now})

	if err != nil {
		t.Fatal(err)
	}
	c, err := jpki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *simulated) verifier(t *testing.T, sources ...revocation.Source) *jpki.Verifier {
	t.Helper()
	v, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: s.Trust(), Revocation: revocation.Require(sources...),
		Now: func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func wantStatus(t *testing.T, v *jpki.Verifier, c *jpki.Certificate, want jpki.Status, opts ...jpki.VerifyOption) {
	t.Helper()
	res, err := v.Verify(t.Context(), c, opts...)
	if res.Status != want || (err == nil) != (want == jpki.Good) {
		t.Errorf("%v, %v, want %v", res.Status, err, want)
	}
}

// TestLifeOfACertificate walks through it by daily lists, adding each to the same store, and by OCSP beside them.
func TestLifeOfACertificate(t *testing.T) {
	s := simulate(t)
	for name, ca := range map[string]*issuer.CA{"sign": s.SigningCA(), "auth": s.AuthenticationCA()} {
		t.Run(name, func(t *testing.T) {
			s.now = clock()
			c := s.issue(t, ca, "Kiyose-shi")
			server := httptest.NewServer(s.Handler())
			t.Cleanup(server.Close)
			asked, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over(t, server.URL+"/"+name+"/ocsp"),
				Now: func() time.Time { return s.now }})
			if err != nil {
				t.Fatal(err)
			}
			store := new(revocation.Store)
			byList, byOCSP := s.verifier(t, store), s.verifier(t, asked)
			fetch := func() {
				t.Helper()
				list, err := ca.CRL(c.X509())
				if err != nil {
					t.Fatal(err)
				}
				if err := store.Add(t.Context(), bytes.NewReader(list)); err != nil {
					t.Fatal(err)
				}
			}
			both := func(want jpki.Status) {
				t.Helper()
				wantStatus(t, byList, c, want)
				wantStatus(t, byOCSP, c, want)
			}
			wantStatus(t, byList, c, jpki.Unknown)
			fetch()
			both(jpki.Good)
			first := s.now

			s.now = s.now.Add(24 * time.Hour)
			if err := ca.Revoke(c.X509().SerialNumber, issuer.Revocation{Reason: 6, At: s.now}); err != nil {
				t.Fatal(err)
			}
			fetch()
			both(jpki.Hold)
			suspended := s.now

			s.now = s.now.Add(24 * time.Hour)
			if err := ca.Unrevoke(c.X509().SerialNumber); err != nil {
				t.Fatal(err)
			}
			fetch()
			both(jpki.Good)

			s.now = s.now.Add(24 * time.Hour)
			if err := ca.Revoke(c.X509().SerialNumber, issuer.Revocation{Reason: 3, At: s.now}); err != nil {
				t.Fatal(err)
			}
			fetch()
			both(jpki.Revoked)
			wantStatus(t, byList, c, jpki.Good, jpki.At(first))
			wantStatus(t, byList, c, jpki.Hold, jpki.At(suspended))
			wantStatus(t, byOCSP, c, jpki.Unknown, jpki.At(first))

			s.now = s.now.Add(30 * 24 * time.Hour)
			wantStatus(t, byList, c, jpki.Unknown) // nobody fetched
			s.now = c.ValidUntil().Add(time.Second)
			both(jpki.Expired)
			wantStatus(t, byList, c, jpki.NotYetValid, jpki.At(c.ValidFrom().Add(-time.Second)))
		})
	}
}

func TestListOfAnotherCity(t *testing.T) {
	s := simulate(t)
	c, neighbour := s.issue(t, s.SigningCA(), "Kiyose-shi"), s.issue(t, s.SigningCA(), "Hino-shi")
	list, err := s.SigningCA().CRL(neighbour.X509())
	if err != nil {
		t.Fatal(err)
	}
	store := new(revocation.Store)
	if err := store.Add(t.Context(), bytes.NewReader(list)); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, s.verifier(t, store), neighbour, jpki.Good)
	wantStatus(t, s.verifier(t, store), c, jpki.Unknown)
}

func TestOCSPIdentifiersWithResponder(t *testing.T) {
	s := simulate(t)
	c := s.issue(t, s.SigningCA(), "Kiyose-shi")
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		if fips140.Enforced() && hash == crypto.SHA1 {
			continue
		}
		for _, noNonce := range []bool{false, true} {
			o, err := revocation.NewOCSP(revocation.OCSPConfig{
				Responder: over(t, server.URL+"/sign/ocsp"), CertIDHash: hash, NoNonce: noNonce,
				Now: func() time.Time { return s.now },
			})
			if err != nil {
				t.Fatal(err)
			}
			wantStatus(t, s.verifier(t, o), c, jpki.Good)
		}
	}
}

func TestResponderOfTheOtherAuthority(t *testing.T) {
	s := simulate(t)
	c := s.issue(t, s.SigningCA(), "Kiyose-shi")
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	o, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over(t, server.URL+"/auth/ocsp"),
		Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, s.verifier(t, o), c, jpki.Unknown)
}

func TestCertificateOfAnotherJPKI(t *testing.T) {
	s := simulate(t)
	other, err := issuer.New(issuer.Config{Now: clock, Seed: "somebody else"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: other.Trust(), Revocation: revocation.InsecureNoRevocation(), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(t.Context(), s.issue(t, s.SigningCA(), "Kiyose-shi"))
	if !errors.Is(err, &jpki.Error{Reason: jpki.ReasonIssuer, Step: "chain.key-id"}) ||
		kakunin.FamilyOf(err) != kakunin.Untrusted {
		t.Errorf("same names, other keys: %v", err)
	}
	_, err = jpki.NewVerifier(jpki.VerifierConfig{Trust: s.Trust(), Revocation: revocation.InsecureNoRevocation()})
	if kakunin.FamilyOf(err) != kakunin.Configuration {
		t.Errorf("production verifier with the test anchors: %v", err)
	}
}

func TestIssuedCertificateReads(t *testing.T) {
	s := simulate(t)
	c := s.issue(t, s.SigningCA(), "Kiyose-shi")
	if c.Person().Name.Reveal() != "試験　太郎" || len(c.PersonProblems()) != 0 || len(c.DistributionPoints()) != 1 ||
		!bytes.Contains(c.DistributionPoints()[0], []byte("Kiyose-shi CRLDP")) {
		t.Error("the profile is not read completely")
	}
}

// over is the way to a responder of a test.
func over(t *testing.T, url string) *responder.HTTP {
	t.Helper()
	h, err := responder.New(responder.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
