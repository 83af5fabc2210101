package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"time"

	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/jpki/certpath"
)

// ocspFile is an OCSP response from a file as a source of package certpath. Package jpki verifies it (RFC 6960, 3.2): it is
// handed over as if a responder had just sent it.
type ocspFile []byte

// Check implements certpath.RevocationSource.
func (o ocspFile) Check(ctx context.Context, q certpath.RevocationQuery) (certpath.RevocationAnswer, error) {
	unknown := certpath.RevocationAnswer{Method: "OCSP", Reason: -1}
	leaf, err := jpki.ParseCertificate(q.Certificate.Raw())
	if err != nil {
		return unknown, err
	}
	issuer, err := x509.ParseCertificate(q.Issuer.Raw())
	if err != nil {
		return unknown, err
	}
	responder, err := jpki.NewOCSP(jpki.OCSPConfig{
		URL: "http://localhost/", HTTPClient: &http.Client{Transport: o},
		NoNonce: true, // whoever asked is not here any more
		Now:     func() time.Time { return q.At },
		// How long a response holds is what it says itself (nextUpdate).
		MaxAge: 24 * time.Hour, Skew: -1,
	})
	if err != nil {
		return unknown, err
	}
	answer, err := responder.Check(ctx, jpki.RevocationQuery{Leaf: leaf, Issuer: issuer, At: q.At})
	if err != nil {
		return unknown, err
	}
	unknown.Status = map[jpki.Status]certpath.Status{
		jpki.Good: certpath.Good, jpki.Revoked: certpath.Revoked, jpki.Hold: certpath.Hold,
	}[answer.Status]
	unknown.Reason, unknown.RevokedAt = answer.Reason, answer.RevokedAt
	unknown.ThisUpdate, unknown.NextUpdate = answer.ThisUpdate, answer.NextUpdate
	return unknown, nil
}

// RoundTrip implements http.RoundTripper: every request is answered with the file, nothing is sent anywhere.
func (o ocspFile) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/ocsp-response"}},
		Body:   io.NopCloser(bytes.NewReader(o)), ContentLength: int64(len(o)),
	}, nil
}
