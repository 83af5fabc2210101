// Package wire holds what the service calls things: every name, value and shape on the wire that is not officially
// confirmed, so that a correction is made in one place, by the caller if need be.
//
// Take [Default], change the entries that differ and put the result into authn.Config and, for an opener that has no
// client beside it, into package sign. The clients of both APIs and the simulated service read the same [Profile].
//
// # Examples
//
// There is an example of [Default].
//
// # Compatibility
//
// A Profile is configuration: nothing that is stored holds one. Entries may be added; the default of an entry changes
// when more becomes known about the service, and CHANGELOG.md says so.
package wire

import (
	"maps"
	"slices"
)

// Profile holds every wire name, value or shape of the service that is not officially confirmed, so that a
// correction is made in one place, by the caller if need be. Client and simulated service read the same type.
//
// Take [Default], change the entries that differ and put the result into the configuration of the client, which copies
// it. Each entry says how well it is known: official (text of the service's operator), tested (code that passed against
// the test environment relies on it), inferred (from the standards), ASSUMED (a plausible choice made here).
type Profile struct {
	// ClaimName, ClaimAddress, ClaimBirthdate and ClaimGender are the userinfo members of the four attributes (tested:
	// name, address, birthdate, gender).
	ClaimName, ClaimAddress, ClaimBirthdate, ClaimGender string
	// ClaimUserCertificate is the userinfo member that the scope user_certificate yields (ASSUMED user_certificate,
	// standard base64 of DER). It is read with authn.Identity.Claim.
	ClaimUserCertificate string
	// ScopeUserCertificate is the scope that authn.UserCertificate sends (official: user_certificate).
	ScopeUserCertificate string
	// ScopeIndividualNumber and ClaimIndividualNumber belong to the individual number (個人番号), whose use the law
	// restricts. Their names are unknown: empty, the default, means off. The number arrives as
	// authn.Identity.IndividualNumber.
	ScopeIndividualNumber, ClaimIndividualNumber string
	// GovernmentScopes are scope values that only a client with the registration Government asks for; one with
	// PrivateSector refuses before sending. Which ones these are is unknown; none, the default, leaves it to the
	// service.
	GovernmentScopes []string
	// CancelCodes are the redirect error codes that mean "the person cancelled" (inferred: access_denied).
	CancelCodes []string
	// ExpiredCodes are the redirect error codes, or their descriptions, that mean "the service's page was left open for
	// too long, start again" (tested with the software that the service is believed to be: temporarily_unavailable with
	// the description authentication_expired).
	ExpiredCodes []string
	// ServiceTokenScope is the scope of the client_credentials request (unknown); empty, the default, sends none.
	ServiceTokenScope string
	// RefreshLifetimeField names the member of token responses with the refresh token's lifetime in seconds, 0 meaning
	// that no end is known (inferred: refresh_expires_in; it is part of no standard); empty = not read.
	RefreshLifetimeField string

	// Sign is the part for the sign API.
	Sign Sign
}

// Sign is the part of the wire profile for the sign API (署名API).
type Sign struct {
	// StartClientIDField names the member with the client id in the start request (ASSUMED client_id); empty = not
	// sent.
	StartClientIDField string
	// StartHashField names the member with the hash, in standard base64 (ASSUMED hash).
	StartHashField string
	// StartHashAlgorithmField names the member with the hash algorithm (ASSUMED hash_algorithm); empty = not sent.
	StartHashAlgorithmField string
	// StartHashAlgorithmValue is its value, the same in both hash modes (ASSUMED SHA-256).
	StartHashAlgorithmValue string
	// StartExtraFields are further string members of the start request (none).
	StartExtraFields map[string]string
	// StartStatuses are the HTTP statuses of success (ASSUMED 200, 201). The simulated service answers the last.
	StartStatuses []int
	// StartIDField names the member with the transaction id in the start response (ASSUMED sign_transaction_id).
	StartIDField string
	// StartLifetimeField names the optional member with the lifetime in seconds (ASSUMED expires_in).
	StartLifetimeField string
	// StartDefaultLifetime is the lifetime in seconds when the response names none (ASSUMED 600).
	StartDefaultLifetime int
	// AnyTransactionID accepts transaction ids that do not look like a UUID (official: 8-4-4-4-12 hexadecimal digits).
	AnyTransactionID bool
	// ResultSuffix follows the transaction's URL (published reference: /result).
	ResultSuffix string
	// ResultStatuses are the HTTP statuses of success (ASSUMED 200).
	ResultStatuses []int
	// ResultJWEField names the member with the compact JWE of a private relying party (ASSUMED signature_jwe). A bare
	// compact JWE as the whole body is understood as well.
	ResultJWEField string
	// ResultSignatureField and ResultCertificateField name the members with the signature value and the DER
	// certificate, both standard base64, in a plain result and in the JWE's payload (ASSUMED signature, certificate).
	ResultSignatureField, ResultCertificateField string
	// PendingStatus is the HTTP status that means "not signed yet" (ASSUMED 202).
	PendingStatus int
	// JWEKeyAlgorithms and JWEContentAlgorithms are the accepted "alg" and "enc" of the result (ASSUMED).
	JWEKeyAlgorithms, JWEContentAlgorithms []string
	// ErrorField names the member with the error code (ASSUMED error).
	ErrorField string
	// ErrorCodes are the error codes.
	ErrorCodes SignErrorCodes
	// AuthorizationIDParam is the authorization request parameter with the transaction id (official:
	// sign_transaction_id).
	AuthorizationIDParam string
}

