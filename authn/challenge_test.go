package authn

import (
	"net/http"
	"strings"
	"testing"
)

// What a challenge says reaches the developer, in each way in which servers write one (RFC 9110, section 11.6.1).
func TestChallenges(t *testing.T) {
	for challenge, want := range map[string]string{
		`error_description="of no scheme"`:                                     `"of no scheme"`,
		`Bearer error_description=,x`:                                          "",
		`Bearer error="invalid_token", error_description="expired"`:            `"expired"`,
		`Bearer realm="x",error_description="say \"hello\" to \\ them"`:        `"say \"hello\" to \\ them"`,
		`Bearer error_description = "spaces"`:                                  `"spaces"`,
		`Bearer error=invalid_token, error_description=expired`:                `"expired"`,
		`Bearer Error_Description="capitals"`:                                  `"capitals"`,
		`Bearer error="invalid_token"`:                                         `"invalid_token"`,
		`Bearer x_error_description="another", error_description="ours"`:       `"ours"`,
		`Bearer error_description="of no end`:                                  "",
		`Bearer error_description="\`:                                          "",
		`Bearer realm="error_description=x", error_description="ours"`:         `"ours"`,
		`Bearer realm="a \", error_description=\"x", error_description="ours"`: `"ours"`,
		`Bearer realm="of no end, error_description=x`:                         "",
		`Bearer`: "",
		"DPoP algs=\"ES256\"\nBearer error_description=\"in the second challenge\"": `"in the second challenge"`,
	} {
		op := newOP(t)
		op.info = func(w http.ResponseWriter, _ *http.Request) {
			for line := range strings.SplitSeq(challenge, "\n") {
				w.Header().Add("WWW-Authenticate", line)
			}
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, err := op.login(op.client(), Request{Scopes: Attributes})
		if got := wantError(t, err, ReasonTokenRejected, "userinfo: status").Description(); got != want {
			t.Errorf("%s: %s, want %s", challenge, got, want)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	for _, s := range []string{`Bearer error="a", error_description="b\"c"`, "error_description", `error = x,`,
		"AA\x9c\x9c\x9c\x9c\x9c\x9c\x9c\x9cAerror", "\u0130\u0130\u0130 Error=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, challenge string) {
		if value, ok := challengeParameter(challenge, "error"); ok && len(value) > len(challenge) {
			t.Errorf("%q became %q", challenge, value)
		}
	})
}
