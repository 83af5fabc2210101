package operator

import (
	"slices"
	"strings"

	"github.com/kakunin-go/kakunin/internal/fault"
)

// LatestWire is what an operator calls things when it hands out latest attributes. All of it is ASSUMED. Every request
// is a POST of one JSON object to Config.URL and a path; every answer is a JSON object with status 200, or an error as
// for verifications.
//
//	POST {URL}/v1/documents    {"service", "terms_version"}, or {"consent_id"} to withdraw → {"document": base64}
//	POST {URL}/v1/consents     {"document", "sign_certificate_jwe", "transaction_id"} → a verdict, and {"consent_id"}
//	POST {URL}/v1/withdrawals  {"consent_id", "document", "sign_certificate_jwe", "transaction_id"} → a verdict
//	POST {URL}/v1/states       {"consent_id"} → {"consent_state", "received_at", "reflected_at", "withdrawn_at"}
//	POST {URL}/v1/attributes   {"consent_id", "known"} → {"attributes_state", "known", "as_of", "name", "address", …}
type LatestWire struct {
	// DocumentPath, ConsentPath, WithdrawalPath, StatePath and AttributesPath begin with a slash.
	DocumentPath, ConsentPath, WithdrawalPath, StatePath, AttributesPath string
	// ServiceField and TermsField name the members of a request for a document of consent.
	ServiceField, TermsField string
	// DocumentField names the member with the document, standard base64.
	DocumentField string
	// ConsentField names the member with the operator's identifier of the consent.
	ConsentField string
	// StateField, ReceivedField, ReflectedField and WithdrawnField name members of the answer about a consent. Times
	// are RFC 3339.
	StateField, ReceivedField, ReflectedField, WithdrawnField string
	// AttributesStateField names the member with one of Unchanged, Changed and NoCertificate.
	AttributesStateField              string
	Unchanged, Changed, NoCertificate string
	// KnownField names the member with an opaque text that says which attributes the business has: it sends the one of
	// the last answer, so that an answer that was lost is given again.
	KnownField string
	// AsOfField names the member with the time for which the answer holds.
	AsOfField string
	// NameField, AddressField, BirthdateField and GenderField name the attributes, in the forms of the card.
	NameField, AddressField, BirthdateField, GenderField string
	// NoConsentCode is the error of a consent that does not count now, DocumentCode that of a document that is not the
	// operator's.
	NoConsentCode, DocumentCode string
}

func defaultLatestWire() LatestWire {
	return LatestWire{
		DocumentPath: "/v1/documents", ConsentPath: "/v1/consents", WithdrawalPath: "/v1/withdrawals",
		StatePath: "/v1/states", AttributesPath: "/v1/attributes",
		ServiceField: "service", TermsField: "terms_version", DocumentField: "document", ConsentField: "consent_id",
		StateField: "consent_state", ReceivedField: "received_at", ReflectedField: "reflected_at",
		WithdrawnField: "withdrawn_at", AttributesStateField: "attributes_state",
		Unchanged: "unchanged", Changed: "changed", NoCertificate: "no-certificate", KnownField: "known",
		AsOfField: "as_of",
		NameField: "name", AddressField: "address", BirthdateField: "birthdate", GenderField: "gender",
		NoConsentCode: "ERROR_NO_CONSENT", DocumentCode: "ERROR_DOCUMENT",
	}
}

func (w *LatestWire) paths() []string {
	return []string{w.DocumentPath, w.ConsentPath, w.WithdrawalPath, w.StatePath, w.AttributesPath}
}

// check lists what would make a request or an answer ambiguous.
func (w *LatestWire) check(list *fault.Mistakes) {
	paths := w.paths()
	for i, path := range paths {
		list.Add(!strings.HasPrefix(path, "/") || slices.Contains(paths[:i], path),
			"Wire.Latest: each path must begin with a slash and be another one")
	}
	distinct := func(what string, names ...string) {
		for i, name := range names {
			list.Add(name == "" || slices.Contains(names[:i], name),
				"Wire.Latest: "+what+" must be there, and all different")
		}
	}
	distinct("the members of requests", w.ServiceField, w.TermsField, w.DocumentField, w.ConsentField, w.KnownField)
	distinct("the members of a consent's state", w.StateField, w.ReceivedField, w.ReflectedField, w.WithdrawnField)
	distinct("the members of attributes", w.AttributesStateField, w.KnownField, w.AsOfField,
		w.NameField, w.AddressField, w.BirthdateField, w.GenderField)
	distinct("the states of attributes", w.Unchanged, w.Changed, w.NoCertificate)
	distinct("the codes", w.NoConsentCode, w.DocumentCode)
}
