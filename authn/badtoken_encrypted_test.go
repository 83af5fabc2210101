package authn

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // of RSA-OAEP as RFC 7518 has it
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/internal/jose"
)

// testOpener is the RSA key that the provider encrypts to.
var testOpener = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func opens(c *Config) {
	key, err := NewDecryptionKey(testOpener(), "enc")
	if err != nil {
		panic(err)
	}
	c.DecryptionKeys = []DecryptionKey{key}
}

// encryptRaw makes a compact JWE under any header (RFC 7516, section 5.1) with A256GCM.
func encryptRaw(tb testing.TB, header string, plain []byte) string {
	tb.Helper()
	must := func(err error) {
		if err != nil {
			tb.Error(err)
		}
	}
	cek, iv := make([]byte, 32), make([]byte, 12)
	_, _ = rand.Read(cek)
	_, _ = rand.Read(iv)
	var wrapped []byte
	var err error
	to := &testOpener().PublicKey
	switch {
	case strings.Contains(header, "RSA1_5"):
		wrapped, err = rsa.EncryptPKCS1v15(rand.Reader, to, cek) //nolint:staticcheck // what is tested
	case strings.Contains(header, "RSA-OAEP-256"):
		wrapped, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, to, cek, nil)
	case strings.Contains(header, "RSA-OAEP"):
		wrapped, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, to, cek, nil)
	default: // dir: the key is what both agreed upon
	}
	must(err)
	block, err := aes.NewCipher(cek)
	must(err)
	gcm, err := cipher.NewGCM(block)
	must(err)
	first := b64(header)
	sealed := gcm.Seal(nil, iv, plain, []byte(first))
	tag := len(sealed) - gcm.Overhead()
	enc := base64.RawURLEncoding.EncodeToString
	return strings.Join([]string{first, enc(wrapped), enc(iv), enc(sealed[:tag]), enc(sealed[tag:])}, ".")
}

// encryptedAs makes the provider encrypt its ID tokens under a header.
func encryptedAs(header string, content func(signed string) []byte) func(*testOP) {
	return func(op *testOP) {
		op.alterID = func(s string) string { return encryptRaw(op.tb, header, content(s)) }
	}
}

func asIs(s string) []byte { return []byte(s) }

// mebibytes is as many MiB of zeros as a DEFLATE stream (RFC 1951) of about 1 KiB for each.
func mebibytes(n int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(make([]byte, 1<<20)); err != nil || w.Flush() != nil {
		panic("cannot compress into memory")
	}
	// What Flush ends is a whole number of bytes and refers to nothing before its beginning.
	return append(bytes.Repeat(b.Bytes(), n), 3, 0) // and an empty last block
}

// bomb is 64 MiB of zeros in some 64 KiB.
func bomb(string) []byte { return mebibytes(64) }

// deflated is the token itself, compressed.
func deflated(s string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write([]byte(s)); err != nil || w.Close() != nil {
		panic("cannot compress into memory")
	}
	return b.Bytes()
}

func badEncryptedTokens() []badToken {
	const good = `"kid":"enc","cty":"JWT"`
	refused := func(check string) string { return "rejects (ID token: " + check + ")" }
	return []badToken{
		{name: "JWE, without a decryption key", want: refused("form"), prepare: encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM",`+good+`}`, asIs)},
		{name: "JWE with RSA1_5", want: refused("alg"), prepare: encryptedAs(`{"alg":"RSA1_5","enc":"A256GCM",`+good+`}`, asIs), change: opens},
		{name: "JWE with RSA-OAEP (SHA-1), which is not allowed by default", want: refused("alg"), prepare: encryptedAs(`{"alg":"RSA-OAEP","enc":"A256GCM",`+good+`}`, asIs), change: opens},
		{name: "JWE with dir", want: refused("alg"), prepare: encryptedAs(`{"alg":"dir","enc":"A256GCM",`+good+`}`, asIs), change: opens},
		{name: "JWE with zip", want: refused("crit"), prepare: encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF",`+good+`}`, deflated), change: opens},
		{name: "JWE with zip that inflates to 64 MiB", want: refused("crit"), prepare: encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF",`+good+`}`, bomb), change: opens},
		{name: "JWE that was altered", want: refused("decryption"), prepare: func(op *testOP) {
			op.alterID = func(s string) string {
				p := strings.Split(encryptRaw(op.tb, `{"alg":"RSA-OAEP-256","enc":"A256GCM",`+good+`}`, []byte(s)), ".")
				p[3] = b64("another") + p[3][len(b64("another")):]
				return strings.Join(p, ".")
			}
		}, change: opens},
		{name: "JWE of claims without a signature", want: refused("form"), prepare: encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc"}`, func(s string) []byte {
			claims, _ := base64.RawURLEncoding.DecodeString(strings.Split(s, ".")[1])
			return claims
		}), change: opens},
	}
}

// The rows above are refused for what they are about: the same token without the fault is accepted.
func TestEncryptedTokenIsAccepted(t *testing.T) {
	op := newOP(t)
	encryptedAs(`{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc","cty":"JWT"}`, asIs)(op)
	if err := op.complete(t, op.client(opens)); err != nil {
		t.Error(err)
	}
}

// Within every limit of size a compressed token is refused before anything is inflated.
func TestZipBombIsNotInflated(t *testing.T) {
	small := mebibytes(8)
	if n, err := io.Copy(io.Discard, flate.NewReader(bytes.NewReader(small))); err != nil || n != 8<<20 {
		t.Fatalf("the bomb has %d bytes, %v", n, err)
	}
	token := encryptRaw(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","zip":"DEF"}`, small)
	if len(token) > 32<<10 {
		t.Fatalf("%d bytes", len(token))
	}
	_, _, err := jose.Decrypt(token, testOpener(), jose.DecryptOptions{})
	if j, ok := err.(*jose.Error); !ok || j.Check != jose.CheckCritical { //nolint:errorlint // unwrapped
		t.Errorf("%v", err)
	}
	op := newOP(t)
	op.info = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = w.Write([]byte(token))
	}
	wantError(t, op.complete(t, op.client(opens)), ReasonUserinfo, "crit")
}
