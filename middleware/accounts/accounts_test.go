package accounts_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware/accounts"
	"github.com/kakunin-go/kakunin/middleware/middlewaretest"
)

// memory is a table of one test.
type memory struct {
	links map[[2]string]string
	users []accounts.User
	err   error
}

func (m *memory) UserOf(_ context.Context, issuer string, s authn.Subject) (string, error) {
	return m.links[[2]string{issuer, s.Reveal()}], m.err
}

func (m *memory) BornOn(context.Context, fourinfo.Birthdate) ([]accounts.User, error) {
	return m.users, nil // a table that finds too many does no harm
}

func (m *memory) Link(_ context.Context, r accounts.Row) error {
	m.links[[2]string{r.Issuer, r.Subject.Reveal()}] = r.User
	return nil
}

var hanako = middlewaretest.Attributes{
	Subject: "s-1", Name: "試験　花子", Address: "東京都清瀬市架空町１－２－３", Birthdate: "19880723", Gender: "2",
}

func newTable(t *testing.T) *memory {
	t.Helper()
	m := &memory{links: map[[2]string]string{}}
	id := middlewaretest.Identity(hanako)
	m.users = append(m.users, accounts.User{ID: "user-1", Person: id.Person})
	if err := accounts.Link(t.Context(), m, accounts.RowOf(id, "user-1")); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFind(t *testing.T) {
	change := func(f func(*middlewaretest.Attributes)) middlewaretest.Attributes {
		a := hanako
		a.Subject = "s-2"
		f(&a)
		return a
	}
	for name, c := range map[string]struct {
		who  middlewaretest.Attributes
		want accounts.Kind
	}{
		"the same subject": {hanako, accounts.Known},
		"the same subject, who moved": {middlewaretest.Attributes{Subject: "s-1", Address: "別の町"},
			accounts.Known},
		"a new card": {change(func(*middlewaretest.Attributes) {}), accounts.Review},
		"a new card, who moved": {change(func(a *middlewaretest.Attributes) {
			a.Address = "大阪府大阪市北区架空町９"
		}), accounts.Review},
		"a new card, who married": {change(func(a *middlewaretest.Attributes) { a.Name = "見本　花子" }),
			accounts.Review},
		"another way of writing": {change(func(a *middlewaretest.Attributes) { a.Name = "試験花子" }),
			accounts.Review},
		"a new card, name and birthday only": {change(func(a *middlewaretest.Attributes) {
			a.Address, a.Gender = "", ""
		}), accounts.Review},
		"another birthday": {change(func(a *middlewaretest.Attributes) { a.Birthdate = "19880724" }),
			accounts.New},
		"only the birthday": {change(func(a *middlewaretest.Attributes) {
			a.Name, a.Address = "見本　太郎", "大阪府大阪市北区架空町９"
		}), accounts.New},
		"nothing shared": {middlewaretest.Attributes{Subject: "s-2"}, accounts.New},
	} {
		found, err := accounts.Find(t.Context(), newTable(t), middlewaretest.Identity(c.who))
		if err != nil || found.Kind != c.want {
			t.Errorf("%s: %v, %v; want %v", name, found.Kind, err, c.want)
		}
		if (found.User != "") != (c.want == accounts.Known) ||
			(len(found.Candidates) > 0) != (c.want == accounts.Review) {
			t.Errorf("%s: %+v: attributes alone lead into no account", name, found)
		}
	}
}

func TestAnotherIssuersSubjectIsSomebodyElse(t *testing.T) {
	id := middlewaretest.Identity(middlewaretest.Attributes{Subject: "s-1"})
	id.Issuer = "https://sandbox.test"
	if found, err := accounts.Find(t.Context(), newTable(t), id); found.Kind != accounts.New || err != nil {
		t.Errorf("%v, %v", found.Kind, err)
	}
}

func TestLinkMovesNobody(t *testing.T) {
	m := newTable(t)
	id := middlewaretest.Identity(hanako)
	if err := accounts.Link(t.Context(), m, accounts.RowOf(id, "user-1")); err != nil {
		t.Errorf("linking again: %v", err)
	}
	for _, user := range []string{"user-2", ""} {
		if err := accounts.Link(t.Context(), m, accounts.RowOf(id, user)); !errors.Is(err,
			&accounts.Error{Reason: accounts.ReasonTaken}) {
			t.Errorf("linked to %q: %v", user, err)
		}
	}
	if found, _ := accounts.Find(t.Context(), m, id); found.User != "user-1" {
		t.Errorf("now %q", found.User)
	}
}

// racing is a table in which somebody else is quicker by a moment.
type racing struct {
	*memory
	quicker string
}

func (r racing) Link(_ context.Context, row accounts.Row) error {
	if r.quicker != "" {
		r.links[[2]string{row.Issuer, row.Subject.Reveal()}] = r.quicker
	}
	return errors.New("duplicate key (s-2)")
}

// A form that is sent twice links twice at the same moment.
func TestLinkTwiceAtOnce(t *testing.T) {
	id := middlewaretest.Identity(middlewaretest.Attributes{Subject: "s-2"})
	for quicker, want := range map[string]error{
		"user-2": nil, "user-3": &accounts.Error{Reason: accounts.ReasonTaken},
		"": &accounts.Error{Reason: accounts.ReasonTable},
	} {
		err := accounts.Link(t.Context(), racing{newTable(t), quicker}, accounts.RowOf(id, "user-2"))
		if want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%q is quicker: %v, want %v", quicker, err, want)
		}
	}
}

func TestTableFails(t *testing.T) {
	m := newTable(t)
	m.err = errors.New("duplicate key (s-1)")
	_, err := accounts.Find(t.Context(), m, middlewaretest.Identity(hanako))
	for _, err := range []error{err, accounts.Link(t.Context(), m,
		accounts.RowOf(middlewaretest.Identity(hanako), "user-1"))} {
		if !errors.Is(err, m.err) || kakunin.FamilyOf(err) != kakunin.Unavailable ||
			strings.Contains(err.Error(), "s-1") {
			t.Errorf("%v", err)
		}
	}
}
