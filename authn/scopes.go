package authn

import (
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/authn/wire"
)

// Scopes is a set of scopes; openid is always sent. Ask for what the service needs and no more: the person sees the
// list on the consent page.
type Scopes uint16

// Scopes.
const (
	// Name asks for 氏名.
	Name Scopes = 1 << iota
	// Address asks for 住所.
	Address
	// Birthdate asks for 生年月日.
	Birthdate
	// Gender asks for 性別.
	Gender
	// SignScope asks for a signature; setting Request.Sign adds it, and it is refused without.
	SignScope
	// UserCertificate sends wire.Profile.ScopeUserCertificate, whose meaning the service has not published.
	UserCertificate
	// IndividualNumber sends wire.Profile.ScopeIndividualNumber (個人番号), off while that is empty. The law limits who
	// may ask for it and for what.
	IndividualNumber
	// Attributes asks for the four attributes (基本4情報).
	Attributes = Name | Address | Birthdate | Gender
)

const (
	openIDScope = "openid"
	signScope   = "sign"
	// maxScopes bounds Request.ExtraScopes; the service knows fewer than ten.
	maxScopes = 32
)

// names lists the scope values in the order of the service's documentation; problem names a scope that has no value.
func (s Scopes) names(w *wire.Profile) (list []string, problem string) {
	list = append(list, openIDScope)
	for _, f := range [...]struct {
		bit  Scopes
		name string
	}{
		{Name, "name"},
		{Address, "address"},
		{Birthdate, "birthdate"},
		{Gender, "gender"},
		{UserCertificate, w.ScopeUserCertificate},
		{IndividualNumber, w.ScopeIndividualNumber},
		{SignScope, signScope},
	} {
		if s&f.bit == 0 {
			continue
		}
		if !isScopeToken(f.name) {
			return nil, "a scope without a name in the wire profile"
		}
		list = append(list, f.name)
	}
	return list, ""
}

// isScopeToken: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) (RFC 6749, section 3.3).
func isScopeToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x21 || r > 0x7e || r == '"' || r == '\\'
	})
}

// scopeList joins the typed and the extra scopes.
func (r Request) scopeList(w *wire.Profile, p Profile) (list []string, problem string) {
	want := r.Scopes
	if r.Sign != nil {
		want |= SignScope
	} else if want&SignScope != 0 || slices.Contains(r.ExtraScopes, signScope) {
		return nil, "the sign scope needs Request.Sign"
	}
	list, problem = want.names(w)
	if problem != "" {
		return nil, problem
	}
	if len(r.ExtraScopes) > maxScopes {
		return nil, "too many extra scopes"
	}
	for _, s := range r.ExtraScopes {
		if !isScopeToken(s) {
			return nil, "an extra scope has characters that a scope cannot have"
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	reserved := func(s string) bool { return slices.Contains(w.GovernmentScopes, s) }
	if p != Government && slices.ContainsFunc(list, reserved) {
		return nil, "a scope is for the government profile only"
	}
	return list, ""
}

// needUserinfo: without a scope that yields claims, userinfo would only repeat the subject.
func needUserinfo(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return s != openIDScope && s != signScope })
}

// Profile says under which of the service's two published references an application is registered.
type Profile int

// The profiles. What is known of the two references is alike for logins: the same endpoints, parameters and scopes.
// They differ in the sign API and in what the operator does:
//
//   - A private relying party gets the result of a signature sealed to its platform operator (PF事業者), and the service
//     does not check whether the signing certificate was revoked.
//   - A government relying party gets the result itself, and the service checks revocation.
//
// Which scopes only one of them may ask for is not published: wire.Profile.GovernmentScopes.
const (
	// PrivateSector is a private business (民間事業者), the default.
	PrivateSector Profile = iota
	// Government is an administrative body (行政機関).
	Government
)

var profileNames = [...]string{PrivateSector: "private sector", Government: "government"}

// String returns a stable lower-case name for logs and metrics.
func (p Profile) String() string {
	if p < 0 || int(p) >= len(profileNames) {
		return "unknown"
	}
	return profileNames[p]
}

// authorizationParameters are the names that the authorization request needs for itself.
func authorizationParameters() []string {
	return []string{
		"response_type",
		"client_id",
		"redirect_uri",
		"scope",
		"state",
		"nonce",
		"code_challenge",
		"code_challenge_method",
		"acr_values",
	}
}

// mistakes lists entries without which requests of this package cannot be made or read.
func wireMistakes(w *wire.Profile) []string {
	var list []string
	for _, f := range [...]struct{ name, value string }{
		{"ClaimName", w.ClaimName}, {"ClaimAddress", w.ClaimAddress}, {"ClaimBirthdate", w.ClaimBirthdate},
		{"ClaimGender", w.ClaimGender}, {"Sign.AuthorizationIDParam", w.Sign.AuthorizationIDParam},
	} {
		if f.value == "" {
			list = append(list, "Wire."+f.name+" is missing")
		}
	}
	for _, f := range [...]struct{ name, value string }{
		{"ScopeUserCertificate", w.ScopeUserCertificate}, {"ScopeIndividualNumber", w.ScopeIndividualNumber},
	} {
		if f.value != "" && !isScopeToken(f.value) {
			list = append(list, "Wire."+f.name+" has characters that a scope cannot have")
		}
	}
	if slices.Contains(authorizationParameters(), w.Sign.AuthorizationIDParam) {
		list = append(list, "Wire.Sign.AuthorizationIDParam is the name of another parameter")
	}
	odd := func(s string) bool { return !isScopeToken(s) }
	if w.ServiceTokenScope != "" && slices.ContainsFunc(strings.Split(w.ServiceTokenScope, " "), odd) {
		list = append(list, "Wire.ServiceTokenScope is not a list of scopes separated by single spaces")
	}
	return list
}
