package authn

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/internal/webcall"
)

// Environment is a set of endpoints; every URL can be overridden one by one.
type Environment struct {
	// Issuer is compared exactly with what tokens and metadata say; there is no trailing slash.
	Issuer                string
	AuthorizationEndpoint string
	TokenEndpoint         string
	UserinfoEndpoint      string
	JWKSEndpoint          string
	// SignEndpoint is the URL of the sign API, {host}/api/sign-transactions; empty if it is not used.
	SignEndpoint string
	// IssuerInCallback demands the parameter iss in every callback (RFC 9207, section 2.4: a client "MUST reject
	// authorization responses without the iss parameter" of servers that are known to send it). [Discover] takes it
	// from the metadata; [Sandbox] and [Production] leave it off, because the service is not known to send it. An iss
	// that is present is always compared.
	IssuerInCallback bool
}

// Paths of the service below its host (published reference).
const (
	realmPath    = "/api/realms/main"
	protocolPath = realmPath + "/protocol/openid-connect"
	signPath     = "/api/sign-transactions"
)

// Production returns the production endpoints.
func Production() Environment { return Custom("https://auth-and-sign.go.jp") }

// Sandbox returns the endpoints of the test environment.
func Sandbox() Environment { return Custom("https://sb-auth-and-sign.go.jp") }

// Custom returns the documented paths under another base URL (scheme and host), e.g. the simulated service. [New]
// checks the result.
func Custom(baseURL string) Environment {
	base := strings.TrimRight(baseURL, "/")
	return Environment{
		Issuer:                base + realmPath,
		AuthorizationEndpoint: base + protocolPath + "/auth",
		TokenEndpoint:         base + protocolPath + "/token",
		UserinfoEndpoint:      base + protocolPath + "/userinfo",
		JWKSEndpoint:          base + protocolPath + "/certs",
		SignEndpoint:          base + signPath,
	}
}

// Discover reads the provider metadata (OpenID Connect Discovery 1.0, section 4); the issuer in it must be exactly
// equal. The sign endpoint is derived from the issuer's host. A nil client means one with this package's defaults; a
// given one is hardened in the same way as [Config.HTTPClient].
//
// The service does not document discovery; [Sandbox] and [Production] need no request. Errors have ReasonConfiguration
// if the metadata are wrong, and ReasonTransport if none could be had, an answer that is no JSON object included.
func Discover(ctx context.Context, client *http.Client, issuer string) (Environment, error) {
	h, mistakes := hardened(client)
	if err := misconfigured("discovery", slices.Concat(checkURL("issuer", issuer, false), mistakes)...); err != nil {
		return Environment{}, err
	}
	// "removing any terminating / ... before appending" (OpenID Connect Discovery 1.0, section 4).
	target := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	answer, err := webcall.Get(ctx, h, webcall.Query{URL: target, Limit: limits.Discovery, Accept: "application/json"})
	if err != nil {
		return Environment{}, transportError(err)
	}
	if answer.Status != http.StatusOK {
		return Environment{}, &Error{Reason: ReasonTransport, Step: "discovery status", Status: answer.Status}
	}
	return readMetadata(answer.Body, issuer)
}

