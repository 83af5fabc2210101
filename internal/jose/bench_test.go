package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests"
)

func BenchmarkVerify(b *testing.B) {
	k := testKeys()
	payload := `{"x":"` + strings.Repeat("x", 550) + `"}`
	for alg, token := range map[string]string{
		"RS256": forge(b, k.rsa, `{"alg":"RS256","kid":"rsa","typ":"JWT"}`, payload),
		"ES256": forge(b, k.ec, `{"alg":"ES256","kid":"ec","typ":"JWT"}`, payload),
	} {
		b.Run(alg, func(b *testing.B) {
			set := bothKeys()
			dot := strings.LastIndexByte(token, '.')
			signed := []byte(token[:dot])
			sig, ok := decode64(token[dot+1:])
			if !ok {
				b.Fatal("signature")
			}
			tests.InTurns(b, "x-bare", func() {
				digest := sha256.Sum256(signed)
				if alg == "RS256" {
					ok = rsa.VerifyPKCS1v15(&k.rsa.PublicKey, crypto.SHA256, digest[:], sig) == nil
				} else {
					ok = ecdsa.Verify(&k.ec.PublicKey, digest[:], new(big.Int).SetBytes(sig[:32]),
						new(big.Int).SetBytes(sig[32:]))
				}
				if !ok {
					b.Fatal("bare")
				}
			}, func() {
				if _, _, err := Verify(token, set, anyAlg); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkSignRS256(b *testing.B) {
	key := SigningKey{Signer: testKeys().rsa, KeyID: "k", Algorithm: RS256}
	payload := []byte(strings.Repeat("x", 300))
	tests.InTurns(b, "x-bare", func() {
		digest := sha256.Sum256(payload)
		if _, err := rsa.SignPKCS1v15(rand.Reader, testKeys().rsa, crypto.SHA256, digest[:]); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := Sign(key, "JWT", payload); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkDecryptRSAOAEP256(b *testing.B) {
	to, key := recipient("RSA-OAEP-256")
	token, err := Encrypt(to, "RSA-OAEP-256", "A256GCM", make([]byte, 3000))
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &testKeys().rsa.PublicKey, make([]byte, 32), nil)
	if err != nil {
		b.Fatal(err)
	}
	tests.InTurns(b, "x-bare", func() {
		if _, err := rsa.DecryptOAEP(sha256.New(), nil, testKeys().rsa, sealed, nil); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, _, err := Decrypt(token, key, DecryptOptions{}); err != nil {
			b.Fatal(err)
		}
	})
}
