package sign

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
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
			b.ReportAllocs()
			for b.Loop() {
				if !verifySignature(key, mode, digest, signature) {
					b.Fatal("refused")
				}
			}
			// In turns, and by the medians: whatever else the machine does meets both alike.
			own, floor := make([]time.Duration, b.N), make([]time.Duration, b.N)
			for i := range b.N {
				t0 := time.Now()
				if !verifySignature(key, mode, digest, signature) {
					b.Fatal("refused")
				}
				t1 := time.Now()
				if err := rsa.VerifyPKCS1v15(key, hash, digest[:], signature); err != nil {
					b.Fatal(err)
				}
				own[i], floor[i] = t1.Sub(t0), time.Since(t1)
			}
			slices.Sort(own)
			slices.Sort(floor)
			b.ReportMetric(float64(own[b.N/2])/float64(floor[b.N/2]), "x-bare")
		})
	}
}
