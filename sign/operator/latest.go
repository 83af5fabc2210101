package operator

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/internal/webcall"
	"github.com/kakunin-go/kakunin/sign"
)

// Attributes asks a platform operator for the latest attributes of persons who consented
// (最新の利用者情報（４情報）提供サービス). [Attributes.Document] gets the document, which the person signs in DigestInfo mode,
// [Attributes.Register] hands the signature in, and [Attributes.Ask] asks from then on. What the person is shown, and
// how long the consent counts, is package sign/consent's. It is immutable and safe for concurrent use.
type Attributes struct{ c *Client }

// NewAttributes validates and copies the configuration, whose URL is the one below which the paths of Wire.Latest are.
// Method and IdentifyUser are not used. Its error is an [*Error] with [ReasonConfiguration] whose Detail lists every
// mistake by the name of its field.
func NewAttributes(c Config) (*Attributes, error) {
	c.IdentifyUser = true // the operator's user id comes with the consent
	cl, err := newClient(c, func(w *Wire) []string { return w.Latest.paths() })
	if err != nil {
		return nil, err
	}
	return &Attributes{cl}, nil
}

// Purpose says what a document is for: a consent to a service, or the withdrawal of one.
type Purpose struct {
	// Service and TermsVersion are those of consent.Terms.
	Service, TermsVersion string
	// Withdraws is the operator's identifier of the consent that ends; the other two are empty then.
	Withdraws string
}

// Document gets the operator's document for a purpose, to be signed byte by byte as it is. It holds no personal data.
// Errors are [*Error].
func (a *Attributes) Document(ctx context.Context, p Purpose) ([]byte, error) {
	w := a.c.wire.Latest
	members := map[string]any{w.ServiceField: p.Service, w.TermsField: p.TermsVersion}
	if p.Withdraws != "" {
		members = map[string]any{w.ConsentField: p.Withdraws}
	}
	if (p.Withdraws == "") != (p.Service != "" && p.TermsVersion != "") || p.Withdraws != "" &&
		p.Service+p.TermsVersion != "" {
		return nil, &Error{Reason: ReasonRequest, Step: "document",
			Detail: "either Service and TermsVersion, or Withdraws"}
	}
	answer, err := a.call(ctx, "document", w.DocumentPath, members)
	if err != nil {
		return nil, err
	}
	text, ok := strictjson.String(answer[w.DocumentField])
	document, ok := binary(text, ok)
	if !ok || len(document) > limits.OperatorRequest/2 {
		return nil, &Error{Reason: ReasonResponse, Step: "document", Detail: "document"}
	}
	return document, nil
}

// Signed is a document of the operator's, signed by the person: the transaction and the sealed result of sign/signapi.
type Signed struct {
	Document    []byte
	Sealed      *sign.Sealed
	Transaction *sign.Transaction
}

// Register hands a signed consent in, together with the certificate's check. The verdict has the operator's user id;
// consent is its identifier of the consent, to be kept beside the customer. The error is nil exactly when the verdict
// is good and the consent is registered; as with [Client.Verify] the verdict comes along with [ReasonExpired] and
// [ReasonRevoked]. Handing the same in again gives the same consent. Errors are [*Error].
func (a *Attributes) Register(ctx context.Context, s Signed) (consent string, v *sign.Verdict, err error) {
	w := a.c.wire.Latest
	answer, v, err := a.handIn(ctx, "register", w.ConsentPath, s, map[string]any{})
	if err != nil {
		return "", v, err
	}
	consent, ok := strictjson.String(answer[w.ConsentField])
	if !ok || !sign.ValidTransactionID(consent) {
		return "", nil, &Error{Reason: ReasonResponse, Step: "register", Detail: "consent"}
	}
	return consent, v, nil
}

// Withdraw ends a consent, with a signed document of [Purpose.Withdraws]. It is otherwise like [Attributes.Register].
func (a *Attributes) Withdraw(ctx context.Context, consent string, s Signed) (*sign.Verdict, error) {
	if !sign.ValidTransactionID(consent) {
		return nil, &Error{Reason: ReasonRequest, Step: "withdraw", Detail: "consent"}
	}
	w := a.c.wire.Latest
	_, v, err := a.handIn(ctx, "withdraw", w.WithdrawalPath, s, map[string]any{w.ConsentField: consent})
	return v, err
}

