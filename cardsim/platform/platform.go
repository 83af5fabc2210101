// Package platform is the simulated platform operator (PF事業者) beside the simulated service: it opens and verifies
// what the sign API sealed to it, and hands out the latest attributes of persons who consented
// (最新の利用者情報（４情報）提供サービス).
//
// [New] makes a [Platform], which is an http.Handler. The verification is package sign/operator's own Handler over an
// opener, a verifier and evidence in memory; only [Knobs] make it answer anything else. The consent side keeps consents
// in memory. What there is to know of persons it asks the [Register] of residents, which package cardsim/daa has. Every
// name on the wire is that of operator.Wire, where it is marked as assumed.
//
// It is a simulator for tests: not the official service, not an operator, and no person in it exists.
//
// # Examples
//
// There is an example of [New].
//
// # Compatibility
//
// Nothing is stored. The paths are those of operator.Wire; answers that it can be made to give may become more.
package platform

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// Path is the address of verifications below the handler.
const Path = "/v1/verifications"

// Config configures a [Platform]. Everything but Wire and Logger is required.
type Config struct {
	// Opener opens what was sealed to the operator, Verifier is its policy.
	Opener   *sign.Opener
	Verifier *sign.Verifier
	// Business says whose token a request carries as Bearer.
	Business func(token string) (business string, ok bool)
	// Residents knows to whom certificates were issued.
	Residents Register
	// Derive makes an opaque text that depends on nothing but its arguments: identifiers of persons.
	Derive func(parts ...string) string
	// Knobs are what is wrong with the answers now.
	Knobs func() Knobs
	// Now is the clock.
	Now func() time.Time
	// Wire is the wire profile; nil means operator.DefaultWire.
	Wire *operator.Wire
	// Logger gets records without any personal data; default: discard.
	Logger *slog.Logger
}

// Register is what J-LIS knows in the simulated world.
type Register interface {
	// Resident returns the identifier of the person to whom a certificate (DER) was issued.
	Resident(certificate []byte) (person string, ok bool)
	// Signing returns the present signing certificate (DER) of a person; nil while the last one is revoked or expired
	// and there is no new one.
	Signing(person string) []byte
}

// Platform is the operator; it is safe for concurrent use.
type Platform struct {
	config Config
	wire   operator.Wire
	verify *operator.Handler
	mux    *http.ServeMux

	mu        sync.Mutex
	evidence  *evidence.Log
	kept      int // in evidence
	verified  []Verification
	lastReply []byte // the last honest answer, for AnswerReplay
	documents map[[sha256.Size]byte]issued
	consents  map[string]*registered
}

// Verification is one that the operator remembers.
type Verification struct {
	ID            string
	Business      string
	TransactionID string
	At            time.Time

	person      string
	certificate [sha256.Size]byte
}

// keptVerifications is how many are remembered, and keptEvidence how many records a log in memory has before a new one
// begins.
const (
	keptVerifications = 256
	keptEvidence      = 10_000
)

var errNoBusiness = errors.New("platform: the bearer token is no business's")

// New makes an operator. The error is an *operator.Error that names what is missing.
func New(c Config) (*Platform, error) {
	p := &Platform{
		config: c, wire: operator.DefaultWire(),
		documents: map[[sha256.Size]byte]issued{}, consents: map[string]*registered{},
	}
	if c.Wire != nil {
		p.wire = *c.Wire
	}
	if c.Logger == nil {
		p.config.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Business == nil || c.Residents == nil || c.Derive == nil || c.Knobs == nil || c.Now == nil {
		return nil, &operator.Error{
			Reason: operator.ReasonConfiguration, Step: "platform",
			Detail: "Business, Residents, Derive, Knobs and Now are required",
		}
	}
	var err error
	p.verify, err = operator.NewHandler(operator.HandlerConfig{
		Opener: c.Opener, Verifier: c.Verifier, Authenticate: p.authenticate, Keep: p.keep, UserID: p.userID,
		Wire: &p.wire, Now: c.Now, Logger: p.config.Logger,
	})
	if err != nil {
		return nil, err
	}
	p.mux = http.NewServeMux()
	p.mux.HandleFunc(Path, p.verification)
	p.routeConsents()
	return p, nil
}

// ServeHTTP implements http.Handler.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// Verifications lists the last verifications that held, the newest first.
func (p *Platform) Verifications() []Verification {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Verification, 0, len(p.verified))
	for i := len(p.verified) - 1; i >= 0; i-- {
		list = append(list, p.verified[i])
	}
	return list
}

// Forget drops verifications, documents and consents. Signatures that were verified count as new again.
func (p *Platform) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.evidence, p.kept, p.verified, p.lastReply = nil, 0, nil, nil
	clear(p.documents)
	clear(p.consents)
}

func (p *Platform) authenticate(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoBusiness
	}
	business, ok := p.config.Business(strings.Trim(token, " ")) // RFC 6750, section 2.1: 1*SP before it
	if !ok {
		return "", errNoBusiness
	}
	return business, nil
}

// keep appends to the log of evidence, which refuses a signature that is recorded under another transaction.
func (p *Platform) keep(ctx context.Context, v operator.Verification) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.evidence == nil || p.kept >= keptEvidence {
		log, err := evidence.OpenLog(evidence.LogConfig{Store: evidence.NewMemory(), Now: p.config.Now})
		if err != nil {
			return err
		}
		p.evidence, p.kept = log, 0
	}
	if _, err := p.evidence.Append(ctx, v.Report, evidence.Basis("simulation")); err != nil {
		return err
	}
	p.kept++
	der := v.Report.Opened.RevealCertificate()
	if len(p.verified) >= keptVerifications {
		p.verified = append(p.verified[:0:0], p.verified[1:]...)
	}
	p.verified = append(p.verified, Verification{
		ID: v.ID, Business: v.Business, TransactionID: v.Report.TransactionID, At: v.Report.VerifiedAt,
		person: p.person(der), certificate: sha256.Sum256(der),
	})
	return nil
}

// person is who a certificate was issued to. Of one that the register does not know, the certificate is the person.
func (p *Platform) person(der []byte) string {
	if id, ok := p.config.Residents.Resident(der); ok {
		return id
	}
	return p.config.Derive("unknown certificate", string(der))
}

// userID is the same for all certificates of a person, and another one for each business.
func (p *Platform) userID(_ context.Context, business string, r *sign.Report) (string, error) {
	return p.config.Derive("user", business, p.person(r.Opened.RevealCertificate())), nil
}

// verification serves verdicts, with what is wrong with them now.
func (p *Platform) verification(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, limits.OperatorRequest)
	out := &answer{header: make(http.Header), status: http.StatusOK}
	p.verify.ServeHTTP(out, r)
	p.give(w, out)
}
