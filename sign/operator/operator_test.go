package operator_test

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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// TestVerdicts: the whole way, sealed and opened, in both modes, with default and with other names.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	renamed := operator.Wire{
		SealedField: "box", SignatureField: "s", CertificateField: "c", HashAlgorithmField: "h", DigestField: "d", ModeField: "m",
		TransactionField: "t", MethodField: "by", IdentifyField: "who", CodeField: "code", VerificationIDField: "id",
		VerifiedAtField: "at", SourceUpdatedAtField: "as-of", UserIDField: "uid", Echo: true, ErrorField: "why", IdempotencyHeader: "X-Once",
		Codes: operator.Codes{OK: "0", Expired: "1", Revoked: "2", Mismatch: "3", Unsupported: "4", Sealed: "5", Reused: "6", Request: "7", Unavailable: "8"},
	}
	for name, wire := range map[string]*operator.Wire{"default": nil, "renamed": &renamed} {
		w := newWorld(t, func(c *operator.HandlerConfig) { c.Wire = wire })
		client := w.client(func(c *operator.Config) { c.Wire = wire })
		ids := map[string]bool{}
		for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
			for what, ask := range map[string]func() (*sign.Verdict, error){
				"sealed": func() (*sign.Verdict, error) { return client.Verify(t.Context(), w.signed(mode), transaction(mode)) },
				"opened": func() (*sign.Verdict, error) {
					return client.VerifyOpened(t.Context(), sign.NewOpened(w.sign(w.key, mode, document), w.cert), transaction(mode))
				},
			} {
				v, err := ask()
				if err != nil {
					t.Fatalf("%s, %s, %s: %v: %v", name, mode, what, err, errors.Unwrap(err))
				}
				if v.Status != jpki.Good || v.VerificationID == "" || !v.VerifiedAt.Equal(now) || v.Method != "CRL" || v.SourceUpdatedAt.IsZero() ||
					v.UserID != sign.NewUserID("user-0001") {
					t.Errorf("%s, %s, %s: %+v", name, mode, what, v)
				}
				if strings.Contains(fmt.Sprintf("%v %+v %#v", v, *v, v), "user-0001") {
					t.Error("the verdict prints the user id")
				}
				ids[v.VerificationID] = true
			}
		}
		if len(ids) != 4 || len(w.kept) != 4 || !ids[w.kept[0]] {
			t.Errorf("%s: %d verification ids, kept %v", name, len(ids), w.kept)
		}
	}
}

