// Package consent is the consent to the service that hands out a person's latest attributes (最新の利用者情報（４情報）提供サービス):
// what the person is shown, what is signed, and for how long it counts.
//
// A business fills in [Terms], shows them with [Terms.Render], has the document of its platform operator signed
// ([Prepare], then sign/signapi and sign.Verifier), and keeps what [Terms.Accept] returns, or [Terms.AcceptVerdict]
// where the operator verifies. Package middleware does the part in the browser. [Consent.StateAt] then says whether the
// consent counts, [Consent.NextReminder] and [Consent.RenewFrom] when to speak to the person again, and
// [Consent.Withdraw] ends it. See the example of [Terms].
//
// The document that is signed is made by the operator's software and belongs to it: here it is opaque bytes, whatever
// they hold. It is signed in DigestInfo mode and no other, because it is submitted to J-LIS.
//
// Source: 公的個人認証法に基づく最新の利用者情報（基本４情報）提供サービスに係る同意の取得について, and the guideline for private businesses, section 5. The texts
// of the items are the business's own; this package checks that none is missing, not what they say.
//
// # Examples
//
// There are examples of [Consent], [Consent.NextReminder], [Terms] and [Terms.AcceptVerdict].
//
// # Compatibility
//
// The JSON of [Consent] is stored by applications for ten years and more: what one version wrote, later ones read. It
// holds no personal data.
package consent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
)

// jst is Japan Standard Time, which has no summer time; no time zone database is needed.
var jst = time.FixedZone("JST", 9*60*60)

// years is how long a consent counts (有効期間).
const years = 10

// Base says which day the ten years count from: the documents of the system and of businesses differ.
type Base int

// Bases. The zero value is refused.
const (
	BaseUnknown Base = iota
	// BaseReceived is the day on which the business received the consent.
	BaseReceived
	// BaseReflected is the day on which J-LIS's system took the consent over.
	BaseReflected
)

var baseNames = [...]string{"unknown", "received", "reflected"}

// String returns "received", "reflected" or "unknown".
func (b Base) String() string {
	if b < 0 || int(b) >= len(baseNames) {
		b = BaseUnknown
	}
	return baseNames[b]
}

// State is what a consent is worth at a time. Only StateActive lets a business ask for attributes.
type State int

// States. The zero value is no consent.
const (
	StateUnknown State = iota
	// StatePending: signed, but the ten years have not begun.
	StatePending
	// StateActive: it counts.
	StateActive
	// StateExpired: the ten years are over.
	StateExpired
	// StateWithdrawn: the person took it back.
	StateWithdrawn
)

var stateNames = [...]string{"unknown", "pending", "active", "expired", "withdrawn"}

// String returns a stable lower-case word.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		s = StateUnknown
	}
	return stateNames[s]
}

// Consent is one signed consent of one person to one service. It holds no personal data: the application keeps it
// beside its customer, and the evidence of the signature in package sign/evidence.
type Consent struct {
	// Service is the business's identifier of the service, to which alone the consent belongs.
	Service string
	// TermsVersion and TermsSHA256 say what the person was shown.
	TermsVersion string
	TermsSHA256  [sha256.Size]byte
	// DocumentSHA256 is the digest of the signed document.
	DocumentSHA256 [sha256.Size]byte
	// TransactionID is the signature's.
	TransactionID string
	// Base says which of the next two times counts.
	Base Base
	// ReceivedAt is when the signature was verified, ReflectedAt when the operator reported that J-LIS took it over;
	// zero until then.
	ReceivedAt, ReflectedAt time.Time
	// WithdrawnAt is when the person took it back; zero: not.
	WithdrawnAt time.Time
}

// Prepare makes the transaction that signs the operator's document. The bytes are taken as they are: not a byte order
// mark and not a line end is changed. Errors are those of package sign.
func Prepare(ctx context.Context, document []byte) (*sign.Transaction, error) {
	return sign.Prepare(ctx, sign.Document{Reader: bytes.NewReader(document)}, sign.ModeDigestInfo)
}

// Signed is an operator's document and the report of a signature over it.
type Signed struct {
	Document []byte
	Report   *sign.Report
}

// Accept makes a consent of a verified signature over the operator's document. It refuses any other mode than
// DigestInfo and any other document. Errors are [*Error].
func (t *Terms) Accept(s Signed, b Base) (*Consent, error) {
	hash, err := t.Hash()
	if err != nil {
		return nil, err
	}
	if b != BaseReceived && b != BaseReflected {
		return nil, &Error{Reason: ReasonRequest, Step: "accept", Detail: "no base date"}
	}
	if err := s.check("accept"); err != nil {
		return nil, err
	}
	r := s.Report
	return &Consent{
		Service: t.Service, TermsVersion: t.Version, TermsSHA256: hash, DocumentSHA256: r.Digest,
		TransactionID: r.TransactionID, Base: b, ReceivedAt: seconds(r.VerifiedAt),
	}, nil
}

// Judged is a transaction and the verdict of a platform operator on it.
type Judged struct {
	Transaction *sign.Transaction
	Verdict     *sign.Verdict
}

