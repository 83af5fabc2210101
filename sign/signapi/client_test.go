package signapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/sign"
)

// otherWire renames every entry, so that a name spelled anywhere but in the wire profile fails a test.
func otherWire() wire.Sign {
	return wire.Sign{
		StartClientIDField: "rp", StartHashField: "value", StartHashAlgorithmField: "with",
		StartHashAlgorithmValue: "S2",
		StartExtraFields:        map[string]string{"purpose": "test"}, StartStatuses: []int{299},
		StartIDField: "tx", StartLifetimeField: "ttl", StartDefaultLifetime: 77,
		ResultSuffix: "/outcome", ResultStatuses: []int{298}, ResultJWEField: "box",
		ResultSignatureField: "sig", ResultCertificateField: "cert", PendingStatus: 297,
		JWEKeyAlgorithms: []string{"RSA-OAEP-256"}, JWEContentAlgorithms: []string{"A256GCM"},
		ErrorField: "why",
		ErrorCodes: wire.SignErrorCodes{
			InvalidRequest: "e-request", InvalidToken: "e-token", InsufficientScope: "e-scope", Pending: "e-pending",
			NotFound: "e-found", Cancelled: "e-cancel", Conflict: "e-conflict", Expired: "e-expired",
			Consumed: "e-consumed",
		},
	}
}

const testID = "37a52ac8-b232-ebac-a454-04d68916489f" // version nibble e, as in a published sample

// fakeService stands in for authn.Client; the token's value is empty because only a real login can make one.
type fakeService struct {
	endpoint string
	client   *http.Client
	err      error
}

func (f fakeService) Environment() authn.Environment {
	return authn.Environment{SignEndpoint: f.endpoint}
}
func (f fakeService) ClientID() string         { return "RP00000001" }
func (f fakeService) HTTPClient() *http.Client { return f.client }
func (f fakeService) ServiceToken(context.Context) (authn.Token, error) {
	return authn.Token{}, f.err
}

func clientFor(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return clientAt(t, srv.URL+"/api/sign-transactions", srv.Client(), nil)
}

func clientAt(t *testing.T, endpoint string, client *http.Client, logger *slog.Logger) *Client {
	t.Helper()
	c, err := newClient(fakeService{endpoint: endpoint, client: client}, otherWire(), Config{
		Now: testClock, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func testClock() time.Time { return testNow }

func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestStartSendsExactlyTheWireProfile(t *testing.T) {
	t.Parallel()
	for mode, value := range map[sign.Mode]string{
		sign.ModeBareHash:   "XIh3yqL9yiAUQkuovXqx+xKZOwameHZx7OCoTRdlJrQ=",
		sign.ModeDigestInfo: "MDEwDQYJYIZIAWUDBAIBBQAEIFyId8qi/cogFEJLqL16sfsSmTsGpnh2cezgqE0XZSa0",
	} {
		var got map[string]string
		c := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.URL.Path != "/api/sign-transactions" ||
				r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
			}
			if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer") {
				t.Error("no bearer token")
			}
			if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
				t.Error(err)
			}
			w.WriteHeader(299)
			_, _ = io.WriteString(w, `{"tx":"`+testID+`","ttl":120,"unknown":[1]}`)
		})
		tx, err := c.Start(t.Context(), sign.Text(agreement), mode)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"rp": "RP00000001", "value": value, "with": "S2", "purpose": "test"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: sent %v", mode, got)
		}
		if tx.TransactionID() != testID || tx.Mode != mode || tx.MediaType != "text/plain; charset=utf-8" ||
			!tx.Started.Equal(testNow) || !tx.Expires.Equal(testNow.Add(2*time.Minute)) {
			t.Errorf("%s: %+v", mode, tx)
		}
	}
}

func TestStartAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   Reason
	}{
		{"default lifetime", 299, `{"tx":"` + testID + `"}`, ReasonUnknown},
		{"upper-case id", 299, `{"tx":"` + strings.ToUpper(testID) + `"}`, ReasonUnknown},
		{"status not listed", 200, `{"tx":"` + testID + `"}`, ReasonResponse},
		{"redirect", 302, ``, ReasonResponse},
		{"not JSON", 299, `<html>`, ReasonResponse},
		{"empty", 299, ``, ReasonResponse},
		{"array", 299, `["` + testID + `"]`, ReasonResponse},
		{"two objects", 299, `{"tx":"` + testID + `"}{}`, ReasonResponse},
		{"duplicate id", 299, `{"tx":"` + testID + `","tx":"` + testID + `"}`, ReasonResponse},
		{"no id", 299, `{}`, ReasonResponse},
		{"id of another type", 299, `{"tx":7}`, ReasonResponse},
		{"id of another shape", 299, `{"tx":"../admin"}`, ReasonResponse},
		{"id with a newline", 299, `{"tx":"37a52ac8-b232-ebac-a454-04d68916489\n"}`, ReasonResponse},
		{"id without dashes", 299, `{"tx":"37a52ac8b232ebaca45404d68916489f0000"}`, ReasonResponse},
		{"lifetime null", 299, `{"tx":"` + testID + `","ttl":null}`, ReasonUnknown},
		{"error null and empty", 299, `{"tx":"` + testID + `","why":null,"why_description":""}`, ReasonUnknown},
		{"error empty", 299, `{"tx":"` + testID + `","why":""}`, ReasonUnknown},
		{"error false", 299, `{"tx":"` + testID + `","why":false}`, ReasonResponse},
		{"byte order mark", 299, "\ufeff" + `{"tx":"` + testID + `"}`, ReasonUnknown},
		{"lifetime zero", 299, `{"tx":"` + testID + `","ttl":0}`, ReasonResponse},
		{"lifetime negative", 299, `{"tx":"` + testID + `","ttl":-1}`, ReasonResponse},
		{"lifetime text", 299, `{"tx":"` + testID + `","ttl":"600"}`, ReasonResponse},
		{"lifetime endless", 299, `{"tx":"` + testID + `","ttl":9223372036854775807}`, ReasonResponse},
		{"oversized", 299, `{"pad":"` + strings.Repeat("a", limits.SignResponse) + `"}`, ReasonResponse},
		{"error on a success status", 299, `{"tx":"` + testID + `","why":"e-scope"}`, ReasonScope},
		{"unknown error on a success status", 299, `{"tx":"` + testID + `","why":"new"}`, ReasonResponse},
		{"400", 400, `{}`, ReasonRejected},
		{"401", 401, ``, ReasonServiceToken},
		{"401 with a code", 401, `{"why":"e-token"}`, ReasonServiceToken},
		{"403", 403, `{"why":"unheard of"}`, ReasonScope},
		{"404", 404, ``, ReasonRejected}, // no such endpoint: there is no transaction to be missing
		{"429", 429, ``, ReasonBusy},
		{"503", 503, `<html>maintenance</html>`, ReasonBusy},
		{"500", 500, `{}`, ReasonTransport},
		{"code wins over status", 500, `{"why":"e-request"}`, ReasonRejected},
		{"code of another type", 500, `{"why":{"e":1}}`, ReasonTransport},
	} {
		tx, err := clientFor(t, answer(c.status, c.body)).Start(t.Context(), sign.Text(agreement), sign.ModeBareHash)
		if reasonOf(err) != c.want || (err == nil) != (c.want == ReasonUnknown) || (tx != nil) != (err == nil) {
			t.Errorf("%s: got %v", c.name, err)
		}
		if tx != nil && !tx.Expires.Equal(testNow.Add(77*time.Second)) {
			t.Errorf("%s: lifetime of the wire profile not used: %v", c.name, tx.Expires)
		}
	}
}

func TestStartRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	c := clientFor(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	for name, f := range map[string]func() (*sign.Transaction, error){
		"no mode": func() (*sign.Transaction, error) {
			return c.Start(t.Context(), sign.Text("a"),
				sign.ModeUnknown)
		},
		"no document": func() (*sign.Transaction, error) {
			return c.Start(t.Context(), sign.Document{},
				sign.ModeBareHash)
		},
		"bad media type": func() (*sign.Transaction, error) {
			return c.Start(t.Context(), sign.Document{Reader: strings.NewReader("a"), MediaType: "text"},
				sign.ModeBareHash)
		},
	} {
		if _, err := f(); reasonOf(err) != ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Start(ctx, sign.Text("a"), sign.ModeBareHash); reasonOf(err) != ReasonTransport {
		t.Errorf("ended context: %v", err)
	}
}

// TestStartIsSentOnce: after bytes went out nobody knows whether a transaction exists.
func TestStartIsSentOnce(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			answer(299, `{"tx":"`+testID+`"}`)(w, r) // leaves a reusable connection behind
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler) // the connection breaks before an answer
	}))
	t.Cleanup(srv.Close)
	c := clientAt(t, srv.URL, srv.Client(), nil)
	if _, err := c.Start(t.Context(), sign.Text("a"), sign.ModeBareHash); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start(t.Context(), sign.Text("a"), sign.ModeBareHash); reasonOf(err) != ReasonTransport {
		t.Errorf("got %v", err)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestServiceTokenFailureKeepsItsFamily(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("sent") }))
	t.Cleanup(srv.Close)
	cause := &Error{Reason: ReasonTransport} // any classified error
	c, err := newClient(fakeService{srv.URL, srv.Client(), cause}, otherWire(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Start(t.Context(), sign.Text("a"), sign.ModeBareHash)
	if reasonOf(err) != ReasonServiceToken || kakunin.FamilyOf(err) != kakunin.Unavailable || !errors.Is(err, cause) {
		t.Errorf("got %v, %s", err, kakunin.FamilyOf(err))
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); reasonOf(err) != ReasonConfiguration || kakunin.FamilyOf(err) != kakunin.Configuration {
		t.Errorf("no client: %v", err)
	}
	good := fakeService{"https://service.example/api/sign-transactions", http.DefaultClient, nil}
	for _, endpoint := range []string{"", "/relative", "https://a.example/x?y", "https://a.example/x#y", "://"} {
		if _, err := newClient(fakeService{endpoint: endpoint}, otherWire(),
			Config{}); reasonOf(err) != ReasonConfiguration {
			t.Errorf("endpoint %q: %v", endpoint, err)
		}
	}
	for name, change := range map[string]func(*wire.Sign){
		"no hash field":           func(w *wire.Sign) { w.StartHashField = "" },
		"no id field":             func(w *wire.Sign) { w.StartIDField = "" },
		"no start status":         func(w *wire.Sign) { w.StartStatuses = nil },
		"no result status":        func(w *wire.Sign) { w.ResultStatuses = nil },
		"pending is success":      func(w *wire.Sign) { w.PendingStatus = 298 },
		"no result field":         func(w *wire.Sign) { w.ResultJWEField, w.ResultSignatureField = "", "" },
		"one field for two":       func(w *wire.Sign) { w.ResultSignatureField = w.ResultCertificateField },
		"no lifetime":             func(w *wire.Sign) { w.StartDefaultLifetime = 0 },
		"extra field overwrites":  func(w *wire.Sign) { w.StartExtraFields = map[string]string{"value": "x"} },
		"extra field has no name": func(w *wire.Sign) { w.StartExtraFields = map[string]string{"": "x"} },
	} {
		w := otherWire()
		change(&w)
		if _, err := newClient(good, w, Config{}); reasonOf(err) != ReasonConfiguration {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsNeverEchoTheNetwork(t *testing.T) {
	t.Parallel()
	const poison = "POISONED-BY-THE-NETWORK"
	for _, status := range []int{200, 298, 297, 400, 401, 404, 409, 500, 302} {
		for _, body := range []string{poison, `{"why":"` + poison + `"}`, `{"box":"` + poison + `"}`,
			`{"sig":"` + poison + `","cert":""}`} {
			_, err := clientFor(t, answer(status, body, "Location", "https://"+poison+".example", "Retry-After",
				poison)).
				fetch(t.Context(), testTransaction(), "user-token")
			if err == nil || strings.Contains(err.Error(), poison) ||
				strings.Contains(kakunin.MessageFor(err, kakunin.English), poison) ||
				strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("%d %s: %v", status, body, err)
			}
		}
	}
}

// The service's own words reach the developer, quoted, and no error text.
func TestDescription(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"error_description":"hash\u001b is missing"}`: `"hash\x1b is missing"`,
		`{"error":"no_such_code"}`:                      `"no_such_code"`,
		`<html>`:                                        "",
	} {
		_, err := clientFor(t, answer(400, body)).fetch(t.Context(), testTransaction(), "user-token")
		var e *Error
		if !errors.As(err, &e) || e.Description() != want || e.Status != 400 || strings.Contains(e.Error(), "hash") {
			t.Errorf("%s: %s, %v", body, e.Description(), err)
		}
	}
}

// TestIDsOfAnotherShape: with the wire profile's permission an id may be anything that is one path segment. The client
// and the authorization request read the same entry.
func TestIDsOfAnotherShape(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/t/a%2F..%2Fb%3Fc/outcome" {
			t.Errorf("path %s", r.URL.EscapedPath())
		}
		answer(298, testJWE)(w, r)
	}))
	t.Cleanup(srv.Close)
	profile := otherWire()
	profile.AnyTransactionID = true
	c, err := newClient(fakeService{srv.URL + "/t", srv.Client(), nil}, profile, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var tx sign.Transaction
	if err := c.parseStart([]byte(`{"tx":"a/../b?c"}`), &tx); err != nil || tx.ID != "a/../b?c" {
		t.Errorf("id that is no UUID: %v", err)
	}
	tx.Mode = sign.ModeBareHash
	if _, err := c.fetch(t.Context(), &tx, "user-token"); err != nil {
		t.Error(err)
	}
}

const agreement = "利用規約に同意します。"

func TestEveryReasonIsClassified(t *testing.T) {
	t.Parallel()
	tests.Reasons(t, ReasonTampered, func(r Reason) error { return &Error{Reason: r} })
}

// reasonOf returns the reason of an error of package sign, ReasonUnknown for others.
func reasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ReasonUnknown
}
