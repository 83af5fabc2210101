package signaturestore

import (
	"context"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign/signapi"
)

// hooked is a store that is disturbed before an answer is written.
type hooked struct {
	signapi.Store
	before func(try int)
	tries  int
}

func (h *hooked) Replace(ctx context.Context, e signapi.Entry) error {
	if e.State == signapi.StateFetched {
		h.tries++
		h.before(h.tries)
	}
	return h.Store.Replace(ctx, e)
}

// keptInTheEnd has a document signed. The store is disturbed while the answer is written, and works again after some
// tries: the answer, which the service gives once, is kept.
func keptInTheEnd(t *testing.T, where string, before func(try int)) {
	t.Helper()
	svc, known := newService(t, where)
	login, err := known.login(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s, closeStore, err := opener(t, where)()
	if err != nil {
		t.Fatal(err)
	}
	disturbed := &hooked{Store: s, before: before}
	keeper, err := newKeeper(login, disturbed, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	begun, err := beginOne(t.Context(), login, keeper, 1)
	if err != nil {
		t.Fatal(err)
	}
	callback, err := svc.Visitor().Approve(t.Context(), begun.URL)
	if err != nil {
		t.Fatal(err)
	}
	id, err := begun.finish(t.Context(), login, callback)
	if err != nil {
		t.Fatal(err)
	}
	got, err := keeper.Fetch(t.Context(), begun.tx, id)
	if err != nil {
		t.Fatal(err)
	}
	if disturbed.tries < 2 {
		t.Errorf("kept at try %d: nothing was disturbed", disturbed.tries)
	}
	closeStore()
	after, closeStore, err := opener(t, where)()
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore()
	if keeper, err = newKeeper(login, after, time.Now); err != nil {
		t.Fatal(err)
	}
	found, err := keeper.Result(t.Context(), begun.tx.ID)
	if err != nil || sumOf(found) != sumOf(got) {
		t.Errorf("%v, %v", found, err)
	}
	if all := svc.Transactions(); len(all) != 1 || all[0].Fetched != 1 {
		t.Errorf("%+v", all)
	}
}
