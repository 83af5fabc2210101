package main

import (
	"slices"
	"strconv"
)

const (
	ratio = "x-bare"

	here      = "examples/performance"
	stores    = "examples/internal/evidencestore"
	files     = "sign/evidence/filestore"
	instances = "examples/instances"
)

// Sizes on the axes of curves. A list of ten million entries takes longer than a person waits; docs/crl-index.md has
// it.
var (
	listSizes = []int{1_000, 10_000, 100_000, 1_000_000}
	logSizes  = []int{1_000, 10_000, 100_000, 1_000_000}
)

// plan is everything that is measured, in the order of the page.
func plan() []section {
	return slices.Concat(logins(), certificates(), evidence(), rest())
}

func logins() []section {
	return []section{
		{name: "id-token-rs256", title: "Verifying an ID token, RS256",
			text: "Warm keys, one token; × one hash and one RSA-2048 verification. The others check what their " +
				"documentation says (see BenchmarkIDToken); package authn checks about twenty rules more, among them " +
				"unique members, the header's form, azp, at_hash and the age.",
			rows: idToken("RS256")},
		{name: "id-token-es256", title: "Verifying an ID token, ES256", text: "The same with P-256.",
			rows: idToken("ES256")},
		{name: "login-rs256", title: "A whole login, RS256",
			text: "Begin, client assertion, code exchange, ID token, userinfo; network and provider not counted; " +
				"× one signature and one verification. By hand is go-oidc, x/oauth2 and golang-jwt.",
			rows: login("RS256")},
		{name: "login-es256", title: "A whole login, ES256",
			text: "The same with P-256, where the cryptography is so cheap that requests and JSON weigh more.",
			rows: login("ES256")},
		{name: "login-parts", title: "Parts of a login", rows: []row{
			{label: "client assertion, RS256, × a signature", from: "authn", benchmark: "Assertion/RS256", unit: ratio},
			{label: "seal and open a pending login", from: "middleware", benchmark: "SealAndOpen/login", unit: "ns/op",
				asked: "2 µs"},
			{label: "a logged-in person's request, × scs alone", from: "middleware", benchmark: "AuthenticatedRequest",
				unit: ratio, asked: "1.25"},
		}},
		{name: "logins", title: "Logins under way", axis: "logins",
			text: "So many logins are begun before the first of them is finished; the time of each, with P-256. " +
				"Network and provider not counted.",
			rows: curve("kakunin", here, "Logins/", "ns/login", 1, 10, 100, 1_000, 10_000)},
		{name: "instances", title: "Several instances", axis: "instances", tags: "servers", time: "1x",
			needs: "KAKUNIN_REDIS",
			text: "Processes behind nginx with their sessions in one Redis, each with a core of its own: logins a " +
				"second, by the time on a processor, as a multiple of what one does. Two do twice as much at best.",
			rows: []row{
				{label: "measured", from: instances, benchmark: "Instances", unit: "x-of-1", at: 1},
				{label: "measured", from: instances, benchmark: "Instances", unit: "x-of-2", at: 2},
				{label: "measured", from: instances, benchmark: "Instances", unit: "x-of-4", at: 4},
			}},
	}
}

func certificates() []section {
	return []section{
		{name: "certificate", title: "A person's certificate",
			text: "From the bytes on; × one RSA-2048 verification. This module checks profile, chain and a loaded " +
				"revocation list; crypto/x509 the chain, and looks through the list.",
			rows: []row{
				{label: "kakunin", from: here, benchmark: "Certificate/kakunin", unit: ratio},
				{label: "crypto/x509", from: here, benchmark: "Certificate/x509", unit: ratio},
			}},
		{name: "ocsp", title: "An OCSP answer of a delegated responder", text: "× two RSA-2048 verifications.",
			rows: []row{
				{label: "kakunin", from: here, benchmark: "OCSP/kakunin", unit: ratio, asked: "1.4"},
				{label: "x/crypto/ocsp", from: here, benchmark: "OCSP/x-crypto", unit: ratio},
			}},
		{name: "list-read", title: "Reading a revocation list", axis: "entries",
			text: "From the bytes to a list that can be asked, with its signature verified. This module makes an " +
				"index, crypto/x509 entries in a row; nobody can be faster than SHA-256 over the same bytes.",
			rows: slices.Concat(
				curve("kakunin", here, "ReadList/kakunin/", "ns/op", listSizes...),
				curve("crypto/x509", here, "ReadList/x509/", "ns/op", listSizes...),
				curve("SHA-256 alone", here, "ReadList/sha256/", "ns/op", listSizes...))},
		{name: "list-lookup", title: "Looking up a certificate in a list", axis: "entries",
			text: "crypto/x509 has no index: its entries are gone through.",
			rows: slices.Concat(
				curve("kakunin", here, "Lookup/kakunin/", "ns/op", listSizes...),
				curve("crypto/x509", here, "Lookup/x509/", "ns/op", listSizes...))},
		{name: "signature", title: "A signature",
			text: "× one hash of the document and one RSA-2048 verification. A whole verification holds the " +
				"signature, the certificate and the revocation status.",
			rows: []row{
				{label: "signature value, bare hash", from: "sign", benchmark: "Signature/bare-hash", unit: ratio},
				{label: "signature value, DigestInfo", from: "sign", benchmark: "Signature/digest-info", unit: ratio},
				{label: "whole verification, bare hash", from: "sign", benchmark: "Verify/bare-hash", unit: ratio},
				{label: "whole verification, DigestInfo", from: "sign", benchmark: "Verify/digest-info", unit: ratio},
			}},
	}
}

