package sqlstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kakunin-go/kakunin/internal/sqlkeep"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

const (
	chunkSize = 256 << 10
	// unfinishedFor is how long a file may take to be put.
	unfinishedFor = 24 * time.Hour
)

// PutBlob implements evidence.Store: the pieces first, each by itself, so that nobody waits for a slow reader; then the
// row that makes them a file.
func (s *Store) PutBlob(ctx context.Context, r io.Reader) (hash evidence.Hash, err error) {
	id := stamp(s.now()) + rand.Text()
	sum := sha256.New()
	var size, seq int64
	for piece := make([]byte, chunkSize); ; seq++ {
		n, err := io.ReadFull(r, piece)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return hash, errors.Join(err, s.removeChunks(context.WithoutCancel(ctx), id))
		}
		if n == 0 {
			break
		}
		_, _ = sum.Write(piece[:n]) // a hash takes everything
		size += int64(n)
		if err := s.once(ctx, `INSERT INTO $_chunks (id, seq, data) VALUES ($1, $2, $3)`, id, seq, piece[:n]); err != nil {
			return hash, errors.Join(err, s.removeChunks(context.WithoutCancel(ctx), id))
		}
		if n < chunkSize {
			break
		}
	}
	hash = evidence.Hash(sum.Sum(nil))
	var known bool
	err = s.dialect.Write(ctx, s.db, func(tx sqlkeep.Execer) error {
		result, err := tx.ExecContext(ctx, s.sql(`INSERT INTO $_blobs (hash, id, size) VALUES ($1, $2, $3)`+
			` ON CONFLICT (hash) DO NOTHING`), hash[:], id, size)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		known = n == 0
		return err
	})
	if err != nil || known {
		err = errors.Join(err, s.removeChunks(context.WithoutCancel(ctx), id))
	}
	return hash, err
}

// stamp begins the name of a file's pieces, so that names have the order of time.
func stamp(t time.Time) string { return fmt.Sprintf("%013x-", t.UnixMilli()) }

// once runs a statement that waits for other writers. Pieces are durable with the row that makes them a file.
func (s *Store) once(ctx context.Context, statement string, args ...any) error {
	_, err := s.dialect.Once(ctx, s.db, sqlkeep.Step{Statement: s.sql(statement), Args: args})
	return err
}

func (s *Store) removeChunks(ctx context.Context, id string) error {
	// After a commit whose answer was lost the pieces are a file's.
	return s.once(ctx, `DELETE FROM $_chunks WHERE id = $1`+
		` AND NOT EXISTS (SELECT 1 FROM $_blobs b WHERE b.id = $2)`, id, id)
}

// removeUnfinishedBlobs deletes the pieces of files that nobody finished.
func (s *Store) removeUnfinishedBlobs(ctx context.Context) error {
	return s.once(ctx, `DELETE FROM $_chunks WHERE id < $1`+
		` AND NOT EXISTS (SELECT 1 FROM $_blobs b WHERE b.id = $_chunks.id)`, stamp(s.now().Add(-unfinishedFor)))
}

// Blob implements evidence.Store.
func (s *Store) Blob(ctx context.Context, hash evidence.Hash) (io.ReadCloser, error) {
	b := &blob{ctx: ctx, s: s, name: hex.EncodeToString(hash[:])}
	err := s.db.QueryRowContext(ctx, s.sql(`SELECT id, size FROM $_blobs WHERE hash = $1`), hash[:]).
		Scan(&b.id, &b.left)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, evidence.ErrAbsent
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// blob reads a file piece by piece.
type blob struct {
	ctx   context.Context //nolint:containedctx // a reader has no other place for it
	s     *Store
	name  string
	id    string
	seq   int64
	piece []byte
	left  int64
}

// Read implements io.Reader.
func (b *blob) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.EOF
	}
	if len(b.piece) == 0 {
		err := b.s.db.QueryRowContext(b.ctx, b.s.sql(`SELECT data FROM $_chunks WHERE id = $1 AND seq = $2`), b.id,
			b.seq).
			Scan(&b.piece)
		if errors.Is(err, sql.ErrNoRows) || err == nil && len(b.piece) == 0 {
			return 0, damaged("file %s lacks piece %d", b.name, b.seq)
		}
		if err != nil {
			return 0, err
		}
		b.seq++
	}
	n := copy(p, b.piece)
	b.piece, b.left = b.piece[n:], b.left-int64(n)
	return n, nil
}

// Close implements io.Closer.
func (b *blob) Close() error { return nil }
