package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// TestHeldIsEncrypted: the store has nothing personal in clear, and the log opens it again.
func TestHeldIsEncrypted(t *testing.T) {
	t.Parallel()
	store := evidence.NewMemory()
	l := newLog(t, store)
	for range 2 {
		if _, err := l.Append(t.Context(), verified(), evidence.WithCertificate()); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := store.Entries(t.Context(), 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(entries[0].Key, entries[1].Key) || bytes.Equal(entries[0].Held, entries[1].Held) {
		t.Error("two records have one key")
	}
	for _, e := range entries {
		for _, part := range [][]byte{e.Record, e.Held, e.Key} {
			if bytes.Contains(part, verified().Opened.RevealCertificate()[:40]) ||
				bytes.Contains(part, []byte(`"certificate":"MII`)) {
				t.Error("the certificate is in clear")
			}
		}
	}
	if r := get(t, l, 1); !bytes.Equal(r.Held.Reveal().Certificate, verified().Opened.RevealCertificate()) {
		t.Error("not opened")
	}
	if shown := fmt.Sprintf("%v %+v %#v", localKeys(t), *localKeys(t), localKeys(t)); strings.Contains(shown, "7") {
		t.Error(shown)
	}
}

// TestWithoutKeys: nothing is kept in clear unless somebody says so; what was kept in clear stays readable, and what is
// encrypted is verified as far as that goes.
func TestWithoutKeys(t *testing.T) {
	t.Parallel()
	store := evidence.NewMemory()
	open := func(c evidence.LogConfig) *evidence.Log {
		c.Store, c.Now = store, clock
		l, err := evidence.OpenLog(c)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	bare := open(evidence.LogConfig{})
	if _, err := bare.Append(
		t.Context(),
		verified(),
		evidence.WithCertificate(),
	); reasonOf(
		err,
	) != evidence.ReasonRequest {
		t.Errorf("in clear without being asked: %v", err)
	}
	if n, err := bare.Size(t.Context()); n != 0 || err != nil {
		t.Errorf("%d records of the refused, %v", n, err)
	}
	if _, err := open(
		evidence.LogConfig{PlainHeld: true},
	).Append(t.Context(), verified(), evidence.WithCertificate()); err != nil {
		t.Fatal(err)
	}
	keyed := open(evidence.LogConfig{Keys: localKeys(t)})
	if _, err := keyed.Append(t.Context(), verified(), evidence.WithCertificate()); err != nil {
		t.Fatal(err)
	}
	if get(t, keyed, 0).Held == nil || get(t, keyed, 1).Held == nil {
		t.Error("not opened")
	}
	plain, err := bare.Get(t.Context(), 0)
	if err != nil || plain.Record.Held == nil || plain.Sealed {
		t.Errorf("in clear: %v", err)
	}
	sealed, err := bare.Get(t.Context(), 1)
	if err != nil || sealed.Record.Held != nil || !sealed.Sealed || !sealed.Record.KeepsHeld {
		t.Errorf("encrypted: %v", err)
	}
	if s, err := bare.Verify(t.Context(), evidence.Verification{}); err != nil || s.Held != 2 || s.Sealed != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := keyed.Verify(t.Context(), evidence.Verification{SkipHeld: true}); err != nil || s.Sealed != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

type failingKeys struct{ evidence.KeyWrapper }

var errKeys = errors.New("key service gone")

func (failingKeys) UnwrapKey(context.Context, []byte, string) ([]byte, error) { return nil, errKeys }

// TestHeldPartsAreNamed: what is wrong with a held part is told apart: another ciphertext, another record's, another
// key, no key service, and one that is gone.
func TestHeldPartsAreNamed(t *testing.T) {
	t.Parallel()
	store := evidence.NewMemory()
	l := newLog(t, store)
	for i := range 3 {
		rec := record(t, evidence.WithCertificate(), evidence.Basis(fmt.Sprintf("record %c", 'a'+i)))
		if _, err := l.AppendRecords(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	change := func(f func(e, other *evidence.Entry)) evidence.Store {
		return tampered{
			Store: store,
			size:  -1,
			entries: map[int64]func(evidence.Entry) evidence.Entry{1: func(e evidence.Entry) evidence.Entry {
				others, err := store.Entries(t.Context(), 2, 1)
				if err != nil {
					t.Error(err)
				}
				f(&e, &others[0])
				return e
			}},
		}
	}
	for name, c := range map[string]struct {
		store  evidence.Store
		reason evidence.Reason
		family kakunin.Family
	}{
		"a bit": {
			change(func(e, _ *evidence.Entry) { e.Held[40] ^= 1 }),
			evidence.ReasonHash, kakunin.Untrusted,
		},
		"cut": {
			change(func(e, _ *evidence.Entry) { e.Held = e.Held[:9] }),
			evidence.ReasonHash, kakunin.Untrusted,
		},
		"another version": {
			change(func(e, _ *evidence.Entry) { e.Held[0] = 9 }),
			evidence.ReasonHash, kakunin.Untrusted,
		},
		"another record's, without its key": {
			change(func(e, o *evidence.Entry) { e.Held = o.Held }),
			evidence.ReasonHash, kakunin.Untrusted,
		},
		"another record's, with its key": {
			change(func(e, o *evidence.Entry) { e.Held, e.Key = o.Held, o.Key }),
			evidence.ReasonHash, kakunin.Untrusted,
		},
		"a bit of the key": {
			change(func(e, _ *evidence.Entry) { e.Key[30] ^= 1 }),
			evidence.ReasonHash, kakunin.Untrusted,
		},
		"an unknown key": {
			change(func(e, _ *evidence.Entry) { e.Key[0] ^= 1 }),
			evidence.ReasonKeys, kakunin.Unavailable,
		},
		"a long key": {
			change(func(e, _ *evidence.Entry) { e.Key = make([]byte, 5000) }),
			evidence.ReasonHash, kakunin.Untrusted,
		},
		"gone": {
			change(func(e, _ *evidence.Entry) { e.Held, e.Key = nil, nil }),
			evidence.ReasonAbsent, kakunin.Untrusted,
		},
	} {
		_, err := newLog(t, c.store).Verify(t.Context(), evidence.Verification{})
		var e *evidence.Error
		if !errors.As(err, &e) || e.Reason != c.reason || e.Record != 2 || kakunin.FamilyOf(err) != c.family {
			t.Errorf("%s: %v", name, err)
		}
	}
	gone, err := evidence.OpenLog(evidence.LogConfig{Store: store, Keys: failingKeys{localKeys(t)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Get(
		t.Context(),
		0,
	); !errors.Is(err, errKeys) || reasonOf(err) != evidence.ReasonKeys ||
		strings.Contains(err.Error(), "gone") {
		t.Errorf("key service: %v", err)
	}
}

// TestKeysChange: a new key wraps, the older ones still unwrap.
func TestKeysChange(t *testing.T) {
	t.Parallel()
	old, next := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	keys := func(current []byte, older ...[]byte) *evidence.LocalKeys {
		k, err := evidence.NewLocalKeys(current, older...)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	wrapped, err := keys(old).WrapKey(t.Context(), bytes.Repeat([]byte{3}, 32), "label")
	if err != nil {
		t.Fatal(err)
	}
	if key, err := keys(
		next,
		old,
	).UnwrapKey(t.Context(), wrapped, "label"); err != nil ||
		!bytes.Equal(key, bytes.Repeat([]byte{3}, 32)) {
		t.Errorf("%x, %v", key, err)
	}
	for name, c := range map[string]struct {
		keys   *evidence.LocalKeys
		of     []byte
		label  string
		reason evidence.Reason
	}{
		"without the older": {keys(next), wrapped, "label", evidence.ReasonKeys},
		"another label":     {keys(old), wrapped, "other", evidence.ReasonHash},
		"nothing":           {keys(old), nil, "label", evidence.ReasonKeys},
	} {
		if key, err := c.keys.UnwrapKey(t.Context(), c.of, c.label); key != nil || reasonOf(err) != c.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := evidence.NewLocalKeys(make([]byte, 16)); reasonOf(err) != evidence.ReasonRequest {
		t.Errorf("16 bytes: %v", err)
	}
}
