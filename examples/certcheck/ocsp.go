package main

import (
	"context"
	"time"

	"github.com/kakunin-go/kakunin/jpki/certpath"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// ocspFile is an OCSP response from a file as a source of package certpath; package jpki judges it (RFC 6960, 3.2).
type ocspFile []byte

// Check implements certpath.RevocationSource.
func (o ocspFile) Check(ctx context.Context, q certpath.RevocationQuery) (certpath.RevocationAnswer, error) {
	out := certpath.RevocationAnswer{Method: "OCSP", Reason: -1}
	leaf, err := revocation.ParseCertificate(q.Certificate.Raw())
	if err != nil {
		return out, err
	}
	issuer, err := revocation.ParseCertificate(q.Issuer.Raw())
	if err != nil {
		return out, err
	}
	answer, err := revocation.RecordedOCSP{
		Response: o, Skew: -1 * time.Nanosecond, // none: the auditor names the time
	}.Check(ctx, revocation.Query{Certificate: leaf, Issuer: issuer, At: q.At})
	if err != nil {
		return out, err
	}
	out.Status = map[revocation.Status]certpath.Status{
		revocation.Good: certpath.Good, revocation.Revoked: certpath.Revoked, revocation.Hold: certpath.Hold,
	}[answer.Status]
	out.Reason, out.RevokedAt = int(answer.Reason), answer.RevokedAt
	out.ThisUpdate, out.NextUpdate = answer.ThisUpdate, answer.NextUpdate
	return out, nil
}