func readMetadata(body []byte, issuer string) (Environment, error) {
	m, err := strictjson.Members(body)
	if err != nil {
		reason := ReasonConfiguration
		// no metadata at all, but the page of something in between or half an answer
		if errors.Is(err, strictjson.ErrSyntax) {
			reason = ReasonTransport
		}
		return Environment{}, &Error{Reason: reason, Step: "discovery document", Err: err}
	}
	text := func(name string) string { s, _ := strictjson.String(m[name]); return s }
	// OpenID Connect Discovery 1.0, section 4.3: "The issuer value returned MUST be identical to the Issuer URL that
	// was used as the prefix to /.well-known/openid-configuration".
	if text("issuer") != issuer {
		return Environment{}, &Error{Reason: ReasonConfiguration, Step: "discovery issuer"}
	}
	// Optional lists that are there must contain what this package does; otherwise every login would fail later.
	for name, want := range map[string]string{ //nolint:gosec // names of members, no credentials
		"response_types_supported":              "code",
		"code_challenge_methods_supported":      "S256",
		"token_endpoint_auth_methods_supported": "private_key_jwt",
	} {
		if list := supported(m[name]); list != nil && !slices.Contains(list, want) {
			return Environment{}, &Error{Reason: ReasonConfiguration, Step: "discovery " + name}
		}
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return Environment{}, &Error{Reason: ReasonConfiguration, Step: "discovery issuer"}
	}
	e := Environment{
		Issuer:                issuer,
		AuthorizationEndpoint: text("authorization_endpoint"),
		TokenEndpoint:         text("token_endpoint"),
		UserinfoEndpoint:      text("userinfo_endpoint"),
		JWKSEndpoint:          text("jwks_uri"),
		SignEndpoint:          u.Scheme + "://" + u.Host + signPath,
		// RFC 9207, section 3; "If omitted, the default value is false."
		IssuerInCallback: string(m["authorization_response_iss_parameter_supported"]) == "true",
	}
	list := e.mistakes()
	// Plain http is for a whole service on this machine. A remote one must not point the client, and the assertions
	// that it sends, at whatever else listens here.
	for _, endpoint := range []string{e.AuthorizationEndpoint, e.TokenEndpoint, e.UserinfoEndpoint, e.JWKSEndpoint} {
		if u.Scheme == "https" && !strings.HasPrefix(strings.ToLower(endpoint), "https:") {
			list = append(list, "an endpoint must use https, as the issuer does")
		}
	}
	if err := misconfigured("discovery", list...); err != nil {
		return Environment{}, err
	}
	return e, nil
}

// supported reads a list of the metadata; nil says nothing. Of elements that are no strings, and of a value that is no
// list, nobody knows what they mean: they forbid nothing. A single string stands for its words.
func supported(raw json.RawMessage) []string {
	if one, ok := strictjson.String(raw); ok {
		return strings.Fields(one)
	}
	var elements []any
	if json.Unmarshal(raw, &elements) != nil || elements == nil {
		return nil
	}
	list := []string{}
	for _, e := range elements {
		if s, ok := e.(string); ok {
			list = append(list, s)
		}
	}
	if len(list) == 0 && len(elements) > 0 {
		return nil
	}
	return list
}

// mistakes names what is wrong with the endpoints.
func (e Environment) mistakes() []string {
	var list []string
	for _, f := range [...]struct{ name, value string }{
		{"Issuer", e.Issuer},
		{"AuthorizationEndpoint", e.AuthorizationEndpoint},
		{"TokenEndpoint", e.TokenEndpoint},
		{"UserinfoEndpoint", e.UserinfoEndpoint},
		{"JWKSEndpoint", e.JWKSEndpoint},
	} {
		list = append(list, checkURL(f.name, f.value, false)...)
	}
	if e.SignEndpoint != "" {
		list = append(list, checkURL("SignEndpoint", e.SignEndpoint, false)...)
	}
	return list
}

// checkURL wants an absolute https URL; plain http only to this machine, where there is no network to listen on. The
// mistake names the field, never the value. Where a browser is sent (the redirect URL) there may be a query (RFC 6749,
// section 3.1.2), and names below localhost, which browsers look for on this machine (RFC 6761, section 6.3).
func checkURL(name, value string, browser bool) (mistake []string) {
	if value == "" {
		return []string{name + " is missing"}
	}
	u, err := url.Parse(value)
	switch {
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }): // RFC 3986, section 2
		return []string{name + " has characters that a URL cannot have"}
	case err != nil || u.Host == "" || u.Opaque != "":
		return []string{name + " is not an absolute URL"}
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname()) &&
		(!browser || !strings.HasSuffix(u.Hostname(), ".localhost"))):
		return []string{name + " must use https (http is for loopback addresses only)"}
	case u.User != nil:
		return []string{name + " must not contain credentials"}
	case u.Fragment != "" || strings.Contains(value, "#"):
		return []string{name + " must not contain a fragment"}
	case !browser && (u.RawQuery != "" || u.ForceQuery):
		return []string{name + " must not contain a query"}
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
