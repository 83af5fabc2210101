package operator

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// Verification is a verification that held.
type Verification struct {
	// Business is the name that Authenticate gave, ID the verification id of the verdict.
	Business, ID string
	Report       *sign.Report
}

// HandlerConfig configures a [Handler].
type HandlerConfig struct {
	// Opener opens what was sealed to the operator, Verifier is its standing policy. Both are required.
	Opener   *sign.Opener
	Verifier *sign.Verifier
	// Authenticate says which business a request comes from, by a name of the operator's own; required. Its error is
	// answered with status 401.
	Authenticate func(*http.Request) (business string, err error)
	// Keep keeps the evidence of a verification that held, before the verdict is given; required. What it cannot keep
	// gets no verdict. An error of package sign/evidence that a signature is recorded under another transaction
	// (evidence.ReasonReused) is answered as such, every other one as a time to ask again.
	Keep func(context.Context, Verification) error
	// UserID returns the operator's identifier of the person, which survives renewals of the card; nil: identify_user
	// is ignored.
	UserID func(ctx context.Context, business string, r *sign.Report) (string, error)
	// Repeats remembers verdicts for all instances; nil: each remembers its own, in memory.
	Repeats Repeats
	// Wire is the wire profile; nil means [DefaultWire].
	Wire *Wire
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger gets a record of each request without any personal data; default: discard.
	Logger *slog.Logger
}

// Handler is the operator's side: it opens, verifies, keeps the evidence and answers. It takes POST requests only, and
// remembers the verdicts of a day, without [Repeats] the last ten thousand, so that a repeated request gets the verdict
// that was given. It is safe for concurrent use. Mount it behind TLS.
type Handler struct {
	config HandlerConfig
	wire   Wire
	given  answers
}

// NewHandler validates and copies the configuration. Its error is an [*Error] with [ReasonConfiguration] whose Detail
// lists every mistake by the name of its field.
func NewHandler(c HandlerConfig) (*Handler, error) {
	h := &Handler{config: c, wire: DefaultWire(), given: answers{byKey: map[answerKey]*given{}}}
	if c.Wire != nil {
		h.wire = *c.Wire
	}
	list := h.wire.mistakes()
	list.Add(h.wire.ModeField == "", "Wire.ModeField is missing: the mode is never guessed")
	list.Add(c.Opener == nil, "Opener is missing")
	list.Add(c.Verifier == nil, "Verifier is missing")
	list.Add(c.Authenticate == nil, "Authenticate is missing")
	list.Add(c.Keep == nil, "Keep is missing")
	if err := misconfigured("handler", list); err != nil {
		return nil, err
	}
	if h.config.Now == nil {
		h.config.Now = time.Now
	}
	if h.config.Logger == nil {
		h.config.Logger = slog.New(slog.DiscardHandler)
	}
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodPost {
		header.Set("Allow", http.MethodPost)
		h.write(w, reply{status: http.StatusMethodNotAllowed, code: h.wire.Codes.Request})
		return
	}
	business, err := h.config.Authenticate(r)
	if err != nil || business == "" {
		header.Set("WWW-Authenticate", "Bearer") // RFC 9110, section 15.5.2: the answer must have one
		h.write(w, reply{status: http.StatusUnauthorized, code: unauthorized})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.OperatorRequest))
	if err != nil {
		h.write(w, reply{status: http.StatusRequestEntityTooLarge, code: h.wire.Codes.Request})
		return
	}
	var key answerKey
	if h.wire.IdempotencyHeader != "" && r.Header.Get(h.wire.IdempotencyHeader) != "" {
		key = answerKey{business, sha256.Sum256([]byte(r.Header.Get(h.wire.IdempotencyHeader)))}
	}
	conflict := reply{status: http.StatusConflict, code: h.wire.Codes.Request}
	//nolint:contextcheck // the judgement has the context of the request that began it
	judge := func() reply { return h.judge(r.Context(), business, body) }
	var answer reply
	if h.config.Repeats != nil && key != (answerKey{}) {
		answer = h.shared(r.Context(), key, sha256.Sum256(body), judge)
	} else {
		answer = h.given.once(r.Context(), key, sha256.Sum256(body), h.config.Now(), judge, conflict)
	}
	h.config.Logger.LogAttrs(r.Context(), slog.LevelInfo, "verification",
		slog.Int("status", answer.status), slog.String("result", answer.code))
	h.write(w, answer)
}

