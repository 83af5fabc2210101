// Package revocation answers whether a certificate was revoked at a time, from revocation lists (RFC 5280, 6.3) and
// OCSP responses (RFC 6960, 3.2). It is the one engine behind packages jpki and certpath, which ask it after they have
// verified who issued the certificate.
//
//	lists, err := revocation.OpenStore(ctx, revocation.StoreConfig{
//		Authorities: trust.Authorities(), Directory: "/var/lib/crl",
//	})
//	err = lists.Add(ctx, file)
//	over, err := responder.New(responder.Config{URL: "https://ocsp.example/"}) // package jpki/revocation/responder
//	ocsp, err := revocation.NewOCSP(revocation.OCSPConfig{Responder: over})
//	policy := revocation.Require(lists, ocsp) // asked in order; nobody deciding is unknown, which refuses
//
// The sources are [Store], which keeps every list that it is given and grows every day, [Lists], a fixed set of lists
// of any hierarchy, [OCSP], which asks a responder, and [RecordedOCSP], a response from an archive. [Source] is the
// interface for anything else, for instance a platform operator. Examples: [Store], [Lists], [Policy].
//
// # Earlier times
//
// A list or a response decides Good for a time only if it covers that time (thisUpdate ≤ t < nextUpdate). A certificate
// revoked after t was good at t, unless the reason says that a key was compromised or the entry's invalidityDate lies
// at or before t; then it is Revoked. What was issued later can only take away: it can show that the certificate was
// already revoked at t, but never that it was good.
//
// # Examples
//
// There are examples of [Lists], [Policy] and [Store].
//
// # Compatibility
//
// Index files of a [Store] are read by the version that wrote them and by later ones of the same major version; one
// that cannot be read is named, and adding its list again makes it anew. [ListEvidence] and recorded OCSP responses
// stay readable: the first is JSON with names that do not change, the second is what the responder signed.
//
// # FIPS 140-3
//
// Everything but OCSP with SHA-1 identifiers works under GODEBUG=fips140=only, and OCSP then uses SHA-256 identifiers.
package revocation
