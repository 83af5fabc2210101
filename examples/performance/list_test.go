package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// authority signs revocation lists, which are made once.
type authority struct {
	mu    sync.Mutex
	key   *rsa.PrivateKey
	root  *x509.Certificate
	lists map[int][]byte
}

var lists authority

func (a *authority) list(b *testing.B, entries int) []byte {
	b.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if a.key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			b.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
			NotBefore: now, NotAfter: now.AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true,
			KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			b.Fatal(err)
		}
		if a.root, err = x509.ParseCertificate(der); err != nil {
			b.Fatal(err)
		}
		a.key, a.lists = key, map[int][]byte{}
	}
	if a.lists[entries] == nil {
		template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 1)}
		for i := range entries {
			template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
				x509.RevocationListEntry{SerialNumber: serial(i), RevocationTime: now, ReasonCode: 3})
		}
		der, err := x509.CreateRevocationList(rand.Reader, template, a.root, a.key)
		if err != nil {
			b.Fatal(err)
		}
		a.lists[entries] = der
	}
	return a.lists[entries]
}

// serial is 63 bits long and looks random.
func serial(i int) *big.Int {
	return new(big.Int).SetUint64(1<<62 | uint64(i)*0x9e3779b97f4a7c15>>2) //nolint:gosec // i is not negative
}

func readOurs(b *testing.B, der []byte) *crl.List {
	b.Helper()
	unverified, err := crl.Read(context.Background(), bytes.NewReader(der), crl.Options{})
	if err != nil {
		b.Fatal(err)
	}
	list, err := unverified.Verify(context.Background(), &lists.key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	return list
}

func readTheirs(b *testing.B, der []byte) *x509.RevocationList {
	b.Helper()
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		b.Fatal(err)
	}
	if err := list.CheckSignatureFrom(lists.root); err != nil {
		b.Fatal(err)
	}
	return list
}

// BenchmarkReadList reads a list from its bytes and verifies its signature: this module with an index for look-ups,
// crypto/x509 as entries in a row. Nobody can do it faster than SHA-256 goes over the bytes.
func BenchmarkReadList(b *testing.B) {
	for _, entries := range listSizes {
		for name, read := range map[string]func([]byte){
			"kakunin": func(der []byte) { readOurs(b, der) },
			"x509":    func(der []byte) { readTheirs(b, der) },
			"sha256":  func(der []byte) { sha256.Sum256(der) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, entries), func(b *testing.B) {
				der := lists.list(b, entries)
				alone(b, func() { read(der) })
			})
		}
	}
}

// BenchmarkLookup asks a list that was read about a certificate that is in it, another one each time. crypto/x509 has
// no index: its entries are gone through.
func BenchmarkLookup(b *testing.B) {
	for _, entries := range listSizes {
		at := func(n int) *big.Int { return serial(n * 7_919 % entries) }
		b.Run(fmt.Sprintf("kakunin/%d", entries), func(b *testing.B) {
			list, n := readOurs(b, lists.list(b, entries)), 0
			alone(b, func() {
				if _, found := list.Lookup(lists.root.RawSubject, at(n).Bytes()); !found {
					b.Fatal("not found")
				}
				n++
			})
		})
		b.Run(fmt.Sprintf("x509/%d", entries), func(b *testing.B) {
			list, n := readTheirs(b, lists.list(b, entries)), 0
			alone(b, func() {
				wanted, found := at(n), false
				for i := range list.RevokedCertificateEntries {
					if list.RevokedCertificateEntries[i].SerialNumber.Cmp(wanted) == 0 {
						found = true
						break
					}
				}
				if !found {
					b.Fatal("not found")
				}
				n++
			})
		})
	}
}
