// Package limits holds every size and count limit of the project in one place, so that a reviewer can read the whole
// resource policy on one screen. Sizes are in bytes unless the name says otherwise.
package limits

const (
	// Token is the largest compact JWS or JWE that is looked at (ID token, signed userinfo).
	Token = 64 << 10
	// JOSEHeader is the largest decoded protected header. A chain of three certificates with large keys, which nobody
	// here reads, takes some 8 KiB.
	JOSEHeader = 16 << 10
	// SealedResult is the largest compact JWE that the sign API may return.
	SealedResult = 256 << 10
	// JWKS is the largest JWK Set document: 64 keys with certificate chains, or some hundreds without.
	JWKS = 512 << 10
	// JWKSKeys is the largest number of keys considered in one JWK Set. A platform may publish those of all its
	// customers.
	JWKSKeys = 1024
	// RingKeys is the largest number of keys in one ring of our own.
	RingKeys = 64
	// Discovery is the largest OpenID Provider metadata document.
	Discovery = 256 << 10
	// TokenResponse is the largest token endpoint answer.
	TokenResponse = 256 << 10
	// Userinfo is the largest userinfo answer; some services send a picture along.
	Userinfo = 256 << 10
	// SignResponse is the largest answer of the sign API.
	SignResponse = 512 << 10
	// Subject is the longest subject identifier, in bytes (OpenID Connect Core 1.0, section 2: 255 ASCII characters).
	Subject = 255
	// AuthorizationParameter is the longest client_id, redirect_uri, state or nonce that the service accepts.
	AuthorizationParameter = 255
	// ScopeParameter is the longest scope or acr_values sent; the service documents no limit.
	ScopeParameter = 1 << 10
	// CodeChallenge is the longest code_challenge that the service accepts.
	CodeChallenge = 128
	// CallbackQuery is the longest query string accepted on the redirect back to the relying party.
	CallbackQuery = 8 << 10
	// ErrorDescription is the longest error description of the service that is kept.
	ErrorDescription = 256
	// KeyFile is the largest private-key file (JWK or PEM).
	KeyFile = 64 << 10
	// KeyID is the longest "kid" that is looked at or sent.
	KeyID = 255
	// RSABitsMin is the smallest RSA modulus, in bits (RFC 7518, sections 3.3 and 4.3).
	RSABitsMin = 2048
	// RSABitsMax is the largest RSA modulus, in bits; larger ones only cost time.
	RSABitsMax = 8192
	// RSAExponentMax is the largest public exponent of those who sign certificates, lists and responses: the cost of a
	// verification grows with it, and nobody has a reason for another than 65537.
	RSAExponentMax = 1 << 17
	// JSONDepth is the deepest nesting of objects and arrays in a header, claims set, key set or answer.
	JSONDepth = 64
	// JSONMembers is the largest number of members in one JSON object.
	JSONMembers = 1024
	// HTTPBody is the largest body that the hardened HTTP client lets anyone read.
	HTTPBody = 1 << 20
	// HTTPHeader is the largest response header that the HTTP client reads over a transport of its own.
	HTTPHeader = 64 << 10
	// FinishedLogins is the largest number of finished logins remembered to refuse their replay.
	FinishedLogins = 1 << 16
	// IdentityStored is the largest stored form of an identity or refresh token that is read back.
	IdentityStored = 128 << 10
	// PendingStored is the largest stored form of a pending login. Nothing in it is as long as its lengths can tell.
	PendingStored = 16 << 10

	// APDUData is the largest data field of an extended command or response APDU (ISO/IEC 7816-3, 12.1).
	APDUData = 65535
	// APDUExpected is the largest Ne (ISO/IEC 7816-3, 12.1).
	APDUExpected = 65536
	// TLVValue is the largest BER-TLV value accepted.
	TLVValue = 64 << 10
	// TLVDepth is the deepest BER-TLV nesting accepted.
	TLVDepth = 8
	// TLVElements is the largest number of elements parsed in one object.
	TLVElements = 256
	// GetResponses is the largest number of GET RESPONSE commands, and of repetitions with a corrected Le, after one
	// command: as many as 65536 bytes need in pieces of 256.
	GetResponses = 256
	// CardFile is the largest elementary file read from a card.
	CardFile = 32 << 10

	// Certificate is the largest DER certificate.
	Certificate = 16 << 10
	// CRL is the largest certificate revocation list, in bytes of its DER: a hundred million entries.
	CRL = 4<<30 - 1
	// CRLPart is the largest piece of a certificate revocation list that is read as a whole: its header, one entry, its
	// extensions.
	CRLPart = 64 << 10
	// CRLIssuers is the largest number of certificate issuers in one indirect certificate revocation list.
	CRLIssuers = 1 << 16
	// CRLIssuerNames is the largest total size of their names.
	CRLIssuerNames = 16 << 20
	// CRLLists is the largest number of certificate revocation lists in one store; JPKI has one per authority and
	// municipality (about 1,900) and day.
	CRLLists = 1 << 16
	// CRLStore is the largest total size of the certificate revocation lists in one store.
	CRLStore = 4 << 30
	// OCSPResponse is the largest OCSP response.
	OCSPResponse = 64 << 10
	// OCSPCertificates is the largest number of certificates in one OCSP response.
	OCSPCertificates = 8
	// OCSPCache is the largest number of OCSP answers that one client keeps.
	OCSPCache = 1 << 20
	// OCSPRequest is the largest OCSP request that the test responder reads.
	OCSPRequest = 8 << 10
	// OCSPNonce is the longest OCSP nonce (RFC 9654, 2.1).
	OCSPNonce = 128

	// NameRDNs is the largest number of relative distinguished names in one name.
	NameRDNs = 64
	// GeneralNames is the largest number of names in one GeneralNames.
	GeneralNames = 1024
	// OID is the longest object identifier, in octets of its content.
	OID = 64
	// Extensions is the largest number of extensions in one certificate.
	Extensions = 64
	// DistributionPoints is the largest number of distribution points in one extension.
	DistributionPoints = 64
	// CertificatePolicies is the largest number of policies, and of policy mappings, in one certificate.
	CertificatePolicies = 512
	// PathDepth is the largest number of certificates in one certification path, its anchor included.
	PathDepth = 16
	// PathPool is the largest number of certificates from which paths are built.
	PathPool = 1 << 16
	// PathSignatures is the largest number of signatures that are verified for one validation, counted in those with
	// RSA-2048: one with a larger key counts as many as it costs.
	PathSignatures = 256
	// PathCandidates is the largest number of complete paths that are validated for one certificate.
	PathCandidates = 64
	// PathStates is the largest number of partial paths that are looked at for one certificate.
	PathStates = 1 << 13
	// NameComparisons is the largest number of comparisons of names with name constraints for one validation.
	NameComparisons = 1 << 18
	// CRLSigners is the deepest nesting of validations of those who sign revocation lists.
	CRLSigners = 4

	// SignedData is the largest detached CMS signature or timestamp token.
	SignedData = 256 << 10
	// SignedDataDepth is its deepest nesting.
	SignedDataDepth = 32
	// SignedDataElements is the largest number of its elements.
	SignedDataElements = 1 << 14
	// SignedDataCertificates is the largest number of certificates in it.
	SignedDataCertificates = 32
	// SignedDataSigners is the largest number of its signers.
	SignedDataSigners = 8
	// SignedDataAttributes is the largest number of signed attributes of one signer.
	SignedDataAttributes = 32

	// TimestampResponse is the largest answer of a timestamp authority.
	TimestampResponse = SignedData + 4<<10
	// TimestampRequest is the largest request that the test authority reads.
	TimestampRequest = 8 << 10
	// TimestampNonce is the longest nonce of a timestamp request, in bytes.
	TimestampNonce = 32

	// MobileDocument is the largest response of a wallet with the mobile card, decrypted; the portrait is most of it.
	MobileDocument = 1 << 20
	// Attribute is the longest value of one of the four attributes, in bytes.
	Attribute = 4 << 10
	// Document is the largest document that is hashed for signing.
	Document = 1 << 30
	// MediaType is the longest media type recorded with a document.
	MediaType = 127
	// SignatureValue is the largest signature value (RSA-4096), before its exact size is checked against the key.
	SignatureValue = 512
	// TransactionLifetime is the longest lifetime of a signature transaction that is believed, in seconds.
	TransactionLifetime = 24 * 60 * 60
	// RetryAfter is the longest waiting time taken from a Retry-After header, in seconds.
	RetryAfter = 60 * 60
	// PendingLogins is the largest number of logins one browser may have under way; the oldest is dropped.
	PendingLogins = 5
	// Cookie is the largest name plus value of one cookie (RFC 6265, section 6.1; OWASP ASVS 3.3.5).
	Cookie = 4096
	// PendingBytes is the largest total of name plus value of all pending-login cookies of one browser. Common servers
	// and proxies refuse a request whose Cookie line exceeds 8 KiB.
	PendingBytes = 6 << 10
	// Sessions is the largest number of sessions, ended ones included, that the default store keeps in memory.
	Sessions = 1 << 17
	// LoginHeader is the largest header of the answer that begins a login, with what other handlers may add left out:
	// common proxies read an upstream's header into one page of 4 KiB.
	LoginHeader = 3584
	// PendingCookies is the largest number of cookies that look like pending logins and are examined in one request.
	PendingCookies = 32
	// SharedValue is the largest value that instances keep for each other, in bytes: a sealed signature of 256 KiB,
	// which the service may send, is not worth that much of a Redis.
	SharedValue = 64 << 10
	// WaitingResults is the largest number of signature results that wait for a browser that went away.
	WaitingResults = 256
	// UsedLogins is the largest number of used login states remembered in one process; the oldest is forgotten.
	UsedLogins = 1 << 16
	// SealKeys is the largest number of keys tried to open one cookie (rotation).
	SealKeys = 8
	// ReturnPath is the longest path to return to after a login.
	ReturnPath = 1024
	// SignReference is the longest reference of an application to its document, in characters.
	SignReference = 128
	// SignNote is the longest note of an application beside its reference, in bytes.
	SignNote = 1 << 10
	// KeptRecord is the largest record of a kept signature transaction.
	KeptRecord = 16 << 10
	// WrappedKey is the longest wrapped key of a kept answer: key services answer a few hundred bytes.
	WrappedKey = 4 << 10
	// KeptToken is the longest access token that is kept while a result is asked for.
	KeptToken = 4 << 10
	// FormBody is the largest HTML form body read.
	FormBody = 64 << 10
	// OperatorRequest is the largest request of a business to its platform operator.
	OperatorRequest = 512 << 10
	// OperatorAnswer is the largest answer of a platform operator.
	OperatorAnswer = 64 << 10
	// OperatorAnswers is the largest number of verdicts that a platform operator's handler remembers for repeated
	// requests.
	OperatorAnswers = 10_000

	// Evidence is the largest encoded evidence record.
	Evidence = 1 << 20
	// EvidenceSteps is the largest number of steps in one evidence record.
	EvidenceSteps = 128
	// EvidenceLists is the largest number of revocation lists named in one evidence record.
	EvidenceLists = 64
	// EvidenceTimestamps is the largest number of timestamps in one evidence record.
	EvidenceTimestamps = 16
	// EvidenceText is the longest free-text field of an evidence record.
	EvidenceText = 200

	// CardImage is the largest file with a simulated card.
	CardImage = 256 << 10
	// Transcript is the largest transcript of a card session that is replayed.
	Transcript = 16 << 20
	// TranscriptLine is the longest line of a transcript: an extended response with its status word in hexadecimal.
	TranscriptLine = 2*(65536+2) + 64
	// SimulatorEntries is the largest number of visits to the simulated service, and of assertion identifiers that it
	// remembers. It takes no more then.
	SimulatorEntries = 1 << 18
	// SimulatorKept is the largest number of codes, of tokens, of signature transactions and of visits that ended that
	// the simulated service remembers. It forgets the oldest then: at 500 logins a second, after 20 seconds.
	SimulatorKept = 10_000
	// SimulatorVisits is the largest number of visits to the simulated service that nobody has gone on with yet.
	SimulatorVisits = 20_000
	// SimulatorVisitsPerAddress is the same, of one remote address.
	SimulatorVisitsPerAddress = 1_000
	// SimulatorPage is the largest page of the simulated service that a Visitor reads.
	SimulatorPage = 256 << 10
)
