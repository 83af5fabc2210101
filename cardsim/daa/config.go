package daa

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/internal/fault"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// Config configures the service. New copies it.
type Config struct {
	BaseURL string // scheme and host under which the service is reached, e.g. http://127.0.0.1:9000
	Clients []ClientRegistration
	JPKI    *issuer.JPKI    // issued the cards' certificates; the service's own keys derive from its seed, too
	Cards   []*cardsim.Card // in the simulated phone's hand; the first is the default; without one no visit succeeds
	// Reader is where the simulated phone finds a card instead of Cards, which must be empty then. Only test cards are
	// accepted: those of JPKI, and those of J-LIS's test environment, whose revocation is not checked.
	Reader Reader
	Wire   *wire.Profile // default wire.Default
	// OperatorWire is what the simulated platform operator calls things; default operator.DefaultWire.
	OperatorWire *operator.Wire
	Now          func() time.Time // default time.Now
	Logger       *slog.Logger     // default: discard; never sees PINs, tokens, codes or attributes
	// HTTPClient fetches the keys of clients that have a JWKSURL; default: one with a timeout of 10 s.
	HTTPClient *http.Client
	Knobs      Knobs
	// Hosts are names under which the service is reached beside BaseURL's and this machine's own (localhost, 127.0.0.1,
	// ::1). Requests under other names are refused.
	Hosts []string
	// FreshCards gives every visit a card of its own, as it was handed in: what one person mistypes is not counted
	// against the next, so that many can share a simulator.
	FreshCards bool
	// ResetCardsAfter makes a card whole again that nobody used for so long; 0 = never.
	ResetCardsAfter time.Duration
	// ShowPINs prints the PINs and passwords of the simulated cards on the pages that ask for them, for demonstrations.
	ShowPINs bool

	personas []person.Persona // for Start
}

func checkBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		(u.Scheme != "http" && u.Scheme != "https") {
		return nil, configError("base-url", nil)
	}
	return u, nil
}

// checkWire refuses a profile under which an answer of the service could not be written.
func checkWire(w wire.Profile) error {
	x := w.Sign
	for _, name := range []string{
		w.ClaimName, w.ClaimAddress, w.ClaimBirthdate, w.ClaimGender, x.AuthorizationIDParam, x.StartHashField,
		x.StartIDField, x.ResultSuffix, x.ResultJWEField, x.ResultSignatureField, x.ResultCertificateField,
		x.ErrorField,
	} {
		if name == "" {
			return configError("wire profile: empty name", nil)
		}
	}
	for _, code := range slices.Concat(x.StartStatuses, x.ResultStatuses) {
		if code < 200 || code > 299 {
			return configError("wire profile: status", nil)
		}
	}
	if x.PendingStatus < 200 || x.PendingStatus > 599 || slices.Contains(x.ResultStatuses, x.PendingStatus) {
		return configError("wire profile: pending status", nil)
	}
	if _, ok := keyAlgorithm(x); !ok {
		return configError("wire profile: no key algorithm for an RSA key", nil)
	}
	if x.StartDefaultLifetime <= 0 {
		return configError("wire profile: lifetime", nil)
	}
	return nil
}

// Reason says what went wrong.
type Reason int

// Reasons. The zero value means that nothing more is known.
const (
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the configuration given to New or Start is unusable.
	ReasonConfiguration
)

var reasons = [...]fault.Row{
	ReasonConfiguration: {Name: "unusable configuration", Family: kakunin.Configuration},
}

// row returns what there is to say about the reason.
func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// Error is every error of this package. It carries nothing from the network and nothing personal.
type Error struct {
	Reason Reason
	Step   string // stable name of what is wrong, e.g. "base-url"
	Detail string // fixed text of ours
	Err    error
}

// Error implements error.
func (e *Error) Error() string { return fault.Text("daa", e.Reason.row().Name, e.Step, "", e.Detail) }

// Unwrap returns the cause, whose text may hold URLs and is therefore not part of Error.
func (e *Error) Unwrap() error { return e.Err }

// Is compares reasons, and the steps when the target names one.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family implements kakunin.Classified.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage implements kakunin.Classified.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }

func configError(step string, err error) error {
	return &Error{Reason: ReasonConfiguration, Step: step, Err: err}
}
