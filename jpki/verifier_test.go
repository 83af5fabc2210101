package jpki

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/sigalg"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// wantFailure verifies and checks everything that a refusal must show: error, family, status, and steps that end with
// the failed one.
func wantFailure(t *testing.T, v *Verifier, c *Certificate, step string, reason Reason, family kakunin.Family,
	status Status, opts ...VerifyOption) {
	t.Helper()
	res, err := v.Verify(t.Context(), c, opts...)
	var e *Error
	if !errors.As(err, &e) || e.Reason != reason || e.Step != step {
		t.Errorf("error %v, want %v at %s", err, reason, step)
	}
	if got := kakunin.FamilyOf(err); got != family {
		t.Errorf("family %v, want %v", got, family)
	}
	if res == nil {
		t.Fatal("no result")
	}
	if res.Status != status {
		t.Errorf("status %v, want %v", res.Status, status)
	}
	for i, s := range res.Steps {
		if last := i == len(res.Steps)-1; s.OK == last {
			t.Errorf("step %d of %d, %s: %v", i+1, len(res.Steps), s.Name, s.OK)
		}
	}
	if n := len(res.Steps); n == 0 || res.Steps[n-1].Name != step {
		t.Errorf("the last step is not %s", step)
	}
	if kakunin.MessageFor(err, kakunin.Japanese) == "" || kakunin.MessageFor(err, kakunin.English) == "" {
		t.Error("no message for the person")
	}
}

func TestVerifyGood(t *testing.T) {
	a := signingAuthority(t, "ca")
	v := newVerifier(t, revocation.InsecureNoRevocation(), a)
	for _, c := range []*Certificate{a.signingLeaf(t), a.leaf(t, a.AuthSpec(9))} {
		res, err := v.Verify(t.Context(), c, For(SigningCard, AuthenticationCard), nil)
		if err != nil || res.Status != Good || res.Kind != c.Kind() || !res.At.Equal(now) {
			t.Fatalf("%v, %v", res, err)
		}
		if res.AnchorFingerprint == [32]byte{} || !slices.Equal(res.AnchorKeyID, a.ID) {
			t.Error("the anchor is not named")
		}
		var names []string
		for _, s := range res.Steps {
			if !s.OK || s.Name == "" || s.Clause == "" && s.Name != "revocation.skipped" {
				t.Errorf("step %+v", s)
			}
			names = append(names, s.Name)
		}
		for _, want := range []string{"profile.policy", "profile.key-usage", "chain.signature",
			"anchor.basic-constraints", "chain.not-after", "revocation.skipped"} {
			if !slices.Contains(names, want) {
				t.Errorf("no step %s", want)
			}
		}
		if res.Revocation.Method != "none" || res.Revocation.Status != revocation.Unknown {
			t.Errorf("the skipped check is not shown: %+v", res.Revocation)
		}
	}
}

