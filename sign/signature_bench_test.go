package sign

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
	"time"
)

// BenchmarkSignature is the check of the signature value alone, against crypto/rsa doing the same.
func BenchmarkSignature(b *testing.B) {
	key := &testKey().PublicKey
	digest := sha256.Sum256([]byte(agreement))
	for mode, hash := range map[Mode]crypto.Hash{ModeBareHash: 0, ModeDigestInfo: crypto.SHA256} {
		b.Run(mode.String(), func(b *testing.B) {
			signature := signIn(b, testKey(), mode, agreement)
			var own, floor time.Duration
			b.ReportAllocs()
			for b.Loop() {
				t0 := time.Now()
				if !verifySignature(key, mode, digest, signature) {
					b.Fatal("refused")
				}
				t1 := time.Now()
				if err := rsa.VerifyPKCS1v15(key, hash, digest[:], signature); err != nil {
					b.Fatal(err)
				}
				own, floor = own+t1.Sub(t0), floor+time.Since(t1)
			}
			b.ReportMetric(float64(own)/float64(floor), "x-bare")
		})
	}
}
