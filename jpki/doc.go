// Package jpki answers one question: was this JPKI certificate (公的個人認証サービスの電子証明書) valid at a time?
//
// [ParseCertificate] reads what a card or a service handed over, [Verifier.Verify] decides, and [Result.Status] is the
// answer: Good, Revoked, Hold, Expired, NotYetValid or, whenever it cannot be decided, Unknown, which is the zero
// value.
//
//	trust := jpki.ProductionTrust(os.DirFS("/etc/jpki")) // the certificate files of J-LIS, pinned by fingerprint
//	v, err := jpki.NewVerifier(jpki.VerifierConfig{
//		Trust:      trust,
//		Revocation: revocation.Require(lists, ocsp), // asked in order; fails closed
//	})
//	leaf, err := jpki.ParseCertificate(der)
//	res, err := v.Verify(ctx, leaf, jpki.For(jpki.SigningCard), jpki.At(signedAt))
//
// # What is checked
//
// JPKI has one tier: a certification authority that is the trust anchor issues the certificates of people. The chain
// check is therefore strict and one step deep. The issuer is chosen by key identifier and then by signature, never by
// name, because several generations of an authority share one distinguished name. Names are compared as encoded (RFC
// 5280, 7.1 lets an implementation compare by its rules; authorities of JPKI copy their subject into issuer byte by
// byte, and a byte comparison can only refuse more). Policy, key usage, key and algorithm come from one table of
// profiles. Every check is a [Step] that names the clause it enforces.
//
// # Trust
//
// [ProductionTrust] takes the certificate files of J-LIS that are pinned by fingerprint, and those for which the caller
// vouches with an [AddedPin]. A file that is not one of them disables itself and nothing else; [Trust.Report] names it,
// and says which generations are missing and which end. J-LIS's test environment ([InsecureJLISTestTrust]) and
// simulated hierarchies ([InsecureTestTrust]) are hierarchies of their own: a verifier of one refuses the anchors of
// the others.
//
// # Revocation
//
// Package revocation has the sources: a store of lists, an OCSP client, recorded answers, and the interface for
// anything else, for instance a platform operator. Only certified verifiers (署名検証者) and those they work for may
// obtain revocation data. No source deciding means Unknown: nothing is ever Good because nothing was known. [Only]
// keeps a source to certificates of some kinds.
//
// # Verification at an earlier time
//
// [At] sets the time. A list or a response decides Good for a time only if it covers that time (thisUpdate ≤ t <
// nextUpdate). A certificate revoked after t was good at t, unless the reason says that a key was compromised or the
// entry's invalidityDate lies at or before t; then it is Revoked. A later list can only take away: it can show that the
// certificate was already revoked at t, but never that it was good. A time ahead of the verifier's clock is Unknown,
// because nobody knows what will be revoked until then.
//
// # What is not shown
//
// Types that hold a person's data redact themselves when printed, logged or marshalled. Errors are [*Error]; they hold
// no data of the certificate or of the network.
//
// # Examples
//
// There are examples of [At], [Error], [InsecureJLISTestTrust], [Only], [ParseCertificate], [ProductionTrust],
// [Trust.Report] and [Verifier.Verify].
//
// # Compatibility
//
// Names of steps, kinds and statuses, in text and in JSON, do not change: they are in records. The JSON form of a
// [Result] is written and never read back.
//
// # FIPS 140-3
//
// Everything works under GODEBUG=fips140=only; for OCSP see package revocation.
package jpki
