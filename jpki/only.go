package jpki

import (
	"context"
	"slices"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// Only returns the source for certificates of the kinds alone; about others it is not asked. The signing and the
// authentication authority have a responder each, and the other one need not learn of every certificate. A certificate
// is of the kind that the [Verifier] who asks found it to be, so VerifierConfig.PhonePolicies count; whoever asks
// otherwise gets by with the table of this package. Only(nil, …) is nil, which a policy refuses.
func Only(source revocation.Source, kinds ...Kind) revocation.Source {
	if source == nil {
		return nil
	}
	return onlyKinds{source, slices.Clone(kinds)}
}

type onlyKinds struct {
	source revocation.Source
	kinds  []Kind
}

// Check implements [revocation.Source].
func (o onlyKinds) Check(ctx context.Context, q revocation.Query) (revocation.Answer, error) {
	if slices.Contains(o.kinds, kindOf(ctx, q.Certificate)) {
		return o.source.Check(ctx, q)
	}
	return revocation.Answer{Reason: crl.ReasonCodeAbsent},
		&Error{Reason: ReasonRevocationUnknown, Step: "revocation.kind"}
}

// judged is what a verifier found a certificate to be. The sources of its policy are asked about other certificates,
// too, those of responders for example: so it says which one is meant.
type judged struct {
	certificate *revocation.Certificate
	kind        Kind
}

type judgedKey struct{}

func withKind(ctx context.Context, c *revocation.Certificate, k Kind) context.Context {
	return context.WithValue(ctx, judgedKey{}, judged{c, k})
}

// kindOf returns the kind that the verifier found or, for other certificates, that the table says.
func kindOf(ctx context.Context, c *revocation.Certificate) Kind {
	if c == nil {
		return UnknownKind
	}
	if found, ok := ctx.Value(judgedKey{}).(judged); ok && found.certificate == c {
		return found.kind
	}
	facts := c.Facts()
	if row := profileOf(facts.Policies, facts.Key); row != nil {
		return row.kind
	}
	return UnknownKind
}
