package certpath

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
)

// Every reason has a name of its own, a family, and a message in both languages unless it is the operator's business.
func TestReasons(t *testing.T) {
	tests.Reasons(t, ReasonRevocationUnknown, func(r Reason) error { return &Error{Reason: r, Certificate: -1} })
}

func TestErrorText(t *testing.T) {
	cause := errors.New("secret")
	e := &Error{Reason: ReasonRevoked, Step: "revocation.status", Clause: "RFC 5280, 6.1.3 (a)(3)", Certificate: 2,
		Err: cause}
	if got := e.Error(); got != "certpath: certificate revoked: revocation.status: certificate 2 of the path (RFC "+
		"5280, 6.1.3 (a)(3))" {
		t.Error(got)
	}
	if !errors.Is(e, cause) || !errors.Is(e, &Error{Reason: ReasonRevoked}) ||
		errors.Is(e, &Error{Reason: ReasonRevoked, Step: "other"}) || errors.Is(e, &Error{Reason: ReasonHold}) {
		t.Error("Is")
	}
}

// A certificate shows only its fingerprint when it is printed, and hands out copies.
func TestCertificateDoesNotPrintItself(t *testing.T) {
	s := leafSpec("Taro Yamada", "A", "A").with(extDER(oidExtendedKeyUsage, true,
		seq(oidDER(1, 3, 6, 1, 5, 5, 7, 3, 8))),
		extDER(oidIssuerAltName, false, seq(directory("A"))))
	c := s.cert(t)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%v", c), fmt.Sprintf("%#v", c), c.String()} {
		if strings.Contains(text, "Taro") || !strings.HasPrefix(text, "certificate ") {
			t.Errorf("printed as %q", text)
		}
	}
	c.Raw()[0] = 0
	if c.Raw()[0] != 0x30 {
		t.Error("the DER can be changed from outside")
	}
	from, to := c.Validity()
	if !from.Equal(noon().Add(-365*day)) || !to.Equal(noon().Add(365*day)) {
		t.Errorf("validity %v to %v", from, to)
	}
	if p := c.Purposes(); len(p) != 1 || p[0].String() != "1.3.6.1.5.5.7.3.8" {
		t.Errorf("purposes %v", p)
	}
}
