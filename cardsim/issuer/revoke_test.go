package issuer_test

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

func list(t *testing.T, ca *issuer.CA, leaf *x509.Certificate) *x509.RevocationList {
	t.Helper()
	der, err := ca.CRL(leaf)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := crl.CheckSignatureFrom(ca.Certificate()); err != nil {
		t.Error(err)
	}
	return crl
}

func TestRevocationStates(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	ca := j.SigningCA()
	leaf := issue(t, ca, holder(), noon)
	serial := leaf.SerialNumber

	wantReason(t, ca.Unrevoke(serial), issuer.ReasonNotOnHold)
	for _, reason := range []int{-1, 7, 8, 11} {
		wantReason(t, ca.Revoke(serial, issuer.Revocation{Reason: reason, At: noon}), issuer.ReasonBadRevocationReason)
	}
	for _, unknown := range []*big.Int{nil, big.NewInt(1), new(big.Int).Neg(serial)} {
		wantReason(t, ca.Revoke(unknown, issuer.Revocation{Reason: issuer.Superseded, At: noon}),
			issuer.ReasonNotIssued)
		wantReason(t, ca.Unrevoke(unknown), issuer.ReasonNotIssued)
	}
	wantReason(t, j.AuthenticationCA().Revoke(serial, issuer.Revocation{Reason: issuer.Superseded, At: noon}),
		issuer.ReasonNotIssued)

	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	entries := func(want ...int) {
		t.Helper()
		var got []int
		for _, e := range list(t, ca, leaf).RevokedCertificateEntries {
			got = append(got, e.ReasonCode)
		}
		if !slices.Equal(got, want) {
			t.Errorf("reasons on the list %v, want %v", got, want)
		}
	}
	entries()
	must(ca.Revoke(serial, issuer.Revocation{Reason: issuer.CertificateHold, At: noon}))
	entries(6)
	must(ca.Unrevoke(serial))
	entries()
	must(ca.Revoke(serial, issuer.Revocation{Reason: issuer.CertificateHold, At: noon}))
	must(ca.Revoke(serial, issuer.Revocation{Reason: issuer.AffiliationChanged, At: noon}))
	entries(3)
	wantReason(t, ca.Unrevoke(serial), issuer.ReasonNotOnHold)
	wantReason(t, ca.Revoke(serial, issuer.Revocation{Reason: issuer.Superseded, At: noon}),
		issuer.ReasonAlreadyRevoked)
	entries(3)

	later := issue(t, ca, holder(), noon.Add(time.Second))
	must(ca.Revoke(later.SerialNumber, issuer.Revocation{Reason: 0, At: noon.Add(time.Hour)}))
	entries(3) // not yet
	now.add(time.Hour)
	if got := list(t, ca, leaf).RevokedCertificateEntries; len(got) != 2 ||
		got[0].SerialNumber.Cmp(got[1].SerialNumber) >= 0 {
		t.Errorf("entries %v are not in ascending order", got)
	}
	for _, e := range list(t, ca, leaf).RevokedCertificateEntries {
		if e.SerialNumber.Cmp(later.SerialNumber) == 0 && (len(e.Extensions) > 0 ||
			!e.RevocationTime.Equal(noon.Add(time.Hour))) {
			t.Errorf("the unspecified reason is not absent, or the time is wrong: %+v", e)
		}
	}
}

// The clock of a simulator may be put back: what was changed before stays, and the list is not from the future.
func TestListsWhenTheClockIsPutBack(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	ca := j.SigningCA()
	leaf := issue(t, ca, holder(), noon)
	now.add(36 * time.Hour)
	for _, change := range []func() error{
		func() error {
			return ca.Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.CertificateHold, At: now.Now()})
		},
		func() error { return ca.Unrevoke(leaf.SerialNumber) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
	}
	ahead := list(t, ca, leaf)
	now.add(-36 * time.Hour)
	back := list(t, ca, leaf)
	if back.ThisUpdate.After(noon) || ahead.ThisUpdate.Before(noon) || len(back.RevokedCertificateEntries) != 0 {
		t.Errorf("from %v, ahead %v: %v", back.ThisUpdate, ahead.ThisUpdate, back.RevokedCertificateEntries)
	}
}

