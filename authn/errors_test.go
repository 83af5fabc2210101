package authn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Every reason has a name, a family that tells what to do, and a message in both languages.
func TestEveryReasonIsClassified(t *testing.T) {
	seen := map[string]bool{}
	for r := ReasonUserCancelled; r <= ReasonKey; r++ {
		e := &Error{Reason: r, Check: "x"}
		name := r.String()
		if name == "unknown" || seen[name] {
			t.Errorf("%d is called %q", r, name)
		}
		seen[name] = true
		if FamilyOf(e).String() == "unclassified" {
			t.Errorf("%s has no family", name)
		}
		if ja, en := MessageFor(e, Japanese), MessageFor(e, English); ja == "" || en == "" || ja == en {
			t.Errorf("%s: %q, %q", name, ja, en)
		}
	}
	if (ReasonKey + 1).String() != "unknown" {
		t.Error("the last reason is not the last")
	}
	if FamilyOf(&Error{}) != Untrusted {
		t.Error("the zero Error must not look harmless")
	}
}

func TestStateMismatchMentionsPrivateBrowsing(t *testing.T) {
	e := &Error{Reason: ReasonStateMismatch}
	if !strings.Contains(MessageFor(e, English), "private browsing") || !strings.Contains(MessageFor(e, Japanese), "プライベートブラウズ") {
		t.Error("the person does not learn the usual cause")
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("secret")
	for want, e := range map[string]*Error{
		"authn: unknown":                              {},
		"authn: ID token: nonce":                      {Reason: ReasonIDToken, Check: "nonce", Err: cause},
		"authn: provider error: error (server_error)": {Reason: ReasonProviderError, Check: "error", Code: "server_error"},
		"authn: provider error: error":                {Reason: ReasonProviderError, Check: "error", Code: "<script>"},
		"authn: configuration: request: a; b":         {Reason: ReasonConfiguration, Check: "request", Err: errors.Join(mistake("a"), mistake("b"))},
		"authn: configuration: key file":              {Reason: ReasonConfiguration, Check: "key file", Err: cause},
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
	if !errors.Is(&Error{Err: cause}, cause) {
		t.Error("the cause is lost")
	}
	if FamilyOf(fmt.Errorf("wrapped: %w", &Error{Reason: ReasonTransport})) != Unavailable || FamilyOf(context.DeadlineExceeded) != Unavailable {
		t.Error("families of wrapped errors")
	}
}

func TestDefaultWireProfile(t *testing.T) {
	w := DefaultWireProfile()
	if len(w.mistakes()) != 0 {
		t.Error(w.mistakes())
	}
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"ClaimName":"name","ClaimAddress":"address","ClaimBirthdate":"birthdate","ClaimGender":"gender","ClaimUserCertificate":"user_certificate","ScopeUserCertificate":"user_certificate","ScopeIndividualNumber":"","ClaimIndividualNumber":"","GovernmentScopes":null,"CancelCodes":["access_denied"],"ServiceTokenScope":"","RefreshLifetimeField":"refresh_expires_in","Sign":{"StartClientIDField":"client_id","StartHashField":"hash","StartHashAlgorithmField":"hash_algorithm","StartHashAlgorithmValue":"SHA-256","StartExtraFields":null,"StartStatuses":[200,201],"StartIDField":"sign_transaction_id","StartLifetimeField":"expires_in","StartDefaultLifetime":600,"AnyTransactionID":false,"ResultSuffix":"/result","ResultStatuses":[200],"ResultJWEField":"signature_jwe","ResultSignatureField":"signature","ResultCertificateField":"certificate","PendingStatus":202,"JWEKeyAlgorithms":["RSA-OAEP-256","ECDH-ES","ECDH-ES+A256KW"],"JWEContentAlgorithms":["A256GCM","A128CBC-HS256","A256CBC-HS512"],"ErrorField":"error","ErrorCodes":{"InvalidRequest":"invalid_request","InvalidToken":"invalid_token","InsufficientScope":"insufficient_scope","Pending":"transaction_pending","NotFound":"transaction_not_found","Cancelled":"transaction_cancelled","Conflict":"transaction_conflict","Expired":"transaction_expired","Consumed":"transaction_consumed"},"AuthorizationIDParam":"sign_transaction_id"}}`
	if string(b) != want {
		t.Errorf("%s", b)
	}
	// A copy shares nothing: whoever changes one entry changes it for one client.
	w.Sign.StartExtraFields, w.GovernmentScopes = map[string]string{"a": "b"}, []string{"g"}
	c := w.Clone()
	if !reflect.DeepEqual(w, c) {
		t.Error("the copy differs")
	}
	c.GovernmentScopes[0] = ""
	c.CancelCodes[0], c.Sign.StartStatuses[0], c.Sign.StartExtraFields["a"], c.Sign.JWEKeyAlgorithms[0], c.Sign.JWEContentAlgorithms[0], c.Sign.ResultStatuses[0] = "", 0, "", "", "", 0
	if again, _ := json.Marshal(DefaultWireProfile()); string(again) != want || w.CancelCodes[0] == "" || w.GovernmentScopes[0] == "" || w.Sign.StartExtraFields["a"] == "" {
		t.Error("copies share memory")
	}
}
