package crl_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/crl/internal/listgen"
)

func TestHeaderOfEveryExtension(t *testing.T) {
	point := wrap(0xa0, wrap(0xa0, directory("point"), text(0x86, "http://example.jp/crl")))
	idp := sequence(point, []byte{0x81, 1, 0xff}, []byte{0x83, 2, 5, 0x60}, []byte{0x84, 1, 0xff})
	fresh := sequence(sequence(wrap(0xa0, wrap(0xa1, sequence(oid(2, 5, 4, 11), text(cbasn1.UTF8String, "delta")))),
		[]byte{0x81, 2, 7, 0x80}, wrap(0xa2, directory("other"))))
	list := extended(nil,
		ext(35, false, sequence(wrap(0x80, []byte{1, 2, 3}), wrap(0xa1, directory("root")), wrap(0x82, []byte{9}))),
		ext(27, true, integer(3)), ext(28, true, idp), ext(46, false, fresh),
		sequence(oid(1, 2, 3), wrap(cbasn1.OCTET_STRING, nil)))
	u, err := parse(t, list.sign(), crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := u.Header()
	if h.Version != 2 || !bytes.Equal(h.Issuer, name("CA")) || !h.ThisUpdate.Equal(now) ||
		!h.NextUpdate.Equal(now.Add(day)) ||
		!h.SignatureAlgorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}) {
		t.Errorf("%+v", h)
	}
	if !bytes.Equal(h.Number, []byte{7}) || !bytes.Equal(h.BaseNumber, []byte{3}) || !h.IsDelta() ||
		len(h.UnknownCritical) != 0 {
		t.Errorf("numbers %x, %x", h.Number, h.BaseNumber)
	}
	if !bytes.Equal(h.AuthorityKeyID, []byte{1, 2, 3}) || len(h.AuthorityCertIssuer) != 1 ||
		!bytes.Equal(h.AuthorityCertSerial, []byte{9}) {
		t.Error("authorityKeyIdentifier")
	}
	s := h.Scope
	if s == nil || !s.OnlyUserCerts || s.OnlyCACerts || s.OnlyAttributeCerts || !s.Indirect ||
		!bytes.Equal(s.Raw, idp) || s.OnlySomeReasons != 1<<1|1<<2 {
		t.Fatalf("%+v", s)
	}
	names := s.Name.Names(h.Issuer)
	if len(names) != 2 || !bytes.Equal(names[0], directory("point")) ||
		!bytes.Equal(names[1], text(0x86, "http://example.jp/crl")) {
		t.Errorf("%x", names)
	}
	if len(h.FreshestCRL) != 1 || h.FreshestCRL[0].Reasons != 0 && h.FreshestCRL[0].Reasons != 1<<0&crl.AllReasons ||
		len(h.FreshestCRL[0].CRLIssuer) != 1 {
		t.Fatalf("%+v", h.FreshestCRL)
	}
	full := wrap(0xa4, sequence(rdn("CA"), wrap(cbasn1.SET, sequence(oid(2, 5, 4, 11),
		text(cbasn1.UTF8String, "delta")))))
	if got := h.FreshestCRL[0].Name.Names(name("CA")); len(got) != 1 || !bytes.Equal(got[0], full) {
		t.Errorf("nameRelativeToCRLIssuer: %x", got)
	}
}

func TestPlainVersion1List(t *testing.T) {
	s := extended([][]byte{entry([]byte{5}, utc(now))})
	s.version, s.extensions, s.nextUpdate = nil, nil, nil
	l := load(t, s.sign(), crl.Options{})
	if h := l.Header(); h.Version != 1 || !h.NextUpdate.IsZero() || h.Number != nil || h.Scope != nil || l.Len() != 1 {
		t.Errorf("%+v", h)
	}
	s.extensions = extended(nil).extensions
	wantRefused(t, s, "crl.version", crl.ReasonMalformed)
}

