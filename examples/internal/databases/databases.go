// Package databases opens a database by its name, for the stores of the examples. It links the drivers, which the
// library does not.
package databases

import (
	"database/sql"
	"net/url"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of PostgreSQL
	_ "modernc.org/sqlite"             // the driver of SQLite
)

// sqlite begins the name of a file where a directory could be meant.
const sqlite = "sqlite:"

// IsPostgreSQL reports whether where is postgres://… or postgresql://….
func IsPostgreSQL(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// IsSQLite reports whether where is sqlite:PATH.
func IsSQLite(where string) bool { return strings.HasPrefix(where, sqlite) }

// Connect returns the database that where names: PostgreSQL, or the SQLite file sqlite:PATH or PATH.
func Connect(where string) (*sql.DB, error) {
	if IsPostgreSQL(where) {
		return sql.Open("pgx", where)
	}
	path := strings.TrimPrefix(where, sqlite)
	// Readers wait for a moment instead of failing while somebody writes.
	return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(10000)")
}