func evidence() []section {
	return []section{
		{name: "evidence-append", title: "An evidence record beside a plain write",
			text: "One record, or a batch of a hundred, appended as durably as the same bytes are written to a file " +
				"that is synced or inserted into a table; × the plain write. What a record costs more is its " +
				"canonical form, its hash and those of the tree.",
			rows: []row{
				{label: "files, one", from: stores, benchmark: "Append/files/1", unit: "x-plain"},
				{label: "files, a hundred", from: stores, benchmark: "Append/files/100", unit: "x-plain"},
				{label: "SQLite, one", from: stores, benchmark: "Append/sqlite/1", unit: "x-plain"},
				{label: "SQLite, a hundred", from: stores, benchmark: "Append/sqlite/100", unit: "x-plain"},
			}},
		{name: "evidence-postgresql", title: "The same in PostgreSQL", tags: "servers", needs: "KAKUNIN_POSTGRES",
			text: "× the plain insert into a table of the same server.",
			rows: []row{
				{label: "one", from: stores, benchmark: "AppendPostgreSQL/1", unit: "x-plain"},
				{label: "a hundred", from: stores, benchmark: "AppendPostgreSQL/100", unit: "x-plain"},
			}},
		{name: "evidence-size", title: "Appending to a log that grows", axis: "records",
			text: "One record, when so many are there already, in files; × a plain line that is written and synced.",
			rows: curve("kakunin", files, "Append/", "x-plain", logSizes...)},
		{name: "evidence-proof", title: "Proofs of a log that grows", axis: "records",
			text: "Proving that a record is in the log, and opening the log, when it has so many, in files.",
			rows: slices.Concat(
				curve("prove a record", files, "Prove/", "ns/op", logSizes...),
				curve("open the log", files, "Open/", "ns/op", logSizes...))},
	}
}

func rest() []section {
	return []section{
		{name: "matching", title: "Comparing people", text: "One core.", rows: []row{
			{label: "compare two persons", from: "fourinfo", benchmark: "Compare", unit: "ns/op"},
			{label: "read the attributes of a certificate", from: "fourinfo", benchmark: "ParseCertificate",
				unit: "ns/op"},
			{label: "read the attributes of userinfo", from: "fourinfo", benchmark: "ParseUserinfo", unit: "ns/op"},
		}},
		{name: "card", title: "The software card", rows: []row{
			{label: "select a file", from: "cardsim", benchmark: "Command/select_file", unit: "ns/op"},
			{label: "read 256 bytes", from: "cardsim", benchmark: "Command/read_256_bytes", unit: "ns/op"},
			{label: "verify a PIN", from: "cardsim", benchmark: "Command/verify", unit: "ns/op"},
		}},
	}
}

// curve is a line: the benchmark's name ends with the place on the axis.
func curve(label, from, benchmark, unit string, at ...int) (rows []row) {
	for _, n := range at {
		rows = append(rows, row{label: label, from: from, benchmark: benchmark + strconv.Itoa(n), unit: unit, at: n})
	}
	return rows
}

func idToken(algorithm string) []row {
	return []row{
		{label: "kakunin", from: "authn", benchmark: "VerifyIDToken/" + algorithm, unit: ratio},
		{label: "golang-jwt", from: here, benchmark: "IDToken/golang-jwt/" + algorithm, unit: ratio},
		{label: "zitadel/oidc rp", from: here, benchmark: "IDToken/zitadel/" + algorithm, unit: ratio},
		{label: "go-oidc", from: here, benchmark: "IDToken/go-oidc/" + algorithm, unit: ratio},
		{label: "jwx", from: here, benchmark: "IDToken/jwx/" + algorithm, unit: ratio},
	}
}

func login(algorithm string) []row {
	return []row{
		{label: "kakunin", from: here, benchmark: "Login/kakunin/" + algorithm, unit: ratio},
		{label: "by hand", from: here, benchmark: "Login/by-hand/" + algorithm, unit: ratio},
		{label: "zitadel/oidc rp", from: here, benchmark: "Login/zitadel/" + algorithm, unit: ratio},
	}
}
