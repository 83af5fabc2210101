package evidence

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/fourinfo/law"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
)

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// soundRecord has everything that checkCertificate wants.
func soundRecord(change func(*Record)) *Record {
	signature, certificate := []byte("s"), []byte("c")
	r := &Record{
		SignatureSHA256: hashOf(signature),
		Certificate: &CertificateRef{
			Environment: "production", Kind: "signing-card", SHA256: hashOf(certificate),
			AnchorSHA256: hashOf([]byte("a")),
		},
		Revocation: &RevocationRef{Method: "CRL", Status: "good"},
		Steps:      []jpki.Step{{Name: "x", OK: true}},
		Held:       hold(HeldParts{Certificate: certificate, Signature: signature}),
	}
	change(r)
	return r
}

// Each field of a certificate's record is looked at for itself.
func TestCertificateFields(t *testing.T) {
	steps := func(n int) []jpki.Step {
		out := make([]jpki.Step, n)
		for i := range out {
			out[i] = jpki.Step{Name: "x", OK: true}
		}
		return out
	}
	lists := func(n int) []string { return strings.Fields(strings.Repeat(hashOf(nil)+" ", n)) }
	for name, c := range map[string]struct {
		change func(*Record)
		step   string // "" is accepted
	}{
		"nothing":             {func(*Record) {}, ""},
		"test":                {func(r *Record) { r.Certificate.Environment = "test" }, ""},
		"another environment": {func(r *Record) { r.Certificate.Environment = "other" }, "certificate"},
		"a phone":             {func(r *Record) { r.Certificate.Kind = "signing-phone" }, ""},
		"another kind":        {func(r *Record) { r.Certificate.Kind = "authentication-card" }, "certificate"},
		"a hash of evidence":  {func(r *Record) { r.Revocation.SHA256 = hashOf(nil) }, ""},
		"no hash of evidence": {func(r *Record) { r.Revocation.SHA256 = "00" }, "revocation"},
		"most lists":          {func(r *Record) { r.Revocation.Lists = lists(limits.EvidenceLists) }, ""},
		"too many lists":      {func(r *Record) { r.Revocation.Lists = lists(limits.EvidenceLists + 1) }, "revocation"},
		"most steps":          {func(r *Record) { r.Steps = steps(limits.EvidenceSteps) }, ""},
		"too many steps":      {func(r *Record) { r.Steps = steps(limits.EvidenceSteps + 1) }, "steps"},
		"held evidence": {func(r *Record) {
			h := r.Held.Reveal()
			h.Revocation, r.Revocation.SHA256 = []byte("e"), hashOf([]byte("e"))
			r.Held = hold(h)
		}, ""},
		"held evidence of something else": {func(r *Record) {
			h := r.Held.Reveal()
			h.Revocation, r.Revocation.SHA256 = []byte("e"), hashOf([]byte("f"))
			r.Held = hold(h)
		}, "held"},
		"no evidence held": {func(r *Record) { r.Revocation.SHA256 = hashOf([]byte("e")) }, ""},
	} {
		err := soundRecord(c.change).checkCertificate()
		var e *Error
		if c.step == "" && err != nil || c.step != "" && (!errors.As(err, &e) || e.Step != c.step) {
			t.Errorf("%s: %v, want %q", name, err, c.step)
		}
	}
}

