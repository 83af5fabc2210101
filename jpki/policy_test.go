package jpki

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

type sourceFunc func(context.Context, revocation.Query) (revocation.Answer, error)

func (f sourceFunc) Check(ctx context.Context, q revocation.Query) (revocation.Answer, error) {
	return f(ctx, q)
}

func says(s revocation.Status, err error) revocation.Source {
	return sourceFunc(func(context.Context, revocation.Query) (revocation.Answer, error) {
		return revocation.Answer{Status: s, Method: "test", Reason: crl.ReasonCodeAbsent}, err
	})
}

func TestRevocationPolicy(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	broken := errors.New("broken")
	good, unknown, failing := says(revocation.Good, nil), says(revocation.Unknown, nil), says(revocation.Good, broken)
	verify := func(sources ...revocation.Source) (*Verifier, *Certificate) {
		return newVerifier(t, revocation.Require(sources...), a), c
	}

	for name, sources := range map[string][]revocation.Source{
		"first": {good, says(revocation.Revoked, nil)}, "after unknown": {unknown, good},
		"after an error": {failing, good},
	} {
		v, c := verify(sources...)
		res, err := v.Verify(t.Context(), c)
		if err != nil || res.Status != Good || res.Revocation.Status != revocation.Good ||
			res.Revocation.Method != "test" {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
	for name, sources := range map[string][]revocation.Source{
		"unknown": {unknown}, "an error with Good": {failing},
		"an error with Revoked":            {says(revocation.Revoked, broken)},
		"statuses that no source may give": {says(revocation.Status(4), nil), says(revocation.Status(99), nil)},
	} {
		t.Run(name, func(t *testing.T) {
			v, c := verify(sources...)
			wantFailure(t, v, c, "revocation.status", ReasonRevocationUnknown, kakunin.Unavailable, Unknown)
		})
	}
	v, _ := verify(unknown, says(revocation.Revoked, nil))
	wantFailure(t, v, c, "revocation.status", ReasonRevoked, kakunin.Account, Revoked)
	v, _ = verify(says(revocation.Hold, nil))
	wantFailure(t, v, c, "revocation.status", ReasonHold, kakunin.Account, Hold)
	v, _ = verify(unknown, says(revocation.Unknown, &revocation.Error{Reason: revocation.ReasonResponse}), failing)
	wantFailure(t, v, c, "revocation.status", ReasonRevocationForged, kakunin.Untrusted, Unknown)

	t.Run("cause is kept", func(t *testing.T) {
		v, c := verify(failing)
		if _, err := v.Verify(t.Context(), c); !errors.Is(err, broken) || strings.Contains(err.Error(), "broken") {
			t.Errorf("cause lost or shown: %v", err)
		}
	})
	t.Run("ended context", func(t *testing.T) {
		v, c := verify(good)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if res, err := v.Verify(ctx, c); err == nil || res.Status != Unknown || !errors.Is(err, context.Canceled) {
			t.Errorf("%v, %v", res, err)
		}
	})
	t.Run("nothing is asked about a certificate that is not trusted", func(t *testing.T) {
		v, _ := verify(sourceFunc(func(context.Context, revocation.Query) (revocation.Answer, error) {
			t.Error("asked")
			return revocation.Answer{}, nil
		}))
		wantFailure(t, v, signingAuthority(t, "other").signingLeaf(t), "chain.key-id", ReasonIssuer, kakunin.Untrusted,
			Unknown)
	})
}

func TestZeroValuesDeny(t *testing.T) {
	var s Status
	var r Result
	var a revocation.Answer
	var k Kind
	var e Hierarchy
	if s != Unknown || r.Status == Good || a.Status == revocation.Good || k != UnknownKind || e != Production ||
		s.String() != "unknown" {
		t.Error("a zero value allows something")
	}
	if kakunin.FamilyOf(&Error{}) != kakunin.Untrusted || (Status(99)).String() != "unknown" ||
		(Kind(-1)).String() != "unknown" || Hierarchy(9).String() != "unknown" {
		t.Error("an undefined value is not unknown")
	}
}

func TestCRLThroughVerifier(t *testing.T) {
	a := signingAuthority(t, "ca")
	c := a.signingLeaf(t)
	for _, tc := range []struct {
		reason byte
		status Status
		want   Reason
	}{{5, Revoked, ReasonRevoked}, {6, Hold, ReasonHold}} {
		spec := a.List(1, revoked(c, now.Add(-day), reasonExt(tc.reason)))
		v := newVerifier(t, revocation.Require(added(t, spec.Sign(a.Key))), a)
		wantFailure(t, v, c, "revocation.status", tc.want, kakunin.Account, tc.status)
	}
	spec := a.List(1)
	v := newVerifier(t, revocation.Require(added(t, spec.Sign(a.Key))), a)
	if res, err := v.Verify(t.Context(), c); err != nil || res.Status != Good || res.Revocation.Method != "CRL" {
		t.Errorf("%v, %v", res, err)
	}
	wantFailure(t, newVerifier(t, revocation.Require(new(revocation.Store)), a), c, "revocation.status",
		ReasonRevocationUnknown, kakunin.Unavailable, Unknown)
}
