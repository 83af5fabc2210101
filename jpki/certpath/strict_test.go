package certpath

import (
	"encoding/asn1"
	"errors"
	"testing"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/der"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// TestStrict: each form that authorities must not issue is accepted by default, and refused when it is asked for, at
// its own step.
func TestStrict(t *testing.T) {
	critical := func(s *spec, id asn1.ObjectIdentifier, value []byte) { s.without(id).with(extDER(id, true, value)) }
	keyID := func(label string) []byte { return wrap(cbasn1.OCTET_STRING, keyIDOf(label)) }
	authority := func(label string) []byte { return seq(wrap(der.Tag0, keyIDOf(label))) }
	domain := seq(wrap(der.Tag0C, seq(general(names.FormDNS, "example.com"))))
	for name, c := range map[string]struct {
		spoil func(sub, leaf *spec)
		step  string // "" when it is valid
	}{
		"nothing": {func(_, _ *spec) {}, ""},
		"critical authorityKeyIdentifier": {func(_, leaf *spec) { critical(leaf, oidAuthorityKeyID, authority("sub")) },
			"strict.authority-key-id"},
		"no authorityKeyIdentifier": {func(_, leaf *spec) { leaf.without(oidAuthorityKeyID) },
			"strict.authority-key-id"},
		"authorityKeyIdentifier of another": {func(_, leaf *spec) {
			leaf.without(oidAuthorityKeyID).with(extDER(oidAuthorityKeyID, false, authority("other")))
		}, "strict.authority-key-id"},
		"critical subjectKeyIdentifier": {func(sub, _ *spec) { critical(sub, oidSubjectKeyID, keyID("sub")) },
			"strict.subject-key-id"},
		"no subjectKeyIdentifier": {func(sub, _ *spec) { sub.without(oidSubjectKeyID) },
			"strict.subject-key-id"},
		"no subjectKeyIdentifier in a leaf": {func(_, leaf *spec) { leaf.without(oidSubjectKeyID) }, ""},
		"basicConstraints not critical": {func(sub, _ *spec) {
			sub.without(oidBasicConstraints).with(extDER(oidBasicConstraints, false, seq([]byte{1, 1, 0xff})))
		}, "strict.basic-constraints"},
		"nameConstraints not critical": {func(sub, _ *spec) { sub.with(extDER(oidNameConstraints, false, domain)) },
			"strict.name-constraints"},
		"nameConstraints critical": {func(sub, _ *spec) { sub.with(extDER(oidNameConstraints, true, domain)) },
			""},
		"nameConstraints in a leaf": {func(_, leaf *spec) { leaf.with(extDER(oidNameConstraints, true, domain)) },
			"strict.name-constraints"},
		"policyConstraints not critical": {func(sub, _ *spec) {
			sub.with(extDER(oidPolicyConstraints, false, seq([]byte{0x80, 1, 9})))
		}, "strict.policy-constraints"},
		"inhibitAnyPolicy not critical": {func(sub, _ *spec) {
			sub.with(extDER(oidInhibitAnyPolicy, false, integer(9)))
		}, "strict.policy-constraints"},
		"keyCertSign in a leaf": {func(_, leaf *spec) {
			leaf.without(oidKeyUsage).with(extDER(oidKeyUsage, true, []byte{3, 2, 2, 0x84}))
		}, "strict.key-usage"},
		"a leaf that is an authority": {func(_, leaf *spec) {
			leaf.with(extDER(oidBasicConstraints, true, seq([]byte{1, 1, 0xff})),
				extDER(oidSubjectKeyID, false, keyID("leaf")))
		}, "strict.end-entity"},
		"subjectAltName critical": {func(_, leaf *spec) {
			leaf.with(extDER(oidSubjectAltName, true, seq(general(names.FormDNS, "a.example.com"))))
		}, "strict.subject-alt-name"},
		"negative serial number": {func(_, leaf *spec) { leaf.serial = []byte{0x80} }, "path.serial"},
	} {
		t.Run(name, func(t *testing.T) {
			sub, leaf := caSpec("Sub", "sub", "A", "A"), leafSpec("EE", "Sub", "sub")
			c.spoil(sub, leaf)
			config := testConfig([]*Certificate{rootOf(t, "A")}, sub.cert(t))
			target := leaf.cert(t)
			lenient := config
			lenient.AcceptOddSerials = true
			if _, err := validate(t, lenient, target); err != nil {
				t.Errorf("by default: %v", err)
			}
			config.Strict = true
			_, err := validate(t, config, target)
			var e *Error
			switch {
			case c.step == "" && err != nil, c.step != "" && (!errors.As(err, &e) || e.Step != c.step):
				t.Errorf("strict: %v, want %q", err, c.step)
			}
		})
	}
	config := testConfig([]*Certificate{rootOf(t, "A")})
	config.Strict, config.AcceptOddSerials = true, true
	if _, err := NewVerifier(config); reasonOf(err) != ReasonConfiguration {
		t.Errorf("a contradiction: %v", err)
	}
}

// TestPurpose: RFC 5280, 4.2.1.12, when the caller says what the certificate is for.
func TestPurpose(t *testing.T) {
	timeStamping, server := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8},
		asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	config := testConfig([]*Certificate{rootOf(t, "A")})
	strict := config
	strict.Strict = true
	eku := func(ids ...[]byte) *Certificate {
		s := leafSpec("EE", "A", "A")
		if len(ids) > 0 {
			s.with(extDER(oidExtendedKeyUsage, false, seq(ids...)))
		}
		return s.cert(t)
	}
	own, other, any := oidDER(1, 3, 6, 1, 5, 5, 7, 3, 8), oidDER(1, 3, 6, 1, 5, 5, 7, 3, 1), oidDER(2, 5, 29, 37, 0)
	for name, c := range map[string]struct {
		config VerifierConfig
		leaf   *Certificate
		opts   []VerifyOption
		want   Reason
	}{
		"not asked":                   {config, eku(other), nil, ReasonUnknown},
		"its own":                     {config, eku(own), []VerifyOption{For(timeStamping)}, ReasonUnknown},
		"one of two":                  {config, eku(other), []VerifyOption{For(timeStamping, server)}, ReasonUnknown},
		"another":                     {config, eku(other), []VerifyOption{For(timeStamping)}, ReasonPurpose},
		"any":                         {config, eku(any), []VerifyOption{For(timeStamping)}, ReasonUnknown},
		"any, strict":                 {strict, eku(any), []VerifyOption{For(timeStamping)}, ReasonPurpose},
		"no extension":                {config, eku(), []VerifyOption{For(timeStamping)}, ReasonUnknown},
		"no extension, strict":        {strict, eku(), []VerifyOption{For(timeStamping)}, ReasonPurpose},
		"no extension, nothing asked": {strict, eku(), nil, ReasonUnknown},
		"none given":                  {config, eku(own), []VerifyOption{For()}, ReasonPurpose},
		"none given, no extension":    {config, eku(), []VerifyOption{For()}, ReasonPurpose},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := validate(t, c.config, c.leaf, c.opts...)
			wantReason(t, err, c.want)
			if result.Valid != (c.want == ReasonUnknown) {
				t.Error(result.Valid)
			}
		})
	}
}

