package daa

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
	Description string
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
		view.List = append(view.List, e.inspect(personal))
	}
	s.render(w, http.StatusOK, f, view)
}

func (e *exchange) inspect(personal bool) inspected {
	i := inspected{
		Number:     e.number,
		Time:       e.at.Format("15:04:05"),
		Endpoint:   e.endpoint,
		Line:       e.method + " " + e.path,
		Client:     e.client,
		Status:     e.status,
		Warnings:   e.warnings,
		Registered: e.registered,
	}
	if p := e.problem; p != nil {
		i.Code, i.Description, i.Clause, i.Advice = p.code, p.description, p.clause, p.advice
		if l, known := lessons[p.description]; known && i.Advice == "" {
			i.Clause, i.Advice = l.clause, l.advice
		}
	}
	hide := func(list []detail) []detail {
		for n := range list {
			if list[n].Hidden = list[n].Hidden && !personal; list[n].Hidden {
				list[n].Value = ""
			}
		}
		return list
	}
	i.Received, i.Answered = hide(e.received()), hide(e.answered())
	return i
}

// secrets are the parameters and members whose values nobody needs to see.
var secrets = []string{"code", "refresh_token", "access_token", "code_verifier", "client_secret"}

func masked(name, value string) string {
	if slices.Contains(secrets, name) {
		return "(" + strconv.Itoa(len(value)) + " characters, masked)"
	}
	return value
}

// received lists parameters, the client assertion decoded, and the body of the sign API.
func (e *exchange) received() []detail {
	var list []detail
	query, _ := url.ParseQuery(e.query) // what can be read of it
	for _, values := range []url.Values{query, e.form} {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			for _, value := range values[name] {
				if name == "client_assertion" {
					list = append(list, decoded("client_assertion", value)...)
					continue
				}
				list = append(list, detail{Name: name, Value: masked(name, value)})
			}
		}
	}
	if e.bearer != "" {
		scheme, _, _ := strings.Cut(e.bearer, " ")
		list = append(list, detail{Name: "Authorization", Value: scheme + " (masked)"})
	}
	return append(list, members("", e.body, false)...)
}

// answered lists the answer; what userinfo and ID tokens say is about a person.
func (e *exchange) answered() []detail {
	if e.location != "" {
		u, err := url.Parse(e.location)
		if err != nil || u.Host == "" {
			return nil // a page of ours
		}
		list := []detail{{Name: "Location", Value: u.Scheme + "://" + u.Host + u.Path}}
		q := u.Query()
		for _, name := range slices.Sorted(maps.Keys(q)) {
			list = append(list, detail{Name: name, Value: masked(name, q.Get(name))})
		}
		return list
	}
	switch e.endpoint {
	case EndpointKeys, EndpointDiscovery, EndpointAuthorization:
		return nil
	default:
		return members(
			"",
			e.answer,
			e.endpoint == EndpointUserinfo || e.endpoint == EndpointSign && e.status == http.StatusOK,
		)
	}
}

// members lists those of a JSON object.
func members(prefix string, raw []byte, personal bool) []detail {
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
			list = append(list, decoded("id_token", value)...)
			continue
		}
		list = append(
			list,
			detail{
				Name:   prefix + name,
				Value:  masked(name, value),
				Hidden: personal || name == "sub" && prefix != "client_assertion.",
			},
		)
	}
	return list
}

// decoded lists header and claims of a JWS whose signature is somebody else's matter.
func decoded(name, token string) []detail {
	h, err := jose.ParseHeader(token)
	if err != nil || strings.Count(token, ".") != 2 {
		return []detail{{Name: name, Value: "(no compact JWS)"}}
	}
	list := []detail{{Name: name + " alg", Value: h.Algorithm}, {Name: name + " kid", Value: orText(h.KeyID, "(none)")}}
	claims, err := unverifiedClaims(token)
	if err != nil {
		return append(list, detail{Name: name, Value: "(its claims cannot be read)"})
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		return list
	}
	return append(list, members(name+".", raw, false)...)
}

// lesson is what the inspector teaches about a refusal.
type lesson struct{ clause, advice string }

