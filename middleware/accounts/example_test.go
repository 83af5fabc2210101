package accounts_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/middleware"
	"github.com/kakunin-go/kakunin/middleware/accounts"
	"github.com/kakunin-go/kakunin/middleware/middlewaretest"
)

// sqlTable is a Table in any SQL database:
//
//	CREATE TABLE users    (id TEXT PRIMARY KEY, birthdate CHAR(8), name TEXT, address TEXT, gender CHAR(1));
//	CREATE INDEX users_birthdate ON users (birthdate);
//	CREATE TABLE subjects (issuer TEXT, subject TEXT, user_id TEXT NOT NULL REFERENCES users,
//	                       PRIMARY KEY (issuer, subject));
type sqlTable struct{ db *sql.DB }

func (t sqlTable) UserOf(ctx context.Context, issuer string, subject authn.Subject) (user string, err error) {
	err = t.db.QueryRowContext(ctx, `SELECT user_id FROM subjects WHERE issuer = $1 AND subject = $2`, issuer,
		subject.Reveal()).Scan(&user)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return user, err
}

func (t sqlTable) BornOn(ctx context.Context, birthdate fourinfo.Birthdate) (users []accounts.User, err error) {
	rows, err := t.db.QueryContext(ctx,
		`SELECT id, name, address, birthdate, gender FROM users WHERE birthdate = $1 LIMIT 500`, birthdate.RevealRaw())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, name, address, born, gender string
		if err := rows.Scan(&id, &name, &address, &born, &gender); err != nil {
			return nil, err
		}
		person, _ := fourinfo.FromCard(fourinfo.CardFields{
			Name: name, Address: address, Birthdate: born, Gender: gender,
		})
		users = append(users, accounts.User{ID: id, Person: person})
	}
	return users, rows.Err()
}

func (t sqlTable) Link(ctx context.Context, r accounts.Row) error {
	_, err := t.db.ExecContext(ctx, `INSERT INTO subjects (issuer, subject, user_id) VALUES ($1, $2, $3)`, r.Issuer,
		r.Subject.Reveal(), r.User)
	return err
}

var _ accounts.Table = sqlTable{}

// Find or create the user when somebody logs in; whoever may be known under another subject is led to the counter.
func ExampleFind() {
	var table accounts.Table = &memory{links: map[[2]string]string{}} // or sqlTable{db}
	config := middleware.Config{
		OnLogin: func(w http.ResponseWriter, r *http.Request, id *authn.Identity) error {
			found, err := accounts.Find(r.Context(), table, id)
			switch {
			case err != nil:
				return err
			case found.Kind == accounts.New:
				return accounts.Link(r.Context(), table, accounts.RowOf(id, "user-1"))
			case found.Kind == accounts.Review:
				http.Redirect(w, r, "/account/review", http.StatusSeeOther)
			}
			return nil
		},
	}
	id := middlewaretest.Identity(hanako)
	fmt.Println(config.OnLogin(nil, new(http.Request), id))
	found, err := accounts.Find(context.Background(), table, id)
	fmt.Println(found.Kind, found.User, err)
	// Output:
	// <nil>
	// known user-1 <nil>
}