// TestMaxIntermediates: how many authorities may stand between.
func TestMaxIntermediates(t *testing.T) {
	pool := []*Certificate{caSpec("B", "B", "A", "A").cert(t), caSpec("C", "C", "B", "B").cert(t)}
	leaf := leafSpec("EE", "C", "C").cert(t)
	for limit, want := range map[int]Reason{0: ReasonUnknown, 3: ReasonUnknown, 2: ReasonUnknown, 1: ReasonPathLength,
		-1: ReasonPathLength} {
		c := testConfig([]*Certificate{rootOf(t, "A")}, pool...)
		c.MaxIntermediates = limit
		_, err := validate(t, c, leaf)
		wantReason(t, err, want)
	}
	c := testConfig([]*Certificate{rootOf(t, "A")})
	c.MaxIntermediates = -1
	_, err := validate(t, c, leafSpec("EE", "A", "A").cert(t))
	wantReason(t, err, ReasonUnknown)
}

// TestUnknownCriticalElsewhere: a critical extension that is not understood stops the paths that it is in, and no
// others – in an anchor, in an authority of the pool, in the certificate of a signer of lists.
func TestUnknownCriticalElsewhere(t *testing.T) {
	odd := extDER(asn1.ObjectIdentifier{1, 2, 3, 4}, true, []byte{5, 0})
	oddAnchor, anchor := caSpec("A", "odd", "A", "odd").with(odd).cert(t), rootOf(t, "A")
	second := caSpec("Sub", "sub", "A", "A")
	second.serial = []byte{2}
	oddSub, sub := caSpec("Sub", "sub", "A", "A").with(odd).cert(t), second.cert(t)
	leaf := leafSpec("EE", "Sub", "sub").cert(t)
	for name, c := range map[string]struct {
		anchors, pool []*Certificate
		want          Reason
	}{
		"another anchor":       {[]*Certificate{oddAnchor, anchor}, []*Certificate{sub}, ReasonUnknown},
		"another intermediate": {[]*Certificate{anchor}, []*Certificate{oddSub, sub}, ReasonUnknown},
		"both":                 {[]*Certificate{oddAnchor, anchor}, []*Certificate{oddSub, sub}, ReasonUnknown},
		"the intermediate":     {[]*Certificate{anchor}, []*Certificate{oddSub}, ReasonCriticalExtension},
	} {
		_, err := validate(t, testConfig(c.anchors, c.pool...), leaf)
		if reasonOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := validate(t, testConfig([]*Certificate{oddAnchor}), leafSpec("EE", "A", "odd").cert(t))
	if !errors.Is(err, &Error{Reason: ReasonCriticalExtension, Step: "anchor.critical-extensions"}) {
		t.Errorf("the anchor: %v", err)
	}
	config := testConfig([]*Certificate{oddAnchor, anchor}, oddSub, sub)
	config.Revocation = revocation.Require(listsOf(t, []*listSpec{newList("A", "odd"), newList("A", "A"),
		newList("Sub", "sub")}))
	if _, err := validate(t, config, leaf); err != nil {
		t.Errorf("with lists: %v", err)
	}
}
