package operator_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// table is a Repeats as a database has it.
type table struct {
	mu   sync.Mutex
	rows map[string]operator.Remembered
	err  error
}

func (s *table) Claim(_ context.Context, r operator.Remembered) (stored []byte, claimed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if row, ok := s.rows[r.Key]; ok && s.err == nil {
		return row.Value, false, nil
	}
	if s.err == nil {
		s.rows[r.Key] = r
	}
	return nil, s.err == nil, s.err
}

func (s *table) Replace(_ context.Context, r operator.Remembered) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[r.Key] = r
	return s.err
}

func (s *table) Release(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, key)
	return s.err
}

// TestInstancesShareVerdicts: what one instance answered, another answers, and it is kept once.
func TestInstancesShareVerdicts(t *testing.T) {
	t.Parallel()
	shared := &table{rows: map[string]operator.Remembered{}}
	with := func(c *operator.HandlerConfig) { c.Repeats = shared }
	one, two := newWorld(t, with), newWorld(t, with)
	sealed, tx := one.signed(sign.ModeDigestInfo), transaction(sign.ModeDigestInfo)
	first, err := one.client(nil).Verify(t.Context(), sealed, tx)
	if err != nil {
		t.Fatal(err)
	}
	again, err := two.client(nil).Verify(t.Context(), sealed, tx)
	if err != nil || again.VerificationID != first.VerificationID || again.UserID != first.UserID {
		t.Errorf("%+v, %v", again, err)
	}
	if len(one.kept) != 1 || len(two.kept) != 0 {
		t.Errorf("kept %d and %d times", len(one.kept), len(two.kept))
	}
	for key, row := range shared.rows {
		if row.For != 24*time.Hour || !strings.HasPrefix(key, "verdict:") || len(key) > 80 ||
			bytes.Contains(row.Value, []byte(sealed.RevealJWE())) {
			t.Errorf("%s is remembered for %s", key, row.For)
		}
	}
	post := func(w *world, key, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL, strings.NewReader(body))
		w.must(err)
		req.Header.Set("X-Key", "secret")
		req.Header.Set("Idempotency-Key", key)
		resp, err := w.server.Client().Do(req)
		w.must(err)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	body := requestBody(one, nil)
	if a, b := post(one, "k", body), post(two, "k", body+" "); a != http.StatusOK || b != http.StatusConflict {
		t.Errorf("another body under the key: %d, then %d", a, b)
	}
	// What cannot be judged is not remembered.
	two.keepErr = errors.New("disk full")
	if a, b := post(two, "l", body), post(one, "l", body); a != http.StatusServiceUnavailable || b != http.StatusOK {
		t.Errorf("after a full disk: %d, then %d", a, b)
	}
}

// TestSharedVerdictsAreUnavailable: while another instance is at it, when the store is gone, and when it holds
// nonsense, the answer is to come back, and nothing is judged.
func TestSharedVerdictsAreUnavailable(t *testing.T) {
	t.Parallel()
	shared := &table{rows: map[string]operator.Remembered{}}
	w := newWorld(t, func(c *operator.HandlerConfig) { c.Repeats = shared })
	sealed, tx := w.signed(sign.ModeBareHash), transaction(sign.ModeBareHash)
	ask := func() operator.Reason {
		_, err := w.client(nil).Verify(t.Context(), sealed, tx)
		return reasonOf(err)
	}
	if ask() != operator.ReasonUnknown {
		t.Fatal("the first time")
	}
	for key, row := range shared.rows {
		body, _, _ := bytes.Cut(row.Value, []byte(`,"status"`))
		row.Value = append(bytes.Clone(body), '}') // as if it were still being judged
		shared.rows[key] = row
	}
	if got := ask(); got != operator.ReasonBusy {
		t.Errorf("while another instance is at it: %s", got)
	}
	for key, row := range shared.rows {
		row.Value = []byte("nonsense")
		shared.rows[key] = row
	}
	if got := ask(); got != operator.ReasonBusy {
		t.Errorf("nonsense: %s", got)
	}
	shared.err = errors.New("gone")
	if got := ask(); got != operator.ReasonBusy {
		t.Errorf("the store is gone: %s", got)
	}
	if len(w.kept) != 1 {
		t.Errorf("kept %d times", len(w.kept))
	}
}
