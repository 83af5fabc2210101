package daa_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/jpki"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/operator"
	"github.com/kakunin-go/kakunin/sign/signapi"
)

// signed has the default visitor sign a document, and returns what the service kept.
func (rp *relyingParty) signed(document string, mode sign.Mode) *signapi.Unverified {
	rp.t.Helper()
	client := rp.client()
	api, err := signapi.New(signapi.Config{Client: client})
	if err != nil {
		rp.t.Fatal(err)
	}
	tx, err := api.Start(rp.t.Context(), sign.Document{Reader: strings.NewReader(document)}, mode)
	if err != nil {
		rp.t.Fatal(err)
	}
	id, err := login(rp.t.Context(), client, rp.svc.Visitor(), authn.Request{Sign: tx})
	if err != nil {
		rp.t.Fatal(err)
	}
	got, err := api.Fetch(rp.t.Context(), tx, id)
	if err != nil {
		rp.t.Fatal(err)
	}
	return got
}

// TestOperatorGivesVerdicts: a private business signs and has the result verified, without the operator's key.
func TestOperatorGivesVerdicts(t *testing.T) {
	rp := start(t)
	op := rp.svc.Operator(rpID)
	var users []sign.UserID
	for _, mode := range []sign.Mode{sign.ModeBareHash, sign.ModeDigestInfo} {
		got := rp.signed("document in "+mode.String(), mode)
		if got.Opened != nil {
			t.Fatal("a private business got an open result")
		}
		v, err := op.Verify(t.Context(), got.Sealed, got.Transaction)
		if err != nil || v.Status != jpki.Good || v.VerificationID == "" || v.Method != "CRL" {
			t.Fatalf("%s: %+v, %v: %v", mode, v, err, errors.Unwrap(err))
		}
		again, err := op.Verify(t.Context(), got.Sealed, got.Transaction)
		if err != nil || again.VerificationID != v.VerificationID {
			t.Errorf("asked again: %+v, %v", again, err)
		}
		users = append(users, v.UserID)
	}
	if users[0] != users[1] || users[0].Reveal() == "" {
		t.Error("the operator's user id is not the same for the same person")
	}
	kept := rp.svc.Verifications()
	if len(kept) != 2 || kept[0].Business != rpID || kept[0].TransactionID == kept[1].TransactionID {
		t.Errorf("%d verifications", len(kept))
	}
	if err := rp.svc.Forget(); err != nil || len(rp.svc.Verifications()) != 0 {
		t.Errorf("forgotten: %v", err)
	}
}

// TestOperatorsWrongAnswers: every way in which the operator can be wrong is one that the client names.
func TestOperatorsWrongAnswers(t *testing.T) {
	rp := start(t)
	honest := rp.signed("first", sign.ModeBareHash)
	if _, err := rp.svc.Operator(rpID).Verify(t.Context(), honest.Sealed, honest.Transaction); err != nil {
		t.Fatal(err)
	}
	reasons := map[platform.Answer]operator.Reason{
		platform.AnswerExpired: operator.ReasonExpired, platform.AnswerRevoked: operator.ReasonRevoked,
		platform.AnswerMismatch: operator.ReasonSignature, platform.AnswerUnsupported: operator.ReasonUnsupported,
		platform.AnswerSealed: operator.ReasonSealed, platform.AnswerReused: operator.ReasonReused,
		platform.AnswerUnavailable:      operator.ReasonBusy,
		platform.AnswerOtherTransaction: operator.ReasonOtherVerdict,
		platform.AnswerOtherDocument:    operator.ReasonOtherVerdict,
		platform.AnswerReplay:           operator.ReasonOtherVerdict,
		platform.AnswerStale:            operator.ReasonOtherVerdict,
		platform.AnswerUnknownCode:      operator.ReasonResponse,
		platform.AnswerNoID:             operator.ReasonResponse, platform.AnswerMalformed: operator.ReasonResponse,
	}
	got := rp.signed("second", sign.ModeBareHash)
	for _, how := range platform.Answers() {
		rp.svc.SetKnobs(daa.Knobs{Operator: platform.Knobs{Answer: how}})
		v, err := rp.svc.Operator(rpID).Verify(t.Context(), got.Sealed, got.Transaction)
		if want := (&operator.Error{Reason: reasons[how]}); reasons[how] == 0 || !errors.Is(err, want) ||
			v != nil && v.Status == jpki.Good {
			t.Errorf("%s: %v, %v", how, v, err)
		}
	}
	rp.svc.SetKnobs(daa.Knobs{})
	if v, err := rp.svc.Operator(rpID).Verify(t.Context(), got.Sealed, got.Transaction); err != nil {
		t.Errorf("honest again: %v, %v", v, err)
	}
}

