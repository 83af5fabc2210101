package certpath

import (
	"fmt"

	"github.com/kakunin-go/kakunin"
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

type reasonInfo struct {
	name    string
	family  kakunin.Family
	message kakunin.Message
}

// info is the one table of names, families and messages.
func (r Reason) info() reasonInfo {
	switch r {
	case ReasonConfiguration:
		return reasonInfo{"configuration", kakunin.Configuration, kakunin.Message{}}
	case ReasonMalformed:
		return reasonInfo{"malformed certificate", kakunin.Untrusted, kakunin.Message{
			JA: "証明書の形式が正しくありません。", EN: "The certificate is malformed."}}
	case ReasonAnchor:
		return reasonInfo{"trust anchor not usable", kakunin.Configuration, kakunin.Message{
			JA: "信頼する認証局の証明書を使用できません。", EN: "The trusted authority's certificate cannot be used."}}
	case ReasonNoPath:
		return reasonInfo{"no path to a trust anchor", kakunin.Untrusted, kakunin.Message{
			JA: "信頼する認証局までの証明書がつながりません。", EN: "The certificate does not lead to a trusted authority."}}
	case ReasonLimit:
		return reasonInfo{"limit reached", kakunin.Untrusted, kakunin.Message{
			JA: "証明書の検証が上限に達したため中止しました。", EN: "Validation was stopped because it reached a limit."}}
	case ReasonAlgorithm:
		return reasonInfo{"algorithm or key not accepted", kakunin.Untrusted, kakunin.Message{
			JA: "認められていない暗号アルゴリズムまたは鍵が使われています。", EN: "The certificate uses an algorithm or key that is not accepted."}}
	case ReasonSignature:
		return reasonInfo{"signature does not verify", kakunin.Untrusted, kakunin.Message{
			JA: "証明書の署名を検証できません。", EN: "A signature on a certificate does not verify."}}
	case ReasonExpired:
		return reasonInfo{"certificate expired", kakunin.Account, kakunin.Message{
			JA: "証明書の有効期間が過ぎています。", EN: "A certificate has expired."}}
	case ReasonNotYetValid:
		return reasonInfo{"certificate not yet valid", kakunin.Account, kakunin.Message{
			JA: "証明書の有効期間がまだ始まっていません。", EN: "A certificate is not valid yet."}}
	case ReasonNameChaining:
		return reasonInfo{"issuer name does not match", kakunin.Untrusted, kakunin.Message{
			JA: "証明書の発行者名が一致しません。", EN: "A certificate does not name its issuer."}}
	case ReasonBasicConstraints:
		return reasonInfo{"issuer is no authority", kakunin.Untrusted, kakunin.Message{
			JA: "認証局でない証明書から発行されています。", EN: "A certificate was issued by one that is no authority."}}
	case ReasonPathLength:
		return reasonInfo{"path too long for an authority", kakunin.Untrusted, kakunin.Message{
			JA: "認証局が認める長さを超えています。", EN: "The path is longer than an authority allows."}}
	case ReasonKeyUsage:
		return reasonInfo{"key usage not permitted", kakunin.Untrusted, kakunin.Message{
			JA: "証明書の鍵用途が認められていません。", EN: "A key was used for something that its certificate does not permit."}}
	case ReasonNameConstraints:
		return reasonInfo{"name constraints violated", kakunin.Untrusted, kakunin.Message{
			JA: "認証局に認められていない名前が含まれています。", EN: "A certificate has a name that its authority may not certify."}}
	case ReasonPolicy:
		return reasonInfo{"no acceptable policy", kakunin.Untrusted, kakunin.Message{
			JA: "求められる証明書ポリシーを満たしません。", EN: "No acceptable certificate policy holds for the path."}}
	case ReasonCriticalExtension:
		return reasonInfo{"critical extension not understood", kakunin.Untrusted, kakunin.Message{
			JA: "解釈できない重要な拡張が証明書に含まれています。", EN: "A certificate has a critical extension that is not understood."}}
	case ReasonRevoked:
		return reasonInfo{"certificate revoked", kakunin.Account, kakunin.Message{
			JA: "証明書が失効しています。", EN: "A certificate has been revoked."}}
	case ReasonHold:
		return reasonInfo{"certificate on hold", kakunin.Account, kakunin.Message{
			JA: "証明書は一時停止中です。", EN: "A certificate is suspended."}}
	case ReasonRevocationUnknown:
		return reasonInfo{"revocation status unknown", kakunin.Unavailable, kakunin.Message{
			JA: "証明書の失効状況を確認できません。", EN: "The revocation status of a certificate cannot be determined."}}
	case ReasonUnknown:
	}
	return reasonInfo{"unknown", kakunin.Untrusted, kakunin.Message{}}
}

// String returns a stable English phrase for logs.
func (r Reason) String() string { return r.info().name }

// Error is every error of this package. Its text holds reason, step and clause, never data of a certificate.
type Error struct {
	Reason Reason
	// Step is the stable name of the check that failed; it equals a [Step.Name] when Validate returned the error.
	Step string
	// Clause is the clause of the standard that the check enforces; "" when there is none.
	Clause string
	// Certificate is the place of the certificate in the path, 0 for the anchor; -1 when the error is not about one.
	Certificate int
	// Err is the cause. Its text may hold data from outside: do not show or log it.
	Err error
}

// Error names reason, step and clause only.
func (e *Error) Error() string {
	s := fmt.Sprintf("certpath: %s: %s", e.Step, e.Reason)
	if e.Certificate >= 0 {
		s += fmt.Sprintf(", certificate %d of the path", e.Certificate)
	}
	if e.Clause != "" {
		s += " (" + e.Clause + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is an [*Error] with the same reason (and the same step, when target names one).
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) //nolint:errorlint // Is compares one error of the tree; errors.Is walks it
	return ok && t.Reason == e.Reason && (t.Step == "" || t.Step == e.Step)
}

// Family says what the application should do about it.
func (e *Error) Family() kakunin.Family { return e.Reason.info().family }

// UserMessage is fit to show to a person.
func (e *Error) UserMessage() kakunin.Message { return e.Reason.info().message }

func malformed(step, clause string) *Error {
	return &Error{Reason: ReasonMalformed, Step: "certificate." + step, Clause: clause, Certificate: -1}
}

func misconfigured(step string) *Error {
	return &Error{Reason: ReasonConfiguration, Step: "config." + step, Certificate: -1}
}
