package certpath

import (
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// Several generations of an authority share one name: the key identifier chooses, then the signature decides.
func TestGenerationsOfOneName(t *testing.T) {
	var anchors []*Certificate
	for i := range 5 {
		anchors = append(anchors, caSpec("Root", fmt.Sprintf("gen%d", i), "Root", fmt.Sprintf("gen%d", i)).cert(t))
	}
	for i := range 5 {
		leaf := leafSpec("EE", "Root", fmt.Sprintf("gen%d", i)).cert(t)
		result, err := validate(t, testConfig(anchors), leaf)
		wantReason(t, err, ReasonUnknown)
		if result.Path[0] != anchors[i] {
			t.Errorf("generation %d: another anchor", i)
		}
	}
	// Without key identifiers only the signature is left.
	leaf := leafSpec("EE", "Root", "gen3").without(oidAuthorityKeyID).cert(t)
	result, err := validate(t, testConfig(anchors), leaf)
	wantReason(t, err, ReasonUnknown)
	if result.Path[0] != anchors[3] {
		t.Error("another anchor than the one that signed")
	}
	// The name and the key identifier of a generation, but the signature of a stranger.
	forged := leafSpec("EE", "Root", "stranger").without(oidAuthorityKeyID).
		with(extDER(oidAuthorityKeyID, false, seq(wrap(der.Tag0, keyIDOf("gen2"))))).cert(t)
	_, err = validate(t, testConfig(anchors), forged)
	wantReason(t, err, ReasonSignature)
}

// A bridge connects two hierarchies; an expired link beside a valid one does not stop the search.
func TestBridgeAndExpiredLinks(t *testing.T) {
	anchor := rootOf(t, "A")
	old := caSpec("Bridge", "bridge", "A", "A")
	old.notAfter = utcTime(noon().Add(-day))
	toBridge := caSpec("Bridge", "bridge", "A", "A")
	toBridge.serial = []byte{2}
	pool := []*Certificate{
		old.cert(t), toBridge.cert(t), caSpec("A", "A", "Bridge", "bridge").cert(t),
		caSpec("B", "B", "Bridge", "bridge").cert(t), rootOf(t, "B"),
		caSpec("Sub", "sub", "B", "B").cert(t),
	}
	leaf := leafSpec("EE", "Sub", "sub").cert(t)
	result, err := validate(t, testConfig([]*Certificate{anchor}, pool...), leaf)
	wantReason(t, err, ReasonUnknown)
	if len(result.Path) != 5 || result.Path[1] != pool[1] {
		t.Errorf("path of %d certificates", len(result.Path))
	}
	// With the expired link alone the reason is that it expired.
	_, err = validate(t, testConfig([]*Certificate{anchor}, append(pool[:1:1], pool[2:]...)...), leaf)
	wantReason(t, err, ReasonExpired)
	// At a time when it was valid, it is.
	_, err = validate(t, testConfig([]*Certificate{anchor}, append(pool[:1:1], pool[2:]...)...), leaf,
		At(noon().Add(-2*day)))
	wantReason(t, err, ReasonUnknown)
	// Certificates for one call.
	_, err = validate(t, testConfig([]*Certificate{anchor}), leaf, With(pool...))
	wantReason(t, err, ReasonUnknown)
	_, err = validate(t, testConfig([]*Certificate{anchor}), leaf)
	wantReason(t, err, ReasonNoPath)
}

// When the first path fails in a later check, another one is tried: here the policy decides.
func TestAnotherPathWhenOneFails(t *testing.T) {
	good, bad := asn1.ObjectIdentifier{1, 2, 3, 1}, asn1.ObjectIdentifier{1, 2, 3, 2}
	anchor := rootOf(t, "A")
	first := caSpec("Sub", "sub", "A", "A").with(policiesExt(bad)).cert(t)
	second := caSpec("Sub", "sub", "A", "A").with(policiesExt(good))
	second.serial = []byte{9}
	leaf := leafSpec("EE", "Sub", "sub").with(policiesExt(good, bad)).cert(t)
	c := testConfig([]*Certificate{anchor}, first, second.cert(t))
	c.Policies, c.RequireExplicitPolicy = []asn1.ObjectIdentifier{good}, true
	result, err := validate(t, c, leaf)
	wantReason(t, err, ReasonUnknown)
	if len(result.Policies) != 1 || !result.Policies[0].Equal(good) {
		t.Errorf("policies %v", result.Policies)
	}
	c.Pool = c.Pool[:1]
	result, err = validate(t, c, leaf)
	wantReason(t, err, ReasonPolicy)
	if result.Valid || result.Policies != nil || len(result.Path) != 3 {
		t.Errorf("a failed result says %+v", result)
	}
}

// 100 authorities of which each has been certified by 33 others have more paths than there are atoms; the search stays
// small, whether there is a path or not.
func TestCrossCertifiedPool(t *testing.T) {
	const n = 100
	name := func(i int) string { return fmt.Sprintf("CA%03d", i) }
	var pool []*Certificate
	for i := range n {
		for step := 1; step <= 33; step++ {
			if j := (i + n - step) % n; j != i {
				s := caSpec(name(i), "mesh", name(j), "mesh") // one key, so that every edge verifies
				s.serial = []byte{1, byte(i), byte(j)}
				pool = append(pool, s.cert(t))
			}
		}
	}
	anchor := rootOf(t, "A")
	entrance := caSpec(name(0), "mesh", "A", "A").cert(t)
	leaf := leafSpec("EE", name(n-1), "mesh").cert(t)
	run := func(c VerifierConfig) (*run, error) {
		v, err := NewVerifier(c)
		if err != nil {
			t.Fatal(err)
		}
		r := &run{verifier: v, ctx: context.Background(), at: noon(), index: v.index, verified: map[signedEdge]bool{},
			comparisons: limits.NameComparisons}
		return r, r.search(leaf, func(*Certificate) bool { return true },
			func(p []*Certificate) error { return r.validate(&Result{Path: p}) })
	}
	r, err := run(testConfig([]*Certificate{anchor}, append(pool, entrance)...))
	wantReason(t, err, ReasonUnknown)
	if r.signatures > 8 {
		t.Errorf("%d signatures to find a path of six certificates", r.signatures)
	}
	// No way in: nothing is verified at all.
	r, err = run(testConfig([]*Certificate{anchor}, pool...))
	wantReason(t, err, ReasonNoPath)
	if r.signatures > 0 {
		t.Errorf("%d signatures in a pool that leads nowhere", r.signatures)
	}
	// A way in that never holds, so that every path would be tried.
	closed := caSpec(name(0), "mesh", "A", "A")
	closed.notAfter = utcTime(noon().Add(-day))
	r, err = run(testConfig([]*Certificate{anchor}, append(pool, closed.cert(t))...))
	wantReason(t, err, ReasonExpired)
	if r.signatures > limits.PathSignatures+1 {
		t.Errorf("%d signatures", r.signatures)
	}
}

// Certificates that claim an issuer's name cost signatures, which are counted.
func TestSignatureLimit(t *testing.T) {
	anchor := rootOf(t, "A")
	var pool []*Certificate
	for i := range limits.PathSignatures + 50 {
		s := caSpec("Sub", "impostor", "A", "A")
		s.serial = []byte{1, byte(i >> 8), byte(i)}
		// Each has another key: an edge is verified once for each key.
		s.key = fmt.Sprintf("impostor%d", i)
		pool = append(pool, s.cert(t))
	}
	leaf := leafSpec("EE", "Sub", "sub").without(oidAuthorityKeyID).cert(t)
	_, err := validate(t, testConfig([]*Certificate{anchor}, pool...), leaf)
	wantReason(t, err, ReasonLimit)
	if !errors.Is(err, &Error{Reason: ReasonLimit, Step: "path.search"}) {
		t.Error(err)
	}
}

func TestPathDepth(t *testing.T) {
	anchor := rootOf(t, "N0")
	var pool []*Certificate
	for i := 1; i <= limits.PathDepth; i++ {
		pool = append(pool, caSpec(fmt.Sprintf("N%d", i), fmt.Sprintf("N%d", i), fmt.Sprintf("N%d", i-1),
			fmt.Sprintf("N%d", i-1)).cert(t))
	}
	at := func(depth int) *Certificate {
		return leafSpec("EE", fmt.Sprintf("N%d", depth), fmt.Sprintf("N%d", depth)).cert(t)
	}
	if anchor.subject.Key == pool[0].subject.Key {
		t.Fatal("names are not different")
	}
	_, err := validate(t, testConfig([]*Certificate{anchor}, pool...), at(limits.PathDepth-2))
	wantReason(t, err, ReasonUnknown)
	_, err = validate(t, testConfig([]*Certificate{anchor}, pool...), at(limits.PathDepth-1))
	wantReason(t, err, ReasonNoPath)
}

// Every check of a path, spoilt one at a time: leaf ← Sub ← A.
func TestPathFaults(t *testing.T) {
	pathLen := func(n int64) []byte {
		return extDER(oidBasicConstraints, true, seq([]byte{1, 1, 0xff}, integer(n)))
	}
	unknown := extDER(asn1.ObjectIdentifier{1, 2, 3, 4, 5}, true, []byte{5, 0})
	cases := map[string]struct {
		spoil func(root, sub, leaf *spec, c *VerifierConfig)
		want  Reason
		step  string
	}{
		"nothing": {func(_, _, _ *spec, _ *VerifierConfig) {}, ReasonUnknown, ""},
		"6.1.3 (a)(1) signature": {func(_, _, leaf *spec, _ *VerifierConfig) { leaf.signer = "stranger" },
			ReasonSignature, "path.signature"},
		"6.1.3 (a)(1) algorithm": {func(_, _, leaf *spec, _ *VerifierConfig) {
			leaf.algorithm = seq(oidDER(1, 2, 840, 10045, 4, 1))
		}, ReasonAlgorithm, "path.algorithm"},
		"6.1.3 (a)(2) expired": {func(_, _, leaf *spec, _ *VerifierConfig) {
			leaf.notAfter = utcTime(noon().Add(-time.Second))
		}, ReasonExpired, "path.not-after"},
		"6.1.3 (a)(2) last second": {func(_, _, leaf *spec, _ *VerifierConfig) { leaf.notAfter = utcTime(noon()) },
			ReasonUnknown, ""},
		"6.1.3 (a)(2) not yet": {func(_, _, leaf *spec, _ *VerifierConfig) {
			leaf.notBefore = utcTime(noon().Add(time.Second))
		}, ReasonNotYetValid, "path.not-before"},
		"6.1.3 (a)(2) authority": {func(_, sub, _ *spec, _ *VerifierConfig) {
			sub.notAfter = utcTime(noon().Add(-day))
		}, ReasonExpired, "path.not-after"},
		"6.1.3 (a)(4) unknown issuer": {func(_, _, leaf *spec, _ *VerifierConfig) { leaf.issuer = dn("Nobody") },
			ReasonNoPath, "path.issuer"},
		"6.1.4 (k) no constraints": {func(_, sub, _ *spec, _ *VerifierConfig) { sub.without(oidBasicConstraints) },
			ReasonBasicConstraints, "path.basic-constraints"},
		"6.1.4 (k) cA false": {func(_, sub, _ *spec, _ *VerifierConfig) {
			sub.without(oidBasicConstraints).with(extDER(oidBasicConstraints, true, seq()))
		}, ReasonBasicConstraints, "path.basic-constraints"},
		"6.1.4 (k) version 1": {func(_, sub, _ *spec, _ *VerifierConfig) {
			sub.version, sub.extensions = []byte{}, nil
		}, ReasonBasicConstraints, "path.basic-constraints"},
		"6.1.4 (l) anchor's path": {func(root, _, _ *spec, _ *VerifierConfig) {
			root.without(oidBasicConstraints).with(pathLen(0))
		}, ReasonPathLength, "path.path-length"},
		"6.1.4 (m) own path": {func(_, sub, _ *spec, _ *VerifierConfig) {
			sub.without(oidBasicConstraints).with(pathLen(0))
		}, ReasonUnknown, ""},
		"6.1.4 (n) key usage": {func(_, sub, _ *spec, _ *VerifierConfig) {
			sub.without(oidKeyUsage).with(extDER(oidKeyUsage, true, []byte{3, 2, 1, 2}))
		}, ReasonKeyUsage, "path.key-usage"},
		"6.1.4 (o) critical": {func(_, sub, _ *spec, _ *VerifierConfig) { sub.with(unknown) }, ReasonCriticalExtension,
			"path.critical-extensions"},
		"6.1.5 (f) critical": {func(_, _, leaf *spec, _ *VerifierConfig) { leaf.with(unknown) },
			ReasonCriticalExtension, "path.critical-extensions"},
		"6.1.5 (f) not critical": {func(_, _, leaf *spec, _ *VerifierConfig) {
			leaf.with(extDER(asn1.ObjectIdentifier{1, 2, 3, 4, 5}, false, []byte{5, 0}))
		}, ReasonUnknown, ""},
		"4.1.2.2 negative serial": {func(_, _, leaf *spec, _ *VerifierConfig) { leaf.serial = []byte{0x80} },
			ReasonMalformed, "path.serial"},
		"4.1.2.2 zero serial": {func(_, _, leaf *spec, _ *VerifierConfig) { leaf.serial = []byte{0} },
			ReasonMalformed, "path.serial"},
		"4.1.2.2 accepted": {func(_, _, leaf *spec, c *VerifierConfig) {
			leaf.serial = []byte{0x80}
			c.AcceptOddSerials = true
		}, ReasonUnknown, ""},
		"4.2.1.4 qualifier": {func(_, _, leaf *spec, _ *VerifierConfig) {
			leaf.with(extDER(oidCertificatePolicies, true, oddQualifier()))
		}, ReasonCriticalExtension, "path.policy-qualifiers"},
		"4.2.1.4 uncritical qualifier": {func(_, _, leaf *spec, _ *VerifierConfig) {
			leaf.with(extDER(oidCertificatePolicies, false, oddQualifier()))
		}, ReasonUnknown, ""},
		"RFC 5937 anchor expired": {func(root, _, _ *spec, _ *VerifierConfig) {
			root.notAfter = utcTime(noon().Add(-day))
		}, ReasonAnchor, "anchor.validity"},
		"required policy is missing": {func(_, _, _ *spec, c *VerifierConfig) { c.RequireExplicitPolicy = true },
			ReasonPolicy, "path.explicit-policy"},
		"wanted policy is missing": {func(_, sub, leaf *spec, c *VerifierConfig) {
			sub.with(policiesExt(asn1.ObjectIdentifier{1, 2, 3, 1}))
			leaf.with(policiesExt(asn1.ObjectIdentifier{1, 2, 3, 1}))
			c.Policies, c.RequireExplicitPolicy = []asn1.ObjectIdentifier{{1, 2, 3, 9}}, true
		}, ReasonPolicy, "path.policy-set"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			root, sub, leaf := caSpec("A", "A", "A", "A"), caSpec("Sub", "sub", "A", "A"), leafSpec("EE", "Sub", "sub")
			config := VerifierConfig{Revocation: revocation.InsecureNoRevocation(), Now: noon}
			c.spoil(root, sub, leaf, &config)
			config.Anchors, config.Pool = []*Certificate{root.cert(t)}, []*Certificate{sub.cert(t)}
			result, err := validate(t, config, leaf.cert(t))
			wantReason(t, err, c.want)
			var e *Error
			if errors.As(err, &e) && e.Step != c.step {
				t.Errorf("step %q, want %q", e.Step, c.step)
			}
			if result.Valid != (err == nil) {
				t.Error("result and error disagree")
			}
			if n := len(result.Steps); err != nil && n > 0 && result.Steps[n-1].OK {
				t.Error("the last step of a failure held")
			}
			for _, s := range result.Steps {
				if s.Clause == "" && s.Name != "revocation.skipped" {
					t.Errorf("step %s has no clause", s.Name)
				}
			}
		})
	}
}

