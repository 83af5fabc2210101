// Package page has the names by which the simulated service's pages are recognised by what reads them.
package page

// Mark begins the names of the attributes that mark up pages and forms for programs.
const Mark = "data-kakunin-"

// Name is a page's name: its template's file, and the value of its marker.
type Name string

// Pages.
const (
	Home            Name = "home"
	Error           Name = "error"
	Handover        Name = "handover"
	AuthPIN         Name = "auth-pin"
	TextPIN         Name = "text-pin"
	SigningPassword Name = "signing-password"
	Consent         Name = "consent"
	Number          Name = "number"
	Problem         Name = "problem"
	Closed          Name = "closed"
	Inspector       Name = "inspector"
	TestCard        Name = "test-card" // テストカード代替機能: stands for the app and a card
)

// Names lists all pages.
func Names() []Name {
	return []Name{
		Home,
		Error,
		Handover,
		AuthPIN,
		TextPIN,
		SigningPassword,
		Consent,
		Number,
		Problem,
		Closed,
		Inspector,
		TestCard,
	}
}

// Refusal is why a page ends a visit without a redirect.
type Refusal string

// Refusals.
const (
	RefusedQuery    Refusal = "query"
	RefusedClient   Refusal = "client"
	RefusedRedirect Refusal = "redirect"
	RefusedGone     Refusal = "gone"
	RefusedCookie   Refusal = "cookie"
	RefusedForeign  Refusal = "foreign"
	RefusedForm     Refusal = "form"
	RefusedNotFound Refusal = "not-found"
	RefusedInternal Refusal = "internal"
)

// Refusals lists all of them.
func Refusals() []Refusal {
	return []Refusal{
		RefusedQuery, RefusedClient, RefusedRedirect, RefusedGone, RefusedCookie, RefusedForeign, RefusedForm,
		RefusedNotFound, RefusedInternal,
	}
}

// Outcome is how a visit ended.
type Outcome string

// Outcomes.
const (
	Pending     Outcome = ""
	Approved    Outcome = "approved"
	Cancelled   Outcome = "cancelled"
	Blocked     Outcome = "blocked"
	Certificate Outcome = "certificate" // revoked, expired or otherwise not good
	CardFault   Outcome = "card-fault"
	// a phone where only cards are accepted, or a card where only phones are
	WrongKind Outcome = "wrong-kind"
	NoText    Outcome = "no-attributes"          // a phone, which has no application with the four attributes
	NoSigning Outcome = "no-signing-certificate" // e.g. a child's card
	RealCard  Outcome = "real-card"              // in a reader: none of a test environment
)

// Outcomes lists the ends.
func Outcomes() []Outcome {
	return []Outcome{Approved, Cancelled, Blocked, Certificate, CardFault, WrongKind, NoText, NoSigning, RealCard}
}
