// Package report writes down a verification for people and programs: as JSON of a published, stable schema ([Schema])
// and as one printable web page in Japanese and English that needs no script and no network ([Report.Render]).
//
//	r, err := report.Of(sign.Outcome{Report: verified, Err: failure}, report.Options{Now: time.Now})
//	data, err := r.Marshal()           // report.json
//	err = r.Render(w)                  // report.html; serve it under report.Policy()
//
// A report of a verification that failed says which check did not hold. Personal data appear only where the caller asks
// for them by [Options.Reveal].
//
// # Examples
//
// There are examples of [Of] and [Policy].
//
// # Compatibility
//
// Reports of version 1 stay readable ([Parse]). Names of steps and reasons are those of packages sign, jpki and
// sign/timestamp, which do not change; new ones may be added.
package report

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/redact"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/timestamp"
)

// Version is the version of the JSON form that this package writes and reads.
const Version = 1

// Report is a verification written down. Times are UTC in whole seconds, hashes lower-case hexadecimal.
type Report struct {
	// Version is [Version].
	Version int `json:"version"`
	// Valid is true when every check held, and there is no Failure.
	Valid bool `json:"valid"`
	// CreatedAt is when the report was written.
	CreatedAt time.Time `json:"created_at"`
	// VerifiedAt is when the verification was done, At the time for which certificate and revocation were judged.
	VerifiedAt *time.Time `json:"verified_at,omitempty"`
	At         *time.Time `json:"at,omitempty"`
	// Mode is "bare-hash" or "digest-info"; empty when it is not known.
	Mode string `json:"mode,omitempty"`
	// TransactionID is the service's.
	TransactionID string `json:"transaction_id,omitempty"`
	// Document is what was signed.
	Document *Document `json:"document,omitempty"`
	// SignatureSHA256 is the hash of the signature value; AttributesSHA256 of the signed attributes of a CMS signature.
	SignatureSHA256  string `json:"signature_sha256,omitempty"`
	AttributesSHA256 string `json:"attributes_sha256,omitempty"`
	// Certificate is the signer's, without anything that names the person.
	Certificate *Certificate `json:"certificate,omitempty"`
	// Revocation says on which data "not revoked" rests.
	Revocation *Revocation `json:"revocation,omitempty"`
	// Operator is the platform operator's assertion, when an operator verified.
	Operator *Operator `json:"operator,omitempty"`
	// Person says how the expected person compared; absent without comparison.
	Person []Match `json:"person,omitempty"`
	// Timestamps are those of the signature value.
	Timestamps []Timestamp `json:"timestamps,omitempty"`
	// Steps are the checks that held, in their order.
	Steps []Step `json:"steps,omitempty"`
	// Failure is why the verification failed.
	Failure *Failure `json:"failure,omitempty"`
	// Revealed are the person's data, when the caller asked for them.
	Revealed *Revealed `json:"-"`
}

// Document is the signed document's hash.
type Document struct {
	Algorithm string `json:"algorithm"` // "SHA-256"
	Hash      string `json:"hash"`
	MediaType string `json:"media_type,omitempty"`
}

// Certificate identifies a signing certificate.
type Certificate struct {
	Environment  string `json:"environment"` // "production" or "test"
	Kind         string `json:"kind"`        // "signing-card" or "signing-phone"
	SHA256       string `json:"sha256"`
	AnchorSHA256 string `json:"anchor_sha256"`
}

// Revocation is the answer about the certificate.
type Revocation struct {
	Method     string     `json:"method"` // "CRL", "OCSP", "none", or the name of a source of the application
	Status     string     `json:"status"`
	ThisUpdate *time.Time `json:"this_update,omitempty"`
	NextUpdate *time.Time `json:"next_update,omitempty"`
	// Lists are the SHA-256 of the revocation lists that were heard.
	Lists []string `json:"lists,omitempty"`
}

// Operator is what a platform operator (PF事業者) asserted.
type Operator struct {
	VerificationID string `json:"verification_id"`
	Method         string `json:"method,omitempty"`
}

// Match is how one attribute compared, in the words of package fourinfo.
type Match struct {
	Attribute string    `json:"attribute"`
	Outcome   string    `json:"outcome"`
	Findings  []Finding `json:"findings,omitempty"`
}

// Finding is one reason of an outcome.
type Finding struct {
	Step string `json:"step"`
	Text Text   `json:"text"`
}

// Timestamp is one of the signature value (RFC 3161).
type Timestamp struct {
	Time   time.Time `json:"time"`
	Policy string    `json:"policy"`
	SHA256 string    `json:"sha256"`
}

// Step is a check that held, with the clause that it enforces and what it says.
type Step struct {
	Name   string `json:"name"`
	Clause string `json:"clause,omitempty"`
	Text   Text   `json:"text"`
}

