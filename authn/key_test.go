package authn

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// brokenSigner has a public key and no way to use the private one.
type brokenSigner struct {
	crypto.Signer
	err error
}

func (b brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, b.err }

func TestKeyRoundTrip(t *testing.T) {
	for _, alg := range []Algorithm{ES256, RS256, PS256} {
		k, err := GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		if k.Algorithm() != alg || len(k.KeyID()) != 43 {
			t.Errorf("alg %s, kid %q", k.Algorithm(), k.KeyID())
		}
		secret, err := k.RevealPEM()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, secret, 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := LoadKey(path)
		if err != nil {
			t.Fatal(err)
		}
		if loaded.KeyID() != "" || !loaded.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(k.Public()) {
			t.Error("another key came back")
		}
		publicPEM, err := k.PublicPEM()
		if err != nil || strings.Contains(string(publicPEM), "PRIVATE") {
			t.Error(err)
		}
		if pub, err := jose.ParsePublicKey(publicPEM); err != nil || !pub.Equal(jose.PublicKey{Key: k.Public()}) {
			t.Error(err)
		}
		jwks, err := k.PublicJWKS()
		if err != nil || strings.Contains(string(jwks), `"d"`) {
			t.Error(err)
		}
		if set, err := jose.ParseKeySet(jwks); err != nil || len(set.Keys) != 1 ||
			!set.Keys[0].Equal(k.signing().Public()) {
			t.Errorf("%s, %v", jwks, err)
		}
	}
}

func TestKeyMistakes(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, missing := LoadKey(filepath.Join(t.TempDir(), "none"))
	if !errors.Is(missing, fs.ErrNotExist) || !strings.HasSuffix(missing.Error(), `/none": there is no such file`) {
		t.Errorf("%v", missing)
	}
	_, directory := LoadKey(t.TempDir())
	_, rubbish := ParseKey([]byte("rubbish"))
	_, large := ParseKey(make([]byte, limits.KeyFile+1))
	_, curve := NewKey(p384, "")
	_, none := NewKey(nil, "")
	_, alg := GenerateKey("HS256")
	_, wrongAlg := testECKey().WithAlgorithm(RS256)
	_, kid := testECKey().WithKeyID(strings.Repeat("k", limits.KeyID+1))
	_, pem := Key{}.PublicPEM()
	_, jwks := Key{}.PublicJWKS()
	_, secret := Key{}.RevealPEM()
	kms, err := NewKey(brokenSigner{testECKey().signing().Signer, nil}, "kms")
	if err != nil {
		t.Fatal(err)
	}
	_, hidden := kms.RevealPEM()
	for i, err := range []error{missing, directory, rubbish, large, curve, none, alg, wrongAlg, kid, pem, jwks, secret,
		hidden} {
		if kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%d: %v", i, err)
		}
	}
	if kms.KeyID() != "kms" || kms.Algorithm() != ES256 || (Key{}).Public() != nil {
		t.Error("accessors")
	}
}

// A key file that cannot be used says why; its path is the one that the application gave, and nothing of its contents
// shows.
func TestKeyFilesNameTheirProblem(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(p384)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	publicPEM, err := testECKey().PublicPEM()
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := testECKey().PublicJWKS()
	if err != nil {
		t.Fatal(err)
	}
	private, err := testRSAKey().RevealPEM()
	if err != nil {
		t.Fatal(err)
	}
	const both = "accepted are RSA of at least 2048 bits and EC P-256"
	for name, row := range map[string]struct{ contents, want string }{
		"nothing":       {"", "it is empty"},
		"white space":   {" \n", "it is empty"},
		"rubbish":       {"secret rubbish", "neither PEM nor a JWK"},
		"DER":           {string(pkcs8), "neither PEM nor a JWK"},
		"P-384":         {block("PRIVATE KEY", pkcs8), both},
		"P-384 as JWK":  {`{"kty":"EC","crv":"P-384","x":"AA","y":"AA","d":"AA"}`, both},
		"Ed25519":       {`{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}`, both},
		"a secret":      {`{"kty":"oct","k":"c2VjcmV0"}`, both},
		"public":        {string(publicPEM), "a public key"},
		"public as JWK": {publicJWK(t, testECKey()), "a public key"},
		"a set":         {string(jwks), "a key set"},
		"a certificate": {block("CERTIFICATE", []byte("secret")), "a certificate"},
		"encrypted":     {block("ENCRYPTED PRIVATE KEY", []byte("secret")), "must be decrypted first"},
		"encrypted, old": {strings.Replace(string(private), "-----\n",
			"-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x,y\n\n", 1), "must be decrypted first"},
		"OpenSSH":  {block("OPENSSH PRIVATE KEY", []byte("secret")), "ssh-keygen"},
		"cut off":  {string(private[:len(private)/2]), "no PEM block that can be read"},
		"no point": {`{"kty":"EC","use":"enc","crv":"P-256","x":"AA","y":"AA","d":"AA"}`, "not on the curve"},
	} {
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, []byte(row.contents), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadKey(path)
		e := wantError(t, err, ReasonConfiguration, "key file")
		if !strings.Contains(e.Error(), row.want) || !strings.Contains(e.Error(), path) ||
			strings.Contains(e.Error(), "secret") {
			t.Errorf("%s: %v", name, e)
		}
		_, err = ParseKey([]byte(row.contents))
		if e := wantError(t, err, ReasonConfiguration, "key"); !strings.Contains(e.Error(), row.want) ||
			strings.Contains(e.Error(), path) {
			t.Errorf("%s: %v", name, e)
		}
	}
	_, err = LoadKey(t.TempDir())
	if e := wantError(t, err, ReasonConfiguration, "key file"); !strings.Contains(e.Error(), "it is a directory") {
		t.Error(e)
	}
	if _, err := NewKey(p384, ""); err == nil || !strings.Contains(err.Error(), "RSA") {
		t.Errorf("P-384: %v", err)
	}
}

