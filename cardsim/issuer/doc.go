// Package issuer is a test JPKI (公的個人認証サービス): a signing and an authentication CA under O=JPKI-TEST, end-entity
// certificates with the published profile, revocation, revocation lists and an OCSP responder. Nothing here is valid
// for anything but tests: every private key follows from a seed that is public.
//
//	j, err := issuer.New(issuer.Config{Now: clock})
//	der, err := j.SigningCA().Issue(issuer.Request{Key: &key.PublicKey, Holder: subject, IssuedAt: clock()})
//	err = j.SigningCA().Revoke(serial, issuer.Revocation{Reason: issuer.AffiliationChanged, At: clock()})
//	verifier, err := jpki.NewVerifier(jpki.VerifierConfig{Hierarchy: jpki.Simulated, Trust: j.Trust(), …})
//
// The same seed and the same five-year generation give byte-identical CA certificates in every process, and the same
// public key, subject and time byte-identical end-entity certificates. So one process may run the service and another
// one verify. Revocation is kept in memory, by the process that issued.
//
// # What is assumed
//
// Where no published source settles a detail of the profile, this package chooses: the policies of certificates on
// phones (1.2.392.200149.8.5.1.0.40 and .50), which otherwise are as those on cards; revocation lists per municipality
// with a critical issuingDistributionPoint; a delegated OCSP responder. Certificates on cards have the extensions of a
// test card of J-LIS, in its order; only the address of the OCSP responder is another one, which leads nowhere.
//
// # Examples
//
// There is an example of the package as a whole.
//
// # Compatibility
//
// The keys of a seed never change. Certificates that a release has issued stay valid under the CA certificates of every
// later one, whose names, keys and serial numbers are the same; their other extensions may come closer to J-LIS's.
package issuer
