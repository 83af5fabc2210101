package sign

import (
	"bytes"
	"context"
	"encoding/base64"
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
)

// otherWire renames every entry, so that a name spelled anywhere but in the wire profile fails a test.
func otherWire() wire.Sign {
	return wire.Sign{
		StartClientIDField: "rp", StartHashField: "value", StartHashAlgorithmField: "with", StartHashAlgorithmValue: "S2",
		StartExtraFields: map[string]string{"purpose": "test"}, StartStatuses: []int{299},
		StartIDField: "tx", StartLifetimeField: "ttl", StartDefaultLifetime: 77,
		ResultSuffix: "/outcome", ResultStatuses: []int{298}, ResultJWEField: "box",
		ResultSignatureField: "sig", ResultCertificateField: "cert", PendingStatus: 297,
		JWEKeyAlgorithms: []string{"RSA-OAEP-256"}, JWEContentAlgorithms: []string{"A256GCM"},
		ErrorField: "why",
		ErrorCodes: wire.SignErrorCodes{
			InvalidRequest: "e-request", InvalidToken: "e-token", InsufficientScope: "e-scope", Pending: "e-pending",
			NotFound: "e-found", Cancelled: "e-cancel", Conflict: "e-conflict", Expired: "e-expired", Consumed: "e-consumed",
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
	for mode, value := range map[Mode]string{
		ModeBareHash:   "XIh3yqL9yiAUQkuovXqx+xKZOwameHZx7OCoTRdlJrQ=",
		ModeDigestInfo: "MDEwDQYJYIZIAWUDBAIBBQAEIFyId8qi/cogFEJLqL16sfsSmTsGpnh2cezgqE0XZSa0",
	} {
		var got map[string]string
		c := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.URL.Path != "/api/sign-transactions" || r.Header.Get("Content-Type") != "application/json" {
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
		tx, err := c.Start(t.Context(), Text(agreement), mode)
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
		tx, err := clientFor(t, answer(c.status, c.body)).Start(t.Context(), Text(agreement), ModeBareHash)
		if ReasonOf(err) != c.want || (err == nil) != (c.want == ReasonUnknown) || (tx != nil) != (err == nil) {
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
	for name, f := range map[string]func() (*Transaction, error){
		"no mode":     func() (*Transaction, error) { return c.Start(t.Context(), Text("a"), ModeUnknown) },
		"no document": func() (*Transaction, error) { return c.Start(t.Context(), Document{}, ModeBareHash) },
		"bad media type": func() (*Transaction, error) {
			return c.Start(t.Context(), Document{strings.NewReader("a"), "text"}, ModeBareHash)
		},
	} {
		if _, err := f(); ReasonOf(err) != ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := mediaTypeOf("text/ plain; x"); ok {
		t.Error("malformed media type accepted")
	}
	if _, ok := mediaTypeOf("text/plain; a=" + strings.Repeat("b", limits.MediaType)); ok {
		t.Error("long media type accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Start(ctx, Text("a"), ModeBareHash); ReasonOf(err) != ReasonTransport {
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
	if _, err := c.Start(t.Context(), Text("a"), ModeBareHash); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start(t.Context(), Text("a"), ModeBareHash); ReasonOf(err) != ReasonTransport {
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
	_, err = c.Start(t.Context(), Text("a"), ModeBareHash)
	if ReasonOf(err) != ReasonServiceToken || kakunin.FamilyOf(err) != kakunin.Unavailable || !errors.Is(err, cause) {
		t.Errorf("got %v, %s", err, kakunin.FamilyOf(err))
	}
}

func testTransaction() *Transaction { return &Transaction{ID: testID, Mode: ModeBareHash} }

const testJWE = "aGVhZA.a2V5.aXY.Y2lwaGVy.dGFn"

func TestResultShapes(t *testing.T) {
	t.Parallel()
	b64 := base64.StdEncoding.EncodeToString
	sig, cert := bytes.Repeat([]byte{7}, 256), bytes.Repeat([]byte{0x30}, 900)
	plain := fmt.Sprintf(`{"sig":%q,"cert":%q}`, b64(sig), b64(cert))
	for _, c := range []struct {
		name   string
		body   string
		sealed bool
		want   Reason
	}{
		{"JSON with a JWE", `{"box":"` + testJWE + `","more":{}}`, true, ReasonUnknown},
		{"bare JWE", testJWE, true, ReasonUnknown},
		{"bare JWE and a newline", testJWE + "\n", true, ReasonUnknown},
		{"plain", plain, false, ReasonUnknown},
		{"both", fmt.Sprintf(`{"box":%q,"sig":%q,"cert":%q}`, testJWE, b64(sig), b64(cert)), false, ReasonResponse},
		{"neither", `{}`, false, ReasonResponse},
		{"bare JWS", "aGVhZA.a2V5.aXY", false, ReasonResponse},
		{"JWE of six parts", testJWE + ".eA", false, ReasonResponse},
		{"JWE with padding", `{"box":"aGVhZA==.a2V5.aXY.Y2lwaGVy.dGFn"}`, false, ReasonResponse},
		{"JWE with a space", `{"box":"aGVhZA. a2V5.aXY.Y2lwaGVy.dGFn"}`, false, ReasonResponse},
		{"JWE without header", `{"box":".a2V5.aXY.Y2lwaGVy.dGFn"}`, false, ReasonResponse},
		{"JWE of another type", `{"box":["` + testJWE + `"]}`, false, ReasonResponse},
		{"JWE in JSON serialization", `{"box":{"protected":"aGVhZA"}}`, false, ReasonResponse},
		{"JWE too long", `{"box":"a.b.c.` + strings.Repeat("d", limits.SealedResult) + `.e"}`, false, ReasonResponse},
		{"duplicate", `{"box":"` + testJWE + `","box":"` + testJWE + `"}`, false, ReasonResponse},
		{"signature alone", fmt.Sprintf(`{"sig":%q}`, b64(sig)), false, ReasonResponse},
		{"base64url signature", fmt.Sprintf(`{"sig":"__8","cert":%q}`, b64(cert)), false, ReasonResponse},
		{"base64 with a line break", fmt.Sprintf(`{"sig":"AQ\n==","cert":%q}`, b64(cert)), false, ReasonResponse},
		{"base64 with loose bits", fmt.Sprintf(`{"sig":"AR==","cert":%q}`, b64(cert)), false, ReasonResponse},
		{"signature too long", fmt.Sprintf(`{"sig":%q,"cert":%q}`, b64(make([]byte, limits.SignatureValue+1)), b64(cert)), false, ReasonResponse},
		{"certificate too long", fmt.Sprintf(`{"sig":%q,"cert":%q}`, b64(sig), b64(make([]byte, limits.Certificate+1))), false, ReasonResponse},
	} {
		client := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != "/api/sign-transactions/"+testID+"/outcome" ||
				r.Header.Get("Authorization") != "Bearer user-token" {
				t.Errorf("%s %s %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
			}
			answer(298, c.body)(w, r)
		})
		res, err := client.fetch(t.Context(), testTransaction(), "user-token")
		if ReasonOf(err) != c.want || (err == nil) != (res != nil) {
			t.Errorf("%s: got %v", c.name, err)
			continue
		}
		if err != nil {
			continue
		}
		if (res.Sealed != nil) != c.sealed || (res.Opened != nil) == c.sealed || res.Transaction.ID != testID {
			t.Errorf("%s: %+v", c.name, res)
		}
		if c.sealed && res.Sealed.RevealJWE() != testJWE {
			t.Errorf("%s: JWE changed", c.name)
		}
		if !c.sealed && (!bytes.Equal(res.Opened.Signature, sig) || !bytes.Equal(res.Opened.Certificate, cert)) {
			t.Errorf("%s: values changed", c.name)
		}
	}
}

func TestResultStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		want   Reason
		family kakunin.Family
	}{
		{297, ``, ReasonPending, kakunin.Unavailable},
		{298, `{"why":"e-pending"}`, ReasonPending, kakunin.Unavailable},
		{202, `{"box":"` + testJWE + `"}`, ReasonResponse, kakunin.Untrusted}, // pending has another status here
		{401, ``, ReasonUserToken, kakunin.User},
		{403, ``, ReasonScope, kakunin.Configuration},
		{404, ``, ReasonNotFound, kakunin.User},
		{404, `{"why":"e-expired"}`, ReasonExpired, kakunin.User},
		{409, ``, ReasonCancelled, kakunin.User},
		{409, `{"why":"e-conflict"}`, ReasonConflict, kakunin.Untrusted},
		{409, `{"why":"e-cancel"}`, ReasonCancelled, kakunin.User},
		{410, ``, ReasonExpired, kakunin.User},
		{410, `{"why":"e-consumed"}`, ReasonConsumed, kakunin.User},
		{429, ``, ReasonBusy, kakunin.Unavailable},
		{503, `{"why":"e-found"}`, ReasonNotFound, kakunin.User},
		{502, `bad gateway`, ReasonTransport, kakunin.Unavailable},
	} {
		res, err := clientFor(t, answer(c.status, c.body)).fetch(t.Context(), testTransaction(), "user-token")
		if res != nil || ReasonOf(err) != c.want || kakunin.FamilyOf(err) != c.family {
			t.Errorf("%d %s: %v (%s)", c.status, c.body, err, kakunin.FamilyOf(err))
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"0":                             0,
		"soon":                          0,
		"999999999999":                  0,
		"1000000":                       limits.RetryAfter * time.Second,
		"Sat, 21 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Sat, 21 Nov 2026 11:00:00 GMT": 0,
	} {
		_, err := clientFor(t, answer(297, "", "Retry-After", header)).fetch(t.Context(), testTransaction(), "user-token")
		var e *Error
		if !errors.As(err, &e) || e.RetryAfter != want {
			t.Errorf("%q: %v", header, e.RetryAfter)
		}
	}
}

func TestResultBelongsToItsFlow(t *testing.T) {
	t.Parallel()
	c := clientFor(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	other := "00000000-0000-0000-0000-000000000000"
	for name, f := range map[string]struct {
		tx   *Transaction
		id   *authn.Identity
		want Reason
	}{
		"another transaction": {testTransaction(), &authn.Identity{TransactionID: other}, ReasonOtherFlow},
		"plain login":         {testTransaction(), &authn.Identity{}, ReasonOtherFlow},
		"no login":            {testTransaction(), nil, ReasonRequest},
		"no transaction":      {nil, &authn.Identity{}, ReasonRequest},
		"empty transaction":   {&Transaction{}, &authn.Identity{}, ReasonRequest},
		"hostile id":          {&Transaction{ID: "../x", Mode: ModeBareHash}, &authn.Identity{TransactionID: "../x"}, ReasonRequest},
		"no token":            {testTransaction(), &authn.Identity{TransactionID: testID}, ReasonUserToken},
	} {
		if res, err := c.Result(t.Context(), f.tx, f.id); res != nil || ReasonOf(err) != f.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpaqueIDsStayOneSegment(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/t/a%2F..%2Fb%3Fc/outcome" {
			t.Errorf("path %s", r.URL.EscapedPath())
		}
		answer(298, testJWE)(w, r)
	}))
	t.Cleanup(srv.Close)
	c, err := newClient(fakeService{srv.URL + "/t", srv.Client(), nil}, otherWire(), Config{OpaqueTransactionIDs: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.fetch(t.Context(), &Transaction{ID: "a/../b?c", Mode: ModeBareHash}, "user-token"); err != nil {
		t.Error(err)
	}
	// The client and the authorization request read the same entry of the wire profile.
	byProfile := otherWire()
	byProfile.AnyTransactionID = true
	if c, err = newClient(fakeService{srv.URL + "/t", srv.Client(), nil}, byProfile, Config{}); err != nil {
		t.Fatal(err)
	}
	if tx, err := c.parseStart([]byte(`{"tx":"a/../b?c"}`)); err != nil || tx.ID != "a/../b?c" {
		t.Errorf("id that is no UUID: %v", err)
	}
	for _, id := range []string{"", ".", "..", "a b", "a\x00", "é", strings.Repeat("a", limits.AuthorizationParameter+1)} {
		if opaqueID(id) {
			t.Errorf("%q accepted", id)
		}
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); ReasonOf(err) != ReasonConfiguration || kakunin.FamilyOf(err) != kakunin.Configuration {
		t.Errorf("no client: %v", err)
	}
	good := fakeService{"https://service.example/api/sign-transactions", http.DefaultClient, nil}
	for _, endpoint := range []string{"", "/relative", "https://a.example/x?y", "https://a.example/x#y", "://"} {
		if _, err := newClient(fakeService{endpoint: endpoint}, otherWire(), Config{}); ReasonOf(err) != ReasonConfiguration {
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
		if _, err := newClient(good, w, Config{}); ReasonOf(err) != ReasonConfiguration {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTransactionJSON(t *testing.T) {
	t.Parallel()
	tx := Transaction{ID: testID, Mode: ModeDigestInfo, Digest: [32]byte{1, 2}, MediaType: "text/plain", Started: testNow, Expires: testNow.Add(time.Minute)}
	b, err := json.Marshal(tx)
	if err != nil {
		t.Fatal(err)
	}
	var back Transaction
	if err := json.Unmarshal(b, &back); err != nil || back != tx {
		t.Errorf("%s came back as %+v, %v", b, back, err)
	}
	for _, s := range []string{
		`{}`, `[]`, `"x"`,
		strings.Replace(string(b), "digest-info", "none", 1),
		strings.Replace(string(b), `"0102`, `"02`, 1),
		strings.Replace(string(b), testID, "", 1),
		strings.Replace(string(b), `"id"`, `"extra":1,"id"`, 1),
	} {
		var tx Transaction
		if err := json.Unmarshal([]byte(s), &tx); err == nil || tx != (Transaction{}) {
			t.Errorf("%s accepted: %+v", s, tx)
		}
	}
}

func TestNothingLeaksWhenPrinted(t *testing.T) {
	t.Parallel()
	sealed, err := ParseSealed(testJWE)
	if err != nil {
		t.Fatal(err)
	}
	opened := Opened{Signature: []byte("SIGNATURE"), Certificate: []byte("CERTIFICATE")}
	res := &Result{Transaction: testTransaction(), Sealed: sealed, Opened: &opened}
	report := &Report{Mode: ModeBareHash, Signature: []byte("SIGNATURE")}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	var out strings.Builder
	for _, v := range []any{sealed, *sealed, opened, &opened, res, *res, report, *report} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			_, _ = fmt.Fprintf(&out, verb+"\n", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		out.Write(b)
		logger.Info("x", slog.Any("v", v))
	}
	out.Write(log.Bytes())
	for _, secret := range []string{
		"SIGNATURE", "CERTIFICATE", "Y2lwaGVy", fmt.Sprintf("%x", "SIGNATURE"), base64.StdEncoding.EncodeToString([]byte("SIGNATURE")),
		fmt.Sprintf("%d", []byte("SIGNATURE")), fmt.Sprintf("%d", []byte("CERTIFICATE")), fmt.Sprintf("%x", "Y2lwaGVy"),
	} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s leaks", secret)
		}
	}
}

func TestErrorsNeverEchoTheNetwork(t *testing.T) {
	t.Parallel()
	const poison = "POISONED-BY-THE-NETWORK"
	for _, status := range []int{200, 298, 297, 400, 401, 404, 409, 500, 302} {
		for _, body := range []string{poison, `{"why":"` + poison + `"}`, `{"box":"` + poison + `"}`, `{"sig":"` + poison + `","cert":""}`} {
			_, err := clientFor(t, answer(status, body, "Location", "https://"+poison+".example", "Retry-After", poison)).
				fetch(t.Context(), testTransaction(), "user-token")
			if err == nil || strings.Contains(err.Error(), poison) ||
				strings.Contains(kakunin.MessageFor(err, kakunin.English), poison) || strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("%d %s: %v", status, body, err)
			}
		}
	}
}

func TestEveryReasonIsClassified(t *testing.T) {
	t.Parallel()
	for r := ReasonConfiguration; r <= ReasonPersonReview; r++ {
		e := &Error{Reason: r, Step: "x"}
		if e.Family() == kakunin.Unclassified || r.String() == "unknown" {
			t.Errorf("reason %d has no entry", r)
		}
		for _, l := range []kakunin.Language{kakunin.Japanese, kakunin.English} {
			if kakunin.MessageFor(e, l) == "" {
				t.Errorf("%s: no message", r)
			}
		}
		if m := e.UserMessage(); (m.JA == "") != (m.EN == "") {
			t.Errorf("%s: message in one language only", r)
		}
		if !errors.Is(fmt.Errorf("wrapped: %w", e), &Error{Reason: r}) || errors.Is(e, &Error{Reason: r + 1}) {
			t.Errorf("%s: errors.Is", r)
		}
	}
	if (&Error{}).Family() != kakunin.Untrusted {
		t.Error("the zero error is not untrusted")
	}
}
