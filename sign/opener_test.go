package sign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/jose"
)

// openerWire has other names than the default, so that a name spelled anywhere but in the wire profile fails a test.
func openerWire() *wire.Profile {
	return &wire.Profile{Sign: wire.Sign{
		ResultSignatureField: "sig", ResultCertificateField: "cert",
		JWEKeyAlgorithms: []string{"RSA-OAEP-256"}, JWEContentAlgorithms: []string{"A256GCM"},
	}}
}

func openerFor(t *testing.T, key *rsa.PrivateKey) *Opener {
	t.Helper()
	o, err := NewOpener(OpenerConfig{Key: key, Wire: openerWire()})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func seal(t *testing.T, to *rsa.PublicKey, keyAlg, enc, payload string) *Sealed {
	t.Helper()
	jwe, err := jose.Encrypt(jose.PublicKey{Key: to}, keyAlg, enc, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSealed(jwe)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpen(t *testing.T) {
	t.Parallel()
	sig, cert := bytes.Repeat([]byte{7}, 256), bytes.Repeat([]byte{0x30}, 900)
	payload := fmt.Sprintf(`{"sig":%q,"cert":%q,"later":"field"}`, base64.StdEncoding.EncodeToString(sig),
		base64.StdEncoding.EncodeToString(cert))
	o := openerFor(t, testKey())
	got, err := o.Open(seal(t, &testKey().PublicKey, "RSA-OAEP-256", "A256GCM", payload))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.RevealSignature(), sig) || !bytes.Equal(got.RevealCertificate(), cert) {
		t.Error("values changed")
	}
}

// TestOpenFailuresLookTheSame: an oracle needs two answers to compare.
func TestOpenFailuresLookTheSame(t *testing.T) {
	t.Parallel()
	sig := base64.StdEncoding.EncodeToString([]byte{1})
	payload := fmt.Sprintf(`{"sig":%q,"cert":%q}`, sig, sig)
	o := openerFor(t, testKey())
	good := seal(t, &testKey().PublicKey, "RSA-OAEP-256", "A256GCM", payload).RevealJWE()
	parts := strings.Split(good, ".")
	with := func(i int, s string) string {
		p := append([]string(nil), parts...)
		p[i] = s
		return strings.Join(p, ".")
	}
	flip := func(i int) string {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		raw[0] ^= 1
		return with(i, base64.RawURLEncoding.EncodeToString(raw))
	}
	header := func(s string) string { return with(0, base64.RawURLEncoding.EncodeToString([]byte(s))) }
	to := &testKey().PublicKey
	var texts []string
	for name, jwe := range map[string]string{
		"encrypted key flipped": flip(1), "iv flipped": flip(2), "ciphertext flipped": flip(3), "tag flipped": flip(4),
		"header of another alg":   header(`{"alg":"RSA1_5","enc":"A256GCM"}`),
		"header dir":              header(`{"alg":"dir","enc":"A256GCM"}`),
		"header with zip":         header(`{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"}`),
		"header with crit":        header(`{"alg":"RSA-OAEP-256","enc":"A256GCM","crit":["x"],"x":1}`),
		"header twice alg":        header(`{"alg":"RSA1_5","alg":"RSA-OAEP-256","enc":"A256GCM"}`),
		"content alg not allowed": seal(t, to, "RSA-OAEP-256", "A128CBC-HS256", payload).RevealJWE(),
		"for another recipient":   seal(t, &otherKey().PublicKey, "RSA-OAEP-256", "A256GCM", payload).RevealJWE(),
		"payload no JSON":         seal(t, to, "RSA-OAEP-256", "A256GCM", "hello").RevealJWE(),
		"payload incomplete":      seal(t, to, "RSA-OAEP-256", "A256GCM", `{"sig":"AQ=="}`).RevealJWE(),
		"payload duplicate": seal(t, to, "RSA-OAEP-256", "A256GCM",
			`{"sig":"AQ==","sig":"Ag==","cert":"AQ=="}`).RevealJWE(),
		"payload and more": seal(t, to, "RSA-OAEP-256", "A256GCM", payload+"{}").RevealJWE(),
		"payload default names": seal(t, to, "RSA-OAEP-256", "A256GCM",
			`{"signature":"AQ==","certificate":"AQ=="}`).RevealJWE(),
		"payload in unused bits": seal(t, to, "RSA-OAEP-256", "A256GCM", `{"sig":"AR==","cert":"AQ=="}`).RevealJWE(),
		"payload with a line":    seal(t, to, "RSA-OAEP-256", "A256GCM", `{"sig":"AQ==","cert":"AQ\n=="}`).RevealJWE(),
		"payload unpadded":       seal(t, to, "RSA-OAEP-256", "A256GCM", `{"sig":"AQ","cert":"AQ=="}`).RevealJWE(),
	} {
		s, err := ParseSealed(jwe)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		opened, err := o.Open(s)
		if opened != nil || reasonOf(err) != ReasonSealed || kakunin.FamilyOf(err) != kakunin.Untrusted {
			t.Errorf("%s: %v", name, err)
			continue
		}
		texts = append(texts, err.Error())
	}
	for _, s := range texts {
		if s != texts[0] {
			t.Errorf("failures can be told apart: %q and %q", texts[0], s)
		}
	}
	if _, err := o.Open(nil); reasonOf(err) != ReasonRequest {
		t.Errorf("nil: %v", err)
	}
}

func TestNewOpener(t *testing.T) {
	t.Parallel()
	names := openerWire()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]any{
		"nil": nil, "nil RSA": (*rsa.PrivateKey)(nil), "nil EC": (*ecdsa.PrivateKey)(nil), "RSA-1024": small,
		"P-384": p384, "Ed25519": ed, "public": &testKey().PublicKey, "secret": []byte("0123456789abcdef"),
	} {
		if o, err := NewOpener(OpenerConfig{Key: key, Wire: names}); o != nil || reasonOf(err) != ReasonConfiguration {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := *names
	bad.Sign.ResultCertificateField = bad.Sign.ResultSignatureField
	if _, err := NewOpener(OpenerConfig{Key: testKey(), Wire: &bad}); reasonOf(err) != ReasonConfiguration {
		t.Errorf("ambiguous wire profile: %v", err)
	}
	// Every mistake is named at once.
	_, err = NewOpener(OpenerConfig{Wire: &wire.Profile{}})
	for _, part := range []string{"Key must be", "ResultSignatureField is missing", "ResultCertificateField is missing",
		"JWEKeyAlgorithms is empty", "JWEContentAlgorithms is empty"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not named: %v", part, err)
		}
	}
}

func TestParseOpenerKey(t *testing.T) {
	t.Parallel()
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParseOpenerKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewOpener(OpenerConfig{Key: key, Wire: openerWire()}); err != nil {
		t.Error(err)
	}
	for _, s := range []string{"", "hello", "{}", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"} {
		if _, err := ParseOpenerKey([]byte(s)); reasonOf(err) != ReasonConfiguration {
			t.Errorf("%q: %v", s, err)
		}
	}
}
