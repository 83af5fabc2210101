package main

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// report is what -once prints and /report.json serves:
//
//	{
//	  "login":     {"subject": "…", "acr": "…", "attributes": ["name", "address", "birthdate", "gender"]},
//	  "signature": {"mode": "bare-hash", "verified": true,
//	                "chain": {"status": "good", "kind": "signing-card", "anchor_sha256": "…"}, "revocation": "good",
//	                "operator": {"verification_id": "…", "method": "CRL"},  of a private business, instead of chain
//	                "person": [{"attribute": "name", "outcome": "same", "ja": "完全に一致", "en": "the same"}, …]},
//	  "evidence":  {…},
//	  "person":    {…},   only with -show-personal
//	  "error":     {…}    only when a step did not hold
//	}
//
// The names do not change; members may be added. "attributes" are those that were granted and present, "revocation" is
// "good" or "unknown", "evidence" is the record of package sign/evidence or null.
type report struct {
	Login     *loginReport     `json:"login"`
	Signature *signatureReport `json:"signature"`
	Evidence  json.RawMessage  `json:"evidence"`
	Person    *personReport    `json:"person,omitempty"`
	Error     *errorReport     `json:"error,omitempty"`
}

type loginReport struct {
	Subject    string   `json:"subject"`
	ACR        string   `json:"acr"`
	Attributes []string `json:"attributes"`
}

type signatureReport struct {
	Mode       string       `json:"mode"`
	Verified   bool         `json:"verified"`
	Chain      *chainReport `json:"chain"` // null when the result stayed sealed to the operator
	Revocation string       `json:"revocation"`
	Person     []comparison `json:"person,omitempty"` // with whom logged in; absent while the result is sealed
	// the platform operator's verdict, for a private business
	Operator *operatorReport `json:"operator,omitempty"`
}

type operatorReport struct {
	VerificationID string `json:"verification_id"`
	Method         string `json:"method"`
}

type chainReport struct {
	Status       string `json:"status"`
	Kind         string `json:"kind"`
	AnchorSHA256 string `json:"anchor_sha256"`
}

type personReport struct {
	Name      string `json:"name"`
	Address   string `json:"address"`
	Birthdate string `json:"birthdate"`
	Gender    string `json:"gender"`
	Age       *int   `json:"age"` // null when it cannot be told
}

type errorReport struct {
	Step    string `json:"step"`    // "start", "login", "sign", "verify" or "evidence"
	Family  string `json:"family"`  // what to do: user, account, configuration, unavailable, untrusted
	Message string `json:"message"` // in English, without data of the person
}

func loginOf(id *authn.Identity) *loginReport {
	r := &loginReport{Subject: id.Subject.Reveal(), ACR: id.ACR, Attributes: []string{}}
	for _, a := range []struct {
		name    string
		present bool
	}{
		{"name", id.Person.Name.Present()},
		{"address", id.Person.Address.Present()},
		{"birthdate", id.Person.Birthdate.Present()},
		{"gender", id.Person.Gender.Present()},
	} {
		if a.present {
			r.Attributes = append(r.Attributes, a.name)
		}
	}
	return r
}

func personOf(id *authn.Identity, now time.Time) *personReport {
	p := id.Person
	r := &personReport{
		Name: p.Name.Reveal(), Address: p.Address.Reveal(), Birthdate: p.Birthdate.Reveal().String(),
		Gender: p.Gender.Reveal().String(),
	}
	if age, ok := p.Birthdate.AgeOn(fourinfo.DateOf(now)); ok {
		r.Age = &age
	}
	return r
}

// outcome is what one signature came to. It holds nothing personal.
type outcome struct {
	Number     string          `json:"number"`
	Mode       string          `json:"mode"`
	Sealed     bool            `json:"sealed"`
	Verified   bool            `json:"verified"`
	Chain      *chainReport    `json:"chain"`
	Operator   *operatorReport `json:"operator,omitempty"`
	Revocation string          `json:"revocation"`
	Method     string          `json:"method"`
	VerifiedAt time.Time       `json:"verified_at"`
	Person     []comparison    `json:"person,omitempty"`
	Steps      []jpki.Step     `json:"steps"`
	Evidence   json.RawMessage `json:"evidence,omitempty"`
}

func (o *outcome) fill(r *sign.Report, rec *evidence.Record) (err error) {
	o.Verified = true // a report exists only when every step held
	o.Chain = &chainReport{
		Status:       r.Chain.Status.String(),
		Kind:         rec.Certificate.Kind,
		AnchorSHA256: hex.EncodeToString(r.Chain.AnchorFingerprint[:]),
	}
	o.Revocation, o.Method = r.Chain.Revocation.Status.String(), r.Chain.Revocation.Method
	o.VerifiedAt, o.Steps = r.VerifiedAt, r.Steps
	o.Person = comparisonsOf(r.PersonMatches)
	o.Evidence, err = rec.Marshal()
	return err
}

// fillVerdict is fill for what the platform operator said. A verdict without an error is good.
func (o *outcome) fillVerdict(v *sign.Verdict, rec *evidence.Record) (err error) {
	o.Verified, o.Operator = true, &operatorReport{v.VerificationID, v.Method}
	o.Revocation, o.Method, o.VerifiedAt = v.Status.String(), v.Method, v.VerifiedAt
	o.Evidence, err = rec.Marshal()
	return err
}

func (o *outcome) signature() *signatureReport {
	s := &signatureReport{
		Mode:       o.Mode,
		Verified:   o.Verified,
		Chain:      o.Chain,
		Revocation: o.Revocation,
		Person:     o.Person,
		Operator:   o.Operator,
	}
	if s.Revocation == "" {
		s.Revocation = jpki.Unknown.String()
	}
	return s
}
