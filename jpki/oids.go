package jpki

import "encoding/asn1"

// Object identifiers of RFC 5280, RFC 6960 and the JPKI certificate profile (1.2.392.200149.8.5).
var (
	oidKeyUsage            = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSubjectAltName      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints    = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidCRLNumber           = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReasonCode          = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidInvalidityDate      = asn1.ObjectIdentifier{2, 5, 29, 24}
	oidDeltaCRLIndicator   = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingDistribution = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertificateIssuer   = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidCRLDistribution     = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidCertificatePolicies = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidAuthorityKeyID      = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidExtendedKeyUsage    = asn1.ObjectIdentifier{2, 5, 29, 37}

	oidQualifierCPS    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	oidQualifierNotice = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}

	oidOCSPBasic   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNonce   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}

	// personalData: {1 name, 2 substitute flags of the name, 3 gender, 4 birthdate, 5 address, 6 flags of the address}.
	oidPersonalData = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 5}

	oidPolicySigning            = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 20}
	oidPolicyAuthentication     = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 3, 30}
	oidPolicyTestSigning        = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 20}
	oidPolicyTestAuthentication = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 30}
	// Assumptions, which only a verifier with AssumedPhonePolicies uses.
	oidPolicyTestSigningPhone        = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 40}
	oidPolicyTestAuthenticationPhone = asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 0, 50}
)
