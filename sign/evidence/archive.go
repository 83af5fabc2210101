package evidence

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// Archive keeps a file once in the store, under its SHA-256, however often it is given: revocation lists, certificates
// of authorities, time-stamp tokens. It returns the hash in lower-case hexadecimal, as records name it. The file is
// read as a stream, and is not encrypted: give it nothing personal. Errors are [*Error].
func (l *Log) Archive(ctx context.Context, r io.Reader) (string, error) {
	h, err := l.store.PutBlob(ctx, r)
	if err != nil {
		return "", broken("archive", err)
	}
	return hex.EncodeToString(h[:]), nil
}

// Archived opens a file of the archive by its hash in hexadecimal. Reading it ends with [ReasonHash] instead of io.EOF
// when it is not the file of that hash. Errors are [*Error]: [ReasonAbsent] when it was never archived.
func (l *Log) Archived(ctx context.Context, sha256Hex string) (io.ReadCloser, error) {
	want, err := fromHex(sha256Hex)
	if err != nil {
		return nil, err
	}
	r, err := l.store.Blob(ctx, want)
	if errors.Is(err, ErrAbsent) {
		return nil, &Error{Reason: ReasonAbsent, Step: "archive", Err: err}
	}
	if err != nil {
		return nil, broken("archive", err)
	}
	return &checkedReader{r, sha256.New(), want}, nil
}

// checkedReader compares the hash of everything that was read before it says that this was all.
type checkedReader struct {
	io.ReadCloser
	sum  hash.Hash
	want Hash
}

func (c *checkedReader) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	_, _ = c.sum.Write(b[:n]) // a hash takes everything
	if errors.Is(err, io.EOF) && Hash(c.sum.Sum(nil)) != c.want {
		return n, &Error{Reason: ReasonHash, Step: "archive"}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, broken("archive", err)
	}
	return n, err
}
