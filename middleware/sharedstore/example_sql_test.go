package sharedstore_test

import (
	"context"
	"database/sql"

	"github.com/kakunin-go/kakunin/middleware/sharedstore"
)

// What instances share, in a table of the application's own database.
func ExampleNewSQL() {
	var db *sql.DB // sql.Open("pgx", …) or any other driver
	run := func(ctx context.Context) error {
		shared, err := sharedstore.NewSQL(sharedstore.SQLConfig{DB: db})
		if err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, shared.Schema()) // once, or in your migrations
		return err                                    // then: middleware.Config{Shared: shared, …}
	}
	_ = run
}
