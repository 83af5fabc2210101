package operator_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// TestWhatCannotBeKept: only a signature that is recorded under another transaction is called reused. A log that is
// damaged says nothing about the signature: the business asks again.
func TestWhatCannotBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	sealed, tx := w.signed(sign.ModeDigestInfo), transaction(sign.ModeDigestInfo)
	for _, c := range []struct {
		keep error
		want operator.Reason
	}{
		{&evidence.Error{Reason: evidence.ReasonReused}, operator.ReasonReused},
		{fmt.Errorf("keeping: %w", &evidence.Error{Reason: evidence.ReasonReused}), operator.ReasonReused},
		{&evidence.Error{Reason: evidence.ReasonFormat}, operator.ReasonBusy},
		{&evidence.Error{Reason: evidence.ReasonHash}, operator.ReasonBusy},
		{&evidence.Error{Reason: evidence.ReasonTruncated}, operator.ReasonBusy},
		{&evidence.Error{Reason: evidence.ReasonAbsent}, operator.ReasonBusy},
		{&evidence.Error{Reason: evidence.ReasonIO}, operator.ReasonBusy},
		{&evidence.Error{Reason: evidence.ReasonKeys}, operator.ReasonBusy},
		{errors.New("disk full"), operator.ReasonBusy},
		{nil, operator.ReasonUnknown},
	} {
		w.mu.Lock()
		w.keepErr = c.keep
		w.mu.Unlock()
		if _, err := w.client(nil).Verify(t.Context(), sealed, tx); reasonOf(err) != c.want {
			t.Errorf("%v: %s, want %s", c.keep, reasonOf(err), c.want)
		}
	}
}

// TestRefusedRequestsForgetNoVerdict: what is not remembered takes no place of what is.
func TestRefusedRequestsForgetNoVerdict(t *testing.T) {
	t.Parallel()
	var h http.Handler
	w := newWorld(t, func(c *operator.HandlerConfig) {
		var err error
		if h, err = operator.NewHandler(*c); err != nil {
			t.Fatal(err)
		}
	})
	post := func(key, body string) int {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Key", "secret")
		r.Header.Set("Idempotency-Key", key)
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		return answer.Code
	}
	body := requestBody(w, nil)
	if code := post("first", body); code != http.StatusOK {
		t.Fatal(code)
	}
	for i := range limits.OperatorAnswers + 1 {
		if code := post(fmt.Sprint(i), "{}"); code != http.StatusBadRequest {
			t.Fatal(code)
		}
	}
	if code := post("first", body); code != http.StatusOK || len(w.kept) != 1 {
		t.Errorf("status %d, kept %d times", code, len(w.kept))
	}
}
