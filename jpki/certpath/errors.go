package certpath

import (
	"fmt"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Reason says what went wrong.
type Reason int

// Reasons.
const (
	// ReasonUnknown is never returned by this package.
	ReasonUnknown Reason = iota
	// ReasonConfiguration: the configuration given to New is incomplete or contradictory.
	ReasonConfiguration
	// ReasonMalformed: a certificate is not strict DER or breaks a rule of its form.
	ReasonMalformed
	// ReasonAnchor: the trust anchor cannot be used as one at the time.
	ReasonAnchor
	// ReasonNoPath: no path leads from the certificate to a trust anchor.
	ReasonNoPath
	// ReasonLimit: the search for a path, or its validation, met a limit that protects against blow-up.
	ReasonLimit
	// ReasonAlgorithm: a signature algorithm or key is not on the allow-list.
	ReasonAlgorithm
	// ReasonSignature: a signature does not verify.
	ReasonSignature
	// ReasonExpired: a certificate of the path had expired at the time.
	ReasonExpired
	// ReasonNotYetValid: a certificate of the path was not valid yet at the time.
	ReasonNotYetValid
	// ReasonNameChaining: a certificate does not name its issuer.
	ReasonNameChaining
	// ReasonBasicConstraints: a certificate that issued another one is no authority.
	ReasonBasicConstraints
	// ReasonPathLength: an authority's path length is exceeded.
	ReasonPathLength
	// ReasonKeyUsage: a key was used for what its certificate does not permit.
	ReasonKeyUsage
	// ReasonPurpose: the certificate is not for the purpose that was asked for.
	ReasonPurpose
	// ReasonStrict: a certificate has a form that authorities must not issue, see [VerifierConfig.Strict].
	ReasonStrict
	// ReasonNameConstraints: a name lies outside of what an authority may name.
	ReasonNameConstraints
	// ReasonPolicy: no acceptable certificate policy holds for the whole path.
	ReasonPolicy
	// ReasonCriticalExtension: a critical extension is not understood.
	ReasonCriticalExtension
	// ReasonRevoked: a certificate of the path was revoked at the time.
	ReasonRevoked
	// ReasonHold: a certificate of the path was suspended at the time.
	ReasonHold
	// ReasonRevocationUnknown: no source could say whether a certificate of the path was revoked.
	ReasonRevocationUnknown
)

// reasons is the table of names, families and messages.
var reasons = [...]fault.Row{
	ReasonUnknown:       fault.Unknown(),
	ReasonConfiguration: {Name: "configuration", Family: kakunin.Configuration},
	ReasonMalformed: {Name: "malformed certificate", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "証明書の形式が正しくありません。",
		EN: "The certificate is malformed.",
	}},
	ReasonAnchor: {Name: "trust anchor not usable", Family: kakunin.Configuration, Message: kakunin.Message{
		JA: "信頼する認証局の証明書を使用できません。",
		EN: "The trusted authority's certificate cannot be used.",
	}},
	ReasonNoPath: {Name: "no path to a trust anchor", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "信頼する認証局までの証明書がつながりません。",
		EN: "The certificate does not lead to a trusted authority.",
	}},
	ReasonLimit: {Name: "limit reached", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "証明書の検証が上限に達したため中止しました。",
		EN: "Validation was stopped because it reached a limit.",
	}},
	ReasonAlgorithm: {Name: "algorithm or key not accepted", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "認められていない暗号アルゴリズムまたは鍵が使われています。",
		EN: "The certificate uses an algorithm or key that is not accepted.",
	}},
	ReasonSignature: {Name: "signature does not verify", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "証明書の署名を検証できません。",
		EN: "A signature on a certificate does not verify.",
	}},
	ReasonExpired: {Name: "certificate expired", Family: kakunin.Account, Message: kakunin.Message{
		JA: "証明書の有効期間が過ぎています。",
		EN: "A certificate has expired.",
	}},
	ReasonNotYetValid: {Name: "certificate not yet valid", Family: kakunin.Account, Message: kakunin.Message{
		JA: "証明書の有効期間がまだ始まっていません。",
		EN: "A certificate is not valid yet.",
	}},
	ReasonNameChaining: {Name: "issuer name does not match", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "証明書の発行者名が一致しません。",
		EN: "A certificate does not name its issuer.",
	}},
	ReasonBasicConstraints: {Name: "issuer is no authority", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "認証局でない証明書から発行されています。",
		EN: "A certificate was issued by one that is no authority.",
	}},
	ReasonPathLength: {Name: "path too long for an authority", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "認証局が認める長さを超えています。",
		EN: "The path is longer than an authority allows.",
	}},
	ReasonKeyUsage: {Name: "key usage not permitted", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "証明書の鍵用途が認められていません。",
		EN: "A key was used for something that its certificate does not permit.",
	}},
	ReasonPurpose: {Name: "certificate is for another purpose", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "証明書の用途が異なります。",
		EN: "The certificate is for another purpose.",
	}},
	ReasonStrict: {Name: "form that authorities must not issue", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "認証局が発行してはならない形式の証明書です。",
		EN: "A certificate has a form that authorities must not issue.",
	}},
	ReasonNameConstraints: {Name: "name constraints violated", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "認証局に認められていない名前が含まれています。",
		EN: "A certificate has a name that its authority may not certify.",
	}},
	ReasonPolicy: {Name: "no acceptable policy", Family: kakunin.Untrusted, Message: kakunin.Message{
		JA: "求められる証明書ポリシーを満たしません。",
		EN: "No acceptable certificate policy holds for the path.",
	}},
	ReasonCriticalExtension: {
		Name:   "critical extension not understood",
		Family: kakunin.Untrusted,
		Message: kakunin.Message{
			JA: "解釈できない重要な拡張が証明書に含まれています。",
			EN: "A certificate has a critical extension that is not understood.",
		},
	},
	ReasonRevoked: {Name: "certificate revoked", Family: kakunin.Account, Message: kakunin.Message{
		JA: "証明書が失効しています。",
		EN: "A certificate has been revoked.",
	}},
	ReasonHold: {Name: "certificate on hold", Family: kakunin.Account, Message: kakunin.Message{
		JA: "証明書は一時停止中です。",
		EN: "A certificate is suspended.",
	}},
	ReasonRevocationUnknown: {Name: "revocation status unknown", Family: kakunin.Unavailable, Message: kakunin.Message{
		JA: "証明書の失効状況を確認できません。",
		EN: "The revocation status of a certificate cannot be determined.",
	}},
}

