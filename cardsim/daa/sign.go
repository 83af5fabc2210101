package daa

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn/wire"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/jose"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/strictjson"
)

// transactionMemory is how long an expired transaction is still known, so that it is "expired" and not "unknown".
const transactionMemory = time.Hour

// signError answers an error of the sign API: the code under the wire profile's name for it, and under that name with
// "_description" a text of ours that says what was wrong, as at the token endpoint.
func (s *Service) signError(w http.ResponseWriter, r *http.Request, status int, code, description string) {
	exchangeOf(r).refused(code, description)
	s.log.Warn(
		"sign API refused",
		slog.Int("status", status),
		slog.String("error", code),
		slog.String("reason", description),
	)
	name := s.wire.Sign.ErrorField
	writeJSON(w, status, map[string]string{name: code, name + "_description": description})
}

func (s *Service) signBearer(w http.ResponseWriter, r *http.Request) (*token, bool) {
	t, code := s.bearer(w, r)
	if code == "" {
		exchangeOf(r).client = t.client.ID
		return t, true
	}
	bearerChallenge(w, code)
	if code == "invalid_request" {
		s.signError(
			w,
			r,
			bearerStatus(code),
			s.wire.Sign.ErrorCodes.InvalidRequest,
			"the access token belongs in the Authorization header",
		)
		return nil, false
	}
	s.signError(
		w,
		r,
		bearerStatus(code),
		s.wire.Sign.ErrorCodes.InvalidToken,
		"the access token is missing, unknown, expired or revoked",
	)
	return nil, false
}

// startTransaction serves POST /api/sign-transactions.
func (s *Service) startTransaction(w http.ResponseWriter, r *http.Request) {
	t, ok := s.signBearer(w, r)
	if !ok {
		return
	}
	codes := s.wire.Sign.ErrorCodes
	if t.grant != nil { // only client_credentials tokens start transactions
		bearerChallenge(w, "insufficient_scope")
		s.signError(w, r, http.StatusForbidden, codes.InsufficientScope,
			"a transaction is started with a client_credentials token, not with a user's")
		return
	}
	input, refusal := s.parseStart(w, r, t.client)
	if refusal.EN != "" {
		s.signError(w, r, http.StatusBadRequest, codes.InvalidRequest, refusal.EN)
		exchangeOf(r).problem.says = refusal.JA
		return
	}
	now := s.now()
	lifetime := orDefault(s.Knobs().Lifetimes.Transaction, time.Duration(s.wire.Sign.StartDefaultLifetime)*time.Second)
	x := &transaction{id: newUUID(), client: t.client, input: input, expires: now.Add(lifetime)}
	if !s.transactions.add(x.id, x, x.expires.Add(transactionMemory)) {
		http.Error(w, "too many transactions", http.StatusServiceUnavailable)
		return
	}
	response := map[string]any{s.wire.Sign.StartIDField: x.id}
	if f := s.wire.Sign.StartLifetimeField; f != "" {
		response[f] = int(lifetime.Seconds())
	}
	s.log.Info("signature transaction started", slog.String("client", t.client.ID))
	writeJSON(w, status(s.wire.Sign.StartStatuses, http.StatusCreated), response)
}

// status is the last one that the profile lists as success, otherwise def.
func status(listed []int, def int) int {
	if len(listed) == 0 {
		return def
	}
	return listed[len(listed)-1]
}