// The key id of a generated key is right for every way of registering it.
func TestSPKIHash(t *testing.T) {
	for _, k := range []Key{testECKey(), testRSAKey()} {
		der, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(der); k.KeyID() != base64.RawURLEncoding.EncodeToString(sum[:]) ||
			k.SPKIHash() != k.KeyID() {
			t.Errorf("kid %s", k.KeyID())
		}
		without, err := k.WithKeyID("")
		if err != nil || without.KeyID() != "" || without.SPKIHash() != k.SPKIHash() {
			t.Errorf("%v", err)
		}
		// An assertion without key id says none.
		op := newOP(t)
		token, err := op.client(func(c *Config) { c.Key = without }).assertion()
		if err != nil {
			t.Fatal(err)
		}
		if h, err := jose.ParseHeader(token); err != nil || h.KeyID != "" {
			t.Errorf("%+v, %v", h, err)
		}
	}
	if (Key{}).SPKIHash() != "" {
		t.Error("the zero Key has a hash")
	}
}

func ringOf(t *testing.T, active Key, published ...Key) *KeyRing {
	t.Helper()
	r, err := NewKeyRing(active, published...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// publishedIDs returns the key ids in the ring's JWK Set.
func publishedIDs(t *testing.T, b []byte) []string {
	t.Helper()
	set, err := jose.ParseKeySet(b)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, k := range set.Keys {
		if k.Use != "sig" || k.Algorithm == "" {
			t.Errorf("%+v", k)
		}
		ids = append(ids, k.KeyID)
	}
	return ids
}

// The whole rotation with logins in between: every assertion is signed by a key that is published at that moment.
func TestKeyRotationWithoutDowntime(t *testing.T) {
	op := newOP(t)
	before, after := testClientKey(), testOtherRSA()
	ring := ringOf(t, before)
	c := op.client(func(c *Config) { c.Key, c.Keys = Key{}, ring })
	signedBy := func() string {
		t.Helper()
		token, err := c.assertion()
		if err != nil {
			t.Fatal(err)
		}
		set, err := jose.ParseKeySet(ring.PublicJWKS())
		if err != nil {
			t.Fatal(err)
		}
		_, h, err := jose.Verify(token, set, jose.VerifyOptions{Algorithms: []jose.Algorithm{jose.ES256, jose.RS256}})
		if err != nil {
			t.Fatalf("the service could not verify the assertion: %v", err)
		}
		return h.KeyID
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if _, err := c.assertion(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if signedBy() != before.KeyID() {
		t.Error("not the active key")
	}
	if err := ring.Publish(after); err != nil || signedBy() != before.KeyID() {
		t.Errorf("published: %v", err)
	}
	if err := ring.Activate(after.KeyID()); err != nil || signedBy() != after.KeyID() {
		t.Errorf("activated: %v", err)
	}
	if ids := publishedIDs(t, ring.PublicJWKS()); !slices.Equal(ids, []string{after.KeyID(), before.KeyID()}) ||
		!slices.Equal(ids, ring.KeyIDs()) {
		t.Errorf("published: %q", ids)
	}
	if err := ring.Retire(before.KeyID()); err != nil || signedBy() != after.KeyID() {
		t.Errorf("retired: %v", err)
	}
	if ids := publishedIDs(t, ring.PublicJWKS()); !slices.Equal(ids, []string{after.KeyID()}) {
		t.Errorf("published: %q", ids)
	}
}

func TestRefusedKeyRings(t *testing.T) {
	nameless, err := testECKey().WithKeyID("")
	if err != nil {
		t.Fatal(err)
	}
	ring := ringOf(t, testClientKey(), testECKey())
	many := make([]Key, 64)
	for i := range many {
		if many[i], err = testECKey().WithKeyID(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	var zero KeyRing
	for name, do := range map[string]func() error{
		"zero key":               func() error { _, err := NewKeyRing(Key{}); return err },
		"two keys, one nameless": func() error { _, err := NewKeyRing(nameless, testClientKey()); return err },
		"same key id twice":      func() error { return ring.Publish(testClientKey()) },
		"too many":               func() error { return ring.Publish(many...) },
		"activate a stranger":    func() error { return ring.Activate("x") },
		"retire a stranger":      func() error { return ring.Retire("x") },
		"retire the active key":  func() error { return ring.Retire(testClientKey().KeyID()) },
		"zero ring":              func() error { return zero.Activate("x") },
	} {
		if err := do(); kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slices.Equal(ring.KeyIDs(), []string{testClientKey().KeyID(), testECKey().KeyID()}) {
		t.Error("a refused change changed something")
	}
	if _, err := NewKeyRing(nameless); err != nil {
		t.Error("a single key needs no key id: ", err)
	}
	op := newOP(t)
	for name, change := range map[string]func(*Config){
		"both":        func(c *Config) { c.Keys = ring },
		"neither":     func(c *Config) { c.Key = Key{} },
		"a zero ring": func(c *Config) { c.Key, c.Keys = Key{}, &zero },
	} {
		cf := op.config()
		change(&cf)
		if _, err := New(cf); kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyRingHandler(t *testing.T) {
	ring := ringOf(t, testClientKey(), testOtherRSA())
	ask := func(method, match string) *http.Response {
		r := httptest.NewRequest(method, "/jwks.json", nil)
		if match != "" {
			r.Header.Set("If-None-Match", match)
		}
		w := httptest.NewRecorder()
		ring.ServeHTTP(w, r)
		return w.Result()
	}
	read := func(resp *http.Response) string {
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	resp := ask(http.MethodGet, "")
	body := read(resp)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/jwk-set+json" ||
		resp.Header.Get("Cache-Control") != "public, max-age=900" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if len(publishedIDs(t, []byte(body))) != 2 {
		t.Error(body)
	}
	for _, private := range []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`, `"k"`} {
		if strings.Contains(body, private) {
			t.Errorf("the member %s is published", private)
		}
	}
	tag := resp.Header.Get("ETag")
	if again := ask(http.MethodGet, tag); tag == "" || again.StatusCode != http.StatusNotModified {
		t.Errorf("with the ETag %s: %d", tag, again.StatusCode)
	}
	if head := ask(http.MethodHead, ""); head.StatusCode != 200 || read(head) != "" {
		t.Error("HEAD has a body")
	}
	if post := ask(http.MethodPost, ""); post.StatusCode != http.StatusMethodNotAllowed ||
		post.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d", post.StatusCode)
	}
	if err := ring.Retire(testOtherRSA().KeyID()); err != nil {
		t.Fatal(err)
	}
	if changed := ask(http.MethodGet, tag); changed.StatusCode != 200 ||
		len(publishedIDs(t, []byte(read(changed)))) != 1 {
		t.Error("the old set is still served")
	}
}

func TestKeyFilesRoundTrip(t *testing.T) {
	for _, key := range []Key{testClientKey(), testOtherRSA()} {
		b, err := key.RevealJWK()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseKey(b)
		if err != nil || back.KeyID() != key.KeyID() || back.Algorithm() != key.Algorithm() {
			t.Errorf("%v", err)
		}
		if _, err := ParseDecryptionKey(b); kakunin.FamilyOf(err) != kakunin.Configuration {
			t.Errorf("a key for signatures was taken for decryption: %v", err)
		}
	}
	if _, err := (Key{}).RevealJWK(); kakunin.FamilyOf(err) != kakunin.Configuration {
		t.Errorf("the zero key: %v", err)
	}
}
