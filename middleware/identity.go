package middleware

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/kakunin-go/kakunin/authn"
)

// storedLogin is the login as the session keeps it, on the server. It IS personal data; the access token is not in it.
type storedLogin struct {
	Version  int                  `json:"v"`
	At       int64                `json:"at"` // seconds since 1970: when the person came back from the service
	Identity authn.StoredIdentity `json:"id"`
}

const storedLoginVersion = 1

var errStoredLogin = errors.New("middleware: the stored login cannot be read")

// encodeIdentity returns text and not bytes, since text is what every codec of package scs keeps as it is.
func encodeIdentity(id *authn.Identity, at time.Time) (string, error) {
	b, err := json.Marshal(storedLogin{Version: storedLoginVersion, At: at.Unix(), Identity: id.RevealStored()})
	return string(b), err
}

func decodeIdentity(s string) (*authn.Identity, time.Time, error) {
	var v storedLogin
	if err := json.Unmarshal([]byte(s), &v); err != nil || v.Version != storedLoginVersion {
		return nil, time.Time{}, errStoredLogin
	}
	id, err := v.Identity.Identity()
	if err != nil {
		return nil, time.Time{}, errStoredLogin
	}
	return id, time.Unix(v.At, 0), nil
}
