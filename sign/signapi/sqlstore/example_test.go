package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/kakunin-go/kakunin/sign/signapi"
	"github.com/kakunin-go/kakunin/sign/signapi/sqlstore"
)

// Transactions in PostgreSQL, which several instances share.
func ExampleStore() {
	var db *sql.DB             // sql.Open("pgx", "postgres://…"), or any other driver
	var client *signapi.Client // from signapi.New
	var keys signapi.KeyWrapper
	run := func(ctx context.Context) (*signapi.Keeper, error) {
		store, err := sqlstore.OpenPostgreSQL(ctx, sqlstore.Config{DB: db}) // or OpenSQLite
		if err != nil {
			return nil, err // ErrConfiguration, ErrNotDurable, ErrLater, or the driver's
		}
		return signapi.NewKeeper(signapi.KeeperConfig{Client: client, Store: store, Keys: keys})
	}
	_ = run
}

// On one machine a file is enough.
func ExampleOpenSQLite() {
	var db *sql.DB // sql.Open("sqlite", "signatures.db")
	run := func(ctx context.Context) (signapi.Store, error) {
		return sqlstore.OpenSQLite(ctx, sqlstore.Config{DB: db})
	}
	_ = run
}

// Every mistake is named at once, before anything is sent.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	for _, open := range []func(context.Context, sqlstore.Config) (*sqlstore.Store, error){
		sqlstore.OpenSQLite, sqlstore.OpenPostgreSQL,
	} {
		_, err := open(t.Context(), sqlstore.Config{Table: "x; DROP TABLE y"})
		if want := "sqlstore: configuration: DB is missing; Table must be a plain name"; !errors.Is(
			err, sqlstore.ErrConfiguration,
		) || err.Error() != want {
			t.Error(err)
		}
	}
}
