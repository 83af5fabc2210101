package jpki

import (
	"context"
	"encoding/asn1"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/jpki/internal/testca"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// asking counts the questions that reach a source.
type asking struct{ n *int }

func (a asking) Check(context.Context, revocation.Query) (revocation.Answer, error) {
	*a.n++
	return revocation.Answer{Status: revocation.Good}, nil
}

// Only goes by the kind that the verifier found, phones that the caller knows included; and by the table where no
// verifier asks, or where it asks about another certificate.
func TestOnly(t *testing.T) {
	a := signingAuthority(t, "ca")
	own := asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 40}
	phone := a.SigningSpec(7)
	phone.Replace(testca.OIDCertificatePolicies, testca.PoliciesExt(own))
	parse := func(spec certSpec) *Certificate {
		c, err := ParseCertificate(spec.Sign(a.Key))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, tc := range map[string]struct {
		leaf  *Certificate
		kinds []Kind
		asked int
	}{
		"a phone":                {parse(phone), []Kind{SigningPhone}, 1},
		"a phone, not for cards": {parse(phone), []Kind{SigningCard}, 0},
		"a card":                 {a.signingLeaf(t), []Kind{SigningCard}, 1},
		"a card, not for phones": {a.signingLeaf(t), []Kind{SigningPhone, UnknownKind}, 0},
		"for nothing":            {a.signingLeaf(t), nil, 0},
	} {
		n := 0
		v, err := NewVerifier(VerifierConfig{
			Hierarchy: Simulated, Trust: InsecureTestTrust(a.Cert), Now: func() time.Time { return now },
			Revocation:    revocation.Require(Only(asking{&n}, tc.kinds...)),
			PhonePolicies: []PhonePolicy{{SigningPhone, own}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if res, err := v.Verify(t.Context(), tc.leaf); n != tc.asked || (err == nil) != (tc.asked == 1) {
			t.Errorf("%s: asked %d times: %v, %v", name, n, res.Status, err)
		}
	}
	n := 0
	source := Only(asking{&n}, SigningCard)
	card, other := a.signingLeaf(t).read().asked, parse(phone).read().asked
	for _, q := range []revocation.Query{{Certificate: other}, {}} {
		if _, err := source.Check(withKind(t.Context(), card, SigningCard), q); err == nil || n != 0 {
			t.Errorf("asked about another certificate: %v", err)
		}
	}
	if _, err := source.Check(withKind(t.Context(), other, SigningPhone),
		revocation.Query{Certificate: card}); err != nil || n != 1 {
		t.Errorf("not asked without a verifier: %v", err)
	}
	if Only(nil, SigningCard) != nil {
		t.Error("a source of nothing")
	}
}
