package issuer

import "encoding/asn1"

// The object identifiers are functions and not variables so that nothing can be written to.

// arc returns 2.5.29.n, the certificate extensions of ITU-T X.509.
func arc(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, n} }

func oidSubjectKeyID() asn1.ObjectIdentifier     { return arc(14) }
func oidKeyUsage() asn1.ObjectIdentifier         { return arc(15) }
func oidSubjectAltName() asn1.ObjectIdentifier   { return arc(17) }
func oidIssuerAltName() asn1.ObjectIdentifier    { return arc(18) }
func oidBasicConstraints() asn1.ObjectIdentifier { return arc(19) }
func oidCRLNumber() asn1.ObjectIdentifier        { return arc(20) }
func oidReasonCode() asn1.ObjectIdentifier       { return arc(21) }
func oidIssuingDP() asn1.ObjectIdentifier        { return arc(28) }
func oidCRLDP() asn1.ObjectIdentifier            { return arc(31) }
func oidPolicies() asn1.ObjectIdentifier         { return arc(32) }
func oidAuthorityKeyID() asn1.ObjectIdentifier   { return arc(35) }
func oidExtKeyUsage() asn1.ObjectIdentifier      { return arc(37) }

// Attribute types of distinguished names (ITU-T X.520).
func oidCommonName() asn1.ObjectIdentifier   { return asn1.ObjectIdentifier{2, 5, 4, 3} }
func oidCountry() asn1.ObjectIdentifier      { return asn1.ObjectIdentifier{2, 5, 4, 6} }
func oidLocality() asn1.ObjectIdentifier     { return asn1.ObjectIdentifier{2, 5, 4, 7} }
func oidOrganization() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 4, 10} }
func oidUnit() asn1.ObjectIdentifier         { return asn1.ObjectIdentifier{2, 5, 4, 11} }

// pkixArc returns 1.3.6.1.5.5.7.n…, the arc of the IETF PKIX working group.
func pkixArc(n ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7}, n...)
}

func oidCPSQualifier() asn1.ObjectIdentifier { return pkixArc(2, 1) }
func oidOCSPSigning() asn1.ObjectIdentifier  { return pkixArc(3, 9) }
func oidOCSPBasic() asn1.ObjectIdentifier    { return pkixArc(48, 1, 1) }
func oidOCSPNonce() asn1.ObjectIdentifier    { return pkixArc(48, 1, 2) }
func oidOCSPNoCheck() asn1.ObjectIdentifier  { return pkixArc(48, 1, 5) }

// Algorithms.
func oidSHA256WithRSA() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
}
func oidSHA1() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26} }
func oidSHA256() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
}

// jpkiArc returns 1.2.392.200149.8.5.n…, the PKI arc of J-LIS.
func jpkiArc(n ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5}, n...)
}

// SigningPolicy is the policy of signing certificates of the test hierarchy: the published test identifier, which has 0
// where production has 1.
func SigningPolicy() asn1.ObjectIdentifier { return jpkiArc(1, 0, 20) }

// AuthenticationPolicy is the policy of authentication certificates of the test hierarchy. It is an assumption, by analogy
// with [SigningPolicy]: production has 1.2.392.200149.8.5.1.3.30, and no test identifier is published.
func AuthenticationPolicy() asn1.ObjectIdentifier { return jpkiArc(1, 0, 30) }

// The policies of certificates on phones (スマホ用電子証明書) are assumptions, and this is the one place that makes them: only
// 1.2.392.200149.8.5.1.1.40 was reported, for production signing certificates, and not confirmed. The test identifiers
// follow it as the others follow theirs.

// PhoneSigningPolicy is the policy of signing certificates on phones in the test hierarchy. It is an assumption.
func PhoneSigningPolicy() asn1.ObjectIdentifier { return jpkiArc(1, 0, 40) }

// PhoneAuthenticationPolicy is the policy of authentication certificates on phones in the test hierarchy. It is an
// assumption.
func PhoneAuthenticationPolicy() asn1.ObjectIdentifier { return jpkiArc(1, 0, 50) }

// oidPersonal returns the otherName type of one of the personal data in a signing certificate.
func oidPersonal(n int) asn1.ObjectIdentifier { return jpkiArc(5, n) }
