// Package issuer is a test JPKI (公的個人認証サービス): a signing and an authentication CA under O=JPKI-TEST, end-entity
// certificates with the published profile, revocation, revocation lists and an OCSP responder. Nothing here is valid for
// anything but tests: every private key follows from a seed that is public.
//
//	j, err := issuer.New(issuer.Config{Now: clock})
//	der, err := j.SigningCA().Issue(&key.PublicKey, subject, clock())
//	err = j.SigningCA().Revoke(serial, issuer.AffiliationChanged, clock())
//	verifier, err := jpki.NewVerifier(jpki.VerifierConfig{Environment: jpki.Test, Trust: j.Trust(), …})
//
// The same seed and the same five-year generation give byte-identical CA certificates in every process, and the same
// public key, subject and time byte-identical end-entity certificates. So one process may run the service and another
// one verify. Revocation is kept in memory, by the process that issued.
//
// # What is assumed
//
// Where no published source settles a detail of the profile, this package chooses: the policies of certificates on phones
// (1.2.392.200149.8.5.1.0.40 and .50); the policy of test authentication
// certificates (1.2.392.200149.8.5.1.0.30); issuerAltName with the name of the CA's subjectAltName; no
// extendedKeyUsage and no authorityInfoAccess in end-entity certificates; an authorityKeyIdentifier with the key
// identifier only; revocation lists per municipality with a critical issuingDistributionPoint; a delegated OCSP responder.
package issuer
