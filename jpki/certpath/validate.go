package certpath

import (
	"context"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// VerifyOption says what is particular about one call of Verify.
type VerifyOption func(*options)

type options struct {
	at    time.Time
	extra []*Certificate
	// purposes are those one of which is required; nil: any.
	purposes []asn1.ObjectIdentifier
}

// At sets the verification time; default, also for the zero time, is the verifier's clock.
func At(t time.Time) VerifyOption { return func(o *options) { o.at = t } }

// With adds certificates to the pool for this call, for instance those that came with a signature.
func With(pool ...*Certificate) VerifyOption {
	return func(o *options) { o.extra = append(o.extra, pool...) }
}

// For requires one of the purposes: a certificate with extKeyUsage (RFC 5280, 4.2.1.12) has to name it, or
// anyExtendedKeyUsage; one without is for every purpose, unless [VerifierConfig.Strict] is set. With none given, no
// certificate will do.
func For(purposes ...asn1.ObjectIdentifier) VerifyOption {
	return func(o *options) { o.purposes = append([]asn1.ObjectIdentifier{}, purposes...) }
}

// Verify looks for a path from an anchor to the target that holds in every respect: RFC 5280, 6.1, with the policy
// processing of RFC 9618 and the revocation status of every certificate. The error is nil exactly when Result.Valid is
// true; the result is never nil, so that its steps can be shown. Errors are [*Error]; when several paths fail it is the
// error of the most plausible one.
//
// One call verifies at most as many signatures, those of revocation lists included, as cost what 256 with RSA-2048
// cost, so that a hostile pool costs no more than that, and ends with ctx.
func (v *Verifier) Verify(ctx context.Context, target *Certificate, opts ...VerifyOption) (*Result, error) {
	var o options
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	if o.at.IsZero() {
		o.at = v.config.Now()
	}
	result := &Result{At: o.at}
	if target.empty() {
		return result, malformed("der", "RFC 5280, 4.1")
	}
	r := &run{
		verifier:    v,
		ctx:         ctx,
		at:          o.at,
		index:       v.index,
		verified:    map[signedEdge]bool{},
		comparisons: limits.NameComparisons,
		purposes:    o.purposes,
	}
	if len(o.extra) > 0 {
		if len(o.extra)+len(v.config.Pool) > limits.PathPool || slices.ContainsFunc(o.extra, (*Certificate).empty) {
			return result, misconfigured("pool")
		}
		r.index = newIndex(v.config.Anchors, append(slices.Clone(v.config.Pool), o.extra...))
	}
	every := func(*Certificate) bool { return true }
	err := r.search(target, every, func(path []*Certificate) error {
		attempt := &Result{At: o.at, Path: path}
		err := r.validate(attempt)
		if err == nil || result.Path == nil {
			*result = *attempt
		}
		return err
	})
	if result.Valid = err == nil; !result.Valid {
		result.Policies = nil
	}
	return result, err
}

// validate validates one complete path and its certificates' revocation status, from the anchor down.
func (r *run) validate(result *Result) error {
	p, err := r.process(result.Path, false)
	if err == nil && r.purposes != nil {
		last := len(result.Path) - 1
		err = p.require(rulePurpose, last, r.fits(result.Path[last]))
	}
	if err == nil {
		result.Policies = objectIdentifiers(p.policies)
		err = r.checkRevocation(p, result)
	}
	result.Steps = p.steps
	return err
}

var oidAnyPurpose = asn1.ObjectIdentifier{2, 5, 29, 37, 0}

// fits reports whether the certificate is for one of the purposes that were asked for.
func (r *run) fits(c *Certificate) bool {
	strict := r.verifier.config.Strict
	if len(c.extKeyUsages) == 0 {
		return len(r.purposes) > 0 && !strict
	}
	return slices.ContainsFunc(r.purposes, func(want asn1.ObjectIdentifier) bool {
		return slices.ContainsFunc(c.extKeyUsages, func(id asn1.ObjectIdentifier) bool {
			return id.Equal(want) || !strict && id.Equal(oidAnyPurpose)
		})
	})
}