func (r Reason) row() fault.Row { return fault.Of(reasons[:], r) }

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.row().Name }

// Error is every error of this package. Its text holds reason, step and clause, never data of a certificate.
type Error struct {
	Reason Reason
	// Step is the stable name of the check that failed; it equals a [Step.Name] when Validate returned the error.
	Step string
	// Clause is the clause of the standard that the check enforces; "" when there is none.
	Clause string
	// Certificate is the place of the certificate in the path, 0 for the anchor; -1 when the error is not about one.
	Certificate int
	// Detail is text of this package.
	Detail string
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error
}

// Error names reason, step, place in the path and clause only.
func (e *Error) Error() string {
	detail := e.Detail
	if e.Certificate >= 0 {
		detail = fmt.Sprintf("certificate %d of the path", e.Certificate)
	}
	return fault.Text("certpath", e.Reason.String(), e.Step, e.Clause, detail)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason (and the same step, when target names one).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // Is compares one error of the tree; errors.Is walks it
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what the application should do about it.
func (e *Error) Family() kakunin.Family { return e.Reason.row().Family }

// UserMessage is fit to show to a person.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.row().Message }

func malformed(step, clause string) *Error {
	return &Error{Reason: ReasonMalformed, Step: "certificate." + step, Clause: clause, Certificate: -1}
}

func misconfigured(step string) *Error {
	return &Error{Reason: ReasonConfiguration, Step: "config." + step, Certificate: -1}
}
