// Package evidencestore opens a store of evidence by its name: a directory, an SQLite file or a PostgreSQL database. It
// is here and not in the library because the drivers come with it.
package evidencestore

import (
	"context"
	"errors"

	"github.com/kakunin-go/kakunin/examples/internal/databases"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/filestore"
	"github.com/kakunin-go/kakunin/sign/evidence/sqlstore"
)

// Opened is a store that is open until Close.
type Opened struct {
	evidence.Store
	// Recovered is what a directory had to be repaired of; zero for databases, which do that themselves.
	Recovered filestore.Recovered
	close     func() error
}

// Check implements evidence.Checker.
func (o *Opened) Check(ctx context.Context) error {
	if c, ok := o.Store.(evidence.Checker); ok {
		return c.Check(ctx)
	}
	return nil
}

// Close closes the store and its database.
func (o *Opened) Close() error { return o.close() }

// Open opens the store that where names:
//
//	postgres://…, postgresql://…   PostgreSQL
//	sqlite:PATH                    an SQLite file
//	anything else                  a directory
//
// A directory or a file is made when it is not there.
func Open(ctx context.Context, where string) (*Opened, error) {
	open := sqlstore.OpenSQLite
	switch {
	case databases.IsPostgreSQL(where):
		open = sqlstore.OpenPostgreSQL
	case !databases.IsSQLite(where):
		s, err := filestore.Open(where)
		if err != nil {
			return nil, err
		}
		return &Opened{s, s.Recovered(), s.Close}, nil
	}
	db, err := databases.Connect(where)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, sqlstore.Config{DB: db})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Opened{Store: s, close: db.Close}, nil
}