func TestListProfile(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	ca := j.SigningCA()
	leaf := issue(t, ca, holder(), noon)
	crl := list(t, ca, leaf)
	var extensions []string
	for _, e := range crl.Extensions {
		s := e.Id.String()
		if e.Critical {
			s += "!"
		}
		extensions = append(extensions, s)
		if s == "2.5.29.28!" {
			wantHex(t, "issuingDistributionPoint", e.Value,
				tlv("30", tlv("a0", tlv("a0", tlv("a4", partitionHex("JPKI for digital signature"))))+"8101ff"))
		}
	}
	if want := []string{"2.5.29.35", "2.5.29.20", "2.5.29.28!"}; !slices.Equal(extensions, want) {
		t.Errorf("extensions %v, want %v", extensions, want)
	}
	if !bytes.Equal(crl.AuthorityKeyId, ca.Certificate().SubjectKeyId) ||
		!bytes.Equal(crl.RawIssuer, ca.Certificate().RawSubject) {
		t.Error("the list names another issuer")
	}
	// Daily: dated at the beginning of the day in Japan.
	midnight := time.Date(2025, 10, 26, 15, 0, 0, 0, time.UTC)
	if !crl.ThisUpdate.Equal(midnight) || !crl.NextUpdate.Equal(midnight.Add(48*time.Hour)) {
		t.Errorf("list of %v to %v", crl.ThisUpdate, crl.NextUpdate)
	}
	again, err := ca.CRL(leaf)
	if err != nil || !bytes.Equal(again, crl.Raw) {
		t.Error("the same state gave two lists")
	}

	number := crl.Number
	grows := func(what string) *x509.RevocationList {
		t.Helper()
		next := list(t, ca, leaf)
		if next.Number.Cmp(number) <= 0 {
			t.Errorf("%s: the number did not grow from %v to %v", what, number, next.Number)
		}
		if next.ThisUpdate.After(now.Now()) {
			t.Errorf("%s: list of the future", what)
		}
		number = next.Number
		return next
	}
	if err := ca.Revoke(leaf.SerialNumber, issuer.Revocation{Reason: issuer.CertificateHold,
		At: noon.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if crl := grows("revocation"); !crl.ThisUpdate.Equal(noon) {
		t.Errorf("a change at %v gave a list of %v", noon, crl.ThisUpdate)
	}
	if err := ca.Unrevoke(leaf.SerialNumber); err != nil {
		t.Fatal(err)
	}
	grows("release within the same second")
	now.add(24 * time.Hour)
	grows("the next day")
}

// Two processes with one seed have one CA: each has a list for what the other issued, and no list for what only says
// so.
func TestListsForOtherProcesses(t *testing.T) {
	t.Parallel()
	here, _ := newJPKI(t)
	there, _ := newJPKI(t)
	leaf := issue(t, there.SigningCA(), holder(), noon)
	if n := len(list(t, here.SigningCA(), leaf).RevokedCertificateEntries); n != 0 {
		t.Errorf("%d entries", n)
	}
	other, err := issuer.New(issuer.Config{Now: func() time.Time { return noon }, Seed: "another world"})
	if err != nil {
		t.Fatal(err)
	}
	fresh, _ := newJPKI(t)
	_, err = fresh.SigningCA().CRL(issue(t, other.SigningCA(), holder(), noon))
	wantReason(t, err, issuer.ReasonUnknownPartition)
}

func TestListsArePartitioned(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	ca := j.SigningCA()
	kiyose := issue(t, ca, holder(), noon)
	s := holder()
	s.CityRomaji, s.MunicipalityCode = "Machida-shi", "13209"
	machida := issue(t, ca, s, noon)
	if err := ca.Revoke(kiyose.SerialNumber, issuer.Revocation{Reason: issuer.Superseded, At: noon}); err != nil {
		t.Fatal(err)
	}
	if n := len(list(t, ca, kiyose).RevokedCertificateEntries); n != 1 {
		t.Errorf("%d entries in the city of the revoked certificate", n)
	}
	if n := len(list(t, ca, machida).RevokedCertificateEntries); n != 0 {
		t.Errorf("%d entries in the other city", n)
	}
	_, err := j.AuthenticationCA().CRL(kiyose)
	wantReason(t, err, issuer.ReasonUnknownPartition)
	_, err = ca.CRL(ca.Certificate()) // its distribution point is no municipality
	wantReason(t, err, issuer.ReasonUnknownPartition)
	_, err = ca.CRL(nil)
	wantReason(t, err, issuer.ReasonUnknownPartition)
}
