// Package certpath validates certificates of any X.509 hierarchy: RFC 5280, section 6, with path building, policies, name
// constraints and revocation lists. It is for the hierarchies beside JPKI – those of government and local authorities with
// their bridges, of accredited certification businesses, of timestamp services – and for auditors who want to see every
// step. The certificates of people's cards are the business of package jpki, which is stricter about them.
//
//	v, err := certpath.New(certpath.Config{
//		Anchors:    anchors,                   // from ParseCertificate
//		Pool:       intermediates,             // nothing in it is trusted
//		Revocation: certpath.RevocationRequired,
//		Sources:    []certpath.RevocationSource{lists}, // from NewLists
//	})
//	result, err := v.Validate(ctx, certificate, certpath.At(signedAt))
//
// The error is nil exactly when the certificate is valid. [Result.Steps] has every check with the clause that it enforces.
//
// # Paths
//
// The search goes from the certificate to the anchors, the shortest and most plausible path first: issuers are found by name
// (compared as RFC 5280, 7.1 says), ordered by key identifier and validity, and linked by signature. Several generations of an
// authority under one name, link certificates, cross-certified pools and bridges need nothing special. When a path fails in
// a later check the next one is tried. Names of the pool that lead to no anchor are never entered, the number of verified
// signatures, partial paths and complete paths is limited, and so no pool can make the search blow up.
//
// # Policies
//
// The three inputs of RFC 5280, 6.1.1 and the set of acceptable policies are in [Config]; mapping and anyPolicy are
// processed. The state is the graph of RFC 9618, whose size is bounded, and not the tree of RFC 5280, whose size is not.
//
// # Name constraints
//
// directoryName, dNSName, rfc822Name, uniformResourceIdentifier and iPAddress are processed. A constraint on another form
// makes every certificate below that has a name of this form invalid, as RFC 5280, 4.2.1.10 demands, whether the extension
// is critical or not. A dNSName with a wildcard counts as excluded when one of the hosts for which it stands is.
//
// # Revocation
//
// [Lists] applies RFC 5280, 6.3: complete and delta lists, distribution points, lists for some reasons or kinds of
// certificates, indirect lists, and lists whose signer has a certificate of its own. Any other [RevocationSource] can stand
// beside it. A list decides for a time only if it covers that time; one that was issued later can show that the certificate
// was revoked by then, never that it was not. So can a list that another key signed under the same name, because two
// authorities of one name may have a list each.
//
// RFC 5280, 6.3.3 (f) takes a list from every signer whose certificate has the issuer's name and leads to the same anchor: an
// authority under the anchor that may certify any name can answer for its neighbours. Name constraints keep it from that.
//
// # What is stricter than RFC 5280
//
// Certificates must be strict DER, and every extension that the RFC defines must be well-formed, critical or not. The anchor's
// certificate must be valid at the time, and its constraints count (RFC 5937). Serial numbers are positive unless
// [Config.AcceptOddSerials] is set. SHA-1 and other algorithms are refused unless [Config.Algorithms] adds them, RSA below
// 2048 bits always. Constraints on rfc822Name hold for e-mail addresses in the subject even beside a subjectAltName. A
// validation that met a limit, or whose context ended, while it asked for revocation data fails, whatever the mode.
//
// What a certificate is used for is the caller's business: extKeyUsage is read ([Certificate.Purposes]) but not judged.
//
// All 249 cases of the NIST Public Key Interoperability Test Suite are decided as the suite demands.
package certpath
