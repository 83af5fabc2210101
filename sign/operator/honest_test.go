package operator_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// verdict is a good answer about a transaction, changed; nil leaves a member out.
func verdict(t *testing.T, tx *sign.Transaction, change map[string]any) string {
	t.Helper()
	m := map[string]any{
		"result_code": "RESULT_OK", "verification_id": "v-1", "verified_at": "2026-11-21T03:00:00Z",
		"check_method": "OCSP", "source_updated_at": "2026-11-21T02:45:00Z", "user_id": "user-1",
		"transaction_id": tx.ID, "digest": base64.StdEncoding.EncodeToString(tx.Digest[:]),
	}
	maps.Copy(m, change)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHonestOperators: what operators may say more, leave out or say otherwise changes no verdict.
func TestHonestOperators(t *testing.T) {
	t.Parallel()
	tx := transaction(sign.ModeDigestInfo)
	null := json.RawMessage("null")
	good := verdict(t, tx, nil)
	set := func(name string, value any) string { return verdict(t, tx, map[string]any{name: value}) }
	typed := func(text string) http.Header { return http.Header{"Content-Type": {text}} }
	for name, c := range map[string]struct {
		body      string
		header    http.Header
		status    int
		method    string // OCSP unless it is another
		anonymous bool
	}{
		"as documented":        {body: good},
		"members of tomorrow":  {body: set("x", map[string]any{"y": []int{2}, "z": nil})},
		"charset":              {body: good, header: typed("application/json; charset=UTF-8")},
		"odd casing of a type": {body: good, header: typed("Application/JSON ;Charset=utf-8")},
		"another type of JSON": {body: good, header: typed("application/vnd.operator+json")},
		"no type":              {body: good, header: typed("")},
		"created":              {body: good, status: http.StatusCreated},
		"blanks and lines":     {body: " \r\n" + strings.ReplaceAll(good, ",", " ,\r\n\t") + "\r\n"},
		"escaped characters":   {body: strings.ReplaceAll(good, "RESULT_OK", `RESULT\u005fOK`)},
		"slashes escaped":      {body: strings.ReplaceAll(good, "/", `\/`)},
		"null for a user":      {body: set("user_id", null), anonymous: true},
		"no user":              {body: set("user_id", nil), anonymous: true},
		"null for a method":    {body: set("check_method", null)},
		"no method":            {body: set("check_method", nil)},
		"null for the source":  {body: set("source_updated_at", null)},
		"no source":            {body: set("source_updated_at", nil)},
		"null for an error":    {body: set("error", null)},
		"an empty error":       {body: set("error", "")},
		"the other method":     {body: set("check_method", "CRL"), method: "CRL"},
		"Japan's time":         {body: set("verified_at", "2026-11-21T12:00:00+09:00")},
		"parts of a second":    {body: set("verified_at", "2026-11-21T03:00:00.123456Z")},
		"four minutes ahead":   {body: set("verified_at", "2026-11-21T03:04:00Z")},
		"repeated after a day": {body: set("verified_at", "2026-11-20T03:10:00Z")},
	} {
		client := fake(t, func(w http.ResponseWriter, _ *http.Request) {
			maps.Copy(w.Header(), c.header)
			w.WriteHeader(max(c.status, http.StatusOK))
			_, _ = io.WriteString(w, c.body)
		}, func(o *operator.Config) { o.IdentifyUser = true })
		v, err := client.Verify(t.Context(), sealed(t), tx)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.method == "" {
			c.method = "OCSP"
		}
		user := "user-1"
		if c.anonymous {
			user = ""
		}
		if v.Status != jpki.Good || v.VerificationID != "v-1" || v.UserID.Reveal() != user || v.Method != c.method {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestCompressedAnswers: an honest compressed answer is read, one that unpacks to more than an answer is refused.
func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	tx := transaction(sign.ModeDigestInfo)
	good := verdict(t, tx, nil)
	for name, c := range map[string]struct {
		body []byte
		want operator.Reason
	}{
		"a verdict":            {zipped(t, good), operator.ReasonUnknown},
		"64 MiB of one member": {zipped(t, `{"pad":"`, repeated{"a", 64 << 20}, `"}`), operator.ReasonResponse},
		"16 MiB of blanks":     {zipped(t, good, repeated{" ", 16 << 20}), operator.ReasonResponse},
		"an unknown code": {
			zipped(t, verdict(t, tx, map[string]any{"result_code": "POISON"})), operator.ReasonResponse,
		},
	} {
		client := fake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(c.body)
		}, nil)
		v, err := client.Verify(t.Context(), sealed(t), tx)
		if reasonOf(err) != c.want || (v == nil) != (err != nil) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

// repeated is a text of so many bytes.
type repeated struct {
	text  string
	bytes int
}

// zipped has each part in members of their own (RFC 1952, section 2.2): what repeats is compressed once, because the
// client's time runs.
func zipped(t *testing.T, parts ...any) []byte {
	t.Helper()
	const block = 1 << 20
	var out bytes.Buffer
	for _, part := range parts {
		text, times := "", 1
		switch p := part.(type) {
		case string:
			text = p
		case repeated:
			text, times = strings.Repeat(p.text, block/len(p.text)), p.bytes/block
		}
		var member bytes.Buffer
		z := gzip.NewWriter(&member)
		_, err := io.WriteString(z, text)
		if err = errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		out.Write(bytes.Repeat(member.Bytes(), times))
	}
	return out.Bytes()
}

// TestHostileAnswers: what contradicts itself, or is of another type than it says, is no verdict.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	tx := transaction(sign.ModeDigestInfo)
	good := verdict(t, tx, nil)
	other := transaction(sign.ModeDigestInfo)
	other.ID = "00000000-0000-0000-0000-00000000000a"
	set := func(name string, value any) string { return verdict(t, tx, map[string]any{name: value}) }
	before := func(member string) string { return "{" + member + good[1:] }
	const another = operator.ReasonOtherVerdict
	for name, c := range map[string]struct {
		status int
		body   string
		reason operator.Reason // otherwise ReasonResponse
	}{
		"another transaction's verdict":  {body: verdict(t, other, nil), reason: another},
		"a replay of two days ago":       {body: set("verified_at", "2026-11-19T02:00:00Z"), reason: another},
		"six minutes ahead":              {body: set("verified_at", "2026-11-21T03:06:00Z"), reason: another},
		"a code and an error":            {body: set("error", "ERROR_SIGNATURE_REUSED")},
		"a code and an error of no text": {body: set("error", map[string]any{"code": 1})},
		"accepted, not yet done":         {status: 202, body: good},
		"no content":                     {status: 204, body: ""},
		"partial content":                {status: 206, body: good},
		"user id a number":               {body: set("user_id", 7)},
		"user id a list":                 {body: set("user_id", []string{"user-1"})},
		"user id with a line break":      {body: set("user_id", "a\nb")},
		"user id, endless":               {body: set("user_id", strings.Repeat("a", 500))},
		"method a number":                {body: set("check_method", 1)},
		"method in lower case":           {body: set("check_method", "ocsp")},
		"source a number":                {body: set("source_updated_at", 1790000000)},
		"source without a zone":          {body: set("source_updated_at", "2026-11-21T02:45:00")},
		"time a number":                  {body: set("verified_at", 1790000000)},
		"year zero":                      {body: set("verified_at", "0000-01-01T00:00:00Z"), reason: another},
		"verification id, endless":       {body: set("verification_id", strings.Repeat("v", 500))},
		"verification id with markup":    {body: set("verification_id", "<script>\x00")},
		"digest in hexadecimal":          {body: set("digest", strings.Repeat("00", 32)), reason: another},
		"digest a list":                  {body: set("digest", []string{"x"}), reason: another},
		"code with a blank":              {body: set("result_code", "RESULT_OK ")},
		"code with a zero":               {body: set("result_code", "RESULT_OK\x00")},
		"code that is a list":            {body: set("result_code", []string{"RESULT_OK"})},
		"a code of consents": {body: set("result_code", "ERROR_NO_CONSENT"),
			reason: operator.ReasonConsent},
		"a name twice, once escaped": {body: before(`"result\u005fcode":"RESULT_OK",`)},
		"a name twice, in capitals":  {body: before(`"RESULT_CODE":"RESULT_SIGNATURE_MISMATCH",`)},
		"a name twice, deep inside":  {body: before(`"x":{"a":1,"a":2},`)},
		"two objects":                {body: good + good},
		"in a list":                  {body: "[" + good + "]"},
		"cut":                        {body: good[:len(good)-1]},
		"not UTF-8":                  {body: strings.Replace(good, "v-1", "\xff", 1)},
		"nested without end":         {body: strings.Repeat(`{"a":`, 5000)},
		"a verdict's code as an error": {status: 400, body: `{"error":"RESULT_CERTIFICATE_REVOKED"}`,
			reason: operator.ReasonRequest},
		"verdict behind a proxy's page": {status: 502, body: "<html>" + good, reason: operator.ReasonTransport},
		"a redirect with a verdict":     {status: 308, body: good},
	} {
		if c.reason == operator.ReasonUnknown {
			c.reason = operator.ReasonResponse
		}
		client := fake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(max(c.status, http.StatusOK))
			if c.status != http.StatusNoContent {
				_, _ = io.WriteString(w, c.body)
			}
		}, func(o *operator.Config) { o.IdentifyUser = true })
		v, err := client.Verify(t.Context(), sealed(t), tx)
		if v != nil || reasonOf(err) != c.reason || kakunin.FamilyOf(err) == kakunin.Unclassified {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if err != nil && (strings.Contains(err.Error(), "user-1") || strings.Contains(err.Error(), "script")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRevokedComesAlong: the operator judged, so its verdict comes with the error, for the evidence, and is not good.
func TestRevokedComesAlong(t *testing.T) {
	t.Parallel()
	tx := transaction(sign.ModeDigestInfo)
	for code, want := range map[string]struct {
		reason operator.Reason
		status jpki.Status
	}{
		"RESULT_CERTIFICATE_REVOKED": {operator.ReasonRevoked, jpki.Revoked},
		"RESULT_CERTIFICATE_EXPIRED": {operator.ReasonExpired, jpki.Expired},
	} {
		client := fake(t, says(200, verdict(t, tx, map[string]any{"result_code": code})), nil)
		v, err := client.Verify(t.Context(), sealed(t), tx)
		if reasonOf(err) != want.reason || v == nil || v.Status != want.status ||
			kakunin.FamilyOf(err) != kakunin.Account {
			t.Errorf("%s: %+v, %v", code, v, err)
		}
		// About another transaction it is no verdict at all.
		tx2 := transaction(sign.ModeDigestInfo)
		tx2.ID = "00000000-0000-0000-0000-00000000000b"
		if v, err := client.Verify(
			t.Context(),
			sealed(t),
			tx2,
		); v != nil ||
			reasonOf(err) != operator.ReasonOtherVerdict {
			t.Errorf("%s of another transaction: %+v, %v", code, v, err)
		}
	}
}

// TestOperatorsTLS: an operator whose certificate nobody vouches for, or that speaks an old TLS, gets no request.
func TestOperatorsTLS(t *testing.T) {
	t.Parallel()
	var asked sync.Map
	for name, config := range map[string]*tls.Config{
		"unknown authority": {MinVersion: tls.VersionTLS12},
		"old protocol":      {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
	} {
		srv := httptest.NewUnstartedServer(
			http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(name, true) }),
		)
		srv.TLS = config
		srv.Config.ErrorLog = nil
		srv.StartTLS()
		t.Cleanup(srv.Close)
		c := operator.Config{URL: srv.URL, Now: clock, Authorize: func(*http.Request) error { return nil }}
		if name == "old protocol" {
			c.HTTPClient = srv.Client() // it trusts the certificate
		}
		client, err := operator.New(c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Verify(t.Context(), sealed(t), transaction(sign.ModeDigestInfo))
		if _, was := asked.Load(name); was || reasonOf(err) != operator.ReasonTransport ||
			kakunin.FamilyOf(err) != kakunin.Unavailable || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: asked %v, %v", name, was, err)
		}
	}
}

// TestAnswersThatBreakOff: half an answer is none, and an answer that never ends ends with the caller's context.
func TestAnswersThatBreakOff(t *testing.T) {
	t.Parallel()
	tx := transaction(sign.ModeDigestInfo)
	good := verdict(t, tx, nil)
	half := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100000")
		_, _ = io.WriteString(w, good)
	}, nil)
	if v, err := half.Verify(t.Context(), sealed(t), tx); v != nil || reasonOf(err) != operator.ReasonTransport {
		t.Errorf("half an answer: %+v, %v", v, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	slow := fake(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, good[:10])
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	}, nil)
	v, err := slow.Verify(ctx, sealed(t), tx)
	if v != nil || reasonOf(err) != operator.ReasonTransport || !errors.Is(err, context.Canceled) {
		t.Errorf("an answer without end: %+v, %v", v, err)
	}
	// A deadline of the HTTP client is the operator's slowness, and it is not asked again at once.
	asked := make(chan struct{}, 4)
	late := fake(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		_, _ = io.Copy(io.Discard, r.Body) // the server sees a closed connection only when the body was read
		<-r.Context().Done()
	}, func(c *operator.Config) {
		limited := *c.HTTPClient
		limited.Timeout = 50 * time.Millisecond
		c.HTTPClient = &limited
	})
	if v, err := late.Verify(t.Context(), sealed(t), tx); v != nil || reasonOf(err) != operator.ReasonTransport ||
		len(asked) > 1 {
		t.Errorf("a slow operator: %+v, asked %d times, %v", v, len(asked), err)
	}
}