// reply is an answer; members are nil for an error.
type reply struct {
	status  int
	code    string
	members map[string]string
}

// unauthorized is the error code of RFC 6750, section 3.1, which no wire profile renames.
const unauthorized = "invalid_token"

func (h *Handler) write(w http.ResponseWriter, a reply) {
	members := map[string]string{}
	for name, value := range a.members {
		if name != "" && value != "" {
			members[name] = value
		}
	}
	if a.members == nil {
		members[h.wire.ErrorField] = a.code
	}
	if a.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(members) // the connection is the client's to lose
}

// request is what a business asks.
type request struct {
	opened   *sign.Opened
	sealed   *sign.Sealed
	tx       sign.Transaction
	identify bool
}

// judge answers one request.
func (h *Handler) judge(ctx context.Context, business string, body []byte) reply {
	codes := h.wire.Codes
	refuse := func(status int, code string) reply { return reply{status: status, code: code} }
	asked, ok := h.read(body)
	if !ok {
		return refuse(http.StatusBadRequest, codes.Request)
	}
	opened := asked.opened
	if asked.sealed != nil {
		var err error
		if opened, err = h.config.Opener.Open(asked.sealed); err != nil {
			return refuse(http.StatusUnprocessableEntity, codes.Sealed)
		}
	}
	report, err := h.config.Verifier.Verify(ctx, opened, sign.Expect{Undisclosed: true, Transaction: &asked.tx})
	if err != nil {
		return h.refusal(err, &asked.tx)
	}
	answer := h.verdict(codes.OK, &asked.tx, report.VerifiedAt)
	answer.members[h.wire.MethodField] = report.Chain.Revocation.Method
	if t := report.Chain.Revocation.ThisUpdate; !t.IsZero() {
		answer.members[h.wire.SourceUpdatedAtField] = t.UTC().Format(time.RFC3339)
	}
	held := Verification{Business: business, ID: answer.members[h.wire.VerificationIDField], Report: report}
	if err := h.config.Keep(ctx, held); err != nil {
		if errors.Is(err, &evidence.Error{Reason: evidence.ReasonReused}) {
			return refuse(http.StatusConflict, codes.Reused)
		}
		return refuse(http.StatusServiceUnavailable, codes.Unavailable)
	}
	if asked.identify && h.config.UserID != nil {
		id, err := h.config.UserID(ctx, business, report)
		if err != nil {
			return refuse(http.StatusServiceUnavailable, codes.Unavailable)
		}
		answer.members[h.wire.UserIDField] = id
	}
	return answer
}

// verdict is an answer about a certificate that was judged.
func (h *Handler) verdict(code string, tx *sign.Transaction, at time.Time) reply {
	w := h.wire
	answer := reply{status: http.StatusOK, code: code, members: map[string]string{
		w.CodeField: code, w.VerificationIDField: rand.Text(), w.VerifiedAtField: at.UTC().Format(time.RFC3339),
	}}
	if w.Echo {
		answer.members[w.TransactionField] = tx.ID
		answer.members[w.DigestField] = base64.StdEncoding.EncodeToString(tx.Digest[:])
	}
	return answer
}

