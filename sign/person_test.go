package sign_test

import (
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/sign"
)

// TestPersonPolicy: what counts as the expected person is the caller's explicit choice, and a difference is none.
func TestPersonPolicy(t *testing.T) {
	t.Parallel()
	w := shared()
	v := w.verifier(t)
	exact := hanako
	written := hanako
	written.Name = strings.ReplaceAll(hanako.Name, "　", " ")
	variant := hanako
	variant.Name = strings.Replace(hanako.Name, "花子", "はな子", 1)
	doubtful := hanako
	doubtful.Birthdate = hanako.Birthdate[:6] + "00"
	if written.Name == hanako.Name || variant.Name == hanako.Name {
		t.Fatalf("the person of the test is %q", hanako.Name)
	}
	const accepted = sign.ReasonUnknown
	for _, c := range []struct {
		what                        string
		person                      *fourinfo.Person
		exact, normalised, reviewed sign.Reason
		outcome                     fourinfo.Outcome
	}{
		{"exact", person(exact), accepted, accepted, accepted, fourinfo.Same},
		{"half-width space", person(written), sign.ReasonPersonReview, accepted, accepted,
			fourinfo.SameAfterNormalisation},
		{"unknown day of birth", person(doubtful), sign.ReasonPersonReview, sign.ReasonPersonReview, accepted,
			fourinfo.NeedsReview},
		{"another name", person(variant), sign.ReasonPersonMismatch, sign.ReasonPersonMismatch,
			sign.ReasonPersonMismatch, fourinfo.Different},
		{"an attribute that no certificate has", &fourinfo.Person{Furigana: fourinfo.NewName("シケン　ハナコ")},
			sign.ReasonPersonReview, sign.ReasonPersonReview, sign.ReasonPersonReview, fourinfo.OutcomeUnknown},
	} {
		for policy, want := range map[sign.PersonPolicy]sign.Reason{
			sign.ExactPerson: c.exact, sign.NormalisedPerson: c.normalised, sign.ReviewedPerson: c.reviewed,
		} {
			e := expect(sign.ModeBareHash)
			e.Person, e.Accept = c.person, policy
			r, err := v.Verify(t.Context(), w.opened(t, sign.ModeBareHash), e)
			if (err == nil) != (want == accepted) || err != nil &&
				(reasonOf(err) != want || kakunin.FamilyOf(err) != kakunin.Account) {
				t.Errorf("%s under policy %d: %v", c.what, policy, err)
				continue
			}
			if err != nil {
				continue
			}
			worst := fourinfo.OutcomeUnknown
			for _, m := range r.PersonMatches {
				worst = max(worst, m.Outcome)
			}
			if worst != c.outcome || len(r.PersonMatches) != 4 || !r.PersonCompared {
				t.Errorf("%s: reported %v", c.what, r.PersonMatches)
			}
		}
	}
	for _, policy := range []sign.PersonPolicy{-1, sign.ReviewedPerson + 1} {
		e := expect(sign.ModeBareHash)
		e.Person, e.Accept = person(exact), policy
		if _, err := v.Verify(t.Context(), w.opened(t, sign.ModeBareHash), e); reasonOf(err) != sign.ReasonRequest {
			t.Errorf("policy %d: %v", policy, err)
		}
	}
}
