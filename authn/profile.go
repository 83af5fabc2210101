package authn

// Profile says under which of the service's two published references an application is registered.
type Profile int

// The profiles. What is known of the two references is alike for logins: the same endpoints, parameters and scopes. They
// differ in the sign API and in what the operator does:
//
//   - A private relying party gets the result of a signature sealed to its platform operator (PF事業者), and the service
//     does not check whether the signing certificate was revoked.
//   - A government relying party gets the result itself, and the service checks revocation.
//
// Which scopes only one of them may ask for is not published: wire.Profile.GovernmentScopes.
const (
	// PrivateSector is a private business (民間事業者), the default.
	PrivateSector Profile = iota
	// Government is an administrative body (行政機関).
	Government
)

// String returns a stable lower-case name for logs and metrics.
func (p Profile) String() string {
	switch p {
	case PrivateSector:
		return "private sector"
	case Government:
		return "government"
	default:
		return "unknown"
	}
}
