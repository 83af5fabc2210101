package authn

import (
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/authn/wire"
)

// Scopes is a set of scopes; openid is always sent. Ask for what the service needs and no more: the person sees the list
// on the consent page.
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
	// IndividualNumber sends wire.Profile.ScopeIndividualNumber (個人番号), off while that is empty. The law limits who may
	// ask for it and for what.
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
	if p != Government && len(w.GovernmentScopes) > 0 && slices.ContainsFunc(list, func(s string) bool { return slices.Contains(w.GovernmentScopes, s) }) {
		return nil, "a scope is for the government profile only"
	}
	return list, ""
}

// needUserinfo: without a scope that yields claims, userinfo would only repeat the subject.
func needUserinfo(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return s != openIDScope && s != signScope })
}
