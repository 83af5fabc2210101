package daa_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

// fapi2Module is a module of the OpenID Foundation's plan for authorization servers under the FAPI 2.0 Security
// Profile.
type fapi2Module struct {
	name   string
	check  string // what the test shows
	reason string // instead: why the module cannot apply
	run    func(w *fapi2World)
}

const fapi2Plan = "fapi2-security-profile-final-test-plan"

// Reasons why modules cannot apply.
const (
	noPAR            = "the service has no endpoint for pushed authorization requests (PAR)"
	noProof          = "the service issues bearer tokens, without DPoP or TLS client certificates"
	noRequestObjects = "the service takes no request objects; that it refuses them is a row of the second table"
)

// fapi2Modules are the modules of the plan in its order, without the prefix of their names. Those that the suite runs
// only for the ecosystems of certain countries, or with grant management, are not in the list.
func fapi2Modules() []fapi2Module {
	applies := func(name, check string, run func(*fapi2World)) fapi2Module {
		return fapi2Module{name: name, check: check, run: run}
	}
	not := func(name, reason string) fapi2Module { return fapi2Module{name: name, reason: reason} }
	return []fapi2Module{
		applies("discovery-end-point-verification",
			"metadata: code only, S256 only, private_key_jwt only, PS256 and ES256, iss in the answer", fapi2Discovery),
		applies("happy-flow", "both clients log in; each gets a subject of its own", fapi2HappyFlow),
		not("ensure-authorization-request-without-state-success", "the published reference requires state"),
		not("ensure-authorization-request-without-nonce-success", "the published reference requires nonce"),
		applies("ensure-other-scope-order-succeeds", "openid at the end of scope", fapi2ScopeOrder),
		applies("access-token-type-header-case-sensitivity", "userinfo takes bearer and BEARER", fapi2TokenTypeCase),
		applies("ensure-client-id-in-token-endpoint", "the id of client 2 with the assertion of client 1",
			fapi2ClientID),
		not("ensure-holder-of-key-required", noProof),
		applies("ensure-authorization-code-is-bound-to-client", "the code of client 1 by client 2", fapi2CodeOfAnother),
		applies("attempt-reuse-authorization-code-after-one-second",
			"invalid_grant, and the access token of the first use is revoked", fapi2CodeTwice),
		applies("ensure-client-assertion-in-token-endpoint", "no assertion, or half of one", fapi2NoAssertion),
		applies("ensure-invalid-client-assertions-fail",
			"every claim absent, of another, or of a wrong type; alg none and HS256; used twice", fapi2BadAssertions),
		not("ensure-mismatched-dpop-jkt-fails", noProof),
		applies("refresh-token",
			"refreshes with the client's assertion only, for its own tokens only, each token once", fapi2Refresh),
		applies("par-ensure-pkce-required", "at the authorization endpoint", fapi2NoChallenge),
		not("par-without-duplicate-parameters", noPAR),
		not("ensure-different-nonce-inside-and-outside-request-object", noRequestObjects),
		not("ensure-different-state-inside-and-outside-request-object", noRequestObjects),
		not("state-only-outside-request-object-not-used", noRequestObjects),
		applies("ensure-request-object-without-redirect-uri-fails", "a page, and no redirect", fapi2NoRedirect),
		not("par-ensure-reused-request-uri-prior-to-auth-completion-succeeds", noPAR),
		not("par-attempt-reuse-request_uri", noPAR),
		not("par-attempt-to-use-expired-request_uri", noPAR),
		not("par-attempt-to-use-request_uri-for-different-client", noPAR),
		not("par-authorization-request-containing-request_uri-form-param", noPAR),
		not("par-attempt-invalid-http-method", noPAR),
		applies("ensure-pkce-code-verifier-required", "invalid_grant", fapi2NoVerifier),
		applies("incorrect-pkce-code-verifier-rejected", "invalid_grant", fapi2WrongVerifier),
		applies("par-plain-pkce-rejected", "at the authorization endpoint", fapi2PlainPKCE),
		applies("user-rejects-authentication", "access_denied with state and iss, for both clients", fapi2Cancel),
		applies("ensure-authorization-request-with-64-char-nonce-success", "it is in the ID token", fapi2Nonce),
		not("test-claims-parameter-identity-claims", "the service has no claims parameter, and its metadata says so"),
		not("check-dpop-proof-nbf-exp", noProof),
		not("ensure-dpopproof-with-iat-10seconds-before-succeeds", noProof),
		not("ensure-dpopproof-with-iat-10seconds-after-succeeds", noProof),
		not("ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt", noProof),
		not("ensure-token-endpoint-fails-with-mismatched-dpop-jkt", noProof),
		not("ensure-dpopproof-at-par-endpoint-binding-success", noProof),
		not("ensure-dpop-auth-code-binding-success", noProof),
		applies("ensure-authorization-request-with-long-nonce",
			"384 characters are refused: the published reference allows 255", fapi2LongNonce),
		applies("ensure-authorization-request-with-long-state",
			"1000 characters are refused, and not sent back", fapi2LongState),
		applies("ensure-registered-redirect-uri", "a page, and no redirect", fapi2OtherRedirect),
		applies("plain-fapi-tolerate-unregistered-redirect-uri", "not tolerated: the same page", fapi2OtherRedirect),
		not("ensure-unsigned-authorization-request-without-using-par-fails",
			"the service's own authorization requests are unsigned, in the query"),
		applies("ensure-redirect-uri-in-authorization-request", "a page, and no redirect", fapi2NoRedirect),
		applies("ensure-response-type-code-idtoken-fails", "unsupported_response_type", fapi2Hybrid),
		applies("ensure-response-type-token-fails", "unsupported_response_type", fapi2Implicit),
		applies("ensure-token-endpoint-fails-with-expired-auth-code", "after 62 seconds", fapi2LateCode),
		applies("ensure-signed-client-assertion-with-RS256-fails",
			"also of a client that is registered with RS256", fapi2RS256),
		applies("ensure-client-assertion-with-exp-is-5-minutes-in-past-fails", "invalid_client", fapi2OldAssertion),
		applies("ensure-client-assertion-with-wrong-aud-fails",
			"another host, the token endpoint, an array", fapi2WrongAudience),
		applies("ensure-client-assertion-with-no-sub-fails", "invalid_client", fapi2NoSubject),
		not("dpop-negative-tests", noProof),
	}
}