// Whatever has a limit is accepted at it and refused one beyond.
func TestLimitsAreInclusive(t *testing.T) {
	at := func(year int) *time.Time {
		t := time.Date(year, 1, 1, 0, 0, 1, 0, time.UTC)
		return &t
	}
	same := fourinfo.Same.String()
	for name, c := range map[string]struct {
		limit, beyond int
		fits          func(n int) bool
	}{
		"octets of a record": {limits.Evidence, limits.Evidence + 1, func(n int) bool {
			_, err := Parse(make([]byte, n))
			return !errors.Is(err, &Error{Reason: ReasonFormat, Step: "size"})
		}},
		"octets of a line": {limits.Evidence, limits.Evidence + 1, func(n int) bool {
			_, err := readLine(bufio.NewReader(bytes.NewReader(append(bytes.Repeat([]byte{'x'}, n-1), '\n'))))
			return err == nil
		}},
		"octets of a text": {limits.EvidenceText, limits.EvidenceText + 1,
			func(n int) bool { return printable(strings.Repeat("x", n)) }},
		"octets of a name": {limits.EvidenceText, limits.EvidenceText + 1,
			func(n int) bool { return knownName(strings.Repeat("x", n)) }},
		"last letter":   {'z', 'z' + 1, func(n int) bool { return knownName(string(rune(n))) }},
		"digits of hex": {128, 130, func(n int) bool { return hexText(strings.Repeat("0", n)) }},
		"visible octets": {limits.AuthorizationParameter, limits.AuthorizationParameter + 1,
			func(n int) bool { return visibleASCII(strings.Repeat("x", n), false) }},
		"last visible": {'~', '~' + 1, func(n int) bool { return visibleASCII(string(rune(n)), false) }},
		"end of an attribute": {limits.Attribute, limits.Attribute + 1,
			func(n int) bool { return spanned([2]int{0, n}) }},
		"first year": {1, 0, func(n int) bool { return wholeSeconds(at(n)) }},
		"last year":  {9999, 10000, func(n int) bool { return wholeSeconds(at(n)) }},
		"attributes compared": {limits.EvidenceSteps, limits.EvidenceSteps + 1, func(n int) bool {
			r := &Record{PersonCompared: true}
			for range n {
				r.Person = append(r.Person, PersonMatch{Attribute: "name", Outcome: same})
			}
			return r.checkPerson()
		}},
		"octets of an encoded line": {limits.Evidence, limits.Evidence + 1, func(n int) bool {
			empty, err := (&Record{Mode: sign.ModeBareHash}).marshalLine()
			if err != nil {
				t.Fatal(err)
			}
			const member = len(`,"basis":""`)
			_, err = (&Record{Mode: sign.ModeBareHash, Basis: strings.Repeat("x", n-len(empty)-member)}).marshalLine()
			return err == nil
		}},
		"octets of a note": {limits.Evidence, limits.Evidence + 1, func(n int) bool {
			_, err := ParseNote(make([]byte, n))
			return !errors.Is(err, &Error{Reason: ReasonFormat, Step: "size"})
		}},
		"octets of a kind":       {64, 65, func(n int) bool { return kindName(strings.Repeat("x", n)) }},
		"last letter of a kind":  {'z', 'z' + 1, func(n int) bool { return kindName(string(rune(n))) }},
		"first letter of a kind": {'a', 'a' - 1, func(n int) bool { return kindName(string(rune(n))) }},
		"first digit of a kind":  {'0', '0' - 1, func(n int) bool { return kindName(string(rune(n))) }},
		"last digit of a kind":   {'9', '9' + 1, func(n int) bool { return kindName(string(rune(n))) }},
		"largest number": {0, 1, func(n int) bool {
			return plainValue(json.Number(strconv.FormatInt(1<<53-1+int64(n), 10)))
		}},
		"smallest number": {0, 1, func(n int) bool {
			return plainValue(json.Number(strconv.FormatInt(-1<<53+1-int64(n), 10)))
		}},
		"timestamps": {limits.EvidenceTimestamps, limits.EvidenceTimestamps + 1, func(n int) bool {
			r := &Record{}
			for range n {
				r.Timestamps = append(r.Timestamps, TimestampRef{
					SHA256: hashOf(nil), Time: *at(2026), Policy: "1.2", CertificateSHA256: hashOf(nil),
					AnchorSHA256: hashOf(nil),
				})
			}
			return r.checkTimestamps()
		}},
		"octets of a policy": {limits.EvidenceText, limits.EvidenceText + 1,
			func(n int) bool { return dotted(strings.Repeat("1", n)) }},
		"octets that a key service wraps into": {maxWrapped, maxWrapped + 1, func(n int) bool {
			_, _, err := (&Log{keys: wrapper(n)}).seal(t.Context(), hold(HeldParts{}), "label")
			return err == nil
		}},
		"octets that a key service is asked to unwrap": {maxWrapped, maxWrapped + 1, func(n int) bool {
			_, err := (&Log{keys: wrapper(0)}).open(t.Context(), Entry{Key: make([]byte, n)}, "label")
			return errors.Is(err, &Error{Reason: ReasonKeys})
		}},
		"days of a retention": {maxPeriod, maxPeriod + 1, func(n int) bool {
			return (&Retention{Law: "x", Start: law.Transaction, Days: n}).valid()
		}},
		"years of a retention": {200, 201, func(n int) bool {
			return (&Retention{Law: "x", Start: law.Transaction, Years: n}).valid()
		}},
		"findings of one": {limits.EvidenceSteps, limits.EvidenceSteps + 1, func(n int) bool {
			m := PersonMatch{Attribute: "name", Outcome: same}
			for range n {
				m.Findings = append(m.Findings, Finding{Step: "step", Outcome: same})
			}
			return (&Record{PersonCompared: true, Person: []PersonMatch{m}}).checkPerson()
		}},
	} {
		if !c.fits(c.limit) {
			t.Errorf("%s: %d is refused", name, c.limit)
		}
		if c.fits(c.beyond) {
			t.Errorf("%s: %d is accepted", name, c.beyond)
		}
	}
	for name, want := range map[string]bool{"date-of-birth": true, "era_year": true, "": false, "a b": false,
		"a1": false} {
		if knownName(name) != want {
			t.Errorf("the name %q: %v", name, !want)
		}
	}
}

