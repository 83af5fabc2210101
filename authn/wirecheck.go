package authn

import (
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/authn/wire"
)

// authorizationParameters are the names that the authorization request needs for itself.
func authorizationParameters() []string {
	return []string{"response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "acr_values"}
}

// mistakes lists entries without which requests of this package cannot be made or read.
func wireMistakes(w *wire.Profile) []error {
	var list []error
	for _, f := range [...]struct{ name, value string }{
		{"ClaimName", w.ClaimName}, {"ClaimAddress", w.ClaimAddress}, {"ClaimBirthdate", w.ClaimBirthdate},
		{"ClaimGender", w.ClaimGender}, {"Sign.AuthorizationIDParam", w.Sign.AuthorizationIDParam},
	} {
		if f.value == "" {
			list = append(list, mistake("Wire."+f.name+" is missing"))
		}
	}
	for _, f := range [...]struct{ name, value string }{
		{"ScopeUserCertificate", w.ScopeUserCertificate}, {"ScopeIndividualNumber", w.ScopeIndividualNumber},
	} {
		if f.value != "" && !isScopeToken(f.value) {
			list = append(list, mistake("Wire."+f.name+" has characters that a scope cannot have"))
		}
	}
	if slices.Contains(authorizationParameters(), w.Sign.AuthorizationIDParam) {
		list = append(list, mistake("Wire.Sign.AuthorizationIDParam is the name of another parameter"))
	}
	if w.ServiceTokenScope != "" && slices.ContainsFunc(strings.Split(w.ServiceTokenScope, " "), func(s string) bool { return !isScopeToken(s) }) {
		list = append(list, mistake("Wire.ServiceTokenScope is not a list of scopes separated by single spaces"))
	}
	return list
}
