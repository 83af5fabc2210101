package revocation

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
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

// A list that waits for its authority is not lost when the first who asks gives up, wherever that is.
func TestGivenUpCheckSpoilsNoList(t *testing.T) {
	for limit := range int32(6) {
		a := signingAuthority(t, "ca")
		leaf := a.signingLeaf(t)
		store := new(Store)
		list := a.List(1)
		if err := store.Add(t.Context(), bytes.NewReader(list.Sign(a.Key))); err != nil {
			t.Fatal(err)
		}
		q := Query{Certificate: leaf, Issuer: a.asked(), At: now}
		_, _ = store.Check(&endingContext{Context: t.Context(), limit: limit}, q)
		if answer, err := store.Check(t.Context(), q); err != nil || answer.Status != Good {
			t.Errorf("after %d looks: %v, %v", limit, answer, err)
		}
		if _, err := store.Check(&endingContext{Context: t.Context()}, q); err != nil &&
			!errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
