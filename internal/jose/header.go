package jose

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

const (
	jwsParts = 3 // RFC 7515, section 7.1
	jweParts = 5 // RFC 7516, section 7.1
)

// b64 is base64url without padding whose unused trailing bits must be zero. Without that, several texts decode to one
// signature and a token can be altered without breaking it (RFC 4648, section 3.5).
var b64 = base64.RawURLEncoding.Strict()

// decode64 refuses line breaks too, which package base64 skips: a compact serialization has none.
func decode64(s string) ([]byte, bool) {
	b := make([]byte, b64.DecodedLen(len(s)))
	n, err := b64.Decode(b, []byte(s))
	return b, err == nil && n == len(b)
}

// ParseHeader decodes and checks the protected header of a compact JWS (3 parts) or JWE (5 parts) without verifying.
// The size limit is limits.SealedResult, that of the larger kind.
func ParseHeader(token string) (Header, error) {
	if len(token) > limits.SealedResult {
		return Header{}, fail(CheckSize, "token")
	}
	switch strings.Count(token, ".") + 1 {
	case jwsParts, jweParts:
	default:
		return Header{}, fail(CheckForm, "number of parts")
	}
	h, _, err := header(token)
	return h, err
}

// header reads the first part of token; the number of parts is the caller's concern except that "enc" belongs to five.
func header(token string) (Header, map[string]json.RawMessage, error) {
	first, rest, _ := strings.Cut(token, ".")
	if b64.DecodedLen(len(first)) > limits.JOSEHeader {
		return Header{}, nil, fail(CheckSize, "protected header")
	}
	b, ok := decode64(first)
	if !ok {
		return Header{}, nil, fail(CheckForm, "protected header is not base64url")
	}
	// RFC 7515, section 4: "The Header Parameter names within the JOSE Header MUST be unique; JWS parsers MUST either
	// reject JWSs with duplicate Header Parameter names or use a JSON parser that returns only the lexically last".
	read := strictjson.Object
	isJWE := strings.Count(rest, ".") == jweParts-2
	if !isJWE {
		read = strictjson.Members // of what has members of its own (jwk), a JWS needs nothing
	}
	m, err := read(b)
	if err != nil {
		return Header{}, nil, fail(CheckHeader, "not one JSON object with unique members")
	}
	for name := range m {
		// RFC 7515, section 4.1.11: an extension named in "crit" that is not understood makes the token invalid; none
		// is understood here. "b64" (RFC 7797) changes what is signed. "zip" (RFC 7516, section 4.1.3) lets a small
		// token grow without bound. Case is ignored, because a reader behind us might.
		if strings.EqualFold(name, "crit") || strings.EqualFold(name, "b64") || strings.EqualFold(name, "zip") {
			return Header{}, nil, fail(CheckCritical, "crit, b64 and zip are not accepted")
		}
	}
	var h Header
	for _, f := range [...]struct {
		name     string
		to       *string
		optional bool // null says the same as its absence
	}{
		{"alg", &h.Algorithm, false}, {"enc", &h.Encryption, true}, {"kid", &h.KeyID, true}, {"typ", &h.Type, true},
	} {
		raw, present := m[f.name]
		if !present || f.optional && string(raw) == "null" {
			continue
		}
		if *f.to, ok = strictjson.String(raw); !ok {
			return Header{}, nil, fail(CheckHeader, f.name+" is not a string")
		}
	}
	if h.Algorithm == "" {
		return Header{}, nil, fail(CheckAlgorithm, "alg is absent")
	}
	if len(h.KeyID) > limits.KeyID {
		return Header{}, nil, fail(CheckSize, "kid")
	}
	h.ContentType, _ = strictjson.String(m["cty"]) // decides nothing
	if isJWE != (h.Encryption != "") {
		return Header{}, nil, fail(CheckHeader, "enc and the number of parts contradict each other")
	}
	return h, m, nil
}