// Failure is why a verification failed.
type Failure struct {
	// Reason is the stable phrase of the error, Step the check that did not hold, Clause what it enforces.
	Reason string `json:"reason"`
	Step   string `json:"step,omitempty"`
	Clause string `json:"clause,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Family says what to do: "user", "account", "configuration", "unavailable", "untrusted".
	Family string `json:"family"`
	Text   Text   `json:"text"`
}

// Text is in both languages.
type Text struct {
	JA string `json:"ja"`
	EN string `json:"en"`
}

type redacted = redact.Mark

// Revealed are a person's data in a report. They show when the report is marshalled or rendered, and at no other time.
type Revealed struct {
	redacted
	values redact.Value[Values]
}

// Values are what [Revealed.Reveal] returns: the four attributes of the certificate, as a person reads them. They do
// not redact themselves.
type Values struct {
	Name      string `json:"name,omitempty"`
	Address   string `json:"address,omitempty"`
	Birthdate *Text  `json:"birthdate,omitempty"`
	Gender    *Text  `json:"gender,omitempty"`
}

// Reveal returns the person's data.
func (r *Revealed) Reveal() Values {
	if r == nil {
		return Values{}
	}
	return r.values.Reveal()
}

// Options say how a report is written.
type Options struct {
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Reveal puts the four attributes of the certificate into the report: it is personal data then.
	Reveal bool
	// Timestamps are those of the signature value.
	Timestamps []*timestamp.Timestamp
	// Transaction is what the verification was about, for the report of one that failed.
	Transaction *sign.Transaction
}

// Of writes down a verification: its report, or the error of one that failed, of which exactly one is given. Errors are
// [*Error].
func Of(outcome sign.Outcome, o Options) (*Report, error) {
	verified, failure := outcome.Report, outcome.Err
	if o.Now == nil {
		o.Now = time.Now
	}
	if (verified == nil) == (failure == nil) || verified != nil &&
		(verified.Certificate == nil || verified.Chain == nil) {
		return nil, &Error{Reason: ReasonRequest, Step: "report", Detail: "one of report and error is needed"}
	}
	r := &Report{Version: Version, Valid: failure == nil, CreatedAt: seconds(o.Now())}
	if failure != nil {
		r.Failure = failureOf(failure)
		if tx := o.Transaction; tx != nil {
			if r.TransactionID = tx.ID; tx.Mode.Valid() {
				r.Mode = tx.Mode.String()
			}
			r.Document = &Document{"SHA-256", hex.EncodeToString(tx.Digest[:]), tx.MediaType}
		}
		return r, nil
	}
	r.fill(verified)
	for _, t := range o.Timestamps {
		if t == nil || t.Token == nil {
			return nil, &Error{Reason: ReasonRequest, Step: "timestamps"}
		}
		r.Timestamps = append(r.Timestamps, Timestamp{seconds(t.Time), t.Policy.String(), fingerprint(t.Raw())})
	}
	if o.Reveal {
		r.Revealed = PersonOf(verified.Certificate)
	}
	return r, nil
}

func (r *Report) fill(v *sign.Report) {
	r.VerifiedAt, r.At = optional(v.VerifiedAt), optional(v.At)
	r.Mode, r.TransactionID = v.Mode.String(), v.TransactionID
	r.Document = &Document{"SHA-256", hex.EncodeToString(v.Digest[:]), v.MediaType}
	r.SignatureSHA256 = fingerprint(v.Opened.RevealSignature())
	if attributes := v.Opened.RevealAttributes(); attributes != nil {
		r.AttributesSHA256 = fingerprint(attributes)
	}
	environment := "production"
	if v.Certificate.IsTest() {
		environment = "test"
	}
	r.Certificate = &Certificate{
		environment, v.Chain.Kind.String(), fingerprint(v.Opened.RevealCertificate()),
		hex.EncodeToString(v.Chain.AnchorFingerprint[:]),
	}
	r.Revocation = revocationOf(v.Chain.Revocation)
	for _, m := range v.PersonMatches {
		one := Match{Attribute: m.Attribute, Outcome: m.Outcome.String()}
		for _, f := range m.Findings {
			one.Findings = append(one.Findings, FindingOf(f.Step.String()))
		}
		r.Person = append(r.Person, one)
	}
	for _, s := range v.Steps {
		r.Steps = append(r.Steps, StepOf(s))
	}
}

// StepOf puts a check into the words of a report.
func StepOf(s jpki.Step) Step { return Step{s.Name, s.Clause, stepText(s.Name)} }

// FindingOf puts the name of a step of package fourinfo into the words of a report.
func FindingOf(name string) Finding {
	for _, s := range fourinfo.Steps() {
		if s.String() == name {
			return Finding{name, textOf(s.Wording())}
		}
	}
	return Finding{name, Text{name, name}}
}

func revocationOf(a revocation.Answer) *Revocation {
	r := &Revocation{
		Method: a.Method, Status: a.Status.String(), ThisUpdate: optional(a.ThisUpdate),
		NextUpdate: optional(a.NextUpdate),
	}
	var heard []revocation.ListEvidence
	if a.Method == revocation.MethodCRL && json.Unmarshal(a.Evidence, &heard) == nil {
		for _, list := range heard {
			r.Lists = append(r.Lists, list.SHA256)
		}
	}
	return r
}

// failureOf takes the words of the innermost check: a certificate that was refused says why.
func failureOf(err error) *Failure {
	f := &Failure{Reason: "unknown", Family: kakunin.FamilyOf(err).String()}
	var signed *sign.Error
	if errors.As(err, &signed) {
		f.Reason, f.Step, f.Clause, f.Detail = signed.Reason.String(), signed.Step, signed.Clause, signed.Detail
	}
	var certificate *jpki.Error
	if errors.As(err, &certificate) {
		f.Reason, f.Step, f.Clause = certificate.Reason.String(), certificate.Step, certificate.Clause
		f.Detail = ""
	}
	f.Text = reasonText(f.Reason)
	return f
}

// PersonOf takes the four attributes out of a certificate, for [Report.Revealed].
func PersonOf(c *jpki.Certificate) *Revealed {
	p := c.Person()
	v := Values{Name: p.Name.Reveal(), Address: p.Address.Reveal()}
	if p.Birthdate.Present() {
		v.Birthdate = &Text{p.Birthdate.RevealText(kakunin.Japanese), p.Birthdate.RevealText(kakunin.English)}
	}
	if p.Gender.Present() {
		v.Gender = &Text{p.Gender.RevealText(kakunin.Japanese), p.Gender.RevealText(kakunin.English)}
	}
	return &Revealed{values: redact.Seal(v)}
}