// AcceptVerdict is Accept for a business that has a platform operator: the verdict is the operator's on the transaction
// that [Prepare], or sign/signapi, made of the operator's document. Errors are [*Error].
func (t *Terms) AcceptVerdict(j Judged, b Base) (*Consent, error) {
	tx, v := j.Transaction, j.Verdict
	hash, err := t.Hash()
	if err != nil {
		return nil, err
	}
	if b != BaseReceived && b != BaseReflected {
		return nil, &Error{Reason: ReasonRequest, Step: "accept", Detail: "no base date"}
	}
	if err := j.check("accept"); err != nil {
		return nil, err
	}
	return &Consent{
		Service: t.Service, TermsVersion: t.Version, TermsSHA256: hash, DocumentSHA256: tx.Digest,
		TransactionID: tx.ID, Base: b, ReceivedAt: seconds(v.VerifiedAt),
	}, nil
}

// check is [Signed.check] for a verdict.
func (j Judged) check(step string) error {
	tx, v := j.Transaction, j.Verdict
	switch {
	case tx == nil || !sign.ValidTransactionID(tx.ID) || v == nil || v.VerifiedAt.IsZero():
		return &Error{Reason: ReasonRequest, Step: step, Detail: "no transaction, or no verdict"}
	case v.Status != jpki.Good:
		return &Error{Reason: ReasonNotVerified, Step: step}
	case tx.Mode != sign.ModeDigestInfo:
		return &Error{Reason: ReasonMode, Step: step}
	}
	return nil
}

// check checks that the report is a good signature over the document in the one mode that J-LIS takes.
func (s Signed) check(step string) error {
	document, r := s.Document, s.Report
	switch {
	case r == nil || r.Chain == nil || r.VerifiedAt.IsZero() || len(document) == 0:
		return &Error{Reason: ReasonRequest, Step: step, Detail: "no report, or no document"}
	case r.Chain.Status != jpki.Good:
		return &Error{Reason: ReasonNotVerified, Step: step}
	case r.Mode != sign.ModeDigestInfo:
		return &Error{Reason: ReasonMode, Step: step}
	case r.Digest != sha256.Sum256(document):
		return &Error{Reason: ReasonDocument, Step: step}
	}
	return nil
}

func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Reflect notes when J-LIS's system took the consent over. Errors are [*Error].
func (c *Consent) Reflect(at time.Time) error {
	if at.IsZero() || at.Before(c.ReceivedAt) || !c.ReflectedAt.IsZero() {
		return &Error{Reason: ReasonState, Step: "reflect"}
	}
	c.ReflectedAt = seconds(at)
	return nil
}

// Withdraw ends the consent with a verified signature over the operator's document of withdrawal: that takes a signing
// certificate too. That it is the same person's, the caller has had checked with sign.Expect.Person. Errors are
// [*Error].
func (c *Consent) Withdraw(s Signed) error {
	if err := s.check("withdraw"); err != nil {
		return err
	}
	r := s.Report
	if !c.WithdrawnAt.IsZero() || seconds(r.VerifiedAt).Before(c.ReceivedAt) || r.Digest == c.DocumentSHA256 {
		return &Error{Reason: ReasonState, Step: "withdraw"}
	}
	c.WithdrawnAt = seconds(r.VerifiedAt)
	return nil
}

// Validity returns the first and the last second of the ten years: from the day after the base day, to the end of the
// day before the same date ten years on (民法第140条, 第143条), in Japan's time. ok is false while the base day is not known.
//
// Received on 2023-05-18 10:00:00, it counts from 2023-05-19 00:00:00 to 2033-05-18 23:59:59.
func (c *Consent) Validity() (from, until time.Time, ok bool) {
	base := c.ReceivedAt
	if c.Base == BaseReflected {
		base = c.ReflectedAt
	}
	if base.IsZero() || c.Base == BaseUnknown {
		return time.Time{}, time.Time{}, false
	}
	y, m, d := base.In(jst).Date()
	from = time.Date(y, m, d+1, 0, 0, 0, 0, jst)
	return from, anniversary(from, years).Add(-time.Second), true
}

// anniversary is the same date some years on. A 29 February that does not exist there is 1 March: the day before it, on
// which a period ends, is then the last of its month (民法第143条第2項).
func anniversary(t time.Time, years int) time.Time {
	return time.Date(t.Year()+years, t.Month(), t.Day(), 0, 0, 0, 0, jst)
}

// StateAt says what the consent is worth at a time. It survives that the person's certificate is reissued.
func (c *Consent) StateAt(t time.Time) State {
	from, until, ok := c.Validity()
	switch {
	case !c.WithdrawnAt.IsZero() && !t.Before(c.WithdrawnAt):
		return StateWithdrawn
	case t.Before(c.ReceivedAt):
		return StateUnknown
	case !ok || t.Before(from):
		return StatePending
	case t.After(until.Add(time.Second - time.Nanosecond)):
		return StateExpired
	}
	return StateActive
}

