package crl_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/crl/internal/listgen"
)

// indirectList has plain entries, odd ones and entries of other issuers.
func indirectList(t *testing.T) *crl.List {
	t.Helper()
	entries := [][]byte{
		entry([]byte{1}, utc(now), reason(4)), entry(bytes.Repeat([]byte{0x41}, 20), utc(now), reason(1)),
		entry([]byte{3}, generalized(now)),
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
	if again.SHA256() != l.SHA256() || again.KeySHA256() != l.KeySHA256() || again.Size() != l.Size() ||
		again.Len() != l.Len() ||
		!bytes.Equal(again.Header().Issuer, l.Header().Issuer) ||
		!bytes.Equal(again.Header().Number, l.Header().Number) ||
		!again.Header().NextUpdate.Equal(l.Header().NextUpdate) || !again.Header().Scope.Indirect {
		t.Error("the file has another list")
	}
	for _, issuer := range []string{"CA", "A", "B"} {
		for _, serial := range [][]byte{{1}, {2}, {3}, {4}, bytes.Repeat([]byte{0x41}, 20)} {
			a, foundA := l.Lookup(name(issuer), serial)
			b, foundB := again.Lookup(name(issuer), serial)
			if foundA != foundB || !bytes.Equal(a.DER(), b.DER()) || !bytes.Equal(a.Issuer, b.Issuer) ||
				a.Reason != b.Reason || !a.RevokedAt.Equal(b.RevokedAt) {
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
	if err := l.WriteFile(filepath.Join(t.TempDir(), "none", "list.index")); !errors.Is(err,
		&crl.Error{Reason: crl.ReasonIO}) {
		t.Error(err)
	}
}

// TestIndexFileOfManyEntries is about partitions and pages.
func TestIndexFileOfManyEntries(t *testing.T) {
	for _, octets := range []int{7, 12} {
		s := &listgen.Spec{Issuer: name("CA"), Number: 1, ThisUpdate: now, NextUpdate: now.Add(day), Entries: 30_000,
			SerialOctets: octets, Key: key()}
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
					if e, found := l.Lookup(s.Issuer, s.Serial(i)); found != (i < s.Entries) || found &&
						int(e.Reason) != s.Reason(i) {
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
	if _, err := crl.OpenIndex(t.Context(), file, &other.PublicKey); !errors.Is(err,
		&crl.Error{Reason: crl.ReasonIndex, Step: "index.key"}) {
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

// indexHeader is the head of an index file behind the eight octets of its magic.
type indexHeader struct {
	Version, Odd                  uint32
	Seed                          [24]byte
	ListSHA256, KeySHA256         [32]byte
	ListSize, Frame               uint64
	MainBits, OddBits             uint32
	MainRecords, OddRecords       uint64
	MainPages, OddPages, Raw      uint64
	MainPartitions, OddPartitions uint64
}

// Pages that belong to no partition, or to two, would hide entries or show them twice: an index file with a right
// checksum and such a directory is refused.
func TestIndexFilePagesFollowEachOther(t *testing.T) {
	s := &listgen.Spec{
		Issuer: name("CA"), Number: 1, ThisUpdate: now, NextUpdate: now.Add(day), Entries: 10_000, SerialOctets: 7,
		Key: key(),
	}
	var list bytes.Buffer
	if _, err := s.WriteTo(&list); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "list.index")
	if err := load(t, list.Bytes(), crl.Options{}).WriteFile(file); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const page = 1024
	var head indexHeader
	size := 8 + binary.Size(&head)
	if _, err := binary.Decode(good[8:], binary.LittleEndian, &head); err != nil || head.MainPartitions < 3 ||
		head.OddPartitions != 0 {
		t.Fatalf("%+v, %v", head, err)
	}
	directory := size + int(head.Frame)
	pages := (directory + 8*int(head.MainPartitions) + page - 1) / page * page
	if last := len(good) - sha256.Size - pages; last != int(head.MainPages)*page {
		t.Fatalf("%d octets behind the directory, %d pages", last, head.MainPages)
	}
	firstPage := func(b []byte, partition int) []byte { return b[directory+8*partition:][:4] }
	shift := func(b []byte, from, by int) {
		for i := from; i < int(head.MainPartitions); i++ {
			p := firstPage(b, i)
			binary.LittleEndian.PutUint32(p, uint32(int(binary.LittleEndian.Uint32(p))+by))
		}
	}
	setPages := func(b []byte, n uint64) {
		changed := head
		changed.MainPages = n
		if _, err := binary.Encode(b[8:], binary.LittleEndian, &changed); err != nil {
			t.Fatal(err)
		}
	}
	second := int(binary.LittleEndian.Uint32(firstPage(good, 1)))
	for name, c := range map[string]struct {
		step   string // "" is accepted
		change func(b []byte) []byte
	}{
		"nothing": {"", func(b []byte) []byte { return b }},
		"a gap before the first": {"index.directory", func(b []byte) []byte {
			shift(b, 0, 1)
			setPages(b, head.MainPages+1)
			return slices.Insert(b, pages, make([]byte, page)...)
		}},
		"a gap between two": {"index.directory", func(b []byte) []byte {
			shift(b, 1, 1)
			setPages(b, head.MainPages+1)
			return slices.Insert(b, pages+second*page, make([]byte, page)...)
		}},
		"a page of two partitions": {"index.directory", func(b []byte) []byte {
			shift(b, 1, -1)
			setPages(b, head.MainPages-1)
			return slices.Delete(b, pages+(second-1)*page, pages+second*page)
		}},
		"a page too many behind the last": {"index.pages", func(b []byte) []byte {
			setPages(b, head.MainPages+1)
			return append(b, make([]byte, page)...)
		}},
		"a page too few behind the last": {"index.pages", func(b []byte) []byte {
			setPages(b, head.MainPages-1)
			return b[:len(b)-page]
		}},
		"more pages behind the last than said": {"index.form", func(b []byte) []byte {
			return append(b, make([]byte, page)...)
		}},
	} {
		changed := c.change(bytes.Clone(good[:len(good)-sha256.Size]))
		sum := sha256.Sum256(changed)
		if err := os.WriteFile(file, append(changed, sum[:]...), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := crl.OpenIndex(t.Context(), file, &key().PublicKey)
		if c.step == "" && err != nil || c.step != "" && !errors.Is(err,
			&crl.Error{Reason: crl.ReasonIndex, Step: c.step}) {
			t.Errorf("%s: %v, want %s", name, err, c.step)
		}
	}
}
