package card_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// testKey is a key and a self-signed certificate that a transcript can serve.
type testKey struct {
	private     *rsa.PrivateKey
	certificate []byte
}

func newTestKey(t *testing.T) *testKey {
	t.Helper()
	private := issuer.KeyFromSeed(issuer.DefaultSeed, "client")
	return &testKey{private, selfSigned(t, private)}
}

func selfSigned(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (k *testKey) certificateReads(read string) []string {
	return certificateFile(read, k.certificate)
}

// certificateFile is the transcript of reading a certificate: one command, answered with filler behind the content.
func certificateFile(read string, der []byte) []string {
	return []string{read, "< " + upperHex(der) + "FFFF9000"}
}

// signs is the transcript of one signature with the selected key over the input that the card pads.
func (k *testKey) signs(t *testing.T, sel string, input []byte) []string {
	t.Helper()
	signature, err := rsa.SignPKCS1v15(nil, k.private, 0, input)
	if err != nil {
		t.Fatal(err)
	}
	return []string{sel, ok, fmt.Sprintf("> 802A0080%02X%s00", len(input), upperHex(input)),
		"< " + upperHex(signature) + "9000"}
}

// authKey opens a client with a verified PIN and returns its key.
func (k *testKey) authKey(t *testing.T) (*card.Card, *card.Key, *script) {
	t.Helper()
	c, s := open(t, card.Config{}, k.certificateReads(readAuthCertificate)...)
	key, err := c.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.add(verifyAuth("< 63C3", "< 9000")...)
	if err := c.Verify(t.Context(), card.AuthPIN, "1234"); err != nil {
		t.Fatal(err)
	}
	return c, key, s
}

// prefixes are the DER of DigestInfo up to the digest, RFC 8017, 9.2, note 1.
var prefixes = map[crypto.Hash]string{
	crypto.SHA256: "3031300D060960864801650304020105000420",
	crypto.SHA384: "3041300D060960864801650304020205000430",
	crypto.SHA512: "3051300D060960864801650304020305000440",
}

func TestSignDigestInfo(t *testing.T) {
	k := newTestKey(t)
	_, key, s := k.authKey(t)
	for hash, prefix := range prefixes {
		h := hash.New()
		h.Write([]byte("document"))
		digest := h.Sum(nil)
		s.add(k.signs(t, "> 00A4020C020017", append(unhex(t, prefix), digest...))...)
		signature, err := key.Sign(nil, digest, hash)
		if err != nil {
			t.Fatal(hash, err)
		}
		if err := rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), hash, digest, signature); err != nil {
			t.Error(hash, err)
		}
	}
}

func TestSignBareHash(t *testing.T) {
	k := newTestKey(t)
	_, key, s := k.authKey(t)
	digest := sha256.Sum256([]byte("document"))
	s.add(k.signs(t, "> 00A4020C020017", digest[:])...)
	signature, err := key.Sign(rand.Reader, digest[:], card.WithoutDigestInfo)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(&k.private.PublicKey, 0, digest[:], signature); err != nil {
		t.Error(err)
	}
}

func TestSigningKey(t *testing.T) {
	k := newTestKey(t)
	c, s := open(t, card.Config{}, "> 00A4020C02001B", ok, "> 00200080", "< 63C5", "> 0020008006414243313233", ok)
	if err := c.Verify(t.Context(), card.SigningPIN, "abc123"); err != nil {
		t.Fatal(err)
	}
	s.add(k.certificateReads("> 00B08100000800")...)
	key, err := c.SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("document"))
	s.add(k.signs(t, "> 00A4020C02001A", append(unhex(t, prefixes[crypto.SHA256]), digest[:]...))...)
	signature, err := key.SignContext(t.Context(), digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(&k.private.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		t.Error(err)
	}
}