// TestStatesOfAnotherType: a time that cannot be read is not the absence of one: a consent that was withdrawn must not
// look as if it was not.
func TestStatesOfAnotherType(t *testing.T) {
	t.Parallel()
	const state = `{"consent_state":"active","received_at":"2026-11-20T03:00:00Z","withdrawn_at":%}`
	for value, ok := range map[string]bool{
		"null": true, `""`: true, `"2026-11-20T04:00:00Z"`: true, "1790000000": false, "true": false,
		`["2026-11-20T04:00:00Z"]`: false, "{}": false,
	} {
		s, err := attributes(t, says(200, strings.Replace(state, "%", value, 1)), nil).Status(t.Context(), "c")
		if (err == nil) != ok || (reasonOf(err) == operator.ReasonResponse) == ok {
			t.Errorf("%s: %+v, %v", value, s, err)
		}
	}
	for _, field := range []string{"birthdate", "gender"} {
		for value, ok := range map[string]bool{"null": true, "7": false, "[]": false} {
			var m map[string]json.RawMessage
			if err := json.Unmarshal([]byte(changed), &m); err != nil {
				t.Fatal(err)
			}
			m[field] = json.RawMessage(value)
			body, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			l, err := attributes(t, says(200, string(body)), nil).Ask(t.Context(), "consent-1", "k1")
			if (err == nil) != ok || l.Person.Name.Present() != ok {
				t.Errorf("%s %s: %v", field, value, err)
			}
		}
	}
}
