package operator_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/sign"
)

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
		"hash_algorithm": "SHA-256", "digest": base64.StdEncoding.EncodeToString(tx.Digest[:]),
		"signature_mode": "digest-info",
		"transaction_id": tx.ID, "check_method": "OCSP", "identify_user": false,
	}
	if change != nil {
		change(m)
	}
	b, err := json.Marshal(m)
	w.must(err)
	return string(b)
}

// unusedBits spells base64 otherwise: with bits in its last character that stand for nothing.
func unusedBits(s string) string {
	at := strings.IndexByte(s, '=') - 1
	return s[:at] + string(s[at]+1) + s[at+1:]
}

// TestHandlerRefusesRequests: nothing but the one form of a request is read, and no answer echoes what was sent.
func TestHandlerRefusesRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	set := func(name string, value any) string { return requestBody(w, func(m map[string]any) { m[name] = value }) }
	without := func(name string) string { return requestBody(w, func(m map[string]any) { delete(m, name) }) }
	info := base64.StdEncoding.EncodeToString(transaction(sign.ModeDigestInfo).Padded())
	good := requestBody(w, nil)
	sum := transaction(sign.ModeDigestInfo).Digest
	digest := base64.StdEncoding.EncodeToString(sum[:])
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
		"digest in unused bits":    {body: strings.Replace(good, digest, unusedBits(digest), 1), status: 400},
		"digest of another type":   {body: set("digest", 7), status: 400},
		"another hash":             {body: set("hash_algorithm", "SHA-1"), status: 400},
		"no mode":                  {body: without("signature_mode"), status: 400},
		"unknown mode":             {body: set("signature_mode", "unknown"), status: 400},
		"no transaction":           {body: without("transaction_id"), status: 400},
		"hostile transaction":      {body: set("transaction_id", "a b"), status: 400},
		"identify_user as text":    {body: set("identify_user", "true"), status: 400},
		"unknown method":           {body: set("check_method", "POISON"), status: 400},
		"method a number":          {body: set("check_method", 1), status: 400},
		"method left out":          {body: without("check_method"), status: 200},
		"sealed a number":          {body: set("sign_certificate_jwe", 7), status: 400},
		"sealed null":              {body: set("sign_certificate_jwe", nil), status: 200},
		"signature a number":       {body: set("signature", 7), status: 400},
		"certificate a list":       {body: set("certificate", []string{"MA=="}), status: 400},
		"signature alone":          {body: without("certificate"), status: 400},
		"sealed and opened":        {body: set("sign_certificate_jwe", "a.b.c.d.e"), status: 400},
		"sealed that is no JWE": {body: requestBody(w, func(m map[string]any) {
			delete(m, "signature")
			delete(m, "certificate")
			m["sign_certificate_jwe"] = "POISON"
		}), status: 400},
		"too large":           {body: `{"digest":"` + strings.Repeat("A", 1<<20) + `"}`, status: 413},
		"GET":                 {method: http.MethodGet, status: 405},
		"without credentials": {key: "none", body: good, status: 401},
		"the other mode":      {body: set("signature_mode", "bare-hash"), status: 200},
		"a certificate that is poison": {body: set("certificate", base64.StdEncoding.EncodeToString([]byte("POISON"))),
			status: 200},
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
		if resp.StatusCode != c.status || bytes.Contains(answer, []byte("POISON")) ||
			resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, resp.StatusCode, answer)
		}
		if strings.Contains(
			string(answer),
			"RESULT_OK",
		) != slices.Contains(
			[]string{"good", "method left out", "sealed null"},
			name,
		) {
			t.Errorf("%s: %s", name, answer)
		}
	}
}
