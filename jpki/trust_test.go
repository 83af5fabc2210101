package jpki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

func configurationError(t *testing.T, c VerifierConfig) *Error {
	t.Helper()
	v, err := NewVerifier(c)
	var e *Error
	if !errors.As(err, &e) || kakunin.FamilyOf(err) != kakunin.Configuration {
		t.Fatalf("error %v", err)
	}
	if v != nil {
		t.Fatal("a verifier came out")
	}
	return e
}

func TestPinsAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range append(slices.Clone(pins[:]), testPins[:]...) {
		print, ok := row.fingerprint()
		if !ok {
			t.Errorf("%s: fingerprint", row.Name)
		}
		if seen[row.Name] || seen[row.SHA256] {
			t.Errorf("%s: listed twice", row.Name)
		}
		seen[row.Name], seen[row.SHA256] = true, true
		if pinned(pins[:], print)+pinned(testPins[:], print) != row.Name {
			t.Errorf("%s: not found by its fingerprint", row.Name)
		}
	}
	if len(pins) != 6 || len(testPins) != 4 {
		t.Errorf("%d authorities of production and %d of the test environment", len(pins), len(testPins))
	}
	if pinned(pins[:], [32]byte{}) != "" {
		t.Error("the zero fingerprint is pinned")
	}
}

func TestProductionTrustRefuses(t *testing.T) {
	a := signingAuthority(t, "ca")
	lookalike := newAuthority(t, "ca", jpkiName("JPKI", unitSigning, unitLASDEC))
	der := lookalike.Cert.Raw
	armored := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	file := func(data []byte) fs.FS { return fstest.MapFS{"signca03.cer": {Data: data}} }
	for _, tc := range []struct {
		name, step string
		trust      Trust
	}{
		{"nil file system", "trust.load", ProductionTrust(nil)},
		{"no file", "trust.load", ProductionTrust(fstest.MapFS{})},
		{"only other files", "trust.load", ProductionTrust(fstest.MapFS{"README.txt": {Data: []byte("x")},
			"sub/signca03.cer": {Data: der}})},
		{"unpinned with the production name, DER", "trust.pin", ProductionTrust(file(der))},
		{"unpinned, PEM", "trust.pin", ProductionTrust(file(armored))},
		{"upper-case ending", "trust.pin", ProductionTrust(fstest.MapFS{"SIGNCA03.CER": {Data: der}})},
		{"test authority", "trust.pin", ProductionTrust(file(a.Cert.Raw))},
		{"two certificates in one file", "trust.pin", ProductionTrust(file(append(armored, armored...)))},
		{"another PEM block", "trust.form", ProductionTrust(
			file(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))},
		{"not a certificate", "trust.form", ProductionTrust(file([]byte("hello")))},
		{"empty", "trust.form", ProductionTrust(file(nil))},
		{"trailing bytes", "trust.form", ProductionTrust(file(append(der[:len(der):len(der)], 0)))},
		{"too large", "trust.size", ProductionTrust(file(append([]byte{0x30}, make([]byte, 1<<20)...)))},
		{"the zero value", "trust.load", Trust{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := configurationError(t, VerifierConfig{Trust: tc.trust, Revocation: revocation.InsecureNoRevocation()})
			if e.Reason != ReasonTrust || e.Step != tc.step {
				t.Errorf("%v, want step %s", e, tc.step)
			}
			if len(tc.trust.Anchors()) != 0 {
				t.Error("a faulty set has anchors")
			}
		})
	}
}

