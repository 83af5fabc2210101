package issuer_test

import (
	"bytes"
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/jpki/revocation/responder"
)

func verifier(t testing.TB, j *issuer.JPKI, now func() time.Time, sources ...revocation.Source) *jpki.Verifier {
	t.Helper()
	v, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: j.Trust(), Revocation: revocation.Require(sources...), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func leafOf(t testing.TB, der []byte) *jpki.Certificate {
	t.Helper()
	leaf, err := jpki.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// lists returns a store with the current list for the leaf.
func lists(t testing.TB, ca *issuer.CA, leaf *jpki.Certificate) *revocation.Store {
	t.Helper()
	der, err := ca.CRL(leaf.X509())
	if err != nil {
		t.Fatal(err)
	}
	store := new(revocation.Store)
	if err := store.Add(t.Context(), bytes.NewReader(der)); err != nil {
		t.Fatal(err)
	}
	return store
}

func wantStatus(t testing.TB, v *jpki.Verifier, leaf *jpki.Certificate, want jpki.Status,
	opts ...jpki.VerifyOption) *jpki.Result {
	t.Helper()
	result, err := v.Verify(context.Background(), leaf, opts...)
	if result.Status != want || (err == nil) != (want == jpki.Good) {
		t.Errorf("status %v, error %v; want %v", result.Status, err, want)
	}
	return result
}

// What is issued here is what package jpki reads: kind, environment and person.
func TestVerifierReadsWhatIsIssued(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	s := holder()
	s.Name, s.NameSubstitutes = "高橋　花子", "10000"
	leaf := leafOf(t, issue(t, j.SigningCA(), s, noon).Raw)
	if leaf.Kind() != jpki.SigningCard || !leaf.IsTest() || len(leaf.PersonProblems()) > 0 {
		t.Errorf("kind %v, test %v, problems %v", leaf.Kind(), leaf.IsTest(), leaf.PersonProblems())
	}
	p := leaf.Person()
	if p.Name.Reveal() != s.Name || p.Address.Reveal() != s.Address || p.Gender.Reveal() != fourinfo.Female ||
		p.Birthdate.Reveal() != (fourinfo.PartialDate{Year: 1980, Month: 2, Day: 17}) {
		t.Error("the person on the certificate is another one")
	}
	if got := p.Name.Substitutes(); !got.LengthMatches || len(got.Positions) != 1 || got.Positions[0] != 0 {
		t.Errorf("substitutes %+v", got)
	}
	auth := leafOf(t, issue(t, j.AuthenticationCA(), s, noon).Raw)
	if auth.Kind() != jpki.AuthenticationCard || !auth.IsTest() || len(auth.Person().Attributes()) > 0 {
		t.Errorf("kind %v, test %v, attributes %v", auth.Kind(), auth.IsTest(), auth.Person().Attributes())
	}
}

func TestVerifierWithLists(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	for kind, ca := range map[jpki.Kind]*issuer.CA{
		jpki.SigningCard: j.SigningCA(), jpki.AuthenticationCard: j.AuthenticationCA(),
	} {
		leaf := leafOf(t, issue(t, ca, holder(), noon).Raw)
		status := func(want jpki.Status) *jpki.Result {
			t.Helper()
			return wantStatus(t, verifier(t, j, now.Now, lists(t, ca, leaf)), leaf, want, jpki.For(kind))
		}
		status(jpki.Good)
		if err := ca.Revoke(leaf.X509().SerialNumber, issuer.Revocation{Reason: issuer.CertificateHold,
			At: noon}); err != nil {
			t.Fatal(err)
		}
		status(jpki.Hold)
		if err := ca.Unrevoke(leaf.X509().SerialNumber); err != nil {
			t.Fatal(err)
		}
		status(jpki.Good)
		if err := ca.Revoke(leaf.X509().SerialNumber, issuer.Revocation{Reason: issuer.AffiliationChanged,
			At: noon}); err != nil {
			t.Fatal(err)
		}
		if r := status(jpki.Revoked); r.Revocation.Reason != issuer.AffiliationChanged ||
			!r.Revocation.RevokedAt.Equal(noon) {
			t.Errorf("reason %d at %v", r.Revocation.Reason, r.Revocation.RevokedAt)
		}
	}
}

// Every reason that the authority can give arrives at the verifier unchanged.
func TestReasonsReachTheVerifier(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	ca := j.SigningCA()
	for _, reason := range []int{issuer.KeyCompromise, issuer.AffiliationChanged, issuer.Superseded,
		issuer.CessationOfOperation} {
		s := holder()
		s.Name = strings.Repeat("例", reason) // a certificate of its own
		leaf := leafOf(t, issue(t, ca, s, noon).Raw)
		if err := ca.Revoke(leaf.X509().SerialNumber, issuer.Revocation{Reason: reason, At: noon}); err != nil {
			t.Fatal(err)
		}
		if r := wantStatus(t, verifier(t, j, now.Now, lists(t, ca, leaf)), leaf,
			jpki.Revoked); int(r.Revocation.Reason) != reason {
			t.Errorf("reason %d arrives as %d", reason, r.Revocation.Reason)
		}
	}
}

func TestVerifierRefusesAnotherCitysList(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	ca := j.SigningCA()
	leaf := leafOf(t, issue(t, ca, holder(), noon).Raw)
	s := holder()
	s.CityRomaji = "Machida-shi"
	elsewhere := leafOf(t, issue(t, ca, s, noon).Raw)
	if err := ca.Revoke(leaf.X509().SerialNumber, issuer.Revocation{Reason: issuer.Superseded, At: noon}); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, verifier(t, j, now.Now, lists(t, ca, elsewhere)), leaf, jpki.Unknown)
	wantStatus(t, verifier(t, j, now.Now, lists(t, ca, elsewhere)), elsewhere, jpki.Good)
}

func TestVerifierRefusesAnOldList(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	leaf := leafOf(t, issue(t, j.SigningCA(), holder(), noon).Raw)
	store := lists(t, j.SigningCA(), leaf)
	now.add(72 * time.Hour)
	wantStatus(t, verifier(t, j, now.Now, store), leaf, jpki.Unknown)
}

func TestVerifierWithOCSP(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	server := httptest.NewServer(j.Handler())
	t.Cleanup(server.Close)
	for path, ca := range map[string]*issuer.CA{"/sign/ocsp": j.SigningCA(), "/auth/ocsp": j.AuthenticationCA()} {
		over, err := responder.New(responder.Config{URL: server.URL + path, HTTPClient: server.Client()})
		if err != nil {
			t.Fatal(err)
		}
		source, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over, Now: now.Now})
		if err != nil {
			t.Fatal(err)
		}
		v := verifier(t, j, now.Now, source)
		leaf := leafOf(t, issue(t, ca, holder(), noon).Raw)
		wantStatus(t, v, leaf, jpki.Good)
		if err := ca.Revoke(leaf.X509().SerialNumber, issuer.Revocation{Reason: issuer.CertificateHold,
			At: noon}); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, v, leaf, jpki.Hold)
		if err := ca.Revoke(leaf.X509().SerialNumber, issuer.Revocation{Reason: issuer.KeyCompromise,
			At: noon}); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, v, leaf, jpki.Revoked)
		now.add(14*time.Minute + 59*time.Second) // the responder's state is as old as it gets
		fresh := leafOf(t, issue(t, ca, holder(), noon.Add(time.Second)).Raw)
		wantStatus(t, v, fresh, jpki.Good)
		// A responder that did not issue the certificate does not vouch for it.
		other, err := issuer.New(issuer.Config{Now: now.Now})
		if err != nil {
			t.Fatal(err)
		}
		stranger := leafOf(t, issue(t, otherCA(other, ca, j), holder(), noon.Add(time.Minute)).Raw)
		wantStatus(t, v, stranger, jpki.Unknown)
	}
}