func TestEntries(t *testing.T) {
	long := bytes.Repeat([]byte{0x41}, 20)
	high := []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff} // 2⁶⁴−1
	above := []byte{1, 0, 0, 0, 0, 0, 0, 0, 0}                        // 2⁶⁴
	far := time.Date(2150, 1, 2, 3, 4, 5, 0, time.UTC)
	old := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)
	invalid := now.Add(-30 * day)
	type want struct {
		serial []byte
		der    []byte
		at     time.Time
		reason crl.ReasonCode
		from   time.Time
	}
	wants := []want{
		{[]byte{5}, entry([]byte{5}, utc(now)), now, -1, time.Time{}},
		{[]byte{4}, entry([]byte{4}, utc(old), reason(0)), old, 0, time.Time{}}, // not in order
		{[]byte{0, 0x80}, entry([]byte{0, 0x80}, utc(last), reason(10)), last, 10, time.Time{}},
		{long, entry(long, utc(now), reason(4)), now, 4, time.Time{}},
		{high, entry(high, utc(now), reason(9)), now, 9, time.Time{}},
		{above, entry(above, utc(now), reason(6)), now, 6, time.Time{}},
		{[]byte{6}, entry([]byte{6}, generalized(far), reason(1)), far, 1, time.Time{}},
		{[]byte{7}, entry([]byte{7}, generalized(now)), now, -1, time.Time{}},
		{[]byte{8}, entry([]byte{8}, utc(now), reason(1), ext(24, false, generalized(invalid))), now, 1, invalid},
		{[]byte{9}, entry([]byte{9}, utc(now), ext(21, true, []byte{10, 1, 5})), now, 5, time.Time{}},
		{[]byte{10}, entry([]byte{10}, utc(now), reason(6), ext(23, false, oid(1, 2, 840, 10040, 2, 1))), now, 6,
			time.Time{}},
		{[]byte{11}, entry([]byte{11}, utc(now), sequence(oid(1, 2, 3), wrap(cbasn1.OCTET_STRING, []byte("x")))), now,
			-1, time.Time{}},
	}
	var entries [][]byte
	for _, w := range wants {
		entries = append(entries, w.der)
	}
	l := load(t, extended(entries).sign(), crl.Options{})
	if l.Len() != len(wants) {
		t.Errorf("%d entries", l.Len())
	}
	for _, w := range wants {
		e, found := l.Lookup(name("CA"), w.serial)
		if !found || !bytes.Equal(e.Serial, w.serial) || !e.RevokedAt.Equal(w.at) || e.Reason != w.reason ||
			!e.InvalidFrom.Equal(w.from) ||
			!bytes.Equal(e.DER(), w.der) || !bytes.Equal(e.Issuer, name("CA")) {
			t.Errorf("%x: %+v, %v, DER %x", w.serial, e, found, e.DER())
		}
	}
	if e, _ := l.Lookup(name("CA"), []byte{10}); !e.HoldInstruction.Equal(
		asn1.ObjectIdentifier{1, 2, 840, 10040, 2, 1}) {
		t.Error("holdInstructionCode")
	}
	for _, serial := range [][]byte{{3}, {0, 5}, {0x80}, {0xff}, nil, long[:19], append([]byte{0}, above...)} {
		if _, found := l.Lookup(name("CA"), serial); found {
			t.Errorf("%x found", serial)
		}
	}
	if _, found := l.Lookup(name("other"), []byte{5}); found {
		t.Error("another issuer's certificate found")
	}
}

// TestIndirectList: RFC 5280, 5.3.3 – an entry without certificateIssuer is of the issuer of the entry before it.
func TestIndirectList(t *testing.T) {
	issuer := func(cn string) []byte { return ext(29, true, sequence(directory(cn))) }
	entries := [][]byte{
		entry([]byte{1}, utc(now)), entry([]byte{2}, utc(now), issuer("A")), entry([]byte{1}, utc(now), reason(1)),
		entry([]byte{1}, utc(now), issuer("B"), reason(4)), entry([]byte{3}, utc(now), issuer("CA")),
		entry([]byte{2}, utc(now), issuer("A")[:0:0]),
	}
	entries[5] = entry([]byte{4}, utc(now), reason(3))
	indirect := ext(28, true, sequence([]byte{0x84, 1, 0xff}))
	l := load(t, extended(entries, indirect).sign(), crl.Options{})
	for _, tc := range []struct {
		issuer string
		serial byte
		reason crl.ReasonCode
	}{{"CA", 1, -1}, {"A", 2, -1}, {"A", 1, 1}, {"B", 1, 4}, {"CA", 3, -1}, {"CA", 4, 3}} {
		e, found := l.Lookup(name(tc.issuer), []byte{tc.serial})
		if !found || e.Reason != tc.reason || !bytes.Equal(e.Issuer, name(tc.issuer)) {
			t.Errorf("%s %d: %+v, %v", tc.issuer, tc.serial, e, found)
		}
	}
	for _, tc := range []struct {
		issuer string
		serial byte
	}{{"CA", 2}, {"A", 3}, {"B", 2}, {"B", 3}, {"B", 4}, {"A", 4}, {"C", 1}} {
		if _, found := l.Lookup(name(tc.issuer), []byte{tc.serial}); found {
			t.Errorf("%s %d found", tc.issuer, tc.serial)
		}
	}
	if got := l.CertificateIssuers(); len(got) != 3 || !bytes.Equal(got[0], name("CA")) ||
		!bytes.Equal(got[1], name("A")) || !bytes.Equal(got[2], name("B")) {
		t.Errorf("%x", got)
	}
	wantRefused(t, extended(entries), "crl.entries", crl.ReasonMalformed) // not an indirect list
	for label, value := range map[string][]byte{
		"no directory name": sequence(text(0x82, "example.jp")), "two": sequence(directory("A"), directory("B")),
		"empty name": sequence(wrap(0xa4, sequence())), "empty": sequence(),
	} {
		t.Run(label, func(t *testing.T) {
			wantRefused(t, extended([][]byte{entry([]byte{1}, utc(now), ext(29, true, value))}, indirect),
				"crl.entries", crl.ReasonMalformed)
		})
	}
	wantDuplicate(t, extended([][]byte{entry([]byte{1}, utc(now), issuer("A")), entry([]byte{1}, utc(now), reason(1))},
		indirect))
}

