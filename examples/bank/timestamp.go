package main

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/examples/internal/stamping"
	"github.com/kakunin-go/kakunin/sign/timestamp"
	"github.com/kakunin-go/kakunin/sign/timestamp/tsa"
)

// stamper has what was signed stamped by a timestamp authority (時刻認証業務, RFC 3161): years later it shows that the
// signature was there before its certificate ended. nil stamps nothing.
type stamper struct {
	client *tsa.Client
	root   []byte // the authority's anchor, for the archive of the log
}

func newStamper(a stamping.Authority, now func() time.Time) (*stamper, error) {
	client, err := stamping.New(a, now)
	if err != nil {
		return nil, err
	}
	return &stamper{client, a.Root.Raw}, nil
}

// stamp returns the timestamps of a message: one, or none.
func (s *stamper) stamp(ctx context.Context, message []byte) ([]*timestamp.Timestamp, error) {
	if s == nil {
		return nil, nil
	}
	stamped, err := s.client.Stamp(ctx, message)
	if err != nil {
		return nil, err
	}
	return []*timestamp.Timestamp{stamped}, nil
}
