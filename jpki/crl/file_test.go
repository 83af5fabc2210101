package crl_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/crl/internal/listgen"
)

// indirectList has plain entries, odd ones and entries of other issuers.
func indirectList(t *testing.T) *crl.List {
	t.Helper()
	entries := [][]byte{
		entry([]byte{1}, utc(now), reason(4)), entry(bytes.Repeat([]byte{0x41}, 20), utc(now), reason(1)), entry([]byte{3}, generalized(now)),
		entry([]byte{2}, utc(now), ext(29, true, sequence(directory("A")))), entry([]byte{3}, utc(now), reason(3)),
	}
	return load(t, extended(entries, ext(28, true, sequence([]byte{0x84, 1, 0xff}))).sign(), crl.Options{})
}

func TestIndexFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list.index")
	l := indirectList(t)
	if err := l.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	again, err := crl.OpenIndex(t.Context(), file, &key().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if again.SHA256() != l.SHA256() || again.KeySHA256() != l.KeySHA256() || again.Size() != l.Size() || again.Len() != l.Len() ||
		!bytes.Equal(again.Header().Issuer, l.Header().Issuer) || !bytes.Equal(again.Header().Number, l.Header().Number) ||
		!again.Header().NextUpdate.Equal(l.Header().NextUpdate) || !again.Header().Scope.Indirect {
		t.Error("the file has another list")
	}
	for _, issuer := range []string{"CA", "A", "B"} {
		for _, serial := range [][]byte{{1}, {2}, {3}, {4}, bytes.Repeat([]byte{0x41}, 20)} {
			a, foundA := l.Lookup(name(issuer), serial)
			b, foundB := again.Lookup(name(issuer), serial)
			if foundA != foundB || !bytes.Equal(a.DER(), b.DER()) || !bytes.Equal(a.Issuer, b.Issuer) || a.Reason != b.Reason || !a.RevokedAt.Equal(b.RevokedAt) {
				t.Errorf("%s %x: %v, %v", issuer, serial, a, b)
			}
		}
	}
	// A file that was opened can be written, and replaced under its readers.
	if err := again.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	if third, err := crl.OpenIndex(t.Context(), file, &key().PublicKey); err != nil || third.Len() != l.Len() {
		t.Error(err)
	}
	if names, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); len(names) != 1 {
		t.Errorf("temporary files stay: %v", names)
	}
	if err := l.WriteFile(filepath.Join(t.TempDir(), "none", "list.index")); !errors.Is(err, &crl.Error{Reason: crl.ReasonIO}) {
		t.Error(err)
	}
}

// TestIndexFileOfManyEntries is about partitions and pages.
func TestIndexFileOfManyEntries(t *testing.T) {
	for _, octets := range []int{7, 12} {
		s := &listgen.Spec{Issuer: name("CA"), Number: 1, ThisUpdate: now, NextUpdate: now.Add(day), Entries: 30_000, SerialOctets: octets, Key: key()}
		var list bytes.Buffer
		if _, err := s.WriteTo(&list); err != nil {
			t.Fatal(err)
		}
		u, err := crl.Parse(list.Bytes(), crl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := u.Verify(t.Context(), &key().PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "list.index")
		if err := l.WriteFile(file); err != nil {
			t.Fatal(err)
		}
		l, err = crl.OpenIndex(t.Context(), file, &key().PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for worker := range 8 {
			group.Go(func() {
				for i := worker; i < s.Entries+8000; i += 8 {
					if e, found := l.Lookup(s.Issuer, s.Serial(i)); found != (i < s.Entries) || found && int(e.Reason) != s.Reason(i) {
						t.Errorf("entry %d: %v, %v", i, e, found)
						return
					}
				}
			})
		}
		group.Wait()
		runtime.GC() // the mapping must stay as long as the list is used
		if _, found := l.Lookup(s.Issuer, s.Serial(1)); !found {
			t.Error("gone after a collection")
		}
	}
}

func TestIndexFileRefused(t *testing.T) {
	directory := t.TempDir()
	file := filepath.Join(directory, "list.index")
	if err := indirectList(t).WriteFile(file); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open := func(data []byte) error {
		t.Helper()
		if err := os.WriteFile(file+".bad", data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := crl.OpenIndex(t.Context(), file+".bad", &key().PublicKey)
		return err
	}
	if err := open(good); err != nil {
		t.Fatal(err)
	}
	refused := &crl.Error{Reason: crl.ReasonIndex}
	for n := 0; n < len(good); n += 1 + n/7 {
		if err := open(good[:n]); !errors.Is(err, refused) {
			t.Errorf("the first %d octets: %v", n, err)
		}
	}
	for at := 0; at < len(good); at += 3 + at/50 {
		changed := bytes.Clone(good)
		changed[at] ^= 1
		if err := open(changed); !errors.Is(err, refused) {
			t.Errorf("octet %d changed: %v", at, err)
		}
	}
	if err := open(append(bytes.Clone(good), 0)); !errors.Is(err, refused) {
		t.Errorf("longer: %v", err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crl.OpenIndex(t.Context(), file, &other.PublicKey); !errors.Is(err, &crl.Error{Reason: crl.ReasonIndex, Step: "index.key"}) {
		t.Errorf("another key: %v", err)
	}
	if _, err := crl.OpenIndex(t.Context(), directory, &key().PublicKey); err == nil {
		t.Error("a directory was opened")
	}
	if _, err := crl.OpenIndex(t.Context(), file+".none", &key().PublicKey); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}

	// With a checksum that is right, and anything else in the file, nothing may panic.
	for at := 8; at < len(good)-sha256.Size; at += 5 + at/100 {
		for _, value := range []byte{0, 0xff, good[at] + 1} {
			changed := bytes.Clone(good)
			changed[at] = value
			sum := sha256.Sum256(changed[:len(changed)-sha256.Size])
			copy(changed[len(changed)-sha256.Size:], sum[:])
			if err := os.WriteFile(file+".bad", changed, 0o600); err != nil {
				t.Fatal(err)
			}
			if l, err := crl.OpenIndex(t.Context(), file+".bad", &key().PublicKey); err == nil {
				for _, serial := range [][]byte{{1}, {2}, {3}, bytes.Repeat([]byte{0x41}, 20)} {
					l.Lookup(name("CA"), serial)
					l.Lookup(name("A"), serial)
				}
			}
		}
	}
}
