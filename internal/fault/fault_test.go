package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin/internal/fault"
)

type classified struct {
	family  fault.Family
	message fault.Message
}

func (c classified) Error() string              { return "classified" }
func (c classified) Family() fault.Family       { return c.family }
func (c classified) UserMessage() fault.Message { return c.message }

func TestFamilyOf(t *testing.T) {
	inner := classified{family: fault.Untrusted}
	for _, test := range []struct {
		name string
		err  error
		want fault.Family
	}{
		{"nil", nil, fault.Unclassified},
		{"foreign", errors.New("x"), fault.Unclassified},
		{"direct", inner, fault.Untrusted},
		{"wrapped", fmt.Errorf("outer: %w", inner), fault.Untrusted},
		{"joined", errors.Join(errors.New("x"), inner), fault.Untrusted},
		{"deadline", fmt.Errorf("wait: %w", context.DeadlineExceeded), fault.Unavailable},
		{"cancelled context", context.Canceled, fault.Unavailable},
		{"classified before context", errors.Join(inner, context.Canceled), fault.Untrusted},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := fault.FamilyOf(test.err); got != test.want {
				t.Errorf("FamilyOf = %v, want %v", got, test.want)
			}
		})
	}
}

func TestEveryFamilyHasAMessageInBothLanguages(t *testing.T) {
	seen := map[string]fault.Family{}
	for family := fault.Unclassified; family <= fault.Untrusted; family++ {
		for _, language := range []fault.Language{fault.Japanese, fault.English} {
			text := fault.MessageFor(classified{family: family}, language)
			if text == "" {
				t.Errorf("%v has no message in %s", family, language)
			}
			if other, dup := seen[text]; dup {
				t.Errorf("%v and %v share the message %q", family, other, text)
			}
			seen[text] = family
		}
	}
}

func TestMessageForPrefersTheErrorsOwn(t *testing.T) {
	err := fmt.Errorf("secret detail: %w", classified{fault.User, fault.Message{JA: "日本語", EN: "English"}})
	if got := fault.MessageFor(err, fault.Japanese); got != "日本語" {
		t.Errorf("Japanese message = %q", got)
	}
	if got := fault.MessageFor(err, "fr"); got != "English" {
		t.Errorf("fallback message = %q", got)
	}
}