// An answer without evidence has no hash of it.
func TestAnswerWithoutEvidence(t *testing.T) {
	for want, a := range map[string]revocation.Answer{"": {}, hashOf([]byte("e")): {Evidence: []byte("e")}} {
		if got := revocationOf(a).SHA256; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Behind the last entry there is nothing, in memory neither.
func TestMemoryEnds(t *testing.T) {
	m := NewMemory()
	entries := []Entry{{Record: []byte("{}"), Hashes: []Hash{{1}}}}
	if err := m.Append(t.Context(), 0, entries); err != nil {
		t.Fatal(err)
	}
	for index, want := range map[int64]error{0: nil, 1: ErrAbsent, -1: ErrAbsent} {
		_, hashes := m.Hashes(t.Context(), []int64{index})
		_, read := m.Entries(t.Context(), index, 1)
		deleted := m.DeleteHeld(t.Context(), index)
		for _, err := range []error{hashes, read, deleted} {
			if !errors.Is(err, want) {
				t.Errorf("at %d: %v, want %v", index, err, want)
			}
		}
	}
}

// wrapper is a key service whose answers have so many octets, and which unwraps nothing.
type wrapper int

func (w wrapper) WrapKey(context.Context, []byte, string) ([]byte, error) {
	return make([]byte, w), nil
}

func (wrapper) UnwrapKey(context.Context, []byte, string) ([]byte, error) {
	return nil, errors.New("not now")
}

// What was encrypted of nothing is the shortest ciphertext, and a wrapped key that is the name of its key alone is
// none.
func TestShortestCiphertext(t *testing.T) {
	key := make([]byte, keySize)
	aead, err := gcm(key)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := encrypt(aead, nil, "label")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]bool{len(sealed): true, len(sealed) - 1: false, 1: false, 0: false} {
		if plain, err := decrypt(aead, sealed[:n], "label"); (err == nil) != want || len(plain) != 0 {
			t.Errorf("%d octets: %v", n, err)
		}
	}
	keys, err := NewLocalKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := keys.WrapKey(t.Context(), key, "label")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]Reason{8: ReasonKeys, 7: ReasonKeys, 9: ReasonHash, len(wrapped) - 1: ReasonHash} {
		if _, err := keys.UnwrapKey(t.Context(), wrapped[:n], "label"); !errors.Is(err, &Error{Reason: want}) {
			t.Errorf("%d octets: %v, want %v", n, err, want)
		}
	}
}

// telling is a store that returns the hashes with the entries, as one may.
type telling struct {
	Store
	spoil bool
}

func (s telling) Entries(ctx context.Context, first int64, n int) ([]Entry, error) {
	entries, err := s.Store.Entries(ctx, first, n)
	for i := range entries {
		position := first + int64(i)
		from, to := tlog.StoredHashIndex(0, position), tlog.StoredHashCount(position+1)
		var positions []int64
		for p := from; p < to; p++ {
			positions = append(positions, p)
		}
		if entries[i].Hashes, err = s.Hashes(ctx, positions); err != nil {
			return nil, err
		}
		if s.spoil {
			entries[i].Hashes[0][0] ^= 1
		}
	}
	return entries, err
}

// Hashes that come with the entries are compared, too.
func TestHashesOfEntries(t *testing.T) {
	memory := NewMemory()
	l, err := OpenLog(LogConfig{Store: memory})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := l.AppendNotes(t.Context(), "test", map[string]string{"a": "b"}); err != nil {
			t.Fatal(err)
		}
	}
	for spoil, want := range map[bool]error{false: nil, true: &Error{Reason: ReasonHash}} {
		l, err := OpenLog(LogConfig{Store: telling{memory, spoil}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Verify(t.Context(), Verification{}); !errors.Is(err, want) {
			t.Errorf("spoilt %v: %v", spoil, err)
		}
	}
}

// A set of indexes ends behind its last word of bits.
func TestIndexSet(t *testing.T) {
	var s indexSet
	s.add(3)
	for i, want := range map[int64]bool{-1: false, 2: false, 3: true, 63: false, 64: false, 1 << 40: false} {
		if s.remove(i) != want {
			t.Errorf("%d: %v", i, !want)
		}
	}
	if s.remove(3) {
		t.Error("removed twice")
	}
}
