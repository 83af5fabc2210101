package authn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/jose"
)

var (
	testDecryptRSA = sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
	testDecryptEC = sync.OnceValue(func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	})
)

func decryptionKeys(t testing.TB) []DecryptionKey {
	t.Helper()
	a, err := NewDecryptionKey(testDecryptRSA(), "enc-rsa")
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewDecryptionKey(testDecryptEC(), "")
	if err != nil {
		t.Fatal(err)
	}
	return []DecryptionKey{a, b}
}

// sealTo encrypts for the client.
func sealTo(t testing.TB, to jose.PublicKey, alg, enc, payload string) string {
	t.Helper()
	s, err := jose.Encrypt(to, alg, enc, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func toRSA() jose.PublicKey {
	return jose.PublicKey{Key: testDecryptRSA().Public(), KeyID: "enc-rsa", Use: "enc"}
}
func toEC() jose.PublicKey { return jose.PublicKey{Key: testDecryptEC().Public(), KeyID: "whatever"} }

func TestEncryptedUserinfo(t *testing.T) {
	const jwtType = "application/jwt"
	stranger := testOpener()
	for name, row := range map[string]struct {
		body  func(*testOP) string
		check string // empty: accepted
	}{
		"signed, then encrypted to RSA": {func(op *testOP) string {
			return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", op.signedInfo(testECKey()))
		}, ""},
		"signed, then encrypted to P-256": {func(op *testOP) string {
			return sealTo(t, toEC(), "ECDH-ES+A256KW", "A128CBC-HS256", op.signedInfo(testRSAKey()))
		}, ""},
		"encrypted JSON": {func(*testOP) string { return sealTo(t, toEC(), "ECDH-ES", "A256GCM", goodInfo) }, ""},
		"signed by a stranger": {func(op *testOP) string {
			return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", op.signedInfo(testOtherEC()))
		}, "key"},
		"JSON about another": {func(*testOP) string {
			return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM",
				`{"sub":"other"}`)
		}, "sub"},
		"JSON for another client": {func(*testOP) string {
			return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", `{"sub":"`+testSubject+`","aud":"other"}`)
		}, "aud"},
		"encrypted twice": {func(*testOP) string {
			return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", sealTo(t, toEC(), "ECDH-ES", "A256GCM", goodInfo))
		}, "form"},
		"JSON under a header that says signed token": {func(*testOP) string {
			s, err := jose.EncryptJWT(toRSA(), "RSA-OAEP-256", "A256GCM", goodInfo)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}, ""},
		"JSON after white space": {func(*testOP) string {
			return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM",
				"\r\n\t "+goodInfo)
		}, ""},
		"a list under a header that says signed token": {func(*testOP) string {
			s, err := jose.EncryptJWT(toRSA(), "RSA-OAEP-256", "A256GCM", "["+goodInfo+"]")
			if err != nil {
				t.Fatal(err)
			}
			return s
		}, "form"},
		"to a stranger": {func(*testOP) string {
			return sealTo(t, jose.PublicKey{Key: stranger.Public(), KeyID: "enc-rsa"}, "RSA-OAEP-256", "A256GCM",
				goodInfo)
		}, "decryption"},
		"to a key id that is not ours": {func(*testOP) string {
			return sealTo(t, jose.PublicKey{Key: testDecryptRSA().Public(), KeyID: "other"}, "RSA-OAEP-256", "A256GCM",
				goodInfo)
		}, "decryption"},
		"altered": {func(*testOP) string {
			s := sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", goodInfo)
			return s[:len(s)-8] + "AAAAAAAA"
		}, "decryption"},
		"RSA-OAEP with SHA-1 is not on the list": {func(*testOP) string {
			return sealTo(t, toRSA(), "RSA-OAEP", "A256GCM", goodInfo)
		}, "alg"},
		"A128GCM is not on the list": {func(*testOP) string {
			return sealTo(t, toRSA(), "RSA-OAEP-256", "A128GCM", goodInfo)
		}, "alg"},
		"RSA1_5": {func(*testOP) string {
			return b64(`{"alg":"RSA1_5","enc":"A256GCM"}`) + ".AA.AA.AA.AA"
		}, "alg"},
		"dir": {func(*testOP) string {
			return b64(`{"alg":"dir","enc":"A256GCM"}`) + "..AA.AA.AA"
		}, "alg"},
		"zip": {func(*testOP) string {
			return b64(`{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"}`) + ".AA.AA.AA.AA"
		}, "crit"},
		"empty content": {func(*testOP) string { return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", "") },
			"decryption"},
	} {
		t.Run(name, func(t *testing.T) {
			op := newOP(t)
			op.info = reply(200, jwtType, row.body(op))
			id, err := op.login(op.client(func(c *Config) { c.Encryption.Keys = decryptionKeys(t) }),
				Request{Scopes: Name})
			if row.check != "" {
				wantError(t, err, ReasonUserinfo, row.check)
				return
			}
			if err != nil || id.Person.Name.Reveal() != "試験　花子" {
				t.Fatal(err)
			}
		})
	}
	t.Run("no key", func(t *testing.T) {
		op := newOP(t)
		op.info = reply(200, jwtType, sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", goodInfo))
		_, err := op.login(op.client(), Request{Scopes: Name})
		wantError(t, err, ReasonUserinfo, "form")
	})
	t.Run("allow-list", func(t *testing.T) {
		op := newOP(t)
		narrow := op.client(func(c *Config) {
			c.Encryption.Keys, c.Encryption.KeyAlgorithms, c.Encryption.ContentAlgorithms = decryptionKeys(t),
				[]string{"RSA-OAEP"}, []string{"A128GCM"}
		})
		op.info = reply(200, jwtType, sealTo(t, toRSA(), "RSA-OAEP", "A128GCM", goodInfo))
		if _, err := op.login(narrow, Request{Scopes: Name}); err != nil {
			t.Error(err)
		}
		op.info = reply(200, jwtType, sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", goodInfo))
		_, err := op.login(narrow, Request{Scopes: Name})
		wantError(t, err, ReasonUserinfo, "alg")
	})
}

func TestEncryptedIDToken(t *testing.T) {
	op := newOP(t)
	c := op.client(func(c *Config) { c.Encryption.Keys = decryptionKeys(t) })
	op.alterID = func(s string) string { return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", s) }
	if _, err := op.login(c, Request{}); err != nil {
		t.Error(err)
	}
	// Encryption is no signature: claims without one are refused, and so is a bad one.
	op.alterID = func(s string) string {
		payload, err := json.Marshal(claimsMap{"iss": op.env.Issuer, "sub": testSubject})
		if err != nil {
			t.Fatal(err)
		}
		return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", string(payload))
	}
	_, err := op.login(c, Request{})
	wantError(t, err, ReasonIDToken, "form")
	op.alterID = func(s string) string { return sealTo(t, toRSA(), "RSA-OAEP-256", "A256GCM", s[:len(s)-4]+"AAAA") }
	_, err = op.login(c, Request{})
	wantError(t, err, ReasonIDToken, "signature")
}

func TestDecryptionKeyFiles(t *testing.T) {
	good := `{"kty":"EC","crv":"P-256","use":"enc","kid":"e1",` + privateECMembers(t) + `}`
	path := filepath.Join(t.TempDir(), "key.jwk")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := LoadDecryptionKey(path)
	if err != nil || k.v.Reveal().kid != "e1" {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // too small on purpose
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"for signatures": func() error {
			_, err := ParseDecryptionKey([]byte(strings.Replace(good, `"enc"`, `"sig"`, 1)))
			return err
		},
		"no file":   func() error { _, err := LoadDecryptionKey(path + "x"); return err },
		"no key":    func() error { _, err := NewDecryptionKey(nil, ""); return err },
		"nil RSA":   func() error { _, err := NewDecryptionKey((*rsa.PrivateKey)(nil), ""); return err },
		"nil EC":    func() error { _, err := NewDecryptionKey((*ecdsa.PrivateKey)(nil), ""); return err },
		"public":    func() error { _, err := NewDecryptionKey(testDecryptRSA().Public(), ""); return err },
		"1024 bits": func() error { _, err := NewDecryptionKey(small, ""); return err },
		"long kid":  func() error { _, err := NewDecryptionKey(testDecryptEC(), strings.Repeat("k", 256)); return err },
	} {
		if err := do(); kakunin.FamilyOf(err) != kakunin.Configuration ||
			strings.Contains(err.Error(), path) != (name == "no file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	op := newOP(t)
	for name, change := range map[string]func(*Config){
		"zero key":        func(c *Config) { c.Encryption.Keys = []DecryptionKey{{}} },
		"too many":        func(c *Config) { c.Encryption.Keys = make([]DecryptionKey, 9) },
		"RSA1_5":          func(c *Config) { c.Encryption.KeyAlgorithms = []string{"RSA1_5"} },
		"unknown content": func(c *Config) { c.Encryption.ContentAlgorithms = []string{"A192GCM"} },
	} {
		cf := op.config()
		change(&cf)
		if _, err := New(cf); kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// privateECMembers are x, y and d of the test key.
func privateECMembers(t *testing.T) string {
	t.Helper()
	key, err := NewKey(testDecryptEC(), "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := key.RevealJWK()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return `"x":"` + m["x"] + `","y":"` + m["y"] + `","d":"` + m["d"] + `"`
}

// FuzzOpenUserinfo feeds the reader of signed and encrypted userinfo; nothing that it gets is from the service.
func FuzzOpenUserinfo(f *testing.F) {
	op := newOP(f)
	c := op.client(func(c *Config) { c.Encryption.Keys = decryptionKeys(f) })
	f.Add(sealTo(f, toEC(), "ECDH-ES", "A256GCM", "not JSON"))
	f.Add(op.signedInfo(testOtherEC()))
	f.Add(b64(`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`) + ".AA.AA.AA.AA")
	f.Add(b64(`{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}`) + "..AA.AA.AA")
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := c.openUserinfo(t.Context(), token); err == nil {
			t.Fatal("accepted")
		} else if kakunin.FamilyOf(err).String() == "unclassified" {
			t.Fatal(err)
		}
	})
}
