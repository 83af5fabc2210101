package issuer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/issuer"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	texts := map[string]bool{}
	for r := issuer.ReasonBadSubject; r <= issuer.ReasonMalformed; r++ {
		texts[r.String()] = true
	}
	if len(texts) != int(issuer.ReasonMalformed) || texts["unknown"] || issuer.Reason(0).String() != "unknown" {
		t.Errorf("reasons are not told apart: %v", texts)
	}
	cause := errors.New("cause with data")
	err := error(&issuer.Error{Reason: issuer.ReasonBadKey, Err: cause})
	if !errors.Is(err, cause) || strings.Contains(err.Error(), "data") ||
		kakunin.FamilyOf(err) != kakunin.Configuration {
		t.Errorf("%v of family %v", err, kakunin.FamilyOf(err))
	}
	if kakunin.MessageFor(err, kakunin.Japanese) == "" {
		t.Error("no message for a person")
	}
}
