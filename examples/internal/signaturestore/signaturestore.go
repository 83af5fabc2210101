// Package signaturestore opens a store of signature transactions by its name: an SQLite file or a PostgreSQL database.
// It is here and not in the library because the drivers come with it.
package signaturestore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/kakunin-go/kakunin/examples/internal/databases"
	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/signapi/sqlstore"
)

// Opened is a store that is open until Close.
type Opened struct {
	signapi.Store
	db *sql.DB
}

// Close closes the database.
func (o *Opened) Close() error { return o.db.Close() }

// Open opens the store that where names:
//
//	postgres://…, postgresql://…   PostgreSQL
//	anything else                  an SQLite file, made when it is not there
func Open(ctx context.Context, where string) (*Opened, error) {
	open := sqlstore.OpenSQLite
	if databases.IsPostgreSQL(where) {
		open = sqlstore.OpenPostgreSQL
	}
	db, err := databases.Connect(where)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, sqlstore.Config{DB: db})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Opened{s, db}, nil
}
