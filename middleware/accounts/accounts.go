// Package accounts finds the user of an application to whom a login belongs, and the users to whom it may belong: a
// subject may change when a card's certificate or the individual number is reissued, and the person is the same.
//
//	found, err := accounts.Find(ctx, table, identity)
//	switch found.Kind {
//	case accounts.Known:  // found.User
//	case accounts.New:    // create a user, then accounts.Link
//	case accounts.Review: // a member of staff decides, with a document at hand; then accounts.Link
//	}
//
// Nobody gets into an existing account because attributes agree: two people may share a name, a birthday and an
// address, and twins nearly do. Agreement only leads to a review. The [Table] is the application's; see the example for
// one in SQL.
//
// Ask for authn.Name and authn.Birthdate at least. Without them a changed subject cannot be noticed, and everybody who
// is not known is new.
//
// # Examples
//
// There is an example of [Find].
//
// # Compatibility
//
// The package stores nothing.
package accounts

import (
	"context"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
)

// Table is the application's table of subjects and users. It must be safe for concurrent use. Its errors come back
// inside an [*Error] with ReasonTable.
type Table interface {
	// UserOf returns the user to whom the subject of an issuer is linked, "" for none. Issuer and subject are the key:
	// another issuer's subject is somebody else.
	UserOf(ctx context.Context, issuer string, subject authn.Subject) (user string, err error)
	// BornOn returns the users with a date of birth, which is an index that such a table has anyway; at most a few
	// hundred.
	BornOn(ctx context.Context, birthdate fourinfo.Birthdate) ([]User, error)
	// Link adds the row. It must fail if the subject is linked already: the columns of issuer and subject are a unique
	// key.
	Link(ctx context.Context, r Row) error
}

// Row links the subject of an issuer to a user.
type Row struct {
	Issuer  string
	Subject authn.Subject
	User    string
}

// RowOf makes a row of a login and the user it belongs to.
func RowOf(id *authn.Identity, user string) Row {
	return Row{Issuer: id.Issuer, Subject: id.Subject, User: user}
}

// User is a user as the application knows them.
type User struct {
	ID     string
	Person fourinfo.Person // what is on file
}

// Kind says what is known about a login.
type Kind int

// Kinds. The zero value is Unknown, which Find returns only with an error.
const (
	Unknown Kind = iota
	// Known: the subject is linked to a user.
	Known
	// New: nobody on file may be this person.
	New
	// Review: somebody on file may be this person under another subject. A member of staff decides.
	Review
)

// String returns "unknown", "known", "new" or "review".
func (k Kind) String() string {
	names := [...]string{Unknown: "unknown", Known: "known", New: "new", Review: "review"}
	if k < 0 || int(k) >= len(names) {
		return names[Unknown]
	}
	return names[k]
}

// Found is what is known about a login.
type Found struct {
	Kind       Kind
	User       string      // if Known
	Candidates []Candidate // if Review: at least one
}

// Candidate is a user who may be the person, with what agrees and what does not. It is for the eyes of staff.
type Candidate struct {
	User   string
	Fields []fourinfo.FieldMatch
}

// Find looks the person up. The error is an [*Error].
func Find(ctx context.Context, t Table, id *authn.Identity) (Found, error) {
	user, err := t.UserOf(ctx, id.Issuer, id.Subject)
	if err != nil {
		return Found{}, &Error{Reason: ReasonTable, Err: err}
	}
	if user != "" {
		return Found{Kind: Known, User: user}, nil
	}
	if !id.Person.Birthdate.Present() {
		return Found{Kind: New}, nil
	}
	users, err := t.BornOn(ctx, id.Person.Birthdate)
	if err != nil {
		return Found{}, &Error{Reason: ReasonTable, Err: err}
	}
	var candidates []Candidate
	for _, u := range users {
		if fields := u.Person.Compare(id.Person); mayBe(fields) {
			candidates = append(candidates, Candidate{User: u.ID, Fields: fields})
		}
	}
	if len(candidates) > 0 {
		return Found{Kind: Review, Candidates: candidates}, nil
	}
	return Found{Kind: New}, nil
}

// mayBe reports whether two records may be one person: the birthdate does not differ, and the name or the address
// agrees, in however another way of writing. People move and marry, seldom both at once.
func mayBe(fields []fourinfo.FieldMatch) bool {
	agrees := false
	for _, f := range fields {
		switch f.Attribute {
		case fourinfo.AttributeBirthdate:
			if f.Outcome == fourinfo.Different {
				return false
			}
		case fourinfo.AttributeName, fourinfo.AttributeAddress:
			agrees = agrees || (f.Outcome != fourinfo.Different && f.Outcome != fourinfo.OutcomeUnknown)
		}
	}
	return agrees
}

// Link links a login's subject to a user: a new one, or the one that a review decided on. A subject that is linked to
// another user is ReasonTaken and stays where it is; to link it to the same user again is no error. The error is an
// [*Error].
func Link(ctx context.Context, t Table, r Row) error {
	linked, err := t.UserOf(ctx, r.Issuer, r.Subject)
	switch {
	case err != nil:
		return &Error{Reason: ReasonTable, Err: err}
	case linked == r.User && linked != "":
		return nil
	case linked != "" || r.User == "":
		return &Error{Reason: ReasonTaken}
	}
	err = t.Link(ctx, r)
	if err == nil {
		return nil
	}
	// A form that is sent twice links twice at the same moment: the unique key lets one in, and both are right.
	switch linked, again := t.UserOf(ctx, r.Issuer, r.Subject); {
	case again == nil && linked == r.User:
		return nil
	case again == nil && linked != "":
		return &Error{Reason: ReasonTaken, Err: err}
	}
	return &Error{Reason: ReasonTable, Err: err}
}
