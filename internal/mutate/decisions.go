package main

import (
	"fmt"
	"slices"
)

// decision is a package whose decisions matter.
type decision struct {
	pkg string
	// files are those of the package that decide; empty: all.
	files []string
	// importers have tests that are asked, too, about what the package's own do not notice.
	importers []string
}

// decisions are the packages, what they import first.
var decisions = []decision{
	{pkg: "./internal/sigalg"},
	{pkg: "./internal/jose"},
	{pkg: "./jpki/crl", files: []string{
		"entry.go", "header.go", "index.go", "list.go", "options.go", "parser.go", "plain.go", "scope.go",
	}, importers: []string{"./jpki/revocation"}},
	{pkg: "./jpki/revocation", importers: []string{"./jpki/certpath", "./jpki"}},
	{pkg: "./jpki"},
	{pkg: "./jpki/certpath"},
	{pkg: "./jpki/card", files: []string{
		"channel.go", "issuer.go", "pin.go", "session.go", "verify.go",
	}},
	{pkg: "./authn", files: []string{
		"decrypt.go", "identity.go", "idtoken.go", "key.go", "keycache.go", "login.go", "refresh.go", "scopes.go",
		"tenants.go", "token.go", "userinfo.go",
	}},
	{pkg: "./sign"},
	{pkg: "./sign/evidence", files: []string{ // canonical.go has a slower twin that it is compared with
		"archive.go", "chain.go", "checkpoint.go", "delete.go", "evidence.go", "import.go", "log.go", "memory.go",
		"note.go",
		"options.go", "parse.go", "person.go", "purge.go", "read.go", "retention.go", "seal.go", "timestamp.go",
		"tree.go",
		"verify.go",
	}},
	{pkg: "./middleware", files: []string{
		"attempts.go", "callback.go", "consentflow.go", "login.go", "outside.go", "pending.go", "refuse.go",
		"require.go", "sealkeys.go", "session.go",
		"signflow.go",
	}},
}

// chosen returns the rows of the named packages, all without names. A package without a row is mutated whole.
func chosen(names []string) ([]decision, error) {
	if len(names) == 0 {
		return decisions, nil
	}
	var out []decision
	for _, name := range names {
		if len(name) < 2 || name[:2] != "./" {
			return nil, fmt.Errorf("%s: a package is named from the root of the module, ./jpki", name)
		}
		at := slices.IndexFunc(decisions, func(d decision) bool { return d.pkg == name })
		if at < 0 {
			out = append(out, decision{pkg: name})
		} else {
			out = append(out, decisions[at])
		}
	}
	return out, nil
}
