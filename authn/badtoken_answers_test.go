package authn

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// badAnswer is something that the token endpoint does and that a common library takes for an answer, or answers by sending
// code and assertion once more.
type badAnswer struct {
	name string
	want string
	does func(elsewhere *testOP) http.HandlerFunc
}

// The provider also checks that no assertion is used twice, and that there is exactly one request.
func TestBadAnswers(t *testing.T) {
	for _, b := range badAnswers() {
		t.Run(b.name, func(t *testing.T) {
			op, elsewhere := newOP(t), newOP(t)
			op.token = b.does(elsewhere)
			err := op.complete(t, op.client())
			if got := verdict(err); got != b.want {
				t.Errorf("%s, want %s", got, b.want)
			}
			if op.tokenHits.Load() != 1 || elsewhere.tokenHits.Load() != 0 || op.infoHits.Load() != 0 {
				t.Errorf("%d requests here and %d elsewhere", op.tokenHits.Load(), elsewhere.tokenHits.Load())
			}
			var retrieve *oauth2.RetrieveError
			if errors.As(err, &retrieve) || strings.Contains(err.Error(), "secret detail") {
				t.Errorf("the answer is in the error: %v", err)
			}
		})
	}
}

func badAnswers() []badAnswer {
	fixed := func(status int, contentType, body string) func(*testOP) http.HandlerFunc {
		return func(*testOP) http.HandlerFunc { return reply(status, contentType, body) }
	}
	elsewhere := func(status int) func(*testOP) http.HandlerFunc {
		return func(op *testOP) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, op.env.TokenEndpoint, status) }
		}
	}
	const form = "application/x-www-form-urlencoded"
	return []badAnswer{
		{"status 401", "rejects (request refused: token endpoint)", fixed(401, jsonType, `{"error":"invalid_client","error_description":"secret detail"}`)},
		{"status 400 that tells the wrong client authentication", "rejects (provider error: status)", fixed(400, "text/plain", "secret detail")},
		{"redirect 307 to another host", "rejects (token response: redirect)", elsewhere(http.StatusTemporaryRedirect)},
		{"redirect 302 to another host", "rejects (token response: redirect)", elsewhere(http.StatusFound)},
		{"no token_type", "rejects (token response: token_type)", fixed(200, jsonType, `{"access_token":"secret detail","id_token":"x"}`)},
		{"token_type mac", "rejects (token response: token_type)", fixed(200, jsonType, `{"access_token":"a","token_type":"mac","id_token":"x"}`)},
		{"negative expires_in", "rejects (token response: expires_in)", fixed(200, jsonType, `{`+goodAnswer+`,"expires_in":-1}`)},
		{"form-encoded answer", "rejects (token response: content-type)", fixed(200, form, "access_token=a&token_type=Bearer&id_token=x")},
		{"form-encoded answer as text/plain", "rejects (token response: content-type)", fixed(200, "text/plain", "access_token=a&token_type=Bearer&id_token=x")},
		{"access_token twice", "rejects (token response: form)", fixed(200, jsonType, `{`+goodAnswer+`,"access_token":"b"}`)},
		{"error with status 200", "rejects (request refused: token endpoint)", fixed(200, jsonType, `{`+goodAnswer+`,"error":"invalid_client"}`)},
	}
}
