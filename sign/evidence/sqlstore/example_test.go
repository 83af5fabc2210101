package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/sqlstore"
)

// A log of evidence in PostgreSQL, to which several instances append.
func ExampleStore() {
	var db *sql.DB          // sql.Open("pgx", "postgres://…"), or any other driver
	var report *sign.Report // from sign.Verifier.Verify
	run := func(ctx context.Context) error {
		store, err := sqlstore.OpenPostgreSQL(ctx, sqlstore.Config{DB: db}) // or OpenSQLite
		if err != nil {
			return err // ErrConfiguration, ErrNotDurable, evidence.ErrLater, evidence.ErrDamaged, or the driver's
		}
		log, err := evidence.OpenLog(evidence.LogConfig{Store: store})
		if err != nil {
			return err
		}
		kept, err := log.Append(ctx, report, evidence.Basis("犯収法"))
		if err != nil {
			return err
		}
		fmt.Println("kept as number", kept.Index)
		return nil
	}
	_ = run
}

// On one machine a file is enough. It is switched to the write-ahead log, with a sync at every append.
func ExampleOpenSQLite() {
	var db *sql.DB // sql.Open("sqlite", "evidence.db")
	run := func(ctx context.Context) (*evidence.Log, error) {
		store, err := sqlstore.OpenSQLite(ctx, sqlstore.Config{DB: db})
		if err != nil {
			return nil, err
		}
		return evidence.OpenLog(evidence.LogConfig{Store: store})
	}
	_ = run
}

// TestConfiguration: every mistake is named at once, before anything is sent.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	_, err := sqlstore.OpenSQLite(t.Context(), sqlstore.Config{Prefix: "x; DROP TABLE y"})
	if want := "sqlstore: configuration: DB is missing; Prefix must be a plain name"; !errors.Is(
		err, sqlstore.ErrConfiguration,
	) || err.Error() != want {
		t.Error(err)
	}
}