func wantRefused(t *testing.T, s *spec, step string, reason crl.Reason) {
	t.Helper()
	wantBytesRefused(t, s.sign(), step, reason)
}

func wantBytesRefused(t *testing.T, list []byte, step string, reason crl.Reason) {
	t.Helper()
	_, err := parse(t, list, crl.Options{})
	if !errors.Is(err, &crl.Error{Reason: reason, Step: step}) {
		t.Errorf("%v, want %s: %v", err, step, reason)
	}
}

func wantDuplicate(t *testing.T, s *spec) {
	t.Helper()
	u, err := parse(t, s.sign(), crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if l, err := u.Verify(t.Context(), &key().PublicKey); l != nil ||
			!errors.Is(err, &crl.Error{Reason: crl.ReasonMalformed, Step: "crl.entries"}) {
			t.Errorf("%v", err)
		}
	}
}

func TestDuplicateEntries(t *testing.T) {
	long := bytes.Repeat([]byte{0x41}, 20)
	for label, entries := range map[string][][]byte{
		"plain": {entry([]byte{5}, utc(now)), entry([]byte{6}, utc(now)),
			entry([]byte{5}, utc(now), reason(1))},
		"long":           {entry(long, utc(now)), entry(long, utc(now.Add(-day)))},
		"plain and odd":  {entry([]byte{5}, utc(now)), entry([]byte{5}, generalized(now))},
		"odd and odd":    {entry([]byte{5}, generalized(now)), entry([]byte{5}, generalized(now.Add(day)))},
		"the same bytes": {entry([]byte{5}, utc(now)), entry([]byte{5}, utc(now))},
	} {
		t.Run(label, func(t *testing.T) { wantDuplicate(t, extended(entries)) })
	}
}

func TestOddSerials(t *testing.T) {
	entries := [][]byte{entry([]byte{0xff}, utc(now)), entry([]byte{0}, utc(now), reason(1)),
		entry([]byte{0xff, 0x7f}, utc(now), reason(3))}
	for _, e := range entries {
		wantRefused(t, extended([][]byte{e}), "crl.entries", crl.ReasonMalformed)
	}
	l := load(t, extended(entries).sign(), crl.Options{AllowOddSerials: true})
	for _, serial := range [][]byte{{0xff}, {0}, {0xff, 0x7f}} {
		if _, found := l.Lookup(name("CA"), serial); !found {
			t.Errorf("%x not found", serial)
		}
	}
	if _, found := l.Lookup(name("CA"), []byte{0, 0xff}); found {
		t.Error("-1 was taken for 255")
	}
	for label, serial := range map[string][]byte{"not minimal": {0xff, 0xff}, "zero, not minimal": {0, 0},
		"21 octets": append([]byte{0xff}, make([]byte, 20)...), "none": {}} {
		if _, err := crl.Parse(extended([][]byte{entry(serial, utc(now))}).sign(),
			crl.Options{AllowOddSerials: true}); err == nil {
			t.Errorf("%s: accepted", label)
		}
	}
}