func (a *Attributes) handIn(
	ctx context.Context,
	step, path string,
	s Signed,
	members map[string]any,
) (map[string]json.RawMessage, *sign.Verdict, error) {
	refuse := func(detail string) error { return &Error{Reason: ReasonRequest, Step: step, Detail: detail} }
	switch {
	case s.Sealed.RevealJWE() == "":
		return nil, nil, refuse("nothing sealed")
	case !a.c.usable(s.Transaction):
		return nil, nil, refuse("transaction")
	case s.Transaction.Mode != sign.ModeDigestInfo: // what is submitted to J-LIS has that form
		return nil, nil, refuse("not in DigestInfo mode")
	case len(s.Document) == 0 || s.Transaction.Digest != sha256.Sum256(s.Document):
		return nil, nil, refuse("the transaction is of another document")
	}
	w := a.c.wire
	members[w.Latest.DocumentField] = base64.StdEncoding.EncodeToString(s.Document)
	members[w.SealedField] = s.Sealed.RevealJWE()
	if w.TransactionField != "" {
		members[w.TransactionField] = s.Transaction.ID
	}
	got, err := a.send(ctx, step, path, members, w.IdempotencyHeader)
	if err != nil {
		return nil, nil, err
	}
	v, err := a.c.read(got, s.Transaction)
	if err != nil {
		return nil, v, at(err, step)
	}
	answer, err := strictjson.Object(got.Body)
	if err != nil {
		return nil, nil, &Error{Reason: ReasonResponse, Step: step, Detail: "not an object"}
	}
	return answer, v, nil
}

// Status is what the operator knows of a consent: J-LIS tells nobody that one was withdrawn, so a business asks.
type Status struct {
	// State is a word of the operator's, for people. What counts is the times.
	State string
	// ReceivedAt is when the consent was received, ReflectedAt when J-LIS's system took it over, WithdrawnAt when it
	// was withdrawn; zero: not.
	ReceivedAt, ReflectedAt, WithdrawnAt time.Time
}

// Status asks what became of a consent. Errors are [*Error].
func (a *Attributes) Status(ctx context.Context, consent string) (Status, error) {
	w := a.c.wire.Latest
	if !sign.ValidTransactionID(consent) {
		return Status{}, &Error{Reason: ReasonRequest, Step: "state", Detail: "consent"}
	}
	answer, err := a.call(ctx, "state", w.StatePath, map[string]any{w.ConsentField: consent})
	if err != nil {
		return Status{}, err
	}
	var s Status
	s.State, _ = strictjson.String(answer[w.StateField])
	for name, into := range map[string]*time.Time{
		w.ReceivedField: &s.ReceivedAt, w.ReflectedField: &s.ReflectedAt, w.WithdrawnField: &s.WithdrawnAt,
	} {
		t, ok := within(optional(answer, name))
		if !ok {
			return Status{}, &Error{Reason: ReasonResponse, Step: "state", Detail: "time"}
		}
		*into = t
	}
	if !sign.ValidTransactionID(s.State) || s.ReceivedAt.IsZero() {
		return Status{}, &Error{Reason: ReasonResponse, Step: "state"}
	}
	return s, nil
}

// Change says what became of a person's attributes.
type Change int

// Changes. The zero value says nothing.
const (
	ChangeUnknown Change = iota
	// Unchanged: the certificate that is known still counts.
	Unchanged
	// Changed: there is a new certificate, and Latest.Person has what it says.
	Changed
	// NoCertificate: the one that is known was revoked or has expired, and there is no new one yet. Ask again later.
	NoCertificate
)

var changeNames = [...]string{"unknown", "unchanged", "changed", "no certificate"}

// String returns a stable lower-case phrase.
func (c Change) String() string {
	if c < 0 || int(c) >= len(changeNames) {
		c = ChangeUnknown
	}
	return changeNames[c]
}

