// Package stamping makes the client of a timestamp authority (時刻認証業務, RFC 3161) as the examples have it.
package stamping

import (
	"crypto/x509"
	"time"

	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
	"github.com/kakunin-go/kakunin/sign/timestamp"
	"github.com/kakunin-go/kakunin/sign/timestamp/tsa"
)

// Authority is who stamps.
type Authority struct {
	URL  string
	Root *x509.Certificate // pinned: nobody else's timestamps are taken
}

// New returns a client that verifies what it gets.
func New(a Authority, now func() time.Time) (*tsa.Client, error) {
	anchor, err := certpath.ParseCertificate(a.Root.Raw)
	if err != nil {
		return nil, err
	}
	verifier, err := timestamp.NewVerifier(timestamp.VerifierConfig{
		Anchors: []*certpath.Certificate{anchor},
		// A real authority publishes a list of its revoked certificates: revocation.Require of a store with it.
		Revocation: revocation.InsecureNoRevocation(),
		Now:        now,
	})
	if err != nil {
		return nil, err
	}
	return tsa.New(tsa.Config{URL: a.URL, Verifier: verifier, Now: now})
}
