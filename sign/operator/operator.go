// Package operator connects private businesses with their platform operator (PF事業者), who opens and verifies what the
// 署名API sealed: both ends of that connection.
//
// A business makes a [Client], which is a sign.PlatformVerifier: [Client.Verify] takes the sealed result and the
// transaction and returns a verdict. It never sees the certificate. An operator mounts a [Handler] over its sign.Opener
// and sign.Verifier. See the examples of [Client] and [Handler].
//
// # Wire profile
//
// Operators publish what they ask and answer, but not one protocol. [Wire] has every name and code in one place; the
// defaults are those of vendors' documents where there are any, and marked ASSUMED otherwise. A request is a POST of
// one JSON object over TLS:
//
//	{"sign_certificate_jwe": "…", "hash_algorithm": "SHA-256", "digest": "base64 of 32 bytes",
//	 "signature_mode": "digest-info", "transaction_id": "…", "check_method": "OCSP", "identify_user": true}
//
// The digest is the document's in both modes. A result that is not sealed has "signature" and "certificate", both
// base64, in place of the JWE. The answer is a JSON object with status 200 for every certificate that could be judged:
//
//	{"result_code": "RESULT_OK", "verification_id": "…", "verified_at": "2026-11-21T03:00:00Z", "check_method": "OCSP",
//	 "source_updated_at": "2026-11-21T02:45:00Z", "user_id": "…", "transaction_id": "…", "digest": "…"}
//
// transaction_id and digest are echoed, so that a verdict on another request is noticed. Everything else is an error
// status with {"error": "…"}.
//
// # Asking again
//
// A request carries an Idempotency-Key that depends on nothing but its content. Asking the same again, after a timeout
// for example, gives the same verdict with the same verification id, and is repeated once by the client itself.
//
// # Latest attributes
//
// [Attributes] is the client of the operator's other service: the latest attributes of persons who consented
// (最新の利用者情報（４情報）提供サービス), with the consent's registration and withdrawal. Its wire profile, [LatestWire], is ASSUMED as
// a whole: the operators' documents are under non-disclosure agreements. What goes over it is not assumed: a document
// that the operator makes, its signature in DigestInfo mode, and answers that say whether there is a new certificate.
//
// # Examples
//
// There are examples of [Client], [Client.Verify], [Handler] and [RepeatsIn].
//
// # Compatibility
//
// The package stores nothing; verdicts are kept by package sign/evidence.
package operator

import (
	"slices"

	"github.com/kakunin-go/kakunin/internal/fault"
)

// Wire is what an operator calls things. [DefaultWire] returns the defaults.
type Wire struct {
	// SealedField names the member with the compact JWE (second-hand: sign_certificate_jwe).
	SealedField string
	// SignatureField and CertificateField name the members of a result that is not sealed, standard base64 (vendor:
	// signature, certificate).
	SignatureField, CertificateField string
	// HashAlgorithmField and DigestField name the members with "SHA-256" and the document's digest in standard base64
	// (vendor: hash_algorithm, digest).
	HashAlgorithmField, DigestField string
	// ModeField names the member with sign.Mode's text (ASSUMED signature_mode).
	ModeField string
	// TransactionField names the member with the transaction's id, in requests and answers (ASSUMED transaction_id).
	// Empty: neither sent nor expected.
	TransactionField string
	// MethodField names the member with "CRL" or "OCSP", in requests and answers (vendor: check_method).
	MethodField string
	// IdentifyField names the member that asks for the operator's user id (vendor: identify_user).
	IdentifyField string

	// CodeField names the member of the answer with one of Codes (ASSUMED result_code).
	CodeField string
	// VerificationIDField, VerifiedAtField, SourceUpdatedAtField and UserIDField name further members of the answer
	// (ASSUMED verification_id, verified_at, source_updated_at, user_id). Times are RFC 3339.
	VerificationIDField, VerifiedAtField, SourceUpdatedAtField, UserIDField string
	// Echo says that answers repeat TransactionField and DigestField (ASSUMED true); an answer without them is refused
	// then.
	Echo bool
	// ErrorField names the member with the code of an error (ASSUMED error).
	ErrorField string
	// IdempotencyHeader is the request header by which a repetition is recognised (ASSUMED Idempotency-Key). Empty: a
	// request is repeated only when it never left.
	IdempotencyHeader string
	// Codes are the values of CodeField and ErrorField.
	Codes Codes
	// Latest is what the operator calls things when it hands out latest attributes; see [Attributes].
	Latest LatestWire
}