// SignErrorCodes are the error codes of the sign API (all ASSUMED); a known code wins over the HTTP status.
type SignErrorCodes struct {
	InvalidRequest, InvalidToken, InsufficientScope, Pending, NotFound, Cancelled, Conflict, Expired, Consumed string
}

// Default returns a fresh copy of the defaults.
func Default() Profile {
	return Profile{
		ClaimName:            "name",
		ClaimAddress:         "address",
		ClaimBirthdate:       "birthdate",
		ClaimGender:          "gender",
		ClaimUserCertificate: "user_certificate",
		ScopeUserCertificate: "user_certificate",
		CancelCodes:          []string{"access_denied"},
		ExpiredCodes:         []string{"authentication_expired"},
		RefreshLifetimeField: "refresh_expires_in",
		Sign: Sign{
			StartClientIDField:      "client_id",
			StartHashField:          "hash",
			StartHashAlgorithmField: "hash_algorithm",
			StartHashAlgorithmValue: "SHA-256",
			StartStatuses:           []int{200, 201},
			StartIDField:            "sign_transaction_id",
			StartLifetimeField:      "expires_in",
			StartDefaultLifetime:    600,
			ResultSuffix:            "/result",
			ResultStatuses:          []int{200},
			ResultJWEField:          "signature_jwe",
			ResultSignatureField:    "signature",
			ResultCertificateField:  "certificate",
			PendingStatus:           202,
			JWEKeyAlgorithms:        []string{"RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"},
			JWEContentAlgorithms:    []string{"A256GCM", "A128CBC-HS256", "A256CBC-HS512"},
			ErrorField:              "error",
			ErrorCodes: SignErrorCodes{
				InvalidRequest:    "invalid_request",
				InvalidToken:      "invalid_token",
				InsufficientScope: "insufficient_scope",
				Pending:           "transaction_pending",
				NotFound:          "transaction_not_found",
				Cancelled:         "transaction_cancelled",
				Conflict:          "transaction_conflict",
				Expired:           "transaction_expired",
				Consumed:          "transaction_consumed",
			},
			AuthorizationIDParam: "sign_transaction_id",
		},
	}
}

// Clone returns a copy that shares nothing with w.
func (w Profile) Clone() Profile {
	w.GovernmentScopes = slices.Clone(w.GovernmentScopes)
	w.CancelCodes = slices.Clone(w.CancelCodes)
	w.ExpiredCodes = slices.Clone(w.ExpiredCodes)
	w.Sign.StartExtraFields = maps.Clone(w.Sign.StartExtraFields)
	w.Sign.StartStatuses = slices.Clone(w.Sign.StartStatuses)
	w.Sign.ResultStatuses = slices.Clone(w.Sign.ResultStatuses)
	w.Sign.JWEKeyAlgorithms = slices.Clone(w.Sign.JWEKeyAlgorithms)
	w.Sign.JWEContentAlgorithms = slices.Clone(w.Sign.JWEContentAlgorithms)
	return w
}
