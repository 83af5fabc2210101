package daa

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kakunin-go/kakunin/cardsim/daa/internal/page"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// inspected is an exchange as the page shows it.
type inspected struct {
	Number      uint64
	Time        string
	Endpoint    Endpoint
	Line        string // method and path
	Client      string
	Status      int
	Code        string
	Description string // as the relying party got it, in English
	Says        string // the same in the page's language
	Clause      string
	Advice      string
	Warnings    []string
	Registered  []string
	Received    []detail
	Answered    []detail
}

// detail is a name and a value; one that is about a person is hidden until asked for.
type detail struct {
	Name, Value string
	Hidden      bool
}

// inspector shows what relying parties sent last, what they got, and what to change.
func (s *Service) inspector(w http.ResponseWriter, r *http.Request) {
	personal := r.URL.Query().Get("personal") == "show"
	f := newFrame(r, page.Inspector, nil, "")
	view := struct {
		frame
		Personal bool
		Toggle   string
		List     []inspected
	}{frame: f, Personal: personal}
	q := r.URL.Query()
	q.Set("personal", "show")
	if personal {
		q.Del("personal")
	}
	view.Toggle = "?" + q.Encode()
	for _, e := range s.exchanges.last() {
		view.List = append(view.List, e.inspect(personal, f))
	}
	s.render(w, http.StatusOK, f, view)
}

func (e *exchange) inspect(personal bool, f frame) inspected {
	i := inspected{
		Number:     e.number,
		Time:       e.at.Format("15:04:05"),
		Endpoint:   e.endpoint,
		Line:       e.method + " " + e.path,
		Client:     e.client,
		Status:     e.status,
		Registered: e.registered,
	}
	for _, warning := range e.warnings {
		i.Warnings = append(i.Warnings, said(warning, f.Lang))
	}
	if e.problem != nil {
		i.teach(e.problem, f.Lang)
	}
	if e.endpoint == EndpointOperator {
		i.teachOperator(e, f.Lang)
	}
	hide := func(list []detail) []detail {
		for n := range list {
			if list[n].Hidden = list[n].Hidden && !personal; list[n].Hidden {
				list[n].Value = ""
			}
		}
		return list
	}
	i.Received, i.Answered = hide(e.received(f)), hide(e.answered(f))
	return i
}

// secrets are the parameters and members whose values nobody needs to see, by their letters: a relying party may write
// accessToken or Client-Secret by mistake.
var secrets = []string{
	"code", "refreshtoken", "accesstoken", "codeverifier", "clientsecret", "password", "token", "assertion",
	"idtokenhint",
}

func isSecret(name string) bool {
	letters := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
	return slices.Contains(secrets, letters)
}

// masked hides the value of a secret, and whatever has the form of a token, in whatever place.
func (f frame) masked(name, value string) string {
	if isSecret(name) || looksLikeToken(value) {
		n := strconv.Itoa(len(value))
		return f.T("("+n+"文字、非表示)", "("+n+" characters, masked)")
	}
	return value
}

// looksLikeToken recognises a compact JWS by the beginning that {" has in base64url. A JWE says nothing to whoever
// lacks its key.
func looksLikeToken(value string) bool {
	return strings.HasPrefix(strings.TrimSpace(value), "eyJ") && strings.Count(value, ".") == 2
}

// plainClaims are those of an ID token that are not about the person.
var plainClaims = []string{
	"iss", "aud", "azp", "exp", "iat", "nbf", "auth_time", "nonce", "at_hash", "c_hash", "acr", "amr", "typ", "jti",
	"sid",
}

// received lists parameters, the client assertion decoded, and the body of the sign API.
func (e *exchange) received(f frame) []detail {
	var list []detail
	query, _ := url.ParseQuery(e.query) // what can be read of it
	for _, values := range []url.Values{query, e.form} {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			for _, value := range values[name] {
				if name == "client_assertion" {
					list = append(list, f.decoded("client_assertion", value)...)
					continue
				}
				list = append(list, detail{Name: name, Value: f.masked(name, value)})
			}
		}
	}
	if e.bearer != "" {
		scheme, _, ok := strings.Cut(e.bearer, " ")
		if !ok { // a token without a scheme before it
			scheme = ""
		}
		list = append(list, detail{
			Name: "Authorization", Value: strings.TrimSpace(scheme + f.T(" (非表示)", " (masked)")),
		})
	}
	if e.endpoint == EndpointOperator {
		return append(list, f.operatorMembers(e.body)...)
	}
	return append(list, f.members("", e.body, false)...)
}

// answered lists the answer; what userinfo and ID tokens say is about a person.
func (e *exchange) answered(f frame) []detail {
	if e.location != "" {
		u, err := url.Parse(e.location)
		if err != nil || u.Host == "" {
			return nil // a page of ours
		}
		list := []detail{{Name: "Location", Value: u.Scheme + "://" + u.Host + u.Path}}
		q := u.Query()
		for _, name := range slices.Sorted(maps.Keys(q)) {
			list = append(list, detail{Name: name, Value: f.masked(name, q.Get(name))})
		}
		return list
	}
	switch e.endpoint {
	case EndpointKeys, EndpointDiscovery, EndpointAuthorization:
		return nil
	case EndpointOperator:
		return f.operatorMembers(e.answer)
	default:
		return f.members(
			"",
			e.answer,
			(e.endpoint == EndpointUserinfo || e.endpoint == EndpointSign) && e.status == http.StatusOK,
		)
	}
}

// members lists those of a JSON object.
func (f frame) members(prefix string, raw []byte, personal bool) []detail {
	object, err := strictjson.Object(raw)
	if err != nil {
		return nil
	}
	var list []detail
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := string(object[name])
		if text, ok := strictjson.String(object[name]); ok {
			value = text
		}
		if name == "id_token" {
			list = append(list, f.decoded("id_token", value)...)
			continue
		}
		list = append(
			list,
			detail{
				Name:  prefix + name,
				Value: f.masked(name, value),
				Hidden: personal || name == "sub" && prefix != "client_assertion." ||
					prefix == "id_token." && !slices.Contains(plainClaims, name),
			},
		)
	}
	return list
}

// decoded lists header and claims of a JWS whose signature is somebody else's matter.
func (f frame) decoded(name, token string) []detail {
	h, err := jose.ParseHeader(token)
	if err != nil || strings.Count(token, ".") != 2 {
		return []detail{{Name: name, Value: f.T("(JWSのコンパクト形式ではない)", "(no compact JWS)")}}
	}
	list := []detail{
		{Name: name + " alg", Value: h.Algorithm},
		{Name: name + " kid", Value: orText(h.KeyID, f.T("(なし)", "(none)"))},
	}
	claims, err := unverifiedClaims(token)
	if err != nil {
		return append(list, detail{Name: name, Value: f.T("(クレームを読み取れない)", "(its claims cannot be read)")})
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		return list
	}
	return append(list, f.members(name+".", raw, false)...)
}