// What the key cannot sign is refused before anything is sent.
func TestSignRefuses(t *testing.T) {
	_, key, _ := newTestKey(t).authKey(t)
	for name, tt := range map[string]struct {
		digest []byte
		opts   crypto.SignerOpts
	}{
		"no options":          {make([]byte, 32), nil},
		"SHA-1":               {make([]byte, 20), crypto.SHA1},
		"MD5":                 {make([]byte, 16), crypto.MD5},
		"SHA-224":             {make([]byte, 28), crypto.SHA224},
		"PSS":                 {make([]byte, 32), &rsa.PSSOptions{Hash: crypto.SHA256}},
		"short for SHA-256":   {make([]byte, 31), crypto.SHA256},
		"SHA-256 for SHA-512": {make([]byte, 32), crypto.SHA512},
		"bare, empty":         {nil, card.WithoutDigestInfo},
		"bare, 31 bytes":      {make([]byte, 31), card.WithoutDigestInfo},
		"bare, a DigestInfo":  {make([]byte, 51), card.WithoutDigestInfo},
		"bare, SHA-512":       {make([]byte, sha512.Size), card.WithoutDigestInfo},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := key.SignContext(t.Context(), tt.digest, tt.opts)
			wantReason(t, err, card.ReasonBadDigest)
		})
	}
}

func TestSignChecksTheAnswer(t *testing.T) {
	k := newTestKey(t)
	digest := make([]byte, 32)
	command := "> 802A008020" + upperHex(digest) + "00"
	for name, tt := range map[string]struct {
		answer string
		want   card.Reason
	}{
		"too short":       {"< " + upperHex(make([]byte, 255)) + "9000", card.ReasonReaderUnfit},
		"empty":           {"< 9000", card.ReasonMalformed},
		"too long":        {"< " + upperHex(make([]byte, 257)) + "9000", card.ReasonMalformed},
		"not verified":    {"< 6982", card.ReasonNotVerified},
		"bad length":      {"< 6985", card.ReasonRefused},
		"memory failure":  {"< 6581", card.ReasonRefused},
		"taken away":      {"! gone", card.ReasonTransportFailed},
		"warning":         {"< " + upperHex(make([]byte, 256)) + "6281", card.ReasonRefused},
		"invalid status":  {"< 0000", card.ReasonMalformed},
		"only the status": {"< 90", card.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, key, s := k.authKey(t)
			s.add("> 00A4020C020017", ok, command, tt.answer)
			signature, err := key.SignContext(t.Context(), digest, card.WithoutDigestInfo)
			wantReason(t, err, tt.want)
			if signature != nil {
				t.Error("bytes came with the error")
			}
			if tt.want == card.ReasonNotVerified {
				// The card forgot; the client believes it and does not ask again.
				_, err := key.SignContext(t.Context(), digest, card.WithoutDigestInfo)
				wantReason(t, err, card.ReasonNotVerified)
			}
		})
	}
}

func TestKeyNeedsItsOwnPIN(t *testing.T) {
	k := newTestKey(t)
	c, s := open(t, card.Config{}, k.certificateReads(readAuthCertificate)...)
	key, err := c.AuthKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.add("> 00A4020C02001B", ok, "> 00200080", "< 63C5", "> 0020008006414243313233", ok)
	if err := c.Verify(t.Context(), card.SigningPIN, "ABC123"); err != nil {
		t.Fatal(err)
	}
	_, err = key.SignContext(t.Context(), make([]byte, 32), card.WithoutDigestInfo)
	wantReason(t, err, card.ReasonNotVerified)
}

func TestUnsupportedKeys(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	elliptical, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, der := range map[string][]byte{
		"RSA-1024":    selfSigned(t, small),
		"ECDSA P-384": selfSigned(t, elliptical),
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := open(t, card.Config{}, certificateFile(readAuthCertificate, der)...)
			_, err := c.AuthKey(t.Context())
			wantReason(t, err, card.ReasonUnsupportedKey)
		})
	}
	c, _ := open(t, card.Config{}, certificateFile(readAuthCertificate, certificateOf(300))...)
	_, err = c.AuthKey(t.Context())
	wantReason(t, err, card.ReasonMalformed)
}