// TestWhatTheOperatorRefuses: each case has its reason, family and, where the operator judged, its verdict.
func TestWhatTheOperatorRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	stranger := w.jpki.Key("operator test stranger")
	revoked, expired := w.jpki.Key("operator test revoked"), w.jpki.Key("operator test expired")
	revokedCert := w.issue(revoked)
	leaf, err := jpki.ParseCertificate(revokedCert)
	w.must(err)
	w.must(w.jpki.SigningCA().Revoke(leaf.X509().SerialNumber, 3, now.Add(-time.Hour)))
	list, err := w.jpki.SigningCA().CRL(leaf.X509())
	w.must(err)
	fresh := new(revocation.Store)
	w.must(fresh.Add(t.Context(), bytes.NewReader(list)))
	expiredCert, err := w.jpki.SigningCA().Issue(&expired.PublicKey, hanako, now.AddDate(-7, 0, 0))
	w.must(err)
	auth, err := w.jpki.AuthenticationCA().Issue(&w.key.PublicKey, hanako, now.AddDate(-1, 0, 0))
	w.must(err)
	foreign, err := issuer.New(issuer.Config{Now: clock, Seed: "another"})
	w.must(err)
	foreignCert, err := foreign.SigningCA().Issue(&w.key.PublicKey, hanako, now.AddDate(-1, 0, 0))
	w.must(err)
	const mode = sign.ModeDigestInfo
	to := &w.opener.PublicKey
	own := w.sign(w.key, mode, document)
	for name, c := range map[string]struct {
		sealed  *sign.Sealed
		verify  func(*operator.HandlerConfig)
		keepErr error
		reason  operator.Reason
		family  kakunin.Family
		status  jpki.Status
	}{
		"another document":    {sealed: w.seal(to, w.sign(w.key, mode, "x"), w.cert), reason: operator.ReasonSignature, family: kakunin.Untrusted},
		"the other mode":      {sealed: w.signed(sign.ModeBareHash), reason: operator.ReasonSignature, family: kakunin.Untrusted},
		"another card":        {sealed: w.seal(to, w.sign(stranger, mode, document), w.cert), reason: operator.ReasonSignature, family: kakunin.Untrusted},
		"revoked":             {sealed: w.seal(to, w.sign(revoked, mode, document), revokedCert), verify: func(c *operator.HandlerConfig) { c.Verifier = w.verifier(fresh) }, reason: operator.ReasonRevoked, family: kakunin.Account, status: jpki.Revoked},
		"expired":             {sealed: w.seal(to, w.sign(expired, mode, document), expiredCert), reason: operator.ReasonExpired, family: kakunin.Account, status: jpki.Expired},
		"authentication":      {sealed: w.seal(to, own, auth), reason: operator.ReasonUnsupported, family: kakunin.Account},
		"a foreign authority": {sealed: w.seal(to, own, foreignCert), reason: operator.ReasonUnsupported, family: kakunin.Account},
		"no certificate":      {sealed: w.seal(to, own, []byte("certificate")), reason: operator.ReasonUnsupported, family: kakunin.Account},
		"sealed to another":   {sealed: w.seal(&stranger.PublicKey, own, w.cert), reason: operator.ReasonSealed, family: kakunin.Untrusted},
		"no revocation data":  {sealed: w.signed(mode), verify: func(c *operator.HandlerConfig) { c.Verifier = w.verifier(new(revocation.Store)) }, reason: operator.ReasonBusy, family: kakunin.Unavailable},
		"evidence not kept":   {sealed: w.signed(mode), keepErr: errors.New("disk full"), reason: operator.ReasonBusy, family: kakunin.Unavailable},
		"signature reused":    {sealed: w.signed(mode), keepErr: &evidence.Error{Reason: evidence.ReasonReused}, reason: operator.ReasonReused, family: kakunin.Untrusted},
		"user id not known": {sealed: w.signed(mode), verify: func(c *operator.HandlerConfig) {
			c.UserID = func(context.Context, string, *sign.Report) (string, error) { return "", errors.New("database gone") }
		}, reason: operator.ReasonBusy, family: kakunin.Unavailable},
	} {
		ow := newWorld(t, c.verify)
		ow.keepErr = c.keepErr
		v, err := ow.client(nil).Verify(t.Context(), c.sealed, transaction(mode))
		if reasonOf(err) != c.reason || kakunin.FamilyOf(err) != c.family {
			t.Errorf("%s: %v (%s)", name, err, kakunin.FamilyOf(err))
		}
		if (v != nil) != (c.status != jpki.Unknown) || v != nil && (v.Status != c.status || v.VerificationID == "") {
			t.Errorf("%s: verdict %+v", name, v)
		}
		if name != "user id not known" && len(ow.kept) != 0 {
			t.Errorf("%s: evidence was kept", name)
		}
	}
}

// TestRepeatedRequest: the same request gets the same verdict and is kept once, also when it comes many times at once.
func TestRepeatedRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	client := w.client(nil)
	sealed, tx := w.signed(sign.ModeDigestInfo), transaction(sign.ModeDigestInfo)
	ids := make(chan string, 8)
	var wg sync.WaitGroup
	for range cap(ids) {
		wg.Go(func() {
			v, err := client.Verify(t.Context(), sealed, tx)
			if err != nil {
				t.Error(err)
				return
			}
			ids <- v.VerificationID
		})
	}
	wg.Wait()
	close(ids)
	for id := range ids {
		if id != w.kept[0] {
			t.Errorf("another verdict: %s", id)
		}
	}
	if len(w.kept) != 1 {
		t.Errorf("kept %d times", len(w.kept))
	}
	// The key of another request is no way to somebody else's verdict.
	post := func(key, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL, strings.NewReader(body))
		w.must(err)
		req.Header.Set("X-Key", "secret")
		req.Header.Set("Idempotency-Key", key)
		resp, err := w.server.Client().Do(req)
		w.must(err)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	body := requestBody(w, nil)
	if a, b := post("k", body), post("k", body+" "); a != http.StatusOK || b != http.StatusConflict {
		t.Errorf("status %d, then %d", a, b)
	}
}