// Latest is the operator's answer about a person. Printing it shows nothing personal.
type Latest struct {
	Change Change
	// Person has the attributes, with Changed only.
	Person fourinfo.Person
	// Known says, to the operator, what the business now has: to be kept beside the customer once Person was, and given
	// to the next [Attributes.Ask].
	Known string
	// AsOf is the time for which the answer holds; the operator's clock.
	AsOf time.Time
}

// Ask asks for the latest attributes. known is [Latest.Known] of the last answer, empty the first time. Asking twice
// with the same known gives the same: an answer that is lost on the way loses nothing. Each question may cost
// something. Errors are [*Error]; [ReasonConsent] says that the person has to consent (anew).
func (a *Attributes) Ask(ctx context.Context, consent, known string) (Latest, error) {
	w := a.c.wire.Latest
	if !sign.ValidTransactionID(consent) || known != "" && !sign.ValidTransactionID(known) {
		return Latest{}, &Error{Reason: ReasonRequest, Step: "ask", Detail: "consent, or what is known"}
	}
	answer, err := a.call(ctx, "ask", w.AttributesPath, map[string]any{w.ConsentField: consent, w.KnownField: known})
	if err != nil {
		return Latest{}, err
	}
	return a.readLatest(answer)
}

func (a *Attributes) readLatest(answer map[string]json.RawMessage) (Latest, error) {
	w := a.c.wire.Latest
	refuse := func(detail string) (Latest, error) {
		return Latest{}, &Error{Reason: ReasonResponse, Step: "ask", Detail: detail}
	}
	text := func(name string) string {
		s, _ := strictjson.String(answer[name])
		return s
	}
	var l Latest
	switch text(w.AttributesStateField) {
	case w.Unchanged:
		l.Change = Unchanged
	case w.Changed:
		l.Change = Changed
	case w.NoCertificate:
		l.Change = NoCertificate
	default:
		return refuse("state")
	}
	var ok bool
	if l.AsOf, ok = moment(text(w.AsOfField)); !ok || l.AsOf.IsZero() {
		return refuse("time")
	}
	if now := a.c.config.Now(); l.AsOf.After(now.Add(verdictSkew)) || l.AsOf.Before(now.Add(-verdictSkew)) {
		return refuse("of another time")
	}
	if l.Known = text(w.KnownField); !sign.ValidTransactionID(l.Known) {
		return refuse("what is known")
	}
	var fields fourinfo.CardFields
	for name, into := range map[string]*string{
		w.NameField: &fields.Name, w.AddressField: &fields.Address, w.BirthdateField: &fields.Birthdate,
		w.GenderField: &fields.Gender,
	} {
		if *into, ok = optional(answer, name); !ok {
			return refuse("attributes")
		}
	}
	person, problems := fourinfo.FromCard(fields)
	switch given := fields != (fourinfo.CardFields{}); {
	case l.Change != Changed && given:
		return refuse("attributes that did not change")
	case l.Change == Changed && (len(problems) > 0 || !person.Name.Present() || !person.Address.Present()):
		return refuse("attributes")
	}
	l.Person = person
	return l, nil
}

// call sends a request that changes nothing when it is repeated, and reads an answer with status 200.
func (a *Attributes) call(
	ctx context.Context,
	step, path string,
	members map[string]any,
) (map[string]json.RawMessage, error) {
	got, err := a.send(ctx, step, path, members, idempotent)
	if err != nil {
		return nil, err
	}
	answer, err := strictjson.Object(got.Body)
	if got.Status != http.StatusOK && got.Status != http.StatusCreated {
		return nil, at(a.c.readError(got, answer), step)
	}
	if err != nil {
		return nil, &Error{Reason: ReasonResponse, Step: step, Detail: "not an object"}
	}
	return answer, nil
}

func (a *Attributes) send(
	ctx context.Context,
	step, path string,
	members map[string]any,
	header string,
) (webcall.Answer, error) {
	body, err := json.Marshal(members)
	if err != nil {
		return webcall.Answer{}, &Error{Reason: ReasonRequest, Step: step, Err: err}
	}
	got, err := a.c.ask(ctx, path, body, header)
	if err != nil {
		return webcall.Answer{}, at(err, step)
	}
	return got, nil
}

// at is the error of a step.
func at(err error, step string) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // our own
		named := *e
		named.Step = step
		return &named
	}
	return err
}
