package main

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/certpath"
)

// ocspFile is an OCSP response from a file as a source of package certpath; package jpki judges it (RFC 6960, 3.2).
type ocspFile []byte

// Check implements certpath.RevocationSource.
func (o ocspFile) Check(ctx context.Context, q certpath.RevocationQuery) (certpath.RevocationAnswer, error) {
	out := certpath.RevocationAnswer{Method: "OCSP", Reason: -1}
	leaf, err := x509.ParseCertificate(q.Certificate.Raw())
	if err != nil {
		return out, err
	}
	issuer, err := x509.ParseCertificate(q.Issuer.Raw())
	if err != nil {
		return out, err
	}
	answer, err := jpki.OCSPRecord{
		Response: o, Certificate: leaf, Issuer: issuer, At: q.At,
		Skew: -1 * time.Nanosecond, // none: the auditor names the time
	}.Verify(ctx)
	if err != nil {
		return out, err
	}
	out.Status = map[jpki.Status]certpath.Status{
		jpki.Good: certpath.Good, jpki.Revoked: certpath.Revoked, jpki.Hold: certpath.Hold,
	}[answer.Status]
	out.Reason, out.RevokedAt = answer.Reason, answer.RevokedAt
	out.ThisUpdate, out.NextUpdate = answer.ThisUpdate, answer.NextUpdate
	return out, nil
}