// TestOperatorIsNotThere: outages are unavailable, not untrusted; nothing is accepted.
func TestOperatorIsNotThere(t *testing.T) {
	rp := start(t)
	got := rp.signed("document", sign.ModeBareHash)
	for _, fault := range []daa.NetworkFault{
		daa.NetworkStatus, daa.NetworkHTMLPage, daa.NetworkReset, daa.NetworkTruncated,
	} {
		rp.svc.SetKnobs(daa.Knobs{Network: daa.NetworkKnobs{
			Fault: fault, Endpoints: []daa.Endpoint{daa.EndpointOperator},
		}})
		v, err := rp.svc.Operator(rpID).Verify(t.Context(), got.Sealed, got.Transaction)
		if v != nil || kakunin.FamilyOf(err) != kakunin.Unavailable {
			t.Errorf("%s: %v, %v", fault, v, err)
		}
	}
	rp.svc.SetKnobs(daa.Knobs{})
	if _, err := rp.svc.Operator(rpID).Verify(t.Context(), got.Sealed, got.Transaction); err != nil {
		t.Errorf("back again: %v", err)
	}
}

// TestOperatorRefuses: strangers, and results for another operator.
func TestOperatorRefuses(t *testing.T) {
	authorities, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	foreign := authorities.Key("another operator")
	key := newKey(t)
	rp := start(t, daa.WithClient(daa.ClientRegistration{
		ID: "RP2", Key: key.Public(), RedirectURLs: []string{redirect}, OperatorKey: &foreign.PublicKey,
	}))
	other := &relyingParty{t: t, svc: rp.svc, id: "RP2", key: rp.key}
	other.key.Signer = key
	got := other.signed("document", sign.ModeBareHash)
	if _, err := rp.svc.Operator("RP2").Verify(t.Context(), got.Sealed, got.Transaction); !errors.Is(
		err, &operator.Error{Reason: operator.ReasonSealed}) {
		t.Errorf("sealed to the registered operator, opened by another: %v", err)
	}
	opener, err := sign.NewOpener(sign.OpenerConfig{Key: foreign})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opener.Open(got.Sealed); err != nil {
		t.Errorf("the registered operator: %v", err)
	}
	if _, err := rp.svc.Operator("nobody").Verify(t.Context(), got.Sealed, got.Transaction); !errors.Is(
		err, &operator.Error{Reason: operator.ReasonCredentials}) {
		t.Errorf("a stranger: %v", err)
	}
	if a := rp.do(http.MethodGet, rp.svc.OperatorURL(), rp.svc.OperatorToken(rpID), "",
		""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", a.status)
	}
}

// TestInspectorShowsTheOperator: verdicts and refusals, what to change, and nothing personal or sealed.
func TestInspectorShowsTheOperator(t *testing.T) {
	rp := start(t)
	got := rp.signed("document", sign.ModeDigestInfo)
	v, err := rp.svc.Operator(rpID).Verify(t.Context(), got.Sealed, got.Transaction)
	if err != nil {
		t.Fatal(err)
	}
	wrong := *got.Transaction
	wrong.Mode = sign.ModeBareHash
	if _, err := rp.svc.Operator(rpID).Verify(t.Context(), got.Sealed, &wrong); err == nil {
		t.Error("the other mode was accepted")
	}
	page := rp.inspect("")
	for _, want := range []string{
		"RESULT_OK", v.VerificationID, "RESULT_SIGNATURE_MISMATCH", "signature_mode is not the mode of the transaction",
		"shortened",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the inspector lacks %q", want)
		}
	}
	for _, secret := range []string{v.UserID.Reveal(), got.Sealed.RevealJWE(), rp.svc.OperatorToken(rpID)} {
		if strings.Contains(page, secret) {
			t.Error("the inspector shows what is personal or secret")
		}
	}
	if !strings.Contains(rp.inspect("&personal=show"), v.UserID.Reveal()) {
		t.Error("the inspector does not show it when asked to")
	}
}
