package issuer_test

import (
	"crypto"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
)

// All generations have one name; a certificate's issuer is found by its key identifier.
func TestOtherGenerations(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	j, err := issuer.New(issuer.Config{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(j.Trust().Anchors()); n != 2 || len(j.Authorities()) != 2 {
		t.Errorf("%d anchors, %d authorities", n, len(j.Authorities()))
	}
	same, err := j.At(now.AddDate(-1, 0, 0))
	if err != nil || same != j {
		t.Errorf("another JPKI for the same generation: %v", err)
	}
	older, err := j.Older()
	if err != nil {
		t.Fatal(err)
	}
	successor, err := j.Successor(now)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		got  *issuer.JPKI
		year int
	}{"older": {older, 2018}, "present": {j, 2023}, "successor": {successor, 2026}} {
		for _, ca := range []*issuer.CA{tc.got.SigningCA(), tc.got.AuthenticationCA()} {
			c := ca.Certificate()
			if c.NotBefore.Year() != tc.year || c.NotAfter.Year() != tc.year+10 || c.NotBefore.After(now) ||
				c.NotAfter.Before(now) {
				t.Errorf("%s: valid %s to %s", name, c.NotBefore, c.NotAfter)
			}
		}
		if a, b := tc.got.SigningCA().Certificate(), j.SigningCA().Certificate(); tc.got != j &&
			(string(a.RawSubject) != string(b.RawSubject) || string(a.SubjectKeyId) == string(b.SubjectKeyId)) {
			t.Errorf("%s: the name must be the same and the key another", name)
		}
		if tc.got.Seed() != issuer.DefaultSeed {
			t.Errorf("%s: seed %q", name, tc.got.Seed())
		}
	}
	// A verifier keeps older anchors and does not know newer ones.
	trusts := func(of, anchor *issuer.JPKI) bool {
		return slices.ContainsFunc(of.Trust().Anchors(), func(a jpki.Anchor) bool {
			return string(a.KeyID) == string(anchor.AuthenticationCA().Certificate().SubjectKeyId)
		})
	}
	for _, tc := range []struct {
		of, anchor *issuer.JPKI
		want       bool
	}{
		{j, j, true}, {j, older, true}, {j, successor, false},
		{older, j, false}, {older, older, true}, {successor, j, true}, {successor, successor, true},
	} {
		if got := trusts(tc.of, tc.anchor); got != tc.want {
			t.Errorf("trust of %v holds %v: %v", tc.of.SigningCA().Certificate().NotBefore,
				tc.anchor.SigningCA().Certificate().NotBefore, got)
		}
	}
	all := j.Authorities()
	if len(all) != 6 || all[0] != j.SigningCA() || all[1] != j.AuthenticationCA() || all[2] != successor.SigningCA() ||
		all[4] != older.SigningCA() {
		t.Errorf("%d authorities, or in another order", len(all))
	}
	// In the summer before 16 July the change was in the year before.
	if s, err := j.Successor(time.Date(2026, 7, 15, 0, 0, 0, 0, time.UTC)); err != nil ||
		s.SigningCA().Certificate().NotBefore.Year() != 2025 {
		t.Errorf("successor in July: %v", err)
	}
}

// One handler publishes for all generations that were made.
func TestHandlerServesOtherGenerations(t *testing.T) {
	j, _ := newJPKI(t)
	older, err := j.Older()
	if err != nil {
		t.Fatal(err)
	}
	ca := older.SigningCA()
	leaf := issue(t, ca, holder(), noon)
	if err := ca.Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.Superseded,
		At: noon.Add(-time.Minute)}); err != nil {
		t.Fatal(err)
	}
	der := ask(t, j.Handler(), "/sign/ocsp", request(t, leaf, ca.Certificate(), crypto.SHA256))
	if r, err := ocsp.ParseResponseForCert(der, leaf, ca.Certificate()); err != nil || r.Status != ocsp.Revoked {
		t.Errorf("OCSP: %v", err)
	}
	crl, err := ca.CRL(leaf)
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string][]byte{
		"/sign/ca.cer?generation=2018":                                  ca.Certificate().Raw,
		"/auth/ca.cer?generation=2018":                                  older.AuthenticationCA().Certificate().Raw,
		"/auth/ca.cer?generation=2023":                                  j.AuthenticationCA().Certificate().Raw,
		"/sign/crl?prefecture=Tokyo-to&city=Kiyose-shi&generation=2018": crl,
		"/sign/crl?prefecture=Tokyo-to&city=Kiyose-shi&generation=2013": nil,
		"/sign/ca.cer?generation=2026-early":                            nil,
	} {
		w := httptest.NewRecorder()
		j.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, http.NoBody))
		if got := w.Body.Bytes(); want != nil && (w.Code != http.StatusOK || string(got) != string(want)) ||
			want == nil && w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, %d bytes", target, w.Code, len(got))
		}
	}
}
