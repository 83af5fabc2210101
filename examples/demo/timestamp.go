package main

import (
	"bytes"
	"context"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/timestamping"
	"github.com/kakunin-go/kakunin/examples/internal/stamping"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/timestamp/tsa"
)

// stamper has what was signed stamped by a timestamp authority (時刻認証業務, RFC 3161). nil stamps nothing.
type stamper struct {
	client *tsa.Client
	root   []byte // the authority's anchor
}

// simulateStamps starts a simulated authority; a contract with an accredited one gives a real one.
func (d *demo) simulateStamps(ctx context.Context, now func() time.Time) (*stamper, error) {
	if !d.timestamp {
		return nil, nil //nolint:nilnil // nothing is stamped
	}
	authority, err := timestamping.New(timestamping.Config{Now: now})
	if err != nil {
		return nil, err
	}
	listener, err := anyPort(ctx)
	if err != nil {
		return nil, err
	}
	d.stamps = "http://" + listener.Addr().String()
	d.serve(listener, authority)
	client, err := stamping.New(stamping.Authority{URL: d.stamps, Root: authority.Root()}, now)
	if err != nil {
		return nil, err
	}
	return &stamper{client, authority.Root().Raw}, nil
}

// stamp puts a timestamp of a message into a record, and its token and anchor into the log's archive.
func (s *stamper) stamp(ctx context.Context, log *evidence.Log, message []byte) ([]evidence.Option, error) {
	if s == nil {
		return nil, nil
	}
	stamped, err := s.client.Stamp(ctx, message)
	if err != nil {
		return nil, err
	}
	if err := archive(ctx, log, stamped.Raw(), s.root); err != nil {
		return nil, err
	}
	return []evidence.Option{evidence.Timestamp(stamped)}, nil
}

// archive keeps files that records name: tokens, and the certificates of authorities.
func archive(ctx context.Context, log *evidence.Log, files ...[]byte) error {
	for _, file := range files {
		if _, err := log.Archive(ctx, bytes.NewReader(file)); err != nil {
			return err
		}
	}
	return nil
}

// archiveAuthorities keeps the certificates of those who issue people's certificates. The status comes by OCSP here;
// who loads lists archives each when it loads it.
func archiveAuthorities(ctx context.Context, log *evidence.Log, trust jpki.Trust) error {
	for _, authority := range trust.Authorities() {
		if err := archive(ctx, log, authority.Raw); err != nil {
			return err
		}
	}
	return nil
}
