package daa

import (
	"sync"
	"time"
)

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
func (t *transaction) fetch(by *token, now time.Time, k SignKnobs) (signature, certificate []byte, status resultStatus) {
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
