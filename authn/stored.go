package authn

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
)

// StoredIdentity is the explicit, versioned plain form of an Identity for a session on the server. It IS personal data:
// its fields and its JSON hold the subject and the four attributes in the clear. It has no access token.
type StoredIdentity struct {
	Version       int                        `json:"v"`
	Subject       string                     `json:"sub"`
	Issuer        string                     `json:"iss"`
	ACR           string                     `json:"acr,omitempty"`
	AMR           []string                   `json:"amr,omitempty"`
	AuthTime      time.Time                  `json:"auth_time,omitzero"`
	IssuedAt      time.Time                  `json:"iat,omitzero"`
	Granted       []string                   `json:"granted,omitempty"`
	GrantedListed bool                       `json:"granted_listed,omitempty"`
	Asked         []string                   `json:"asked,omitempty"`
	Person        fourinfo.Stored            `json:"person"`
	Problems      []fourinfo.Problem         `json:"problems,omitempty"`
	TransactionID string                     `json:"transaction,omitempty"`
	Claims        map[string]json.RawMessage `json:"claims,omitempty"`
}

const storedVersion = 1

// RevealStored returns the plain form; the access token stays behind.
func (id *Identity) RevealStored() StoredIdentity {
	s := StoredIdentity{
		Version: storedVersion, Subject: id.Subject.Reveal(), Issuer: id.Issuer, ACR: id.ACR, AMR: slices.Clone(id.AMR),
		AuthTime: id.AuthTime, IssuedAt: id.IssuedAt, Granted: slices.Clone(id.Granted), GrantedListed: id.GrantedListed,
		Asked: slices.Clone(id.Asked), Person: id.Person.RevealAll(), Problems: slices.Clone(id.Problems),
		TransactionID: id.TransactionID,
	}
	if extra := id.details.value().extra; len(extra) > 0 {
		s.Claims = maps.Clone(extra)
	}
	return s
}

// Identity reads a stored form back. It checks the form, not the origin: keep it where only the server writes. Errors
// have ReasonStored.
func (s StoredIdentity) Identity() (*Identity, error) {
	if s.Version != storedVersion {
		return nil, &Error{Reason: ReasonStored, Check: "identity version"}
	}
	if s.Subject == "" || len(s.Subject) > limits.Subject || s.Issuer == "" {
		return nil, &Error{Reason: ReasonStored, Check: "identity"}
	}
	person, err := s.Person.Person()
	if err != nil {
		return nil, &Error{Reason: ReasonStored, Check: "person", Err: err}
	}
	id := &Identity{
		Subject: Subject(s.Subject), Issuer: s.Issuer, ACR: s.ACR, AMR: slices.Clone(s.AMR), AuthTime: s.AuthTime,
		IssuedAt: s.IssuedAt, Granted: slices.Clone(s.Granted), GrantedListed: s.GrantedListed, Asked: slices.Clone(s.Asked),
		Person: person, Problems: slices.Clone(s.Problems), TransactionID: s.TransactionID,
	}
	if len(s.Claims) > 0 {
		id.details = seal(identityDetails{extra: maps.Clone(s.Claims)})
	}
	return id, nil
}
