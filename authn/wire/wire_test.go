package wire

import (
	"encoding/json"
	"reflect"
	"testing"
)

// The defaults are what is known of the service today: a change of one is a decision, not a slip.
func TestDefault(t *testing.T) {
	w := Default()
	b, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"ClaimName":"name","ClaimAddress":"address","ClaimBirthdate":"birthdate","ClaimGender":"gender","ClaimUserCertificate":"user_certificate","ScopeUserCertificate":"user_certificate","ScopeIndividualNumber":"","ClaimIndividualNumber":"","GovernmentScopes":null,"CancelCodes":["access_denied"],"ExpiredCodes":["authentication_expired"],"ServiceTokenScope":"","RefreshLifetimeField":"refresh_expires_in","Sign":{"StartClientIDField":"client_id","StartHashField":"hash","StartHashAlgorithmField":"hash_algorithm","StartHashAlgorithmValue":"SHA-256","StartExtraFields":null,"StartStatuses":[200,201],"StartIDField":"sign_transaction_id","StartLifetimeField":"expires_in","StartDefaultLifetime":600,"AnyTransactionID":false,"ResultSuffix":"/result","ResultStatuses":[200],"ResultJWEField":"signature_jwe","ResultSignatureField":"signature","ResultCertificateField":"certificate","PendingStatus":202,"JWEKeyAlgorithms":["RSA-OAEP-256","ECDH-ES","ECDH-ES+A256KW"],"JWEContentAlgorithms":["A256GCM","A128CBC-HS256","A256CBC-HS512"],"ErrorField":"error","ErrorCodes":{"InvalidRequest":"invalid_request","InvalidToken":"invalid_token","InsufficientScope":"insufficient_scope","Pending":"transaction_pending","NotFound":"transaction_not_found","Cancelled":"transaction_cancelled","Conflict":"transaction_conflict","Expired":"transaction_expired","Consumed":"transaction_consumed"},"AuthorizationIDParam":"sign_transaction_id"}}`
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
	c.CancelCodes[0], c.ExpiredCodes[0] = "", ""
	c.Sign.StartStatuses[0], c.Sign.StartExtraFields["a"], c.Sign.ResultStatuses[0] = 0, "", 0
	c.Sign.JWEKeyAlgorithms[0], c.Sign.JWEContentAlgorithms[0] = "", ""
	if again, _ := json.Marshal(Default()); string(again) != want || w.CancelCodes[0] == "" ||
		w.ExpiredCodes[0] == "" || w.GovernmentScopes[0] == "" || w.Sign.StartExtraFields["a"] == "" {
		t.Error("copies share memory")
	}
}