func TestVerifyProfile(t *testing.T) {
	a := signingAuthority(t, "ca")
	v := newVerifier(t, revocation.InsecureNoRevocation(), a)
	eku := func(ids ...[]byte) func(*certSpec) {
		return func(s *certSpec) { s.Add(ext(oidExtendedKeyUsage, false, sequence(ids...))) }
	}
	clientAuth := oid([]int{1, 3, 6, 1, 5, 5, 7, 3, 2})
	serverAuth := oid([]int{1, 3, 6, 1, 5, 5, 7, 3, 1})
	for _, tc := range []struct {
		name, step string
		mutate     func(*certSpec)
	}{
		{"no policy", "profile.policy", func(s *certSpec) { s.Replace(oidCertificatePolicies, nil) }},
		{"anyPolicy only", "profile.policy", func(s *certSpec) {
			s.Replace(oidCertificatePolicies, policiesExt([]int{2, 5, 29, 32, 0}))
		}},
		// crypto/x509 accepts a leaf whose policy is not the one that was asked for.
		{"wrong policy", "profile.policy", func(s *certSpec) {
			s.Replace(oidCertificatePolicies, policiesExt([]int{1, 2, 392, 200149, 8, 5, 1, 1, 99}))
		}},
		{"two kinds at once", "profile.policy", func(s *certSpec) {
			s.Replace(oidCertificatePolicies, ext(oidCertificatePolicies, true,
				sequence(sequence(oid(oidPolicyTestSigning)), sequence(oid(oidPolicyTestAuthentication)))))
		}},
		{"GHSA-58hw-cg5m-88rp key usage: keyEncipherment only", "profile.key-usage",
			func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x20)) }},
		{"GHSA-58hw-cg5m-88rp key usage: authentication's bits on a signing certificate", "profile.key-usage",
			func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0x80)) }},
		{"GHSA-58hw-cg5m-88rp key usage: absent", "profile.key-usage",
			func(s *certSpec) { s.Replace(oidKeyUsage, nil) }},
		{"GHSA-58hw-cg5m-88rp key usage: one bit too many", "profile.key-usage",
			func(s *certSpec) { s.Replace(oidKeyUsage, keyUsage(0xe0)) }},
		{"GHSA-58hw-cg5m-88rp basic constraints: a CA", "profile.basic-constraints", func(s *certSpec) {
			s.Add(ext(oidBasicConstraints, true, sequence([]byte{1, 1, 0xff})))
		}},
		{"unknown critical extension", "profile.critical-extensions",
			func(s *certSpec) { s.Add(ext([]int{1, 2, 3, 4}, true, []byte{5, 0})) }},
		{"critical subjectAltName with an unknown otherName", "profile.critical-extensions", func(s *certSpec) {
			s.Replace(oidSubjectAltName, ext(oidSubjectAltName, true, sequence(otherName(7, cbasn1.UTF8String, "x"))))
		}},
		{"critical policies with an unknown qualifier", "profile.critical-extensions", func(s *certSpec) {
			s.Replace(oidCertificatePolicies, ext(oidCertificatePolicies, true,
				sequence(sequence(oid(oidPolicyTestSigning),
					sequence(sequence(oid([]int{1, 2, 3}), []byte{5, 0}))))))
		}},
		{"signature algorithm of another profile", "profile.signature-algorithm", func(s *certSpec) {
			s.Algorithm = sequence(oid(sigalg.SHA384WithRSA.ID), []byte{5, 0})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			reason := ReasonProfile
			wantFailure(t, v, a.signingLeaf(t, tc.mutate), tc.step, reason, kakunin.Untrusted, Unknown)
		})
	}
	t.Run("expected kind", func(t *testing.T) {
		for _, kinds := range [][]Kind{{AuthenticationCard}, {SigningPhone, UnknownKind}, {}} {
			wantFailure(t, v, a.signingLeaf(t), "profile.kind", ReasonKind, kakunin.Untrusted, Unknown, For(kinds...))
		}
	})
	t.Run("extended key usage", func(t *testing.T) {
		auth := func(m func(*certSpec)) *Certificate {
			spec := a.AuthSpec(1)
			m(&spec)
			return a.leaf(t, spec)
		}
		for _, c := range []*Certificate{auth(eku(clientAuth)), auth(eku(serverAuth, clientAuth)),
			a.signingLeaf(t, eku(serverAuth))} {
			if _, err := v.Verify(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
		wantFailure(t, v, auth(eku(serverAuth)), "profile.extended-key-usage", ReasonProfile, kakunin.Untrusted,
			Unknown)
	})
	t.Run("benign variants", func(t *testing.T) {
		for name, m := range map[string]func(*certSpec){
			"critical subjectAltName, all known": func(s *certSpec) {
				s.Replace(oidSubjectAltName, ext(oidSubjectAltName, true, sequence(personNames()...)))
			},
			"unknown extension": func(s *certSpec) { s.Add(ext([]int{1, 2, 3, 4}, false, []byte{5, 0})) },
			"policy not critical": func(s *certSpec) {
				s.Replace(oidCertificatePolicies, ext(oidCertificatePolicies, false,
					sequence(sequence(oid(oidPolicyTestSigning)))))
			},
			"issuer and serial in the key identifier": func(s *certSpec) {
				s.Replace(oidAuthorityKeyID, ext(oidAuthorityKeyID, false,
					sequence(wrap(tag0, a.ID), wrap(tag1c, wrap(tag4c, a.Name)), wrap(tag2, []byte{1}))))
			},
		} {
			if _, err := v.Verify(t.Context(), a.signingLeaf(t, m)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestVerifyKey(t *testing.T) {
	a := signingAuthority(t, "ca")
	v := newVerifier(t, revocation.InsecureNoRevocation(), a)
	rsaSPKI := func(modulus []byte, exponent int64) []byte {
		return sequence(sequence(oid([]int{1, 2, 840, 113549, 1, 1, 1}), []byte{5, 0}),
			bitString(sequence(wrap(cbasn1.INTEGER, append([]byte{0}, modulus...)), integer(exponent))))
	}
	modulus := testKey("leaf").N.Bytes()
	for name, key := range map[string][]byte{
		"exponent 3": rsaSPKI(modulus, 3), "exponent 65539": rsaSPKI(modulus, 65539),
		"1024 bits": rsaSPKI(modulus[:128], 65537), "3072 bits": rsaSPKI(
			append(slices.Clone(modulus), modulus[:128]...), 65537),
	} {
		t.Run(name, func(t *testing.T) {
			wantFailure(t, v, a.signingLeaf(t, func(s *certSpec) { s.Key = key }), "profile.key", ReasonProfile,
				kakunin.Untrusted, Unknown)
		})
	}
}

func TestVerifyChain(t *testing.T) {
	a := signingAuthority(t, "ca")
	v := newVerifier(t, revocation.InsecureNoRevocation(), a)

	t.Run("unknown issuer", func(t *testing.T) {
		other := newAuthority(t, "other", jpkiName("JPKI-TEST", unitAuth, unitLASDEC))
		wantFailure(t, v, other.signingLeaf(t), "chain.issuer-name", ReasonIssuer, kakunin.Untrusted, Unknown)
	})
	t.Run("issuer name in another encoding", func(t *testing.T) {
		c := a.signingLeaf(t, func(s *certSpec) {
			s.Issuer = name(attribute(oidC, cbasn1.PrintableString, "JP"),
				attribute(oidO, cbasn1.PrintableString, "JPKI-TEST"),
				attribute(oidOU, cbasn1.UTF8String, unitSigning), attribute(oidOU, cbasn1.UTF8String, unitLASDEC))
		})
		wantFailure(t, v, c, "chain.issuer-name", ReasonIssuer, kakunin.Untrusted, Unknown)
	})
	t.Run("another generation of the same name", func(t *testing.T) {
		wantFailure(t, v, signingAuthority(t, "other").signingLeaf(t), "chain.key-id", ReasonIssuer, kakunin.Untrusted,
			Unknown)
	})
	t.Run("no authority key identifier", func(t *testing.T) {
		c := a.signingLeaf(t, func(s *certSpec) { s.Replace(oidAuthorityKeyID, nil) })
		wantFailure(t, v, c, "chain.key-id", ReasonIssuer, kakunin.Untrusted, Unknown)
	})
	t.Run("swapped certificate: right names, foreign signature", func(t *testing.T) {
		spec := a.SigningSpec(1)
		c, err := ParseCertificate(spec.Sign(testKey("other")))
		if err != nil {
			t.Fatal(err)
		}
		wantFailure(t, v, c, "chain.signature", ReasonSignature, kakunin.Untrusted, Unknown)
	})
	t.Run("altered content", func(t *testing.T) {
		spec := a.SigningSpec(1)
		der := []byte(strings.Replace(string(spec.Sign(a.Key)), "319800217", "319800218", 1))
		c, err := ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		wantFailure(t, v, c, "chain.signature", ReasonSignature, kakunin.Untrusted, Unknown)
	})
	t.Run("the authority itself", func(t *testing.T) {
		c, err := ParseCertificate(a.Cert.Raw)
		if err != nil {
			t.Fatal(err)
		}
		wantFailure(t, v, c, "profile.policy", ReasonProfile, kakunin.Untrusted, Unknown)
	})
	t.Run("self-signed with the authority's name", func(t *testing.T) {
		spec := a.SigningSpec(1)
		spec.Subject = a.Name
		c, err := ParseCertificate(spec.Sign(testKey("leaf")))
		if err != nil {
			t.Fatal(err)
		}
		wantFailure(t, v, c, "chain.signature", ReasonSignature, kakunin.Untrusted, Unknown)
	})
	t.Run("not parsed", func(t *testing.T) {
		for _, c := range []*Certificate{nil, {}} {
			wantFailure(t, v, c, "certificate.form", ReasonMalformed, kakunin.Untrusted, Unknown)
		}
	})
}

// TestThreeGenerations: signca01 to signca03 share one distinguished name; so do these.
func TestThreeGenerations(t *testing.T) {
	subject := jpkiName("JPKI-TEST", unitSigning, unitLASDEC)
	window := func(from, to time.Duration) func(*certSpec) {
		return func(s *certSpec) { s.NotBefore, s.NotAfter = utcTime(now.Add(from)), utcTime(now.Add(to)) }
	}
	first := newAuthority(t, "ca", subject, window(-11*year, -year))
	second := newAuthority(t, "other", subject, window(-7*year, 3*year))
	third := newAuthority(t, "third", subject, window(-3*year, 7*year))
	v := newVerifier(t, revocation.InsecureNoRevocation(), first, second, third)
	for _, a := range []*authority{second, third} {
		res, err := v.Verify(t.Context(), a.signingLeaf(t))
		if err != nil || !slices.Equal(res.AnchorKeyID, a.ID) {
			t.Errorf("wrong generation: %v", err)
		}
	}
	// An old signature: the first generation has expired, but it was valid then.
	old := first.signingLeaf(t, func(s *certSpec) {
		s.NotBefore, s.NotAfter = utcTime(now.Add(-5*year)),
			utcTime(now.Add(5*year))
	})
	if res, err := v.Verify(t.Context(), old, At(now.Add(-2*year))); err != nil ||
		!slices.Equal(res.AnchorKeyID, first.ID) {
		t.Errorf("past time under an expired anchor: %v", err)
	}
	wantFailure(t, v, old, "chain.anchor-validity", ReasonAnchorValidity, kakunin.Untrusted, Unknown)
}

// TestVerifyValidity has the validity part of GHSA-58hw-cg5m-88rp.
func TestVerifyValidity(t *testing.T) {
	a := signingAuthority(t, "ca")
	v := newVerifier(t, revocation.InsecureNoRevocation(), a)
	c := a.signingLeaf(t)
	from, until := c.ValidFrom(), c.ValidUntil()
	for _, at := range []time.Time{from, until, {}} {
		if _, err := v.Verify(t.Context(), c, At(at)); err != nil {
			t.Errorf("at %v: %v", at, err)
		}
	}
	wantFailure(t, v, c, "chain.not-before", ReasonNotYetValid, kakunin.Account, NotYetValid,
		At(from.Add(-time.Second)))
	wantFailure(t, v, c, "chain.not-after", ReasonExpired, kakunin.Account, Expired, At(until.Add(time.Second)))
	// A forged certificate does not get told that it is merely expired.
	spec := a.SigningSpec(1)
	forged, err := ParseCertificate(spec.Sign(testKey("other")))
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, v, forged, "chain.signature", ReasonSignature, kakunin.Untrusted, Unknown,
		At(until.Add(time.Second)))
}

func TestTextForms(t *testing.T) {
	for s := Unknown; s <= NotYetValid; s++ {
		text, err := s.MarshalText()
		var back Status
		if err != nil || back.UnmarshalText(text) != nil || back != s {
			t.Errorf("%s does not come back", text)
		}
	}
	for k := UnknownKind; k <= AuthenticationPhone; k++ {
		text, err := k.MarshalText()
		var back Kind
		if err != nil || back.UnmarshalText(text) != nil || back != k {
			t.Errorf("%s does not come back", text)
		}
	}
	var s Status
	var k Kind
	if s.UnmarshalText([]byte("GOOD")) == nil || k.UnmarshalText([]byte("signing")) == nil || s != Unknown ||
		k != UnknownKind {
		t.Error("an undefined text is read")
	}
}

func TestResultJSON(t *testing.T) {
	a := signingAuthority(t, "ca")
	res, err := newVerifier(t, revocation.Require(says(revocation.Good, nil)), a).Verify(t.Context(), a.signingLeaf(t),
		At(now.In(time.FixedZone("JST", 9*3600))))
	if err != nil {
		t.Fatal(err)
	}
	res.Revocation.Evidence = []byte("abc")
	encoded, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Status, Kind, At string
		AnchorKeyID      string `json:"anchor_key_id"`
		Steps            []Step
		Revocation       struct {
			Status, Method string
			Reason         *int
			EvidenceSHA256 string `json:"evidence_sha256"`
		}
	}
	if err := json.Unmarshal(encoded, &got); err != nil {
		t.Fatal(err)
	}
	if got.Status != "good" || got.Kind != "signing-card" || got.At != "2026-11-02T03:04:05Z" ||
		len(got.AnchorKeyID) != 40 ||
		len(got.Steps) != len(res.Steps) || got.Revocation.Status != "good" || got.Revocation.Reason != nil ||
		got.Revocation.EvidenceSHA256 != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("%s", encoded)
	}
	zero, err := json.Marshal(Result{})
	if err != nil || !strings.Contains(string(zero), `"status":"unknown"`) ||
		!strings.Contains(string(zero), `"steps":[]`) {
		t.Errorf("%s, %v", zero, err)
	}
}

func TestReasonsAreComplete(t *testing.T) {
	tests.Reasons(t, ReasonRevocationForged, func(r Reason) error { return &Error{Reason: r} })
}

// TestVerifyInTheFuture: what will be revoked until then is not known.
func TestVerifyInTheFuture(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	spec := a.List(1)
	v := newVerifier(t, revocation.Require(added(t, spec.Sign(a.Key))), a)
	for _, tc := range []struct {
		at   time.Time
		want Status
	}{
		{now, Good}, {now.Add(futureTolerance), Good}, {now.Add(futureTolerance + time.Second), Unknown},
		{now.Add(5 * year), Expired},
	} {
		if res, err := v.Verify(t.Context(), c, At(tc.at)); res.Status != tc.want || (err == nil) != (tc.want == Good) {
			t.Errorf("%v: %v, %v, want %v", tc.at.Sub(now), res, err, tc.want)
		}
	}
	if _, err := v.Verify(t.Context(), c, At(now.Add(time.Hour))); !errors.Is(err,
		&Error{Reason: ReasonRevocationUnknown, Step: "revocation.time"}) {
		t.Error(err)
	}
	if res, err := newVerifier(t, revocation.InsecureNoRevocation(), a).Verify(t.Context(), c,
		At(now.Add(time.Hour))); err != nil || res.Status != Good {
		t.Errorf("%v, %v", res, err)
	}
}