// otherCA returns the CA of other that corresponds to the CA of j.
func otherCA(other *issuer.JPKI, ca *issuer.CA, j *issuer.JPKI) *issuer.CA {
	if ca == j.SigningCA() {
		return other.SigningCA()
	}
	return other.AuthenticationCA()
}

func TestVerifierRefusesFaults(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	ca := j.SigningCA()
	for what, tc := range map[string]struct {
		faults issuer.Faults
		want   jpki.Status
	}{
		"none": {issuer.Faults{}, jpki.Good},
		"expired": {issuer.Faults{NotBefore: noon.AddDate(-5, 0, 0),
			NotAfter: noon.Add(-time.Second)}, jpki.Expired},
		"not yet valid":          {issuer.Faults{NotBefore: noon.Add(time.Hour)}, jpki.NotYetValid},
		"signed by someone else": {issuer.Faults{Signer: holderKey()}, jpki.Unknown},
		"unknown critical extension": {issuer.Faults{Put: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}}, jpki.Unknown},
		"production policy": {issuer.Faults{Policies: []asn1.ObjectIdentifier{
			{1, 2, 392, 200149, 8, 5, 1, 1, 20}}}, jpki.Unknown},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			der, err := ca.IssueFaulty(issuer.Request{Key: &holderKey().PublicKey, Holder: holder(), IssuedAt: noon},
				tc.faults)
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := jpki.ParseCertificate(der)
			if err != nil {
				if tc.want != jpki.Unknown {
					t.Error(err)
				}
				return
			}
			wantStatus(t, verifier(t, j, now.Now, lists(t, ca, leaf)), leaf, tc.want)
		})
	}
}

