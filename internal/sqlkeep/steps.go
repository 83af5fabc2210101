package sqlkeep

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// Step is a statement with its arguments.
type Step struct {
	Statement string
	Args      []any
	// Found is set in a step of Steps that asks: when it finds a row, nothing is done and this is the answer.
	Found error
}

// ErrUnchanged says that the first step changed no row, and nothing was done.
var ErrUnchanged = errors.New("sqlstore: the first statement changed no row")

// runner runs the statements of a transaction.
type runner interface {
	exec(ctx context.Context, i int, s Step) (sql.Result, error)
	row(ctx context.Context, i int, s Step) *sql.Row
}

// runSteps runs statements in a transaction.
func runSteps(ctx context.Context, all []Step, by runner) error {
	for i, one := range all {
		if one.Found != nil {
			var ignored int
			err := by.row(ctx, i, one).Scan(&ignored)
			if err == nil {
				return one.Found
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			continue
		}
		result, err := by.exec(ctx, i, one)
		if err != nil {
			return err
		}
		if i > 0 {
			continue
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return errors.Join(ErrUnchanged, err)
		}
	}
	return nil
}

// texts runs statements by their text.
type texts struct{ Execer }

func (t texts) exec(ctx context.Context, _ int, s Step) (sql.Result, error) {
	return t.ExecContext(ctx, s.Statement, s.Args...)
}

func (t texts) row(ctx context.Context, _ int, s Step) *sql.Row {
	return t.QueryRowContext(ctx, s.Statement, s.Args...)
}

func (p postgreSQL) Steps(ctx context.Context, db *sql.DB, all []Step) error {
	return p.Write(ctx, db, func(tx Execer) error { return runSteps(ctx, all, texts{tx}) })
}

// Query asks as it is: drivers of PostgreSQL remember statements themselves.
func (postgreSQL) Query(ctx context.Context, db *sql.DB, q Step) (*sql.Rows, error) {
	return db.QueryContext(ctx, q.Statement, q.Args...)
}

// Steps takes the lock with its first statement, which writes: as BEGIN IMMEDIATE does, but in a transaction of package
// database/sql, which runs statements that were prepared.
func (s sqLite) Steps(ctx context.Context, db *sql.DB, all []Step) error {
	statements := make([]*sql.Stmt, len(all))
	for i, one := range all { // before a connection is taken: there may be no other
		var err error
		if statements[i], err = s.prepared.get(ctx, db, one.Statement); err != nil {
			return err
		}
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	if err = s.settings.make(ctx, conn); err == nil {
		err = stepsOn(ctx, conn, all, statements)
	}
	return errors.Join(err, conn.Close())
}

func stepsOn(ctx context.Context, conn *sql.Conn, all []Step, statements []*sql.Stmt) error {
	// BEGIN waits for nobody, and COMMIT for no other writer: each statement in between heeds the context.
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	err = runSteps(ctx, all, ready{tx, statements})
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// ready runs statements that were prepared.
type ready struct {
	tx         *sql.Tx
	statements []*sql.Stmt
}

func (r ready) exec(ctx context.Context, i int, s Step) (sql.Result, error) {
	return r.tx.StmtContext(ctx, r.statements[i]).ExecContext(ctx, s.Args...)
}

func (r ready) row(ctx context.Context, i int, s Step) *sql.Row {
	return r.tx.StmtContext(ctx, r.statements[i]).QueryRowContext(ctx, s.Args...)
}

func (s sqLite) Query(ctx context.Context, db *sql.DB, q Step) (*sql.Rows, error) {
	statement, err := s.prepared.get(ctx, db, q.Statement)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, q.Args...)
}

// prepared are statements that are run again and again: SQLite takes as long to read one as to run it. They are closed
// with the database. Whoever asks has few forms of statements.
type prepared struct {
	mu    sync.Mutex
	known map[string]*sql.Stmt
}

func (p *prepared) get(ctx context.Context, db *sql.DB, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	statement, ok := p.known[query]
	p.mu.Unlock()
	if ok {
		return statement, nil
	}
	statement, err := db.PrepareContext(ctx, query) // it may wait for a connection, whose owner asks here too
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other, ok := p.known[query]; ok {
		return other, statement.Close()
	}
	if p.known == nil {
		p.known = map[string]*sql.Stmt{}
	}
	p.known[query] = statement
	return statement, nil
}
