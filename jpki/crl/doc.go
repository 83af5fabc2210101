// Package crl reads certificate revocation lists (RFC 5280, section 5) of any profile and size.
//
// [Read] takes a list from a reader in one pass: it parses strictly, hashes and collects the entries at the same time,
// in memory that follows the number of entries and not the size of the list. What comes out is [Unverified]: its header
// can be looked at, to find the key of the issuer, but its entries cannot. [Unverified.Verify] checks the signature and
// only then makes a [List], whose [List.Lookup] answers in well under a microsecond and is safe for any number of
// goroutines.
//
//	unverified, err := crl.ReadFile(ctx, "signca03.crl", crl.Options{})
//	list, err := unverified.Verify(ctx, issuer.PublicKey)
//	entry, revoked := list.Lookup(certificate.RawIssuer, serial)
//
// A list can be kept on disk as an index file ([List.WriteFile], [OpenIndex]) that is mapped into memory where the
// operating system allows it, so that a program starts without reading the list again.
//
// Errors name the entry at which a list is wrong, and its offset.
//
// The package decides nothing about certificates: which list is for which certificate, and when, is the business of
// package revocation (RFC 5280, section 6.3).
//
// # Examples
//
// There are examples of the package as a whole and [ReadFile].
//
// # Compatibility
//
// An index file is read by the versions that know its format, and refused by others ([ReasonIndex]): make it again from
// the list, which costs seconds. The list itself, which is what the authority signed, is what to archive.
package crl
