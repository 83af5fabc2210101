package sign

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"github.com/kakunin-go/kakunin/internal/strictjson"
)

var errBase64 = errors.New("not canonical base64 within its limit")

// stringMember returns a member that must be a JSON string. An empty name is a member that does not exist.
func stringMember(members map[string]json.RawMessage, name string) (value string, present, ok bool) {
	raw, present := members[name]
	if !present || name == "" {
		return "", false, true
	}
	value, ok = strictjson.String(raw)
	return value, true, ok
}

// decodeBase64 decodes padded standard base64 (RFC 4648, section 4) in its one canonical form. The standard decoder
// skips line breaks, which would give one signature many spellings.
func decodeBase64(s string, limit int) ([]byte, error) {
	if s == "" || len(s) > base64.StdEncoding.EncodedLen(limit) || strings.ContainsAny(s, "\r\n") {
		return nil, errBase64
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) > limit {
		return nil, errBase64
	}
	return b, nil
}