func TestTrustAndHierarchiesDoNotMix(t *testing.T) {
	a := signingAuthority(t, "ca")
	none := revocation.InsecureNoRevocation()
	if e := configurationError(t, VerifierConfig{Trust: InsecureTestTrust(a.Cert),
		Revocation: none}); e.Step != "trust.hierarchy" {
		t.Errorf("production verifier with test anchors: %v", e)
	}
	// No production certificate is at hand, so a set of that hierarchy is put together from its parts.
	anchor, err := readAnchor(a.Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	production := Trust{hierarchy: Production}.add(anchor)
	if e := configurationError(t, VerifierConfig{Hierarchy: Simulated, Trust: production,
		Revocation: none}); e.Step != "trust.hierarchy" {
		t.Errorf("test verifier with production anchors: %v", e)
	}
	if e := configurationError(t, VerifierConfig{Hierarchy: Hierarchy(7), Trust: production,
		Revocation: none}); e.Reason != ReasonConfiguration {
		t.Errorf("unknown hierarchy: %v", e)
	}
	for name, subject := range map[string][]byte{
		"production name": jpkiName("JPKI", unitSigning), "no organisation": jpkiName2("JPKI-TEST"),
	} {
		other := newAuthority(t, "ca", subject)
		if e := configurationError(t, VerifierConfig{Hierarchy: Simulated, Trust: InsecureTestTrust(other.Cert),
			Revocation: none}); e.Step != "trust.hierarchy" {
			t.Errorf("%s: %v", name, e)
		}
	}

	// A production verifier with good anchors still refuses the test policy, and the other way round.
	v, err := NewVerifier(VerifierConfig{Trust: production, Revocation: none, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, v, a.signingLeaf(t), "profile.environment", ReasonHierarchy, kakunin.Untrusted, Unknown)
	real := a.signingLeaf(t, func(s *certSpec) { s.Replace(oidCertificatePolicies, policiesExt(oidPolicySigning)) })
	if _, err := v.Verify(t.Context(), real); err != nil {
		t.Errorf("the production profile: %v", err)
	}
	wantFailure(t, newVerifier(t, none, a), real, "profile.environment", ReasonHierarchy, kakunin.Untrusted, Unknown)
}

// jpkiName2 has the text where it does not count.
func jpkiName2(unit string) []byte {
	return name(attribute(oidC, cbasn1.PrintableString, "JP"), attribute(oidOU, cbasn1.UTF8String, unit))
}

func TestNewVerifierRefusesRevocation(t *testing.T) {
	a := signingAuthority(t, "ca")
	var nilStore *revocation.Store
	for name, r := range map[string]revocation.Policy{
		"zero value": {}, "if present": revocation.IfPresent(new(revocation.Store)), "no sources": revocation.Require(),
		"nil source": revocation.Require(nil), "nil pointer": revocation.Require(new(revocation.Store), nilStore),
	} {
		e := configurationError(t, VerifierConfig{Hierarchy: Simulated, Trust: InsecureTestTrust(a.Cert),
			Revocation: r})
		if e.Reason != ReasonConfiguration || e.Step != "verifier.revocation" {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// TestAnchorChecks has the CA half of GHSA-58hw-cg5m-88rp: what is not a CA certificate never becomes an anchor.
func TestAnchorChecks(t *testing.T) {
	subject := jpkiName("JPKI-TEST", unitSigning, unitLASDEC)
	for _, tc := range []struct {
		step   string
		mutate func(*certSpec)
	}{
		{"anchor.basic-constraints", func(s *certSpec) { s.Replace(oidBasicConstraints, nil) }},
		{"anchor.basic-constraints", func(s *certSpec) {
			s.Replace(oidBasicConstraints,
				ext(oidBasicConstraints, true, sequence()))
		}},
		{"anchor.basic-constraints", func(s *certSpec) {
			s.Replace(oidBasicConstraints, ext(oidBasicConstraints, false, sequence([]byte{1, 1, 0xff})))
		}},
		{"anchor.key-usage", func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x02)) }},
		{"anchor.key-usage", func(s *certSpec) { s.Replace(oidKeyUsage, nil) }},
		{"anchor.key-id", func(s *certSpec) { s.Extensions = s.Extensions[:2] }},
		{"anchor.self-issued", func(s *certSpec) { s.Issuer = jpkiName("JPKI-TEST", unitAuth) }},
		{"anchor.signature", func(s *certSpec) { s.Key = spki(testKey("other")) }},
		{"anchor.critical-extensions", func(s *certSpec) { s.Add(ext([]int{1, 2, 3}, true, []byte{5, 0})) }},
	} {
		a := newAuthority(t, "ca", subject, tc.mutate)
		e := configurationError(t, VerifierConfig{Hierarchy: Simulated, Trust: InsecureTestTrust(a.Cert),
			Revocation: revocation.InsecureNoRevocation()})
		if e.Reason != ReasonTrust || e.Step != tc.step {
			t.Errorf("%v, want step %s", e, tc.step)
		}
	}
	for name, certs := range map[string][]*x509.Certificate{"nil": {nil}, "empty": {{}}} {
		e := configurationError(t, VerifierConfig{Hierarchy: Simulated, Trust: InsecureTestTrust(certs...),
			Revocation: revocation.InsecureNoRevocation()})
		if e.Reason != ReasonTrust {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestDaysToExpiry(t *testing.T) {
	a := signingAuthority(t, "ca")
	v := newVerifier(t, revocation.InsecureNoRevocation(), a, a)
	anchors := v.Anchors()
	if len(anchors) != 1 {
		t.Fatalf("%d anchors of one certificate given twice", len(anchors))
	}
	if got := anchors[0].DaysToExpiry(now); got != 7*365 {
		t.Errorf("%d days", got)
	}
	end := anchors[0].NotAfter
	for _, tc := range []struct {
		at   time.Time
		want int
	}{{end, 0}, {end.Add(-day + time.Second), 0}, {end.Add(-day), 1}, {end.Add(time.Second), -1},
		{end.Add(day + time.Second), -2}} {
		if got := anchors[0].DaysToExpiry(tc.at); got != tc.want {
			t.Errorf("at end%+v: %d days, want %d", tc.at.Sub(end), got, tc.want)
		}
	}
	if strings.ToLower(hex.EncodeToString(anchors[0].KeyID)) != hex.EncodeToString(a.ID) {
		t.Error("key identifier")
	}
}

// pinFor vouches for an authority as a caller does.
func pinFor(name string, a *authority) AddedPin {
	sum := sha256.Sum256(a.Cert.Raw)
	return AddedPin{Name: name, SHA256: hex.EncodeToString(sum[:])}
}

// TestTrustLoadsWhatItCan: a file that is not pinned, not readable or not a certificate disables itself and nothing
// else, and the report names it.
func TestTrustLoadsWhatItCan(t *testing.T) {
	good := newAuthority(t, "ca", jpkiName("JPKI", unitSigning, unitLASDEC))
	stranger := newAuthority(t, "other", jpkiName("JPKI", unitAuth, unitLASDEC))
	pin := pinFor("signca04", good)
	trust := ProductionTrust(fstest.MapFS{
		"a-unpinned.cer": {Data: stranger.Cert.Raw}, "b-text.cer": {Data: []byte("hello")}, "c-empty.cer": {},
		"d-folder.cer": {Mode: fs.ModeDir}, "signca04.cer": {Data: good.Cert.Raw},
		"z-large.cer": {Data: make([]byte, 1<<20)},
	}, pin)
	anchors := trust.Anchors()
	if len(anchors) != 1 || anchors[0].Name != "signca04" || len(trust.Authorities()) != 1 {
		t.Fatalf("%+v", anchors)
	}
	if _, err := NewVerifier(VerifierConfig{Trust: trust, Revocation: revocation.InsecureNoRevocation()}); err != nil {
		t.Error(err)
	}
	refused := trust.Report(now).Refused
	for i, want := range []string{"trust.pin: file a-unpinned.cer", "trust.form: file b-text.cer: this is text",
		"file c-empty.cer: the file is empty", "trust.size: file z-large.cer"} {
		if i >= len(refused) || !strings.Contains(refused[i].Error(), want) ||
			kakunin.FamilyOf(refused[i]) != kakunin.Configuration {
			t.Errorf("report: %v, want %q", refused, want)
		}
	}
	if len(refused) != 4 {
		t.Errorf("%v", refused)
	}
}

// TestTrustFilesAsPeopleHaveThem: under the endings that tools give, and with several certificates in one file, of
// which each stands for itself.
func TestTrustFilesAsPeopleHaveThem(t *testing.T) {
	a := newAuthority(t, "ca", jpkiName("JPKI", unitSigning, unitLASDEC))
	b := newAuthority(t, "ca2", jpkiName("JPKI", unitAuth, unitLASDEC))
	stranger := newAuthority(t, "other", jpkiName("JPKI", unitAuth, unitLASDEC))
	armored := func(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }
	both := append(armored(a.Cert.Raw), armored(b.Cert.Raw)...)
	for name, c := range map[string]struct {
		files   fstest.MapFS
		refused string
	}{
		"other endings": {fstest.MapFS{"a.crt": {Data: a.Cert.Raw}, "b.PEM": {Data: armored(b.Cert.Raw)}}, ""},
		"a bundle":      {fstest.MapFS{"roots.pem": {Data: both}}, ""},
		"each twice":    {fstest.MapFS{"a.cer": {Data: both}, "b.der": {Data: b.Cert.Raw}}, ""},
		"a stranger in it": {fstest.MapFS{"x.p7b": {Data: append(armored(stranger.Cert.Raw), both...)}},
			"x.p7b, certificate 1"},
		"a stranger's alone": {fstest.MapFS{"a.cer": {Data: both}, "s.p7c": {Data: stranger.Cert.Raw}}, "file s.p7c"},
	} {
		trust := ProductionTrust(c.files, pinFor("a", a), pinFor("b", b))
		refused := trust.Report(now).Refused
		if len(trust.Anchors()) != 2 || (len(refused) != 0) != (c.refused != "") ||
			len(refused) == 1 && !strings.Contains(refused[0].Error(), c.refused) {
			t.Errorf("%s: %v, %v", name, trust.Anchors(), refused)
		}
	}
}

// brokenFS cannot read one of its files.
type brokenFS struct{ fstest.MapFS }

func (b brokenFS) Open(name string) (fs.File, error) {
	if name == "a.cer" {
		return nil, fs.ErrPermission
	}
	return b.MapFS.Open(name)
}

func TestTrustFileThatCannotBeOpened(t *testing.T) {
	good := newAuthority(t, "ca", jpkiName("JPKI", unitSigning, unitLASDEC))
	trust := ProductionTrust(brokenFS{fstest.MapFS{"a.cer": {Data: good.Cert.Raw}, "b.cer": {Data: good.Cert.Raw}}},
		pinFor("signca04", good))
	if r := trust.Report(now).Refused; len(trust.Anchors()) != 1 || len(r) != 1 || !errors.Is(r[0], fs.ErrPermission) {
		t.Errorf("%v, %v", trust.Anchors(), r)
	}
}

// TestAddedPins: a caller's pin opens the door to that certificate, and a mistyped one is said so.
func TestAddedPins(t *testing.T) {
	a := newAuthority(t, "ca", jpkiName("JPKI", unitSigning, unitLASDEC))
	pin := pinFor("signca04", a)
	spaced := pin
	spaced.SHA256 = strings.ToUpper(pin.SHA256[:2]) + ":" + pin.SHA256[2:10] + " " + pin.SHA256[10:]
	for name, added := range map[string][]AddedPin{"plain": {pin}, "with colons and spaces": {spaced}} {
		trust := ProductionTrust(filesOf(a.Cert.Raw), added...)
		if len(trust.Anchors()) != 1 || len(trust.Report(now).Refused) != 0 {
			t.Errorf("%s: %v", name, trust.Report(now).Refused)
		}
	}
	for name, bad := range map[string]AddedPin{
		"short": {"x", pin.SHA256[:62]}, "long": {"x", pin.SHA256 + "00"}, "not hex": {"x", strings.Repeat("zz", 32)},
		"no name": {"", pin.SHA256},
	} {
		trust := ProductionTrust(filesOf(a.Cert.Raw), bad, pin)
		r := trust.Report(now).Refused
		if len(trust.Anchors()) != 1 || len(r) != 1 || !errors.Is(r[0],
			&Error{Reason: ReasonTrust, Step: "trust.added-pin"}) {
			t.Errorf("%s: %v", name, r)
		}
	}
}

// TestTestEnvironmentOfJLIS: its anchors serve its own verifier only; those of the simulated JPKI are no anchors of it.
func TestTestEnvironmentOfJLIS(t *testing.T) {
	a := signingAuthority(t, "ca")
	files := fstest.MapFS{"a.cer": {Data: a.Cert.Raw}}
	if trust := InsecureJLISTestTrust(files); len(trust.Anchors()) != 0 || len(trust.Report(now).Refused) != 1 {
		t.Errorf("the simulated authority is one of J-LIS's: %v", trust.Anchors())
	}
	trust := InsecureJLISTestTrust(files, pinFor("test-sign-2030", a))
	none := revocation.InsecureNoRevocation()
	for _, h := range []Hierarchy{Production, Simulated} {
		if e := configurationError(t, VerifierConfig{Hierarchy: h, Trust: trust,
			Revocation: none}); e.Step != "trust.hierarchy" {
			t.Errorf("%v: %v", h, e)
		}
	}
	if e := configurationError(t, VerifierConfig{Hierarchy: JLISTest, Trust: InsecureTestTrust(a.Cert),
		Revocation: none}); e.Step != "trust.hierarchy" {
		t.Errorf("%v", e)
	}
	v, err := NewVerifier(VerifierConfig{Hierarchy: JLISTest, Trust: trust, Revocation: none,
		Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), a.signingLeaf(t)); err != nil {
		t.Error(err)
	}
	real := a.signingLeaf(t, func(s *certSpec) { s.Replace(oidCertificatePolicies, policiesExt(oidPolicySigning)) })
	wantFailure(t, v, real, "profile.environment", ReasonHierarchy, kakunin.Untrusted, Unknown)
}

// TestTrustReport: what is missing, what is over, and when the next generation should be there.
func TestTrustReport(t *testing.T) {
	sign := newAuthority(t, "ca", jpkiName("JPKI", unitSigning, unitLASDEC)) // ends 7 × 365 days from now
	auth := newAuthority(t, "other", jpkiName("JPKI", unitAuth, unitLASDEC))
	trust := ProductionTrust(filesOf(sign.Cert.Raw, auth.Cert.Raw), pinFor("signca04", sign), pinFor("authca04", auth))
	if r := trust.Report(now); len(r.NextGenerationMissing)+len(r.Expired)+len(r.Refused) != 0 ||
		len(r.Missing) != len(pins) {
		t.Errorf("%+v", r)
	}
	if r := trust.Report(now.Add(2 * year)); !slices.Equal(r.NextGenerationMissing, []string{"sign", "auth"}) {
		t.Errorf("%+v", r)
	}
	if r := trust.Report(now.Add(8 * year)); !slices.Equal(r.Expired, []string{"signca04", "authca04"}) {
		t.Errorf("%+v", r)
	}
}

// filesOf has the certificates in files of some names.
func filesOf(certificates ...[]byte) fs.FS {
	files := fstest.MapFS{}
	for i, der := range certificates {
		files[string(rune('a'+i))+".cer"] = &fstest.MapFile{Data: der}
	}
	return files
}