// Codes are an operator's codes. The first four are those of a vendor's documentation.
type Codes struct {
	OK, Expired, Revoked, Mismatch string
	// Unsupported is a certificate that the operator does not judge: of another kind, or of an authority it does not
	// know (ASSUMED ERROR_UNSUPPORTED_CERTIFICATE).
	Unsupported string
	// Sealed is a result that the operator cannot open (ASSUMED ERROR_SEALED).
	Sealed string
	// Reused is a signature that is recorded under another transaction (ASSUMED ERROR_SIGNATURE_REUSED).
	Reused string
	// Request is a request that the operator cannot read (ASSUMED ERROR_REQUEST).
	Request string
	// Unavailable: the operator has no revocation data, or cannot keep its evidence (ASSUMED ERROR_UNAVAILABLE).
	Unavailable string
}

// DefaultWire returns the defaults.
func DefaultWire() Wire {
	return Wire{
		SealedField: "sign_certificate_jwe", SignatureField: "signature", CertificateField: "certificate",
		HashAlgorithmField: "hash_algorithm", DigestField: "digest", ModeField: "signature_mode",
		TransactionField: "transaction_id", MethodField: "check_method", IdentifyField: "identify_user",
		CodeField: "result_code", VerificationIDField: "verification_id", VerifiedAtField: "verified_at",
		SourceUpdatedAtField: "source_updated_at", UserIDField: "user_id", Echo: true,
		ErrorField: "error", IdempotencyHeader: "Idempotency-Key",
		Codes: Codes{
			OK: "RESULT_OK", Expired: "RESULT_CERTIFICATE_EXPIRED", Revoked: "RESULT_CERTIFICATE_REVOKED",
			Mismatch: "RESULT_SIGNATURE_MISMATCH", Unsupported: "ERROR_UNSUPPORTED_CERTIFICATE", Sealed: "ERROR_SEALED",
			Reused: "ERROR_SIGNATURE_REUSED", Request: "ERROR_REQUEST", Unavailable: "ERROR_UNAVAILABLE",
		},
		Latest: defaultLatestWire(),
	}
}

const hashAlgorithm = "SHA-256"

// mistakes lists what would make a request or an answer ambiguous, by the name of the field.
func (w *Wire) mistakes() (list fault.Mistakes) {
	type named struct{ name, value string }
	distinct := func(fields []named, optional ...string) {
		var seen []string
		for _, f := range fields {
			switch {
			case f.value == "":
				list.Add(!slices.Contains(optional, f.name), "Wire."+f.name+" is missing")
			case slices.Contains(seen, f.value):
				list.Add(true, "Wire."+f.name+" is the name of another field")
			}
			seen = append(seen, f.value)
		}
	}
	distinct([]named{
		{"SealedField", w.SealedField}, {"SignatureField", w.SignatureField}, {"CertificateField", w.CertificateField},
		{"HashAlgorithmField", w.HashAlgorithmField}, {"DigestField", w.DigestField}, {"ModeField", w.ModeField},
		{"TransactionField", w.TransactionField}, {"MethodField", w.MethodField}, {"IdentifyField", w.IdentifyField},
	}, "TransactionField", "IdentifyField", "MethodField", "ModeField", "HashAlgorithmField")
	distinct([]named{
		{
			"CodeField",
			w.CodeField,
		},
		{"VerificationIDField", w.VerificationIDField},
		{"VerifiedAtField", w.VerifiedAtField},
		{"SourceUpdatedAtField", w.SourceUpdatedAtField},
		{"UserIDField", w.UserIDField},
		{"ErrorField", w.ErrorField},
		{"DigestField", w.DigestField},
		{"TransactionField", w.TransactionField},
		{"MethodField", w.MethodField},
	}, "SourceUpdatedAtField", "UserIDField", "TransactionField", "MethodField")
	distinct([]named{
		{"Codes.OK", w.Codes.OK},
		{"Codes.Expired", w.Codes.Expired},
		{"Codes.Revoked", w.Codes.Revoked},
		{
			"Codes.Mismatch",
			w.Codes.Mismatch,
		},
		{"Codes.Unsupported", w.Codes.Unsupported},
		{"Codes.Sealed", w.Codes.Sealed},
		{
			"Codes.Reused",
			w.Codes.Reused,
		},
		{"Codes.Request", w.Codes.Request},
		{"Codes.Unavailable", w.Codes.Unavailable},
	})
	return list
}
