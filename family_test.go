package kakunin_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kakunin-go/kakunin"
)

type classified struct {
	family  kakunin.Family
	message kakunin.Message
}

func (c classified) Error() string                { return "classified" }
func (c classified) Family() kakunin.Family       { return c.family }
func (c classified) UserMessage() kakunin.Message { return c.message }

func TestFamilyOf(t *testing.T) {
	inner := classified{family: kakunin.Untrusted}
	for _, test := range []struct {
		name string
		err  error
		want kakunin.Family
	}{
		{"nil", nil, kakunin.Unclassified},
		{"foreign", errors.New("x"), kakunin.Unclassified},
		{"direct", inner, kakunin.Untrusted},
		{"wrapped", fmt.Errorf("outer: %w", inner), kakunin.Untrusted},
		{"joined", errors.Join(errors.New("x"), inner), kakunin.Untrusted},
		{"deadline", fmt.Errorf("wait: %w", context.DeadlineExceeded), kakunin.Unavailable},
		{"cancelled context", context.Canceled, kakunin.Unavailable},
		{"classified before context", errors.Join(inner, context.Canceled), kakunin.Untrusted},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := kakunin.FamilyOf(test.err); got != test.want {
				t.Errorf("FamilyOf = %v, want %v", got, test.want)
			}
		})
	}
}

func TestEveryFamilyHasAMessageInBothLanguages(t *testing.T) {
	seen := map[string]kakunin.Family{}
	for family := kakunin.Unclassified; family <= kakunin.Untrusted; family++ {
		for _, language := range []kakunin.Language{kakunin.Japanese, kakunin.English} {
			text := kakunin.MessageFor(classified{family: family}, language)
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
	err := fmt.Errorf("secret detail: %w", classified{kakunin.User, kakunin.Message{JA: "日本語", EN: "English"}})
	if got := kakunin.MessageFor(err, kakunin.Japanese); got != "日本語" {
		t.Errorf("Japanese message = %q", got)
	}
	if got := kakunin.MessageFor(err, "fr"); got != "English" {
		t.Errorf("fallback message = %q", got)
	}
}