// lessons by the refusal's description.
var lessons = map[string]lesson{
	"state must be 1 to 255 printable ASCII characters": {
		"published reference; RFC 6749, section 4.1.1",
		"send a fresh random state in base64url with every request",
	},
	"nonce must be 1 to 255 printable ASCII characters": {
		"published reference; OpenID Connect Core 1.0, section 3.1.2.1",
		"send a fresh random nonce with every request and compare it with the ID token's",
	},
	"response_type is required": {
		"RFC 6749, section 4.1.1",
		"send response_type=code",
	},
	"only code is supported": {
		"published reference",
		"send response_type=code",
	},
	"code_challenge_method must be S256": {
		"published reference; RFC 7636, section 4.3",
		"send code_challenge_method=S256",
	},
	"code_challenge must be the unpadded base64url SHA-256 of the verifier": {
		"RFC 7636, section 4.2",
		"base64url, without padding, of the SHA-256 of the verifier: 43 characters",
	},
	"scope is required": {
		"OpenID Connect Core 1.0, section 3.1.2.1",
		"send scope with openid",
	},
	"openid is mandatory": {
		"published reference",
		"add openid to scope",
	},
	"an unknown scope value was asked": {
		"published reference",
		"ask for openid, name, address, birthdate, gender and sign only, separated by single spaces",
	},
	"a scope value was asked twice": {
		"published reference",
		"name each scope once",
	},
	"a parameter occurs more than once": {
		"RFC 6749, section 3.1",
		"send each parameter once",
	},
	"the sign scope and a signature transaction need each other": {
		"published reference",
		"send the scope sign and sign_transaction_id together, or neither",
	},
	"no open signature transaction of this client has this id": {
		"",
		"start a transaction with this client's own client_credentials token, and use it once before it expires",
	},
	"the card is needed": {
		"OpenID Connect Core 1.0, section 3.1.2.1",
		"do not send prompt=none: every authentication needs the card",
	},
	"the website is not registered": {
		"RFC 6749, section 4.1.2.1",
		"register the client_id, or correct it",
	},
	"redirect_uri is not exactly a registered one": {
		"RFC 6749, section 3.1.2.3; RFC 9700, section 4.1.3",
		"register this redirect_uri, or send a registered one: same scheme, host, port, path and final slash",
	},
	"the body must be application/x-www-form-urlencoded": {
		"RFC 6749, section 4.1.3",
		"send the parameters as a form, not as JSON",
	},
	"parameters belong in the body": {
		"RFC 6749, section 2.3.1",
		"send the parameters in the body of the POST",
	},
	"an Authorization header is not accepted, only private_key_jwt": {
		"OpenID Connect Core 1.0, section 9",
		"authenticate with client_assertion, without a client secret",
	},
	"client secrets are not accepted, only private_key_jwt": {
		"OpenID Connect Core 1.0, section 9",
		"authenticate with client_assertion, without a client secret",
	},
	"client_assertion_type must be the jwt-bearer URN": {
		"RFC 7523, section 2.2",
		"send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
	},
	"client_assertion is not a compact JWS": {
		"RFC 7523, section 2.2",
		"send a signed JWT in client_assertion",
	},
	"client_assertion's sub is not a registered client": {
		"RFC 7523, section 3",
		"set iss and sub to the client_id",
	},
	"client_assertion's iss is not the client": {
		"RFC 7523, section 3",
		"set iss and sub to the client_id",
	},
	"client_assertion's sub is not the client": {
		"RFC 7523, section 3",
		"set iss and sub to the client_id",
	},
	"client_assertion's aud must be the token endpoint or the issuer, and nothing beside it": {
		"RFC 7523, section 3",
		"set aud to the token endpoint or the issuer of this service, as one string",
	},
	"client_assertion's aud must be the issuer as a single string": {
		"RFC 10070; FAPI 2.0 Security Profile, section 5.3.2.1",
		"set aud to the issuer, as one string",
	},
	"client_assertion's jti is missing": {
		"OpenID Connect Core 1.0, section 9",
		"put a fresh random jti of at most 255 characters into every assertion",
	},
	"client_assertion's exp is missing or no number": {
		"RFC 7519, section 4.1.4",
		"set exp to seconds since 1970, as a JSON number",
	},
	"client_assertion is expired": {
		"RFC 7519, section 4.1.4",
		"make the assertion immediately before the request; compare the clocks",
	},
	"client_assertion is not yet valid": {
		"RFC 7519, section 4.1.5",
		"leave nbf out; compare the clocks",
	},
	"client_assertion's iat is missing": {
		"FAPI 2.0 Security Profile",
		"set iat to the present time",
	},
	"client_assertion's iat is in the future": {
		"RFC 7519, section 4.1.6",
		"compare the clocks",
	},
	"client_assertion was issued too far in the past": {
		"Keycloak since 26.0.10, 26.1.3 and 26.2",
		"make the assertion immediately before the request",
	},
	"client_assertion's exp is too far in the future": {
		"FAPI 2.0 Security Profile",
		"set exp at most 60 seconds after iat",
	},
	"client_assertion's exp is too far in the future and iat is missing": {
		"Keycloak since 26.0.10, 26.1.3 and 26.2",
		"set iat, or exp at most 60 seconds ahead",
	},
	"client_assertion was used before": {
		"OpenID Connect Core 1.0, section 9",
		"make a new assertion for every request, also for repetitions",
	},
	"client_assertion's signature does not verify": {
		"RFC 7523, section 3",
		"sign with the private half of the registered key",
	},
	"client_id in the form is not the assertion's subject": {
		"RFC 7521, section 4.2",
		"send the client's own client_id, or none",
	},
	"the code is unknown, expired or not this client's": {
		"RFC 6749, section 5.2",
		"exchange the code at once, with the client that asked for it",
	},
	"the code was used before": {
		"RFC 6749, section 4.1.2",
		"exchange a code once; a reload of the callback must not do it again",
	},
	"redirect_uri is not that of the authorization request": {
		"RFC 6749, section 4.1.3",
		"send the same redirect_uri as in the authorization request",
	},
	"code_verifier does not match the code_challenge": {
		"RFC 7636, section 4.6",
		"keep the verifier of each login beside its state",
	},
}