func oddQualifier() []byte {
	return seq(seq(oidDER(1, 2, 3), seq(seq(oidDER(1, 2, 3, 99), wrap(cbasn1.IA5String, []byte("x"))))))
}

func policiesExt(ids ...asn1.ObjectIdentifier) []byte {
	var list [][]byte
	for _, id := range ids {
		list = append(list, seq(oidDER(id...)))
	}
	return extDER(oidCertificatePolicies, true, seq(list...))
}

func TestConfigurationIsRefused(t *testing.T) {
	anchor := rootOf(t, "A")
	notCA := caSpec("A", "A", "A", "A").without(oidBasicConstraints).cert(t)
	noSign := caSpec("A", "A", "A", "A").without(oidKeyUsage).with(extDER(oidKeyUsage, true, []byte{3, 2, 1, 2})).cert(
		t)
	for name, c := range map[string]VerifierConfig{
		"zero":        {},
		"no anchors":  {Revocation: revocation.InsecureNoRevocation()},
		"nil anchor":  {Anchors: []*Certificate{nil}, Revocation: revocation.InsecureNoRevocation()},
		"zero anchor": {Anchors: []*Certificate{{}}, Revocation: revocation.InsecureNoRevocation()},
		"zero in pool": {Anchors: []*Certificate{anchor}, Pool: []*Certificate{{}},
			Revocation: revocation.InsecureNoRevocation()},
		"nil in pool": {Anchors: []*Certificate{anchor}, Pool: []*Certificate{nil},
			Revocation: revocation.InsecureNoRevocation()},
		"no mode":    {Anchors: []*Certificate{anchor}},
		"no sources": {Anchors: []*Certificate{anchor}, Revocation: revocation.Require()},
		"nil source": {Anchors: []*Certificate{anchor}, Revocation: revocation.Require(nil)},
		"bad policy": {Anchors: []*Certificate{anchor}, Revocation: revocation.InsecureNoRevocation(),
			Policies: []asn1.ObjectIdentifier{{9}}},
		"bad algorithm": {Anchors: []*Certificate{anchor}, Revocation: revocation.InsecureNoRevocation(),
			Algorithms: []Algorithm{{}}},
		"anchor is no CA":   {Anchors: []*Certificate{notCA}, Revocation: revocation.InsecureNoRevocation()},
		"anchor signs none": {Anchors: []*Certificate{noSign}, Revocation: revocation.InsecureNoRevocation()},
	} {
		if _, err := NewVerifier(c); reasonOf(err) != ReasonConfiguration && reasonOf(err) != ReasonAnchor {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, none := range []*Certificate{nil, {}} {
		if r, err := validate(t, testConfig([]*Certificate{anchor}), none); err == nil || r == nil || r.Valid {
			t.Error("no certificate is valid")
		}
	}
	if _, err := validate(t, testConfig([]*Certificate{anchor}), anchor, With(&Certificate{})); err == nil {
		t.Error("no certificate is taken into the pool")
	}
	var none Certificate
	if begin, end := none.Validity(); none.Raw() != nil || none.Purposes() != nil || !begin.IsZero() || !end.IsZero() ||
		none.Fingerprint() != [32]byte{} || none.String() != "certificate 0000000000000000" {
		t.Error("no certificate says something")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v, err := NewVerifier(testConfig([]*Certificate{anchor}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(ctx, leafSpec("EE", "A", "A").cert(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}