// parseStart reads the body: exactly the members that the wire profile names, and a hash that a card can sign. The
// second result says what is wrong; the names in it are the profile's.
func (s *Service) parseStart(
	w http.ResponseWriter,
	r *http.Request,
	c *client,
) (input []byte, refusal kakunin.Message) {
	names := s.wire.Sign
	refuse := func(d string) ([]byte, kakunin.Message) { return nil, kakunin.Message{EN: d} }
	about := func(name, ja, en string) ([]byte, kakunin.Message) {
		return nil, kakunin.Message{JA: name + ja, EN: name + en}
	}
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "application/json" {
		return refuse("the Content-Type must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.FormBody))
	if err != nil {
		return refuse("the body cannot be read or is too long")
	}
	exchangeOf(r).body = body
	members, err := strictjson.Object(body)
	if err != nil {
		return refuse("the body must be one JSON object with unique members")
	}
	want := make(map[string]string)
	for name, value := range names.StartExtraFields {
		want[name] = value
	}
	if names.StartClientIDField != "" {
		want[names.StartClientIDField] = c.ID
	}
	if names.StartHashAlgorithmField != "" {
		want[names.StartHashAlgorithmField] = names.StartHashAlgorithmValue
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got, ok := stringClaim(members, name); !ok || got != want[name] {
			return nil, kakunin.Message{
				JA: name + "は文字列の" + want[name] + "にしてください",
				EN: "the member " + name + " must be the text " + want[name],
			}
		}
	}
	hash, ok := stringClaim(members, names.StartHashField)
	if !ok {
		return nil, kakunin.Message{
			JA: names.StartHashField + "がないか、文字列ではありません",
			EN: "the member " + names.StartHashField + " is missing or no text",
		}
	}
	if len(members) != len(want)+1 {
		known := append(slices.Sorted(maps.Keys(want)), names.StartHashField)
		return nil, kakunin.Message{
			JA: strings.Join(known, "、") + "のほかにメンバーがあります",
			EN: "there is a member beside " + strings.Join(known, ", "),
		}
	}
	// Standard base64 with padding; Strict also refuses stray trailing bits.
	input, err = base64.StdEncoding.Strict().DecodeString(hash)
	if err != nil || strings.ContainsAny(hash, "\r\n") {
		return about(names.StartHashField, "はパディング付きの標準のbase64にしてください", " must be standard base64 with padding")
	}
	if !s.Knobs().Sign.SkipHashCheck && !signable(input) {
		return about(names.StartHashField, "は32バイトのSHA-256か、その51バイトのDER DigestInfoにしてください",
			" must be a SHA-256 of 32 bytes, or its DER DigestInfo of 51 bytes")
	}
	return input, kakunin.Message{}
}

// signable: the 32 bytes of a SHA-256, or the 51 bytes of its DigestInfo.
func signable(input []byte) bool {
	const digest = 32
	return len(input) == digest ||
		len(input) == len(digestInfoSHA256)+digest && bytes.HasPrefix(input, digestInfoSHA256)
}

// transactionResult serves GET /api/sign-transactions/{id}/result.
func (s *Service) transactionResult(w http.ResponseWriter, r *http.Request) {
	names := s.wire.Sign
	id, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, pathOf(s.env.SignEndpoint)+"/"), names.ResultSuffix)
	if !ok || !transactionUUID.MatchString(id) {
		s.signError(w, r, http.StatusNotFound, names.ErrorCodes.NotFound,
			"no transaction of this client and person has this id")
		return
	}
	t, ok := s.signBearer(w, r)
	if !ok {
		return
	}
	if !t.granted(scopeSign) {
		bearerChallenge(w, "insufficient_scope")
		s.signError(w, r, http.StatusForbidden, names.ErrorCodes.InsufficientScope,
			"the result is fetched with the access token of the login that had the sign scope")
		return
	}
	x, ok := s.transactions.get(strings.ToLower(id))
	if !ok {
		s.signError(w, r, http.StatusNotFound, names.ErrorCodes.NotFound,
			"no transaction of this client and person has this id")
		return
	}
	signature, certificate, found := x.fetch(t, s.now(), s.Knobs().Sign)
	switch found {
	case resultNotFound:
		s.signError(w, r, http.StatusNotFound, names.ErrorCodes.NotFound,
			"no transaction of this client and person has this id")
	case resultCancelled:
		s.signError(w, r, http.StatusConflict, names.ErrorCodes.Cancelled,
			"the transaction was cancelled or failed")
	case resultConflict:
		s.signError(w, r, http.StatusConflict, names.ErrorCodes.Conflict,
			"the access token comes from another login than the one that signed")
	case resultExpired:
		s.signError(w, r, http.StatusGone, names.ErrorCodes.Expired,
			"the transaction has expired")
	case resultConsumed:
		s.signError(w, r, http.StatusGone, names.ErrorCodes.Consumed,
			"the result was fetched before")
	case resultPending:
		w.Header().Set("Retry-After", "1")
		s.signError(w, r, names.PendingStatus, names.ErrorCodes.Pending, "the person has not signed yet")
	case resultReady:
		s.writeResult(w, x.client, signature, certificate)
	}
}

// writeResult hands out plain JSON to government relying parties and a JWE for the platform operator to private ones.
func (s *Service) writeResult(w http.ResponseWriter, c *client, signature, certificate []byte) {
	names, k := s.wire.Sign, s.Knobs().Sign
	if k.AlterSignature {
		signature = bytes.Clone(signature)
		signature[len(signature)/2] ^= 1
	}
	if k.SwapCertificate {
		other, err := s.strangersCertificate()
		if err != nil {
			s.fail(w, "swapped certificate", err)
			return
		}
		certificate = other
	}
	plain := map[string]string{
		names.ResultSignatureField:   base64.StdEncoding.EncodeToString(signature),
		names.ResultCertificateField: base64.StdEncoding.EncodeToString(certificate),
	}
	success := status(names.ResultStatuses, http.StatusOK)
	if c.Government && !k.GovernmentSealed {
		writeJSON(w, success, plain)
		return
	}
	sealed, err := s.seal(c, plain)
	if err != nil {
		s.fail(w, "sealed result", err)
		return
	}
	if k.BareJWE {
		w.Header().Set("Content-Type", "application/jose")
		w.WriteHeader(success)
		_, _ = io.WriteString(w, sealed)
		return
	}
	writeJSON(w, success, map[string]string{names.ResultJWEField: sealed})
}

