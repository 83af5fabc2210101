// Package mynumber keeps individual numbers (個人番号, マイナンバー) where they belong. Most programs want none and use these
// two:
//
//	logger := slog.New(mynumber.GuardLogs(handler))  // none passes into a log
//	if mynumber.MayHold(note) { … refuse … }         // none is kept in free text
//
// A [Number] is obtained with [New] and comes out with [Number.Reveal], for one of the lawful purposes ([Purpose]) and
// for no other; identity verification (本人確認) is none of them. Corporate numbers (法人番号), which are public, are read by
// [ParseCorporate].
//
// # Errors
//
// Every error is an *[Error] with a [Reason]; it contains no number and takes part in the families of package kakunin.
//
// All types are immutable and safe for concurrent use.
//
// # Examples
//
// There are examples of [GuardLogs], [MayHold], [New] and [ParseCorporate].
//
// # Compatibility
//
// A Number has no stored form: it leaves only through [Number.Reveal], as twelve half-width digits. The names of
// reasons and purposes are stable.
package mynumber
