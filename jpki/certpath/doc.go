// Package certpath validates certificates of any X.509 hierarchy: RFC 5280, section 6, with path building, policies,
// name constraints and revocation lists. It is for the hierarchies beside JPKI – those of government and local
// authorities with their bridges, of accredited certification businesses, of timestamp services – and for auditors who
// want to see every step. The certificates of people's cards are the business of package jpki, which is stricter about
// them.
//
//	v, err := certpath.NewVerifier(certpath.VerifierConfig{
//		Anchors:    anchors,                   // from ParseCertificate
//		Pool:       intermediates,             // nothing in it is trusted
//		Revocation: revocation.Require(lists), // from revocation.NewLists
//	})
//	result, err := v.Verify(ctx, certificate, certpath.At(signedAt))
//
// The error is nil exactly when the certificate is valid. [Result.Steps] has every check with the clause that it
// enforces.
//
// # Paths
//
// The search goes from the certificate to the anchors, the shortest and most plausible path first: issuers are found by
// name (compared as RFC 5280, 7.1 says), ordered by key identifier and validity, and linked by signature. Several
// generations of an authority under one name, link certificates, cross-certified pools and bridges need nothing
// special. When a path fails in a later check the next one is tried. Names of the pool that lead to no anchor are never
// entered, the number of verified signatures, partial paths and complete paths is limited, and so no pool can make the
// search blow up.
//
// # Policies
//
// The three inputs of RFC 5280, 6.1.1 and the set of acceptable policies are in [VerifierConfig]; mapping and anyPolicy
// are processed. The state is the graph of RFC 9618, whose size is bounded, and not the tree of RFC 5280, whose size is
// not.
//
// # Name constraints
//
// directoryName, dNSName, rfc822Name, uniformResourceIdentifier and iPAddress are processed. A constraint on another
// form makes every certificate below that has a name of this form invalid, as RFC 5280, 4.2.1.10 demands, whether the
// extension is critical or not. A dNSName with a wildcard counts as excluded when one of the hosts for which it stands
// is.
//
// # Revocation
//
// The sources are those of package revocation: Lists applies RFC 5280, 6.3 to every kind of list, RecordedOCSP and OCSP
// apply RFC 6960. This package tells them who may sign a list: the issuer, or whoever has a certificate of the list's
// issuer with a path of its own to the same anchor.
//
// RFC 5280, 6.3.3 (f) takes a list from every signer whose certificate has the issuer's name and leads to the same
// anchor: an authority under the anchor that may certify any name can answer for its neighbours. Name constraints keep
// it from that.
//
// # What is stricter than RFC 5280
//
// Certificates must be strict DER, and every extension that the RFC defines must be well-formed, critical or not. The
// anchor's certificate must be valid at the time, and its constraints count (RFC 5937). Serial numbers are positive
// unless [VerifierConfig.AcceptOddSerials] is set. SHA-1 and other algorithms are refused unless
// [VerifierConfig.Algorithms] adds them, RSA below 2048 bits always. Constraints on rfc822Name hold for e-mail
// addresses in the subject even beside a subjectAltName. A validation that met a limit, or whose context ended, while
// it asked for revocation data fails, whatever the mode.
//
// What a certificate is used for is judged when the caller says it: [For]. DSA is refused by policy: nobody issues it,
// and its keys cannot be bounded in cost.
//
// # Strict
//
// RFC 5280 tells authorities more than it tells those who validate. [VerifierConfig.Strict] refuses what authorities
// must not issue: a critical or missing authorityKeyIdentifier, a critical or (in an authority) missing
// subjectKeyIdentifier, basicConstraints, nameConstraints, policyConstraints and inhibitAnyPolicy that are not
// critical, nameConstraints or keyCertSign in a certificate that is no authority, an authority as the target, critical
// information access, a dNSName that is no host, and serial numbers that are not positive. The table testdata/limbo.md
// has every case of x509-limbo in which the two differ.
//
// # Cost
//
// One call verifies as many signatures as cost what 256 with RSA-2048 cost; larger keys count for more, and public
// exponents above 2¹⁷ are refused. A pool of impostors, whatever their keys are, costs no more than that.
//
// All 249 cases of the NIST Public Key Interoperability Test Suite are decided as the suite demands.
//
// # Examples
//
// There are examples of [Error], [For] and [Verifier.Verify].
//
// # Compatibility
//
// Names of steps and reasons do not change. Nothing is stored by this package.
package certpath