func TestSignature(t *testing.T) {
	list := extended([][]byte{entry([]byte{5}, utc(now))}).sign()
	u, err := parse(t, list, crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for label, k := range map[string]crypto.PublicKey{"another key": &other.PublicKey, "nil": nil, "not a key": "key",
		"nil pointer": (*ecdsa.PublicKey)(nil)} {
		if l, err := u.Verify(t.Context(), k); l != nil || !errors.Is(err, &crl.Error{Reason: crl.ReasonSignature}) {
			t.Errorf("%s: %v", label, err)
		}
	}
	l, err := u.Verify(t.Context(), &key().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := u.Verify(t.Context(), &key().PublicKey); again != l || err != nil {
		t.Errorf("the index was made twice: %v", err)
	}
	if l, err := u.Verify(t.Context(), &other.PublicKey); l != nil || err == nil {
		t.Error("a wrong key after the right one")
	}
	for _, at := range []int{len(list) / 2, len(list) - 1, 30} {
		changed := bytes.Clone(list)
		changed[at] ^= 1
		if u, err := crl.Parse(changed, crl.Options{}); err == nil {
			if _, err := u.Verify(t.Context(), &key().PublicKey); err == nil {
				t.Errorf("octet %d can be changed", at)
			}
		}
	}
}

// TestLargeListAgreesWithItsSpec crosses the boundaries of blocks, pages and partitions.
func TestLargeListAgreesWithItsSpec(t *testing.T) {
	for _, tc := range []struct {
		octets            int
		sorted, noReasons bool
	}{{8, false, false}, {4, true, true}, {20, false, false}} {
		s := &listgen.Spec{
			Issuer: name("CA"), Number: 1, ThisUpdate: now, NextUpdate: now.Add(day), Entries: 60_000,
			SerialOctets: tc.octets,
			Sorted:       tc.sorted, NoReasons: tc.noReasons, Key: key(),
		}
		var list bytes.Buffer
		if _, err := s.WriteTo(&list); err != nil {
			t.Fatal(err)
		}
		var steps []crl.Progress
		o := crl.Options{Size: int64(list.Len()), Progress: func(p crl.Progress) { steps = append(steps, p) }}
		u, err := crl.Read(t.Context(), bytes.NewReader(list.Bytes()), o)
		if err != nil {
			t.Fatal(err)
		}
		l, err := u.Verify(t.Context(), &key().PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if l.Len() != s.Entries || l.SHA256() != sha256.Sum256(list.Bytes()) || l.Size() != int64(list.Len()) {
			t.Errorf("%d entries", l.Len())
		}
		for i := range s.Entries {
			e, found := l.Lookup(s.Issuer, s.Serial(i))
			if !found || !tc.noReasons && int(e.Reason) != s.Reason(i) {
				t.Fatalf("entry %d: %v", i, e)
			}
		}
		for i := s.Entries; i < s.Entries+20_000; i++ {
			if _, found := l.Lookup(s.Issuer, s.Serial(i)); found {
				t.Fatalf("entry %d is not listed", i)
			}
		}
		if len(steps) < 2 || !steps[len(steps)-1].Indexing && tc.octets <= 8 ||
			!slices.ContainsFunc(steps, func(p crl.Progress) bool {
				return p.Done == int64(list.Len()) && !p.Indexing
			}) {
			t.Errorf("progress: %+v", steps)
		}
		if last := steps[len(steps)-1]; last.Done != last.Total {
			t.Errorf("the last report is not the whole: %+v", last)
		}
		if tc.octets <= 8 && l.IndexSize() > 16*l.Len()+4096 {
			t.Errorf("%.1f bytes per entry", float64(l.IndexSize())/float64(l.Len()))
		}
	}
}

func TestReadStops(t *testing.T) {
	s := &listgen.Spec{Issuer: name("CA"), Number: 1, ThisUpdate: now, NextUpdate: now.Add(day), Entries: 100_000,
		SerialOctets: 8, Key: key()}
	var list bytes.Buffer
	if _, err := s.WriteTo(&list); err != nil {
		t.Fatal(err)
	}
	t.Run("context ended while reading", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := crl.Read(ctx, bytes.NewReader(list.Bytes()), crl.Options{Progress: func(crl.Progress) { cancel() }})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, &crl.Error{Reason: crl.ReasonIO}) {
			t.Error(err)
		}
	})
	t.Run("context ended while indexing", func(t *testing.T) {
		u, err := crl.Parse(list.Bytes(), crl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := u.Verify(ctx, &key().PublicKey); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("reader fails", func(t *testing.T) {
		broken := errors.New("broken")
		_, err := crl.Read(t.Context(), io.MultiReader(bytes.NewReader(list.Bytes()[:1<<20]), iotest.ErrReader(broken)),
			crl.Options{})
		if !errors.Is(err, broken) || !errors.Is(err, &crl.Error{Reason: crl.ReasonIO}) {
			t.Error(err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		_, err := crl.Read(t.Context(), bytes.NewReader(list.Bytes()), crl.Options{MaxSize: 1 << 20})
		if !errors.Is(err, &crl.Error{Reason: crl.ReasonLimit}) {
			t.Error(err)
		}
	})
	t.Run("garbage that never ends", func(t *testing.T) {
		_, err := crl.Read(t.Context(), io.MultiReader(bytes.NewReader([]byte{0x30, 3, 1, 1, 0xff}), endless{}),
			crl.Options{MaxSize: 64 << 20})
		if err == nil {
			t.Error("accepted")
		}
	})
	t.Run("no such file", func(t *testing.T) {
		if _, err := crl.ReadFile(t.Context(), t.TempDir()+"/none.crl", crl.Options{}); !errors.Is(err,
			&crl.Error{Reason: crl.ReasonIO}) {
			t.Error(err)
		}
	})
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
