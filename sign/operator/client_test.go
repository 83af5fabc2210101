package operator_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// fake is an operator that answers what it is told.
func fake(t *testing.T, h http.HandlerFunc, change func(*operator.Config)) *operator.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c := operator.Config{
		URL: srv.URL, HTTPClient: srv.Client(), Now: clock, Authorize: func(*http.Request) error { return nil },
	}
	if change != nil {
		change(&c)
	}
	client, err := operator.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func sealed(t *testing.T) *sign.Sealed {
	t.Helper()
	s, err := sign.ParseSealed("aGVhZA.a2V5.aXY.Y2lwaGVy.dGFn")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWrongAnswers: an operator, or somebody in its place, cannot make a verdict out of anything else.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	tx := transaction(sign.ModeBareHash)
	good := map[string]any{
		"result_code": "RESULT_OK", "verification_id": "v-1", "verified_at": "2026-11-21T03:00:00Z",
		"check_method":   "OCSP",
		"transaction_id": tx.ID, "digest": base64.StdEncoding.EncodeToString(tx.Digest[:]),
	}
	with := func(name string, value any) string {
		m := map[string]any{}
		for k, v := range good {
			m[k] = v
		}
		if m[name] = value; value == nil {
			delete(m, name)
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		reason operator.Reason
	}{
		"good":          {200, with("", nil), operator.ReasonUnknown},
		"a later field": {200, with("later", []int{1}), operator.ReasonUnknown},
		"another transaction": {200, with("transaction_id", "00000000-0000-0000-0000-000000000000"),
			operator.ReasonOtherVerdict},
		"no transaction": {200, with("transaction_id", nil), operator.ReasonOtherVerdict},
		"another document": {200, with("digest", base64.StdEncoding.EncodeToString(make([]byte, 32))),
			operator.ReasonOtherVerdict},
		"no digest":                   {200, with("digest", nil), operator.ReasonOtherVerdict},
		"a verdict of last week":      {200, with("verified_at", "2026-11-14T03:00:00Z"), operator.ReasonOtherVerdict},
		"a verdict of tomorrow":       {200, with("verified_at", "2026-11-22T03:00:00Z"), operator.ReasonOtherVerdict},
		"no time":                     {200, with("verified_at", nil), operator.ReasonResponse},
		"a time that is none":         {200, with("verified_at", "POISON"), operator.ReasonResponse},
		"no verification id":          {200, with("verification_id", nil), operator.ReasonResponse},
		"verification id with spaces": {200, with("verification_id", "POISON 1"), operator.ReasonResponse},
		"verification id a number":    {200, with("verification_id", 7), operator.ReasonResponse},
		"unknown code":                {200, with("result_code", "RESULT_FINE"), operator.ReasonResponse},
		"code in lower case":          {200, with("result_code", "result_ok"), operator.ReasonResponse},
		"code of another type":        {200, with("result_code", true), operator.ReasonResponse},
		"no code":                     {200, with("result_code", nil), operator.ReasonResponse},
		"unknown method":              {200, with("check_method", "POISON"), operator.ReasonResponse},
		"time of the source":          {200, with("source_updated_at", "POISON"), operator.ReasonResponse},
		"a member twice": {200, strings.Replace(with("", nil), "{", `{"result_code":"RESULT_OK",`, 1),
			operator.ReasonResponse},
		"not JSON":                   {200, "POISON", operator.ReasonResponse},
		"empty":                      {200, "", operator.ReasonResponse},
		"oversized":                  {200, `{"pad":"` + strings.Repeat("a", 1<<17) + `"}`, operator.ReasonResponse},
		"good with another status":   {203, with("", nil), operator.ReasonResponse},
		"good as an error":           {500, with("", nil), operator.ReasonTransport},
		"OK as the code of an error": {400, `{"error":"RESULT_OK"}`, operator.ReasonRequest},
		"redirect":                   {302, "", operator.ReasonResponse},
		"mismatch": {200, with("result_code", "RESULT_SIGNATURE_MISMATCH"),
			operator.ReasonSignature},
		"400":                       {400, `{"error":"POISON"}`, operator.ReasonRequest},
		"401":                       {401, "", operator.ReasonCredentials},
		"403":                       {403, "", operator.ReasonCredentials},
		"409 reused":                {409, `{"error":"ERROR_SIGNATURE_REUSED"}`, operator.ReasonReused},
		"422":                       {422, `{"error":"ERROR_SEALED"}`, operator.ReasonSealed},
		"unsupported":               {422, `{"error":"ERROR_UNSUPPORTED_CERTIFICATE"}`, operator.ReasonUnsupported},
		"error on a success status": {200, `{"error":"ERROR_UNSUPPORTED_CERTIFICATE"}`, operator.ReasonUnsupported},
		"429":                       {429, "", operator.ReasonBusy},
		"503":                       {503, "<html>POISON</html>", operator.ReasonBusy},
		"502":                       {502, "", operator.ReasonTransport},
	} {
		client := fake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://POISON.example")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}, nil)
		v, err := client.Verify(t.Context(), sealed(t), tx)
		if reasonOf(err) != c.reason || (err == nil) != (c.reason == operator.ReasonUnknown) ||
			(v != nil) != (err == nil) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if err != nil && (strings.Contains(err.Error(), "POISON") || kakunin.FamilyOf(err) == kakunin.Unclassified) {
			t.Errorf("%s: %v", name, err)
		}
		if e, ok := errors.AsType[*operator.Error](err); ok && c.reason == operator.ReasonBusy &&
			e.RetryAfter != 7*time.Second {
			t.Errorf("%s: to be asked again after %v", name, e.RetryAfter)
		}
	}
}

// TestAskingAgain: a request is repeated once, only when the operator recognises the repetition, with the same key.
func TestAskingAgain(t *testing.T) {
	t.Parallel()
	unnamed := operator.DefaultWire()
	unnamed.IdempotencyHeader = ""
	for name, c := range map[string]struct {
		wire    *operator.Wire
		first   func(http.ResponseWriter)
		asked   int32
		keys    int
		success bool
	}{
		"connection lost": {first: func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, asked: 2,
			keys: 1},
		"connection lost, no key": {wire: &unnamed, first: func(http.ResponseWriter) {
			panic(http.ErrAbortHandler)
		}, asked: 1, keys: 1},
		"internal error": {first: func(w http.ResponseWriter) { w.WriteHeader(500) }, asked: 2, keys: 1},
		"internal error, no key": {wire: &unnamed, first: func(w http.ResponseWriter) { w.WriteHeader(500) },
			asked: 1, keys: 1},
		"told to wait": {first: func(w http.ResponseWriter) { w.WriteHeader(503) }, asked: 1, keys: 1},
		"refused":      {first: func(w http.ResponseWriter) { w.WriteHeader(400) }, asked: 1, keys: 1},
		"what is not JSON, not again!": {first: func(w http.ResponseWriter) { _, _ = io.WriteString(w, "x") }, asked: 1,
			keys: 1},
	} {
		var asked atomic.Int32
		var mu sync.Mutex
		keys := map[string]bool{}
		client := fake(t, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			keys[r.Header.Get("Idempotency-Key")] = true
			mu.Unlock()
			_, _ = io.Copy(io.Discard, r.Body)
			if asked.Add(1) == 1 {
				c.first(w)
				return
			}
			w.WriteHeader(418)
		}, func(o *operator.Config) { o.Wire = c.wire })
		_, err := client.Verify(t.Context(), sealed(t), transaction(sign.ModeBareHash))
		mu.Lock()
		if err == nil || asked.Load() != c.asked || len(keys) != c.keys {
			t.Errorf("%s: asked %d times with %d keys, %v", name, asked.Load(), len(keys), err)
		}
		mu.Unlock()
	}
}

// TestCircuit: an operator that does not answer is left alone for a while, and a probe finds it back.
func TestCircuit(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	at := now
	var mu sync.Mutex
	client := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}, func(c *operator.Config) {
		c.BreakAfter, c.BreakFor = 2, time.Minute
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	})
	verify := func() error {
		_, err := client.Verify(t.Context(), sealed(t), transaction(sign.ModeBareHash))
		if kakunin.FamilyOf(err) != kakunin.Unavailable {
			t.Errorf("family of %v", err)
		}
		return err
	}
	for range 5 {
		_ = verify()
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	mu.Lock()
	at = at.Add(2 * time.Minute)
	mu.Unlock()
	_ = verify()
	if n := asked.Load(); n != 3 {
		t.Errorf("after the pause: asked %d times", n)
	}
}
