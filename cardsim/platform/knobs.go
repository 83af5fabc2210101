package platform

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

// Knobs change the operator's answers for tests. The zero value is an honest operator.
type Knobs struct {
	// Answer is what is wrong with every verdict.
	Answer Answer
}

// Answer is one way in which an operator's answer is not what was asked for, or not good news.
type Answer string

// Answers. A business must notice all from AnswerOtherTransaction on.
const (
	AnswerHonest Answer = ""
	// The operator says so whatever it was given.
	AnswerExpired     Answer = "expired"
	AnswerRevoked     Answer = "revoked"
	AnswerMismatch    Answer = "mismatch"
	AnswerUnsupported Answer = "unsupported"
	AnswerSealed      Answer = "sealed"
	AnswerReused      Answer = "reused"
	AnswerUnavailable Answer = "unavailable"
	// AnswerOtherTransaction is a good verdict on another transaction, AnswerOtherDocument on another digest.
	AnswerOtherTransaction Answer = "other-transaction"
	AnswerOtherDocument    Answer = "other-document"
	// AnswerReplay is the last honest answer again, whatever is asked; when there is none, it is honest.
	AnswerReplay Answer = "replay"
	// AnswerStale is a good verdict of two days ago.
	AnswerStale Answer = "stale"
	// AnswerUnknownCode is a code of no profile, AnswerNoID a good verdict without a verification id, AnswerMalformed
	// half an object.
	AnswerUnknownCode Answer = "unknown-code"
	AnswerNoID        Answer = "no-id"
	AnswerMalformed   Answer = "malformed"
)

// Answers lists every value but the honest one.
func Answers() []Answer {
	return []Answer{
		AnswerExpired, AnswerRevoked, AnswerMismatch, AnswerUnsupported, AnswerSealed, AnswerReused, AnswerUnavailable,
		AnswerOtherTransaction, AnswerOtherDocument, AnswerReplay, AnswerStale, AnswerUnknownCode, AnswerNoID,
		AnswerMalformed,
	}
}

// stale is how much earlier a verdict of AnswerStale was given.
const stale = 48 * time.Hour

// give sends an answer, changed as the knobs say.
func (p *Platform) give(w http.ResponseWriter, honest *answer) {
	status, body := honest.status, honest.body.Bytes()
	if status == http.StatusOK {
		status, body = p.spoil(p.config.Knobs().Answer, body)
	}
	maps.Copy(w.Header(), honest.header)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// spoil changes the answer to a request that could be judged.
func (p *Platform) spoil(how Answer, body []byte) (int, []byte) {
	w := p.wire
	p.mu.Lock()
	defer p.mu.Unlock()
	if how == AnswerHonest {
		p.lastReply = bytes.Clone(body)
	}
	members := map[string]string{}
	if how == AnswerHonest || json.Unmarshal(body, &members) != nil {
		return http.StatusOK, body
	}
	code := func(text string) { members = p.judged(members, text) }
	failed := func(status int, text string) (int, []byte) {
		return status, encode(map[string]string{w.ErrorField: text})
	}
	switch how {
	case AnswerExpired:
		code(w.Codes.Expired)
	case AnswerRevoked:
		code(w.Codes.Revoked)
	case AnswerMismatch:
		code(w.Codes.Mismatch)
	case AnswerUnsupported:
		return failed(http.StatusUnprocessableEntity, w.Codes.Unsupported)
	case AnswerSealed:
		return failed(http.StatusUnprocessableEntity, w.Codes.Sealed)
	case AnswerReused:
		return failed(http.StatusConflict, w.Codes.Reused)
	case AnswerUnavailable:
		return failed(http.StatusServiceUnavailable, w.Codes.Unavailable)
	case AnswerOtherTransaction:
		members[w.TransactionField] = "00000000-0000-0000-0000-000000000000"
	case AnswerOtherDocument:
		members[w.DigestField] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	case AnswerReplay:
		if p.lastReply != nil {
			return http.StatusOK, p.lastReply
		}
	case AnswerStale:
		members[w.VerifiedAtField] = p.config.Now().Add(-stale).UTC().Format(time.RFC3339)
	case AnswerUnknownCode:
		code("RESULT_FINE")
	case AnswerNoID:
		delete(members, w.VerificationIDField)
	case AnswerMalformed:
		return http.StatusOK, body[:len(body)/2]
	case AnswerHonest:
	}
	return http.StatusOK, encode(members)
}

// judged is a verdict with another code.
func (p *Platform) judged(members map[string]string, code string) map[string]string {
	members[p.wire.CodeField] = code
	return members
}

func encode(members map[string]string) []byte {
	b, err := json.Marshal(members)
	if err != nil {
		return nil // texts always encode
	}
	return append(b, '\n')
}

// answer is an http.ResponseWriter in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
