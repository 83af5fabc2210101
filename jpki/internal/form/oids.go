package form

import "encoding/asn1"

var (
	oidKeyUsage            = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSubjectAltName      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints    = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidCRLDistribution     = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidCertificatePolicies = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidAuthorityKeyID      = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtendedKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 37}

	oidQualifierCPS    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	oidQualifierNotice = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
)