// seal encrypts to the platform operator with the profile's first algorithms that fit an RSA key.
func (s *Service) seal(c *client, plain map[string]string) (string, error) {
	payload, err := json.Marshal(plain)
	if err != nil {
		return "", err
	}
	to := c.operator
	if to == nil {
		to = &s.OperatorKey().PublicKey
	}
	kid, err := jose.Thumbprint(to)
	if err != nil {
		return "", err
	}
	keyAlg, _ := keyAlgorithm(s.wire.Sign) // New refused a profile without one
	contentAlg := "A256GCM"
	if algs := s.wire.Sign.JWEContentAlgorithms; len(algs) > 0 {
		contentAlg = algs[0]
	}
	return jose.Encrypt(jose.PublicKey{Key: to, KeyID: kid, Algorithm: keyAlg, Use: "enc"}, keyAlg, contentAlg, payload)
}

// keyAlgorithm is the first of the profile that fits an RSA key. An empty list means the default, as for sign.Opener.
func keyAlgorithm(w wire.Sign) (string, bool) {
	if len(w.JWEKeyAlgorithms) == 0 {
		return "RSA-OAEP-256", true
	}
	for _, alg := range w.JWEKeyAlgorithms {
		if strings.HasPrefix(alg, "RSA-OAEP") {
			return alg, true
		}
	}
	return "", false
}

// strangersCertificate is a good signing certificate of a person whose card took no part.
func (s *Service) strangersCertificate() ([]byte, error) {
	if len(s.hands()) == 0 {
		return nil, configError("cards", nil)
	}
	subject := s.hands()[0].held().Person().Reveal().Subject
	subject.Name = "入替　太郎"
	subject.NameSubstitutes = ""
	subject.Gender, subject.Birthdate = "1", "19700102"
	key := s.jpki.Key(strangerLabel)
	return s.jpki.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: subject, IssuedAt: s.now()})
}

// transaction is one signature transaction (署名トランザクション).
type transaction struct {
	id      string
	client  *client
	input   []byte // what the card signs: 32 bytes of digest, or 51 bytes of DigestInfo
	expires time.Time

	mu          sync.Mutex
	state       transactionState
	grant       *grant // whose access token may fetch the result
	signature   []byte
	certificate []byte
	polls       int
	fetched     int
}

type transactionState int

const (
	transactionStarted transactionState = iota
	transactionSigned
	transactionCancelled
)

// open reports whether an authorization request may still refer to it.
func (t *transaction) open(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state == transactionStarted && now.Before(t.expires)
}

// complete keeps the first result; a second visit for the same transaction cannot replace it.
func (t *transaction) complete(g *grant, signature, certificate []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == transactionStarted {
		t.state, t.grant, t.signature, t.certificate = transactionSigned, g, signature, certificate
	}
}

func (t *transaction) cancel() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == transactionStarted {
		t.state = transactionCancelled
	}
}

// resultStatus says why a result is or is not handed out.
type resultStatus int

const (
	resultReady resultStatus = iota
	resultNotFound
	resultCancelled
	resultConflict
	resultExpired
	resultConsumed
	resultPending
)

// fetch decides about one result request by a user's token and counts it.
func (t *transaction) fetch(
	by *token,
	now time.Time,
	k SignKnobs,
) (signature, certificate []byte, status resultStatus) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.client != by.client:
		return nil, nil, resultNotFound
	case t.state == transactionCancelled || k.CancelledTransaction:
		return nil, nil, resultCancelled
	case t.grant != nil && t.grant.subject != by.grant.subject:
		return nil, nil, resultNotFound
	case by.grant.transaction != t || t.grant != nil && t.grant != by.grant:
		return nil, nil, resultConflict
	case !now.Before(t.expires):
		return nil, nil, resultExpired
	case t.fetched >= max(1, k.Retrievals):
		return nil, nil, resultConsumed
	case t.state != transactionSigned || t.polls < k.PendingResults:
		t.polls++
		return nil, nil, resultPending
	}
	t.fetched++
	return t.signature, t.certificate, resultReady
}