// refusal is the answer to what did not hold. The order of the checks is package sign's.
func (h *Handler) refusal(err error, tx *sign.Transaction) reply {
	codes := h.wire.Codes
	refuse := func(status int, code string) reply { return reply{status: status, code: code} }
	e, ok := errors.AsType[*sign.Error](err)
	switch {
	case !ok || e.Family() == kakunin.Unavailable:
		return refuse(http.StatusServiceUnavailable, codes.Unavailable)
	case e.Reason == sign.ReasonRequest || e.Reason == sign.ReasonTransactionTime:
		return refuse(http.StatusBadRequest, codes.Request)
	case e.Reason == sign.ReasonSignature || e.Reason == sign.ReasonOtherMode:
		return h.verdict(codes.Mismatch, tx, h.config.Now())
	case e.Reason == sign.ReasonCertificate && e.Family() == kakunin.Account:
		code := codes.Revoked
		if status := statusOf(e); status == jpki.Expired || status == jpki.NotYetValid {
			code = codes.Expired
		}
		return h.verdict(code, tx, h.config.Now())
	default: // another kind, another authority, another key
		return h.verdict(codes.Unsupported, tx, h.config.Now())
	}
}

// statusOf is what package jpki found of a genuine certificate that cannot be used.
func statusOf(e *sign.Error) jpki.Status {
	cause, ok := errors.AsType[*jpki.Error](e.Err)
	if !ok {
		return jpki.Unknown
	}
	switch cause.Reason { //nolint:exhaustive // all others are signatures that do not hold
	case jpki.ReasonExpired:
		return jpki.Expired
	case jpki.ReasonNotYetValid:
		return jpki.NotYetValid
	}
	return jpki.Revoked
}

// read reads a request strictly: members of the profile alone, each of its one form.
func (h *Handler) read(body []byte) (request, bool) {
	var asked request
	members, err := strictjson.Object(body)
	if err != nil {
		return asked, false
	}
	w := h.wire
	known := []string{
		w.SealedField, w.SignatureField, w.CertificateField, w.HashAlgorithmField, w.DigestField, w.ModeField,
		w.TransactionField, w.MethodField, w.IdentifyField,
	}
	for name := range members {
		if name == "" || !slices.Contains(known, name) {
			return asked, false
		}
	}
	text := func(name string) (string, bool) { return strictjson.String(members[name]) }
	if w.HashAlgorithmField != "" {
		if name, ok := text(w.HashAlgorithmField); !ok || name != hashAlgorithm {
			return asked, false
		}
	}
	digest, ok := binary(text(w.DigestField))
	if !ok || len(digest) != sha256.Size { // a longer "digest" would let a business choose what the padding holds
		return asked, false
	}
	copy(asked.tx.Digest[:], digest)
	mode, ok := text(w.ModeField)
	if !ok || asked.tx.Mode.UnmarshalText([]byte(mode)) != nil {
		return asked, false
	}
	if w.TransactionField != "" {
		if asked.tx.ID, ok = text(w.TransactionField); !ok || !sign.ValidTransactionID(asked.tx.ID) {
			return asked, false
		}
	}
	switch method, ok := optional(members, w.MethodField); {
	case !ok, method != "" && method != "OCSP" && method != "CRL":
		return asked, false
	}
	if raw, present := members[w.IdentifyField]; present {
		if string(raw) != "true" && string(raw) != "false" {
			return asked, false
		}
		asked.identify = string(raw) == "true"
	}
	return asked, h.readSignature(&asked, members)
}

// readSignature takes a sealed result, or a signature with its certificate, and not both.
func (h *Handler) readSignature(asked *request, members map[string]json.RawMessage) bool {
	w := h.wire
	jwe, ok := optional(members, w.SealedField)
	signature, okSignature := optional(members, w.SignatureField)
	certificate, okCertificate := optional(members, w.CertificateField)
	if !ok || !okSignature || !okCertificate {
		return false
	}
	if jwe != "" {
		var err error
		asked.sealed, err = sign.ParseSealed(jwe)
		return err == nil && signature == "" && certificate == ""
	}
	value, okSignature := binary(signature, true)
	raw, okCertificate := binary(certificate, true)
	if !okSignature || !okCertificate || len(value) > limits.SignatureValue || len(raw) > limits.Certificate {
		return false
	}
	asked.opened = sign.NewOpened(value, raw)
	return true
}

// binary decodes standard base64 in its one canonical form.
func binary(s string, ok bool) ([]byte, bool) {
	if !ok || s == "" || bytes.ContainsAny([]byte(s), "\r\n") {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return b, err == nil
}
