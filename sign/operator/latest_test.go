package operator_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// attributes is a client of an operator that answers what it is told.
func attributes(t testing.TB, h http.HandlerFunc, change func(*operator.Config)) *operator.Attributes {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c := operator.Config{
		URL: srv.URL, HTTPClient: srv.Client(), Now: clock, BreakAfter: -1,
		Authorize: func(*http.Request) error { return nil },
	}
	if change != nil {
		change(&c)
	}
	a, err := operator.NewAttributes(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

const changed = `{"attributes_state":"changed","known":"k2","as_of":"2026-11-21T03:00:00Z","name":"確認　花子",` +
	`"address":"東京都架空区１","birthdate":"19880723","gender":"2"}`

// TestLatestAnswers: what counts as an answer about a person, and what does not.
func TestLatestAnswers(t *testing.T) {
	t.Parallel()
	with := func(name string, value any) string {
		var m map[string]any
		if err := json.Unmarshal([]byte(changed), &m); err != nil {
			t.Fatal(err)
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
	const unchanged = `{"attributes_state":"unchanged","known":"k1","as_of":"2026-11-21T03:00:00Z"}`
	for name, c := range map[string]struct {
		status int
		body   string
		change operator.Change
		reason operator.Reason
	}{
		"changed":   {200, changed, operator.Changed, 0},
		"unchanged": {200, unchanged, operator.Unchanged, 0},
		"no certificate": {200, strings.Replace(unchanged, "unchanged", "no-certificate", 1),
			operator.NoCertificate, 0},
		"another state":              {200, with("attributes_state", "good"), 0, operator.ReasonResponse},
		"no state":                   {200, with("attributes_state", nil), 0, operator.ReasonResponse},
		"no name":                    {200, with("name", nil), 0, operator.ReasonResponse},
		"no address":                 {200, with("address", nil), 0, operator.ReasonResponse},
		"a birthdate that is none":   {200, with("birthdate", "19881399"), 0, operator.ReasonResponse},
		"a name that is no text":     {200, with("name", 7), 0, operator.ReasonResponse},
		"unchanged with attributes":  {200, with("attributes_state", "unchanged"), 0, operator.ReasonResponse},
		"what is known is missing":   {200, with("known", nil), 0, operator.ReasonResponse},
		"what is known with a blank": {200, with("known", "a b"), 0, operator.ReasonResponse},
		"of yesterday":               {200, with("as_of", "2026-11-20T03:00:00Z"), 0, operator.ReasonResponse},
		"of tomorrow":                {200, with("as_of", "2026-11-22T03:00:00Z"), 0, operator.ReasonResponse},
		"no time":                    {200, with("as_of", nil), 0, operator.ReasonResponse},
		"not JSON":                   {200, "<html>", 0, operator.ReasonResponse},
		"a member twice": {200, strings.Replace(changed, "{", `{"known":"k",`, 1), 0,
			operator.ReasonResponse},
		"no consent":                  {409, `{"error":"ERROR_NO_CONSENT"}`, 0, operator.ReasonConsent},
		"no consent behind a proxy":   {502, `{"error":"ERROR_NO_CONSENT"}`, 0, operator.ReasonConsent},
		"a stranger":                  {401, `{}`, 0, operator.ReasonCredentials},
		"busy":                        {503, `{}`, 0, operator.ReasonBusy},
		"RESULT_OK instead of a word": {200, `{"result_code":"RESULT_OK"}`, 0, operator.ReasonResponse},
	} {
		l, err := attributes(t, says(c.status, c.body), nil).Ask(t.Context(), "consent-1", "k1")
		if l.Change != c.change || reasonOf(err) != c.reason || (err == nil) != (c.reason == 0) {
			t.Errorf("%s: %s, %v", name, l.Change, err)
		}
		if l.Person.Name.Present() != (c.change == operator.Changed) {
			t.Errorf("%s: a person", name)
		}
		if text := fmt.Sprintf("%v %+v %#v %v", l, l, l, err); strings.Contains(text, "花子") ||
			strings.Contains(text, "架空区") {
			t.Errorf("%s: the answer prints a person", name)
		}
		if e, ok := errors.AsType[*operator.Error](err); ok && e.Step != "ask" {
			t.Errorf("%s: step %s", name, e.Step)
		}
	}
	if m := kakunin.MessageFor(&operator.Error{Reason: operator.ReasonConsent}, kakunin.Japanese); !strings.Contains(m,
		"同意") {
		t.Errorf("message %q", m)
	}
}

// TestLatestRequests: nothing leaves that cannot be right, and questions are repeated after a broken connection.
func TestLatestRequests(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	a := attributes(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		if r.Header.Get("Idempotency-Key") != "" {
			t.Error("a question is not to be answered from memory")
		}
		says(200, changed)(w, r)
	}, nil)
	if l, err := a.Ask(t.Context(), "consent-1", ""); err != nil || l.Change != operator.Changed || calls.Load() != 2 {
		t.Errorf("after a broken connection: %v, %d calls", err, calls.Load())
	}
	calls.Store(10)
	document := []byte("<x/>")
	tx := transaction(sign.ModeDigestInfo)
	tx.Digest = sha256.Sum256(document)
	for name, ask := range map[string]func() error{
		"consent": func() error { _, err := a.Ask(t.Context(), "", ""); return err },
		"known":   func() error { _, err := a.Ask(t.Context(), "c", "a b"); return err },
		"state":   func() error { _, err := a.Status(t.Context(), "a b"); return err },
		"purpose": func() error { _, err := a.Document(t.Context(), operator.Purpose{Service: "s"}); return err },
		"nothing sealed": func() error {
			_, _, err := a.Register(t.Context(), operator.Signed{Document: document, Transaction: tx})
			return err
		},
		"no transaction": func() error {
			_, _, err := a.Register(t.Context(), operator.Signed{Document: document, Sealed: sealed(t)})
			return err
		},
		"another document": func() error {
			_, _, err := a.Register(t.Context(), operator.Signed{Document: []byte("<y/>"), Sealed: sealed(t),
				Transaction: tx})
			return err
		},
		"whose consent": func() error {
			_, err := a.Withdraw(t.Context(), "", operator.Signed{Document: document, Sealed: sealed(t),
				Transaction: tx})
			return err
		},
	} {
		if err := ask(); reasonOf(err) != operator.ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	if calls.Load() != 10 {
		t.Error("something left")
	}
}

// TestLatestDocumentsAndStates: the document comes as it is; states and times are read strictly.
func TestLatestDocumentsAndStates(t *testing.T) {
	t.Parallel()
	purpose := operator.Purpose{Service: "s", TermsVersion: "1"}
	for body, want := range map[string]string{
		`{"document":"77u/PHgvPg0K"}`: "\xef\xbb\xbf<x/>\r\n", `{"document":""}`: "",
		`{"document":"77u/PHgvPg0K\n"}`: "",
		`{"document":"PHgvPg"}`:         "", `{"document":7}`: "", `[]`: "",
	} {
		got, err := attributes(t, says(200, body), nil).Document(t.Context(), purpose)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", body, got, err)
		}
	}
	const good = `{"consent_state":"active","received_at":"2026-11-20T03:00:00Z","reflected_at":"2026-11-20T03:00:00Z"}`
	for body, ok := range map[string]bool{
		good: true, strings.Replace(good, "active", "", 1): false, strings.Replace(good, "received_at", "x", 1): false,
		strings.Replace(good, "2026-11-20T03:00:00Z", "yesterday", 1): false, `{}`: false,
	} {
		s, err := attributes(t, says(200, body), nil).Status(t.Context(), "c")
		if (err == nil) != ok || s.ReceivedAt.IsZero() == ok {
			t.Errorf("%s: %+v, %v", body, s, err)
		}
	}
}

// TestLatestWire: every mistake of a profile is named.
func TestLatestWire(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*operator.LatestWire){
		"path":    func(w *operator.LatestWire) { w.StatePath = w.ConsentPath },
		"slash":   func(w *operator.LatestWire) { w.StatePath = "states" },
		"member":  func(w *operator.LatestWire) { w.NameField = w.AddressField },
		"missing": func(w *operator.LatestWire) { w.ConsentField = "" },
		"words":   func(w *operator.LatestWire) { w.Changed = w.Unchanged },
	} {
		w := operator.DefaultWire()
		change(&w.Latest)
		_, err := operator.NewAttributes(operator.Config{
			URL: "https://operator.example", Wire: &w, Authorize: func(*http.Request) error { return nil },
		})
		if reasonOf(err) != operator.ReasonConfiguration || !strings.Contains(err.Error(), "Wire.Latest") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzLatest(f *testing.F) {
	f.Add(changed)
	f.Add(`{"attributes_state":"unchanged","known":"k1","as_of":"2026-11-21T03:00:00Z"}`)
	f.Add(`{"error":"ERROR_NO_CONSENT"}`)
	var body atomic.Pointer[string]
	a := attributes(f, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(*body.Load())) }, nil)
	f.Fuzz(func(t *testing.T, answer string) {
		body.Store(&answer)
		l, err := a.Ask(t.Context(), "c", "k1")
		if (err == nil) != (l.Change != operator.ChangeUnknown) ||
			l.Person.Name.Present() != (l.Change == operator.Changed) {
			t.Errorf("%s, %v", l.Change, err)
		}
	})
}