// Certificates of before, with a key identifier only and without extKeyUsage and authorityInfoAccess, are as good as
// those in the form of a test card; one that is for another use than an authentication certificate's is not.
func TestVerifierAcceptsBothForms(t *testing.T) {
	t.Parallel()
	j, now := newJPKI(t)
	keyUsage := func(purpose byte) pkix.Extension { // id-kp and the purpose, not critical
		return pkix.Extension{
			Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: []byte{0x30, 10, 6, 8, 0x2B, 6, 1, 5, 5, 7, 3, purpose},
		}
	}
	for _, ca := range []*issuer.CA{j.SigningCA(), j.AuthenticationCA()} {
		keyID := pkix.Extension{
			Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: append([]byte{0x30, 22, 0x80, 20},
				ca.Certificate().SubjectKeyId...),
		}
		other := pkix.Extension{Id: keyID.Id, Value: append([]byte{0x30, 22, 0x80, 20}, make([]byte, 20)...)}
		signing := ca == j.SigningCA()
		bare := []asn1.ObjectIdentifier{{2, 5, 29, 37}, {1, 3, 6, 1, 5, 5, 7, 1, 1}}
		for what, tc := range map[string]struct {
			faults issuer.Faults
			want   jpki.Status
		}{
			"as on a test card": {issuer.Faults{}, jpki.Good},
			"as before":         {issuer.Faults{Omit: bare, Put: []pkix.Extension{keyID}}, jpki.Good},
			"another authority": {issuer.Faults{Put: []pkix.Extension{other}}, jpki.Unknown},
			"for TLS clients":   {issuer.Faults{Put: []pkix.Extension{keyUsage(2)}}, jpki.Good},
			"for TLS servers": {
				issuer.Faults{Put: []pkix.Extension{keyUsage(1)}},
				map[bool]jpki.Status{true: jpki.Good, false: jpki.Unknown}[signing],
			},
		} {
			der, err := ca.IssueFaulty(issuer.Request{Key: &holderKey().PublicKey, Holder: holder(), IssuedAt: noon},
				tc.faults)
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := jpki.ParseCertificate(der)
			if err != nil {
				t.Errorf("signing %v, %s: %v", signing, what, err)
				continue
			}
			wantStatus(t, verifier(t, j, now.Now, lists(t, ca, leaf)), leaf, tc.want)
		}
	}
}

func TestProductionRefusesTestAnchors(t *testing.T) {
	t.Parallel()
	j, _ := newJPKI(t)
	if _, err := jpki.NewVerifier(jpki.VerifierConfig{Trust: j.Trust(),
		Revocation: revocation.InsecureNoRevocation()}); err == nil {
		t.Error("a production verifier trusts the test JPKI")
	}
	other, err := issuer.New(issuer.Config{Seed: "other", Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	v, err := jpki.NewVerifier(jpki.VerifierConfig{
		Hierarchy: jpki.Simulated, Trust: other.Trust(), Revocation: revocation.InsecureNoRevocation(),
		Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, v, leafOf(t, issue(t, j.SigningCA(), holder(), noon).Raw), jpki.Unknown) // same names, another key
}
