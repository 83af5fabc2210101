package crl_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/crl/internal/listgen"
)

// endingContext ends when it is looked at for the n-th time.
type endingContext struct {
	context.Context
	looks atomic.Int32
	limit int32
}

func (c *endingContext) Err() error {
	if c.looks.Add(1) > c.limit {
		return context.Canceled
	}
	return nil
}

// TestVerifyGoesOnWhereAnotherGaveUp: a caller who gives up in the middle of making the index spoils it for nobody.
func TestVerifyGoesOnWhereAnotherGaveUp(t *testing.T) {
	s := &listgen.Spec{Issuer: name("CA"), Number: 1, ThisUpdate: now, NextUpdate: now.Add(day), Entries: 200_000,
		SerialOctets: 8, Key: key()}
	var list bytes.Buffer
	if _, err := s.WriteTo(&list); err != nil {
		t.Fatal(err)
	}
	u, err := crl.Parse(list.Bytes(), crl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for limit := range int32(12) {
		l, err := u.Verify(&endingContext{Context: t.Context(), limit: limit}, &key().PublicKey)
		if err != nil && !errors.Is(err, context.Canceled) || (l == nil) == (err == nil) {
			t.Fatalf("after %d looks: %v", limit, err)
		}
	}
	l, err := u.Verify(t.Context(), &key().PublicKey)
	if err != nil || l.Len() != s.Entries {
		t.Fatal(err)
	}
	for i := 0; i < s.Entries; i += 997 {
		if e, found := l.Lookup(s.Issuer, s.Serial(i)); !found || int(e.Reason) != s.Reason(i) {
			t.Fatalf("entry %d: %v, %v", i, e, found)
		}
	}
	if _, found := l.Lookup(s.Issuer, []byte{1}); found {
		t.Error("found what is not there")
	}
}

// TestErrorsNameTheEntry: whoever has a list of a million entries learns which one is wrong, and where it begins.
func TestErrorsNameTheEntry(t *testing.T) {
	good, bad := entry([]byte{5}, utc(now)), entry([]byte{0, 5}, utc(now))
	list := extended([][]byte{good, entry([]byte{6}, utc(now)), bad}).sign()
	_, err := crl.Parse(list, crl.Options{})
	var e *crl.Error
	if !errors.As(err, &e) || !strings.HasPrefix(e.Detail, "entry 3 at offset ") {
		t.Fatalf("%v", err)
	}
	if at := bytes.Index(list, bad); !strings.HasSuffix(e.Detail, " "+itoa(at)) ||
		!strings.Contains(err.Error(), e.Detail) {
		t.Errorf("%v; the entry begins at %d", err, at)
	}
	if _, err := crl.Parse(list[:20], crl.Options{}); !errors.As(err, &e) || !strings.HasPrefix(e.Detail, "offset ") {
		t.Errorf("%v", err)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}
