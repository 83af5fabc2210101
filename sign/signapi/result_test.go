package signapi

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
)

func testTransaction() *sign.Transaction {
	return &sign.Transaction{ID: testID, Mode: sign.ModeBareHash}
}

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
		{"plain, and null for what there is not", `{"box":null,"why":null,` + plain[1:], false, ReasonUnknown},
		{"a JWE, and null for what there is not", `{"box":"` + testJWE + `","sig":null,"cert":null,"why":""}`, true,
			ReasonUnknown},
		{"all null", `{"box":null,"sig":null,"cert":null}`, false, ReasonResponse},
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
		{"signature too long", fmt.Sprintf(`{"sig":%q,"cert":%q}`, b64(make([]byte, limits.SignatureValue+1)),
			b64(cert)), false, ReasonResponse},
		{"certificate too long", fmt.Sprintf(`{"sig":%q,"cert":%q}`, b64(sig), b64(make([]byte, limits.Certificate+1))),
			false, ReasonResponse},
	} {
		client := clientFor(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != "/api/sign-transactions/"+testID+"/outcome" ||
				r.Header.Get("Authorization") != "Bearer user-token" {
				t.Errorf("%s %s %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
			}
			answer(298, c.body)(w, r)
		})
		res, err := client.fetch(t.Context(), testTransaction(), "user-token")
		if reasonOf(err) != c.want || (err == nil) != (res != nil) {
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
		if !c.sealed && (!bytes.Equal(res.Opened.RevealSignature(), sig) ||
			!bytes.Equal(res.Opened.RevealCertificate(), cert)) {
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
		{408, ``, ReasonBusy, kakunin.Unavailable},
		{425, ``, ReasonBusy, kakunin.Unavailable},
		{503, `{"why":"e-found"}`, ReasonNotFound, kakunin.User},
		{502, `bad gateway`, ReasonTransport, kakunin.Unavailable},
	} {
		res, err := clientFor(t, answer(c.status, c.body)).fetch(t.Context(), testTransaction(), "user-token")
		if res != nil || reasonOf(err) != c.want || kakunin.FamilyOf(err) != c.family ||
			!strings.Contains(err.Error(), strconv.Itoa(c.status)) {
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
		_, err := clientFor(t, answer(297, "", "Retry-After", header)).fetch(t.Context(), testTransaction(),
			"user-token")
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
		tx   *sign.Transaction
		id   *authn.Identity
		want Reason
	}{
		"another transaction": {testTransaction(), &authn.Identity{TransactionID: other}, ReasonOtherFlow},
		"plain login":         {testTransaction(), &authn.Identity{}, ReasonOtherFlow},
		"no login":            {testTransaction(), nil, ReasonRequest},
		"no transaction":      {nil, &authn.Identity{}, ReasonRequest},
		"empty transaction":   {&sign.Transaction{}, &authn.Identity{}, ReasonRequest},
		"hostile id": {&sign.Transaction{ID: "../x", Mode: sign.ModeBareHash},
			&authn.Identity{TransactionID: "../x"}, ReasonRequest},
		"no token": {testTransaction(), &authn.Identity{TransactionID: testID}, ReasonUserToken},
	} {
		if res, err := c.Fetch(t.Context(), f.tx, f.id); res != nil || reasonOf(err) != f.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
