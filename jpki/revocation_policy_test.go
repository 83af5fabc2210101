package jpki

import (
	"context"
	"testing"
	"time"
)

// operator is a platform operator's API as a revocation source.
type operator func(q RevocationQuery) (RevocationAnswer, error)

func (o operator) Check(_ context.Context, q RevocationQuery) (RevocationAnswer, error) { return o(q) }

func TestRevokedAfterTheTimeOfVerification(t *testing.T) {
	ca := signingAuthority(t, "ca")
	leaf := ca.signingLeaf(t)
	says := func(status Status, reason int, at time.Time) operator {
		return func(RevocationQuery) (RevocationAnswer, error) {
			return RevocationAnswer{Status: status, Method: "operator", Reason: reason, RevokedAt: at}, nil
		}
	}
	never := time.Time{}
	for name, tc := range map[string]struct {
		source      operator
		kept, later Status // by default, and with RefuseRevokedLater
	}{
		"not revoked":                      {says(Good, reasonAbsent, never), Good, Good},
		"revoked later":                    {says(Good, 3, now.Add(day)), Good, Revoked},
		"revoked later, without a reason":  {says(Good, reasonAbsent, now.Add(day)), Good, Revoked},
		"on hold later":                    {says(Good, reasonHold, now.Add(day)), Good, Hold},
		"revoked before":                   {says(Revoked, 3, now.Add(-day)), Revoked, Revoked},
		"the source cannot decide":         {says(Unknown, 3, now.Add(day)), Unknown, Unknown},
		"the source says what it must not": {says(Expired, 3, now.Add(day)), Unknown, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				policy Revocation
				want   Status
			}{
				{Require(tc.source), tc.kept},
				{Require(tc.source).RefuseRevokedLater(), tc.later},
			} {
				res, err := newVerifier(t, c.policy, ca).Verify(t.Context(), leaf)
				if res.Status != c.want || (err == nil) != (c.want == Good) {
					t.Errorf("%v, %v; want %v", res, err, c.want)
				}
			}
		})
	}
}
