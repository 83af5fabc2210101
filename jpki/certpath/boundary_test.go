package certpath

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// stepOf returns the step of an error.
func stepOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Step
	}
	return ""
}

// Whatever has a limit is accepted at it and refused one beyond.
func TestLimitsAreInclusive(t *testing.T) {
	anchor := rootOf(t, "A")
	leaf := leafSpec("EE", "A", "A").cert(t)
	for name, c := range map[string]struct {
		limit int
		fits  func(n int) bool
	}{
		"octets of a certificate": {limits.Certificate, func(n int) bool {
			_, err := ParseCertificate(make([]byte, n))
			return stepOf(err) != "certificate.size"
		}},
		"extensions": {limits.Extensions, func(n int) bool {
			s := leafSpec("EE", "A", "A")
			for i := len(s.extensions); i < n; i++ {
				s.with(extDER([]int{2, 25, i}, false, seq()))
			}
			_, err := ParseCertificate(s.der())
			return err == nil
		}},
		"bits of RSA": {limits.RSABitsMax, func(n int) bool {
			modulus := new(big.Int).Lsh(big.NewInt(1), uint(n-1))
			return soundKey(PublicKey{Key: &rsa.PublicKey{N: modulus.SetBit(modulus, 0, 1), E: 65537}})
		}},
		"policies": {limits.CertificatePolicies, func(n int) bool {
			c := &certificate{}
			c.policies.ids = make([]string, n)
			return policiesSound(veiled(c))
		}},
		"mappings": {limits.CertificatePolicies, func(n int) bool {
			return policiesSound(veiled(&certificate{mappings: make([]mapping, n)}))
		}},
		"pool": {limits.PathPool, func(n int) bool {
			pool := make([]*Certificate, n)
			for i := range pool {
				pool[i] = leaf
			}
			_, err := NewVerifier(testConfig([]*Certificate{anchor}, pool...))
			return err == nil
		}},
		"pool of one call": {limits.PathPool, func(n int) bool {
			extra := make([]*Certificate, n-1)
			for i := range extra {
				extra[i] = leaf
			}
			_, err := validate(t, testConfig([]*Certificate{anchor}, leaf), leaf, With(extra...))
			return err == nil
		}},
		"subtrees": {limits.GeneralNames, func(n int) bool {
			var trees []byte
			for range n {
				trees = append(trees, seq(general(names.FormDNS, "a"))...)
			}
			_, ok := readNameConstraints(seq(wrap(0xa0, trees)))
			return ok
		}},
		"octets of a host": {253, func(n int) bool {
			return soundHost(strings.Repeat(strings.Repeat("a", 49)+".", 5) + strings.Repeat("b", n-250))
		}},
		"octets of a label":           {63, func(n int) bool { return soundHost(strings.Repeat("a", n) + ".jp") }},
		"octets of a preferred label": {63, func(n int) bool { return preferredHost(strings.Repeat("a", n) + ".jp") }},
		"octets of keyUsage": {2, func(n int) bool {
			s := leafSpec("EE", "A", "A").without(oidKeyUsage)
			s.with(extDER(oidKeyUsage, true, append([]byte{3, byte(n + 1), 0}, bytes.Repeat([]byte{0x81}, n)...)))
			_, err := ParseCertificate(s.der())
			return err == nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if !c.fits(c.limit) {
				t.Errorf("%d is refused", c.limit)
			}
			if c.fits(c.limit + 1) {
				t.Errorf("%d is accepted", c.limit+1)
			}
		})
	}
}

// A host is made of these octets and no others.
func TestOctetsOfAHost(t *testing.T) {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	for b := range 256 {
		host := "a" + string([]byte{byte(b)}) + "a"
		if got, want := soundHost(host), strings.IndexByte(allowed, byte(b)) >= 0; got != want {
			t.Errorf("octet %02x: %v", b, got)
		}
	}
}

// "@host" is a mailbox without a local part, and no host: it compares with nothing and constrains nothing.
func TestMailboxWithoutALocalPart(t *testing.T) {
	for _, base := range []string{"example.com", ".example.com", "a@example.com", "@example.com"} {
		if got := compareEmail("@example.com", base); got != undecidable {
			t.Errorf("beside %s: %v", base, got)
		}
	}
	if _, ok := readNameConstraints(seq(wrap(0xa0, seq(general(names.FormEmail, "@example.com"))))); ok {
		t.Error("a constraint of a mailbox without a local part is read")
	}
	if _, _, ok := cutMailbox("@example.com"); !ok {
		t.Error("no mailbox")
	}
}

// Errors name the certificate of the path by its place, the first one included.
func TestErrorNamesTheFirstCertificate(t *testing.T) {
	for place, want := range map[int]bool{-1: false, 0: true, 2: true} {
		text := (&Error{Reason: ReasonExpired, Step: "path.validity", Certificate: place}).Error()
		if got := strings.Contains(text, fmt.Sprintf("certificate %d", place)); got != want {
			t.Errorf("%d: %s", place, text)
		}
	}
}
