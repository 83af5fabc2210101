package daa

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// PendingVisit is a person who was sent to the service and was not sent back yet.
type PendingVisit struct {
	ID       string
	ClientID string
	Scopes   []string
	Expires  time.Time
	// URL is the phone screen's page, and Cookie what the browser that began the visit has: whoever has both goes on in
	// its place, see visitor.Person.Jar.
	URL    string
	Cookie *http.Cookie
}

// PendingVisits lists the visits that go on, the oldest first.
func (s *Service) PendingVisits() []PendingVisit {
	var list []PendingVisit
	for _, v := range s.visits.values() {
		v.mu.Lock()
		if !v.released {
			list = append(list, PendingVisit{
				ID:       v.id,
				ClientID: v.req.client.ID,
				Scopes:   slices.Clone(v.req.scopes),
				Expires:  v.expires,
				URL:      s.base.String() + "/phone/screen/" + v.phoneID,
				Cookie: &http.Cookie{ //nolint:gosec // read by the control API, not set here
					Name:  cookieName(v),
					Value: v.secret,
					Path:  "/phone/",
				}, //nolint:gosec // for our own visitor
			})
		}
		v.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b PendingVisit) int {
		if c := a.Expires.Compare(b.Expires); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

// AwaitVisit returns when there is a pending visit, or when ctx ends.
func (s *Service) AwaitVisit(ctx context.Context) error {
	s.arrival.mu.Lock()
	if s.arrival.next == nil {
		s.arrival.next = make(chan struct{})
	}
	next := s.arrival.next
	s.arrival.mu.Unlock()
	if len(s.PendingVisits()) > 0 { // asked after the channel was there, so that no visit begins unseen between the two
		return nil
	}
	select {
	case <-next:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// arrived wakes those who await a visit.
func (s *Service) arrived() {
	s.arrival.mu.Lock()
	defer s.arrival.mu.Unlock()
	if s.arrival.next != nil {
		close(s.arrival.next)
		s.arrival.next = nil
	}
}

// TransactionState is what became of a signature transaction.
type TransactionState string

// Values of TransactionState.
const (
	TransactionStarted   TransactionState = "started"
	TransactionSigned    TransactionState = "signed"
	TransactionCancelled TransactionState = "cancelled"
	TransactionExpired   TransactionState = "expired"
)

// Transaction is a signature transaction as the service knows it.
type Transaction struct {
	ID       string
	ClientID string
	State    TransactionState
	Expires  time.Time
	Fetched  int // how often its result was fetched
}

// Transactions lists the signature transactions that the service remembers, the oldest first.
func (s *Service) Transactions() []Transaction {
	var list []Transaction
	for _, t := range s.transactions.values() {
		t.mu.Lock()
		one := Transaction{
			ID:       t.id,
			ClientID: t.client.ID,
			Expires:  t.expires,
			Fetched:  t.fetched,
			State:    TransactionStarted,
		}
		switch {
		case t.state == transactionSigned:
			one.State = TransactionSigned
		case t.state == transactionCancelled:
			one.State = TransactionCancelled
		case !s.now().Before(t.expires):
			one.State = TransactionExpired
		}
		t.mu.Unlock()
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Transaction) int {
		if c := a.Expires.Compare(b.Expires); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

// Forget drops every visit, code, token and transaction, the names of the assertions that were used, and what the
// inspector and the platform operator know, makes all cards whole, takes moves and reissues back, and puts the knobs
// back to what they were in the Config. What was revoked otherwise stays revoked; keys stay as they are.
func (s *Service) Forget() error {
	s.visits.clear()
	s.phones.clear()
	s.departed.clear()
	s.codes.clear()
	s.tokens.clear()
	s.refreshTokens.clear()
	s.transactions.clear()
	s.assertions.Clear()
	s.exchanges.forget()
	s.lobby.clear()
	s.platform.Forget()
	s.SetKnobs(s.firstKnobs)
	if err := s.moveBack(); err != nil {
		return err
	}
	for _, name := range s.CardNames() {
		if err := s.Unlock(name); err != nil {
			return err
		}
	}
	return nil
}
