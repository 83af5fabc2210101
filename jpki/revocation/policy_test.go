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

// TestMaxAge: a policy may want fresher data than its authority promises. What is too old is not Good; a revocation has
// no age.
func TestMaxAge(t *testing.T) {
	a := signingAuthority(t, "ca")
	leaf := a.signingLeaf(t)
	q := Query{Certificate: leaf, Issuer: a.asked(), At: now}
	good, gone := a.List(1), a.List(1, revoked(leaf, now.Add(-day), reasonExt(4))) // six hours old
	w := newOCSPWorld(t)
	direct := w.direct()
	ocsp := RecordedOCSP{Response: direct.sign()} // five minutes old
	for name, c := range map[string]struct {
		source Source
		age    time.Duration
		want   Status
	}{
		"list, no limit":         {a.trusting(t, good.Sign(a.Key)), 0, Good},
		"list, within":           {a.trusting(t, good.Sign(a.Key)), 6 * time.Hour, Good},
		"list, too old":          {a.trusting(t, good.Sign(a.Key)), 6*time.Hour - time.Second, Unknown},
		"revoked, in an old one": {a.trusting(t, gone.Sign(a.Key)), time.Hour, Revoked},
		"OCSP, within":           {ocsp, 5 * time.Minute, Good},
		"OCSP, too old":          {ocsp, 4 * time.Minute, Unknown},
		"of no known age":        {says(Good, nil), time.Hour, Unknown},
	} {
		policy := Require(c.source)
		policy.MaxAge = c.age
		answer, err := policy.Ask(t.Context(), q)
		if answer.Status != c.want || (err == nil) != (c.want != Unknown) {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
	both := Require(a.trusting(t, good.Sign(a.Key)), ocsp)
	both.MaxAge = time.Hour
	if answer, err := both.Ask(t.Context(), q); err != nil || answer.Method != MethodOCSP {
		t.Errorf("the fresher source is not asked: %v, %v", answer, err)
	}
}