// fapi2Besides are checks that no module of the plan makes.
func fapi2Besides() []fapi2Module {
	return []fapi2Module{
		{name: "response-mode", check: "fragment, form_post, jwt and query.jwt are refused", run: fapi2ResponseMode},
		{name: "request-object", check: "request and request_uri are refused by their own codes",
			run: fapi2RequestObject},
		{name: "issuer-in-response", check: "iss in success and error answers (RFC 9207)", run: fapi2Issuer},
		{name: "code-bound-to-redirect-uri", check: "another redirect_uri of the same client", run: fapi2CodeElsewhere},
		{name: "client-secret", check: "client_secret_basic and client_secret_post are refused", run: fapi2Secret},
		{name: "token-in-query", check: "userinfo takes no access token in the address", run: fapi2TokenInQuery},
	}
}

func TestFAPI2(t *testing.T) {
	for _, m := range append(fapi2Modules(), fapi2Besides()...) {
		if m.run == nil {
			continue
		}
		t.Run(m.name, func(t *testing.T) { m.run(newFAPI2World(t)) })
	}
}

//go:generate go test -run ^TestFAPI2Document$ -update .

// TestFAPI2Document: the document says what the tests check, no more and no less.
func TestFAPI2Document(t *testing.T) {
	golden.File(t, "../../docs/service-conformance.md", fapi2Document())
}

func fapi2Document() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	var applies, not []fapi2Module
	for _, m := range fapi2Modules() {
		if m.run != nil {
			applies = append(applies, m)
		} else {
			not = append(not, m)
		}
	}
	line("# Conformance of the simulated service")
	line("")
	line("Generated from the tests of package cardsim/daa (`go test ./cardsim/daa -run TestFAPI2Document -update`); a")
	line("test fails when it is stale. It records what this project's own tests show. The OpenID Foundation's suite " +
		"was not")
	line("run against the simulated service: its plan for FAPI 2.0 begins with a pushed authorization request, which")
	line("the service does not have.")
	line("")
	line("Each row of the first table is a subtest of `TestFAPI2` with the name of a module of the plan")
	line("`%s`, in the plan's order. The service runs with the assertion profile", fapi2Plan)
	line("`strict-fapi2`, refresh tokens that rotate, and `iss` in its answers. The suite's modules for the " +
		"ecosystems of")
	line("certain countries and for grant management are left out.")
	line("")
	line("## Modules that apply")
	line("")
	line("| Module (%d) | What the test shows |", len(applies))
	line("| --- | --- |")
	for _, m := range applies {
		line("| `fapi2-security-profile-final-%s` | %s |", m.name, m.check)
	}
	line("")
	line("## Checks beside the plan")
	line("")
	line("| Subtest of `TestFAPI2` | What the test shows |")
	line("| --- | --- |")
	for _, m := range fapi2Besides() {
		line("| `%s` | %s |", m.name, m.check)
	}
	line("")
	line("## Modules that cannot apply")
	line("")
	line("| Module (%d) | Why |", len(not))
	line("| --- | --- |")
	for _, m := range not {
		line("| `fapi2-security-profile-final-%s` | %s |", m.name, m.reason)
	}
	return b.String()
}

// Every module either is tested or says why not, and none is named twice.
func TestFAPI2ModulesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range append(fapi2Modules(), fapi2Besides()...) {
		if seen[m.name] || m.name == "" || (m.run == nil) != (m.check == "") || (m.run == nil) != (m.reason != "") {
			t.Errorf("%+v", m)
		}
		seen[m.name] = true
	}
}
