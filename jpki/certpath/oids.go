package certpath

import "encoding/asn1"

// Object identifiers of the extensions that this package processes (RFC 5280, 4.2).
var (
	oidSubjectKeyID         = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidKeyUsage             = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSubjectAltName       = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidIssuerAltName        = asn1.ObjectIdentifier{2, 5, 29, 18}
	oidBasicConstraints     = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidNameConstraints      = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidCRLDistribution      = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidCertificatePolicies  = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidPolicyMappings       = asn1.ObjectIdentifier{2, 5, 29, 33}
	oidAuthorityKeyID       = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidPolicyConstraints    = asn1.ObjectIdentifier{2, 5, 29, 36}
	oidExtendedKeyUsage     = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidFreshestCRL          = asn1.ObjectIdentifier{2, 5, 29, 46}
	oidInhibitAnyPolicy     = asn1.ObjectIdentifier{2, 5, 29, 54}
	oidAuthorityInfoAccess  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidSubjectInfoAccess    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 11}
	oidQualifierCPS         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	oidQualifierNotice      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
	oidSmtpUTF8Mailbox      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9}
	oidAnyPolicy            = asn1.ObjectIdentifier{2, 5, 29, 32, 0}
	oidOCSPNoCheckExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
)
