package revocation

import (
	"context"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
)

// operator is a platform operator's API as a revocation source.
type operator func(q Query) (Answer, error)

func (o operator) Check(_ context.Context, q Query) (Answer, error) { return o(q) }

func TestRevokedAfterTheTimeOfVerification(t *testing.T) {
	ca := signingAuthority(t, "ca")
	q := Query{Certificate: ca.signingLeaf(t), Issuer: ca.asked(), At: now}
	answers := func(status Status, reason crl.ReasonCode, at time.Time) operator {
		return func(Query) (Answer, error) {
			return Answer{Status: status, Method: "operator", Reason: reason, RevokedAt: at}, nil
		}
	}
	never := time.Time{}
	for name, tc := range map[string]struct {
		source      operator
		kept, later Status // by default, and with RefuseRevokedLater
	}{
		"not revoked":                      {answers(Good, crl.ReasonCodeAbsent, never), Good, Good},
		"revoked later":                    {answers(Good, 3, now.Add(day)), Good, Revoked},
		"revoked later, without a reason":  {answers(Good, crl.ReasonCodeAbsent, now.Add(day)), Good, Revoked},
		"on hold later":                    {answers(Good, crl.ReasonCodeHold, now.Add(day)), Good, Hold},
		"revoked before":                   {answers(Revoked, 3, now.Add(-day)), Revoked, Revoked},
		"the source cannot decide":         {answers(Unknown, 3, now.Add(day)), Unknown, Unknown},
		"the source says what it must not": {answers(Status(99), 3, now.Add(day)), Unknown, Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			later := Require(tc.source)
			later.RefuseRevokedLater = true
			for _, c := range []struct {
				policy Policy
				want   Status
			}{{Require(tc.source), tc.kept}, {later, tc.later}} {
				answer, err := c.policy.Ask(t.Context(), q)
				if answer.Status != c.want || (err == nil) != (c.want != Unknown) {
					t.Errorf("%v, %v; want %v", answer, err, c.want)
				}
			}
		})
	}
}

func says(s Status, err error) Source {
	return operator(func(Query) (Answer, error) {
		return Answer{Status: s, Method: "test", Reason: crl.ReasonCodeAbsent}, err
	})
}
