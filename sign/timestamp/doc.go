// Package timestamp verifies RFC 3161 timestamps, which prove that something existed at a time by the word of a third
// party, a timestamp authority (時刻認証業務). It speaks to nobody: the client is package sign/timestamp/tsa.
//
// What is stamped for a signature is the signature value: it shows that the signature was there before its certificate
// expired or was revoked. Package sign/evidence keeps the token in the record.
//
// A [Verifier] holds the anchors of the timestamp authorities that are believed; a [Timestamp] exists only when every
// check held. [Parse] reads a token and believes nothing.
//
// # What is checked
//
// Form, message imprint, nonce, policy and time of the token (RFC 3161, 2.4.2); one signer, whose certificate has a
// critical extKeyUsage with the one purpose of timestamping (2.3) and is named by signingCertificate or
// signingCertificateV2 (RFC 5816); the signed attributes (RFC 5652, 5.4); the signature, RSASSA-PKCS1-v1_5 or ECDSA
// with SHA-2; and the path of the certificate to an anchor by package jpki/certpath, with its revocation status.
//
// # After years
//
// A timestamp is good as long as its authority's certificate and the algorithms are. Before they end, stamp again what
// holds the old token, such as a checkpoint of the evidence log, and verify the old token for the time of the new one
// ([Expect.At]): see docs/evidence.md.
//
// # Examples
//
// There is an example of [Verifier].
//
// # Compatibility
//
// Tokens are kept as the authority gave them. Names of steps and reasons do not change.
package timestamp
