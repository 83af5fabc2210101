package issuer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
)

// All generations have one name; a certificate's issuer is found by its key identifier.
func TestGenerations(t *testing.T) {
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
			if c.NotBefore.Year() != tc.year || c.NotAfter.Year() != tc.year+10 || c.NotBefore.After(now) || c.NotAfter.Before(now) {
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
			t.Errorf("trust of %v holds %v: %v", tc.of.SigningCA().Certificate().NotBefore, tc.anchor.SigningCA().Certificate().NotBefore, got)
		}
	}
	all := j.Authorities()
	if len(all) != 6 || all[0] != j.SigningCA() || all[1] != j.AuthenticationCA() || all[2] != successor.SigningCA() || all[4] != older.SigningCA() {
		t.Errorf("%d authorities, or in another order", len(all))
	}
	// In the summer before 16 July the change was in the year before.
	if s, err := j.Successor(time.Date(2026, 7, 15, 0, 0, 0, 0, time.UTC)); err != nil || s.SigningCA().Certificate().NotBefore.Year() != 2025 {
		t.Errorf("successor in July: %v", err)
	}
}
