package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware/accounts"
)

// review is a login that may belong to somebody on file.
type review struct {
	ID         string
	Identity   *authn.Identity
	Candidates []accounts.Candidate
}

type link struct {
	issuer  string
	subject authn.Subject
}

// register is the accounts.Table of this example. The Example of accounts.Find has one in SQL.
type register struct {
	mu      sync.Mutex
	members map[string]fourinfo.Person // what is on file
	links   map[link]string
	reviews []review
	opened  int
}

func newRegister() *register {
	return &register{members: map[string]fourinfo.Person{}, links: map[link]string{}}
}

var _ accounts.Table = (*register)(nil)

func (t *register) UserOf(_ context.Context, issuer string, subject authn.Subject) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.links[link{issuer, subject}], nil
}

func (t *register) BornOn(_ context.Context, birthdate fourinfo.Birthdate) (users []accounts.User, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for number, p := range t.members {
		if p.Birthdate.Reveal() == birthdate.Reveal() {
			users = append(users, accounts.User{ID: number, Person: p})
		}
	}
	return users, nil
}

func (t *register) Link(_ context.Context, r accounts.Row) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, taken := t.links[link{r.Issuer, r.Subject}]; taken {
		return errors.New("linked already") // in SQL: the unique key
	}
	t.links[link{r.Issuer, r.Subject}] = r.User
	return nil
}

// passOn unlinks a member's subjects and returns them.
func (t *register) passOn(issuer, number string) (subjects []authn.Subject) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for l, user := range t.links {
		if user == number && l.issuer == issuer {
			subjects = append(subjects, l.subject)
			delete(t.links, l)
		}
	}
	return subjects
}

func (t *register) add(p fourinfo.Person) (number string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	number = fmt.Sprintf("M%05d", len(t.members)+1)
	t.members[number] = p
	return number
}

// wait notes a review, once for each subject.
func (t *register) wait(id *authn.Identity, candidates []accounts.Candidate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.reviews {
		if r.Identity.Subject == id.Subject {
			return
		}
	}
	t.opened++
	t.reviews = append(t.reviews, review{fmt.Sprintf("R%d", t.opened), id, candidates})
}

func (t *register) waiting() []review {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]review(nil), t.reviews...)
}

// take ends a review: with one of its candidates, or with "" for a new member.
func (t *register) take(id, number string) (review, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, r := range t.reviews {
		if r.ID != id {
			continue
		}
		for _, c := range append([]accounts.Candidate{{User: ""}}, r.Candidates...) {
			if c.User == number {
				t.reviews = append(t.reviews[:i:i], t.reviews[i+1:]...)
				return r, true
			}
		}
	}
	return review{}, false
}