// requestBody is a good request of a signature with its certificate, changed.
func requestBody(w *world, change func(map[string]any)) string {
	tx := transaction(sign.ModeDigestInfo)
	m := map[string]any{
		"signature":      base64.StdEncoding.EncodeToString(w.sign(w.key, tx.Mode, document)),
		"certificate":    base64.StdEncoding.EncodeToString(w.cert),
		"hash_algorithm": "SHA-256", "digest": base64.StdEncoding.EncodeToString(tx.Digest[:]), "signature_mode": "digest-info",
		"transaction_id": tx.ID, "check_method": "OCSP", "identify_user": false,
	}
	if change != nil {
		change(m)
	}
	b, err := json.Marshal(m)
	w.must(err)
	return string(b)
}

// TestHandlerRefusesRequests: nothing but the one form of a request is read, and no answer echoes what was sent.
func TestHandlerRefusesRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	set := func(name string, value any) string { return requestBody(w, func(m map[string]any) { m[name] = value }) }
	without := func(name string) string { return requestBody(w, func(m map[string]any) { delete(m, name) }) }
	info := base64.StdEncoding.EncodeToString(transaction(sign.ModeDigestInfo).Padded())
	good := requestBody(w, nil)
	for name, c := range map[string]struct {
		method, key, body string
		status            int
	}{
		"good":                     {body: good, status: 200},
		"not JSON":                 {body: "POISON", status: 400},
		"array":                    {body: "[]", status: 400},
		"two objects":              {body: good + good, status: 400},
		"a member twice":           {body: strings.Replace(good, `{`, `{"digest":"AA==",`, 1), status: 400},
		"an unknown member":        {body: set("POISON", "x"), status: 400},
		"no digest":                {body: without("digest"), status: 400},
		"a 51-byte digest":         {body: set("digest", info), status: 400},
		"digest with a line break": {body: set("digest", "AA\n=="), status: 400},
		"digest of another type":   {body: set("digest", 7), status: 400},
		"another hash":             {body: set("hash_algorithm", "SHA-1"), status: 400},
		"no mode":                  {body: without("signature_mode"), status: 400},
		"unknown mode":             {body: set("signature_mode", "unknown"), status: 400},
		"no transaction":           {body: without("transaction_id"), status: 400},
		"hostile transaction":      {body: set("transaction_id", "a b"), status: 400},
		"identify_user as text":    {body: set("identify_user", "true"), status: 400},
		"signature alone":          {body: without("certificate"), status: 400},
		"sealed and opened":        {body: set("sign_certificate_jwe", "a.b.c.d.e"), status: 400},
		"sealed that is no JWE": {body: requestBody(w, func(m map[string]any) {
			delete(m, "signature")
			delete(m, "certificate")
			m["sign_certificate_jwe"] = "POISON"
		}), status: 400},
		"too large":                    {body: `{"digest":"` + strings.Repeat("A", 1<<20) + `"}`, status: 413},
		"GET":                          {method: http.MethodGet, status: 405},
		"without credentials":          {key: "none", body: good, status: 401},
		"the other mode":               {body: set("signature_mode", "bare-hash"), status: 200},
		"a certificate that is poison": {body: set("certificate", base64.StdEncoding.EncodeToString([]byte("POISON"))), status: 200},
	} {
		method, key := http.MethodPost, "secret"
		if c.method != "" {
			method = c.method
		}
		if c.key != "" {
			key = c.key
		}
		req, err := http.NewRequestWithContext(t.Context(), method, w.server.URL, strings.NewReader(c.body))
		w.must(err)
		req.Header.Set("X-Key", key)
		resp, err := w.server.Client().Do(req)
		w.must(err)
		answer, err := io.ReadAll(resp.Body)
		w.must(err)
		_ = resp.Body.Close()
		if resp.StatusCode != c.status || bytes.Contains(answer, []byte("POISON")) || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, resp.StatusCode, answer)
		}
		if strings.Contains(string(answer), "RESULT_OK") != (name == "good") {
			t.Errorf("%s: %s", name, answer)
		}
	}
}

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
		"result_code": "RESULT_OK", "verification_id": "v-1", "verified_at": "2026-11-21T03:00:00Z", "check_method": "OCSP",
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
		"good":                        {200, with("", nil), operator.ReasonUnknown},
		"a later field":               {200, with("later", []int{1}), operator.ReasonUnknown},
		"another transaction":         {200, with("transaction_id", "00000000-0000-0000-0000-000000000000"), operator.ReasonOtherVerdict},
		"no transaction":              {200, with("transaction_id", nil), operator.ReasonOtherVerdict},
		"another document":            {200, with("digest", base64.StdEncoding.EncodeToString(make([]byte, 32))), operator.ReasonOtherVerdict},
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
		"a member twice":              {200, strings.Replace(with("", nil), "{", `{"result_code":"RESULT_OK",`, 1), operator.ReasonResponse},
		"not JSON":                    {200, "POISON", operator.ReasonResponse},
		"empty":                       {200, "", operator.ReasonResponse},
		"oversized":                   {200, `{"pad":"` + strings.Repeat("a", 1<<17) + `"}`, operator.ReasonResponse},
		"good with another status":    {201, with("", nil), operator.ReasonResponse},
		"good as an error":            {500, with("", nil), operator.ReasonTransport},
		"OK as the code of an error":  {400, `{"error":"RESULT_OK"}`, operator.ReasonRequest},
		"redirect":                    {302, "", operator.ReasonResponse},
		"mismatch":                    {200, with("result_code", "RESULT_SIGNATURE_MISMATCH"), operator.ReasonSignature},
		"400":                         {400, `{"error":"POISON"}`, operator.ReasonRequest},
		"401":                         {401, "", operator.ReasonCredentials},
		"403":                         {403, "", operator.ReasonCredentials},
		"409 reused":                  {409, `{"error":"ERROR_SIGNATURE_REUSED"}`, operator.ReasonReused},
		"422":                         {422, `{"error":"ERROR_SEALED"}`, operator.ReasonSealed},
		"unsupported":                 {422, `{"error":"ERROR_UNSUPPORTED_CERTIFICATE"}`, operator.ReasonUnsupported},
		"error on a success status":   {200, `{"error":"ERROR_UNSUPPORTED_CERTIFICATE"}`, operator.ReasonUnsupported},
		"429":                         {429, "", operator.ReasonBusy},
		"503":                         {503, "<html>POISON</html>", operator.ReasonBusy},
		"502":                         {502, "", operator.ReasonTransport},
	} {
		client := fake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://POISON.example")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}, nil)
		v, err := client.Verify(t.Context(), sealed(t), tx)
		if reasonOf(err) != c.reason || (err == nil) != (c.reason == operator.ReasonUnknown) || (v != nil) != (err == nil) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if err != nil && (strings.Contains(err.Error(), "POISON") || kakunin.FamilyOf(err) == kakunin.Unclassified) {
			t.Errorf("%s: %v", name, err)
		}
		if e, ok := errors.AsType[*operator.Error](err); ok && c.reason == operator.ReasonBusy && e.RetryAfter != 7*time.Second {
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
		"connection lost":              {first: func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, asked: 2, keys: 1},
		"connection lost, no key":      {wire: &unnamed, first: func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, asked: 1, keys: 1},
		"internal error":               {first: func(w http.ResponseWriter) { w.WriteHeader(500) }, asked: 2, keys: 1},
		"internal error, no key":       {wire: &unnamed, first: func(w http.ResponseWriter) { w.WriteHeader(500) }, asked: 1, keys: 1},
		"told to wait":                 {first: func(w http.ResponseWriter) { w.WriteHeader(503) }, asked: 1, keys: 1},
		"refused":                      {first: func(w http.ResponseWriter) { w.WriteHeader(400) }, asked: 1, keys: 1},
		"what is not JSON, not again!": {first: func(w http.ResponseWriter) { _, _ = io.WriteString(w, "x") }, asked: 1, keys: 1},
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

func TestArguments(t *testing.T) {
	t.Parallel()
	client := fake(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }, nil)
	noMode, noID := transaction(sign.ModeUnknown), transaction(sign.ModeBareHash)
	noID.ID = ""
	for name, ask := range map[string]func() (*sign.Verdict, error){
		"nothing sealed": func() (*sign.Verdict, error) {
			return client.Verify(t.Context(), nil, transaction(sign.ModeBareHash))
		},
		"nothing opened": func() (*sign.Verdict, error) {
			return client.VerifyOpened(t.Context(), nil, transaction(sign.ModeBareHash))
		},
		"no transaction": func() (*sign.Verdict, error) { return client.Verify(t.Context(), sealed(t), nil) },
		"no mode":        func() (*sign.Verdict, error) { return client.Verify(t.Context(), sealed(t), noMode) },
		"no id":          func() (*sign.Verdict, error) { return client.Verify(t.Context(), sealed(t), noID) },
	} {
		if v, err := ask(); v != nil || reasonOf(err) != operator.ReasonRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	refusing := fake(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") },
		func(c *operator.Config) { c.Authorize = func(*http.Request) error { return errors.New("no token") } })
	if _, err := refusing.Verify(t.Context(), sealed(t), transaction(sign.ModeBareHash)); reasonOf(err) != operator.ReasonCredentials {
		t.Errorf("no credentials: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Verify(ctx, sealed(t), transaction(sign.ModeBareHash)); reasonOf(err) != operator.ReasonTransport {
		t.Errorf("ended context: %v", err)
	}
}

// TestConfigurationMistakes: all of them are named at once.
func TestConfigurationMistakes(t *testing.T) {
	t.Parallel()
	wire := operator.DefaultWire()
	wire.DigestField, wire.CodeField, wire.Codes.Revoked = "", "error", wire.Codes.OK
	_, err := operator.New(operator.Config{URL: "http://operator.example/v1", Method: "LDAP", BreakAfter: -2, Wire: &wire})
	for _, field := range []string{"URL", "Authorize", "Method", "BreakAfter", "Wire.DigestField", "Wire.ErrorField", "Wire.Codes.Revoked"} {
		if reasonOf(err) != operator.ReasonConfiguration || !strings.Contains(err.Error(), field+" ") {
			t.Errorf("the client does not name %s: %v", field, err)
		}
	}
	wire.ModeField = ""
	_, err = operator.NewHandler(operator.HandlerConfig{Wire: &wire})
	for _, field := range []string{"Opener", "Verifier", "Authenticate", "Keep", "Wire.ModeField", "Wire.DigestField"} {
		if reasonOf(err) != operator.ReasonConfiguration || !strings.Contains(err.Error(), field+" ") {
			t.Errorf("the handler does not name %s: %v", field, err)
		}
	}
}

// TestEveryReasonIsClassified: the table has a row for each reason.
func TestEveryReasonIsClassified(t *testing.T) {
	t.Parallel()
	for r := operator.ReasonConfiguration; r <= operator.ReasonUnsupported; r++ {
		e := &operator.Error{Reason: r, Step: "verify"}
		if e.Family() == kakunin.Unclassified || r.String() == "unknown" || kakunin.MessageFor(e, kakunin.Japanese) == "" ||
			!errors.Is(fmt.Errorf("wrapped: %w", e), &operator.Error{Reason: r}) || errors.Is(e, &operator.Error{Reason: r + 1}) {
			t.Errorf("reason %d: %v", r, e)
		}
	}
}

// TestLogsHoldNothingPersonal: neither side logs the certificate, the user id or the sealed result.
func TestLogsHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := newWorld(t, func(c *operator.HandlerConfig) { c.Logger = logger })
	box := w.signed(sign.ModeDigestInfo)
	if _, err := w.client(func(c *operator.Config) { c.Logger = logger }).Verify(t.Context(), box, transaction(sign.ModeDigestInfo)); err != nil {
		t.Fatal(err)
	}
	w.server.Close()
	for _, secret := range []string{"user-0001", "花子", box.RevealJWE(), "secret", transaction(sign.ModeDigestInfo).ID} {
		if strings.Contains(log.String(), secret) || log.Len() == 0 {
			t.Errorf("the log holds %q", secret)
		}
	}
}