// NextReminder returns the next day on which the person is to be reminded that the consent exists: every year on the
// day it began. ok is false when there is none any more.
func (c *Consent) NextReminder(after time.Time) (day time.Time, ok bool) {
	from, _, ok := c.Validity()
	if !ok {
		return time.Time{}, false
	}
	for n := 1; n < years; n++ {
		day = anniversary(from, n)
		if day.After(after) && (c.WithdrawnAt.IsZero() || day.Before(c.WithdrawnAt)) {
			return day, true
		}
	}
	return time.Time{}, false
}

// RenewFrom returns the day from which the person is asked to consent anew, some days before the end, and never before
// the consent begins. ok is false while the end is not known, and for a consent that was withdrawn.
func (c *Consent) RenewFrom(daysBefore int) (day time.Time, ok bool) {
	from, until, ok := c.Validity()
	if !ok || !c.WithdrawnAt.IsZero() {
		return time.Time{}, false
	}
	y, m, d := until.Date()
	if daysBefore > years*366 {
		return from, true
	}
	day = time.Date(y, m, d-max(daysBefore, 0), 0, 0, 0, 0, jst)
	if day.Before(from) {
		return from, true
	}
	return day, true
}

// WithdrawVerdict is Withdraw for a business that has a platform operator: the verdict is the operator's on the
// transaction over the document of withdrawal. Errors are [*Error].
func (c *Consent) WithdrawVerdict(j Judged) error {
	tx, v := j.Transaction, j.Verdict
	if err := j.check("withdraw"); err != nil {
		return err
	}
	if !c.WithdrawnAt.IsZero() || seconds(v.VerifiedAt).Before(c.ReceivedAt) || tx.Digest == c.DocumentSHA256 {
		return &Error{Reason: ReasonState, Step: "withdraw"}
	}
	c.WithdrawnAt = seconds(v.VerifiedAt)
	return nil
}

type consentJSON struct {
	Version      int        `json:"version"`
	Service      string     `json:"service"`
	TermsVersion string     `json:"terms_version"`
	TermsSHA256  string     `json:"terms_sha256"`
	Document     string     `json:"document_sha256"`
	Transaction  string     `json:"transaction_id,omitempty"`
	Base         string     `json:"base"`
	Received     time.Time  `json:"received_at"`
	Reflected    *time.Time `json:"reflected_at,omitempty"`
	Withdrawn    *time.Time `json:"withdrawn_at,omitempty"`
}

// MarshalJSON encodes hashes in hexadecimal and times in RFC 3339.
func (c Consent) MarshalJSON() ([]byte, error) {
	optional := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return json.Marshal(consentJSON{
		1, c.Service, c.TermsVersion, hex.EncodeToString(c.TermsSHA256[:]), hex.EncodeToString(c.DocumentSHA256[:]),
		c.TransactionID, c.Base.String(), c.ReceivedAt, optional(c.ReflectedAt), optional(c.WithdrawnAt),
	})
}

// UnmarshalJSON reads what MarshalJSON wrote and refuses anything else with an [*Error] of [ReasonFormat].
func (c *Consent) UnmarshalJSON(b []byte) error {
	refuse := func(err error) error { return &Error{Reason: ReasonFormat, Step: "consent", Err: err} }
	if _, err := strictjson.Object(b); err != nil {
		return refuse(err)
	}
	var j consentJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return refuse(err)
	}
	read := Consent{
		Service:       j.Service,
		TermsVersion:  j.TermsVersion,
		TransactionID: j.Transaction,
		ReceivedAt:    seconds(j.Received),
	}
	hash := func(into *[sha256.Size]byte, text string) bool {
		n, err := hex.Decode(into[:], []byte(text))
		return len(text) == 2*len(into) && n == len(into) && err == nil
	}
	for i, name := range baseNames {
		if name == j.Base {
			read.Base = Base(i)
		}
	}
	if j.Version != 1 || len(j.TermsSHA256) != 2*sha256.Size || len(j.Document) != 2*sha256.Size ||
		!hash(&read.TermsSHA256, j.TermsSHA256) || !hash(&read.DocumentSHA256, j.Document) ||
		read.Base == BaseUnknown || read.ReceivedAt.IsZero() || !identifier(read.Service) ||
		!identifier(read.TermsVersion) ||
		read.TransactionID != "" && !sign.ValidTransactionID(read.TransactionID) {
		return refuse(nil)
	}
	if j.Reflected != nil {
		read.ReflectedAt = seconds(*j.Reflected)
	}
	if j.Withdrawn != nil {
		read.WithdrawnAt = seconds(*j.Withdrawn)
	}
	if !read.ReflectedAt.IsZero() && read.ReflectedAt.Before(read.ReceivedAt) ||
		!read.WithdrawnAt.IsZero() && read.WithdrawnAt.Before(read.ReceivedAt) ||
		!writable(read.ReceivedAt, read.ReflectedAt, read.WithdrawnAt) {
		return refuse(nil)
	}
	*c = read
	return nil
}

// writable says whether the times can be written again: a year has four digits in RFC 3339 (section 5.6), and an offset
// can carry a time over the edge.
func writable(times ...time.Time) bool {
	for _, t := range times {
		if year := t.UTC().Year(); year < 0 || year > 9999 {
			return false
		}
	}
	return true
}
