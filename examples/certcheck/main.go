// Command certcheck validates one certificate of any hierarchy from files, for auditors and scripts:
//
//	certcheck -anchor A.pem [-pool I.pem …] [-crl F …] [-ocsp F …] [-time RFC3339] [-policy OID …]
//	          [-require-explicit-policy] [-inhibit-policy-mapping] [-inhibit-any-policy]
//	          [-revocation require|if-present|none] [-lang ja|en] [-json] LEAF
//
// Files are DER or PEM. It prints every check with the clause of the standard that it enforces. The exit code is 0 when
// the certificate is valid, 1 when it is not (the reason is printed), 2 when the command line is wrong, a file cannot
// be read or the run was interrupted. Nothing is fetched from the network. In scripts, put "--" before a LEAF whose
// name others choose: it might begin with "-".
//
// Names of authorities are printed; those of the certificate's holder are not. Control characters in names, of files
// too, become "?".
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/kakunin-go/kakunin/jpki/certpath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitValid    = 0
	exitNotValid = 1
	exitUsage    = 2
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	o, err := parseFlags(args, stderr, getenv)
	if err != nil {
		// parseFlags has said why. -h, too, is no certificate that is valid: it may be a file's name in somebody's
		// script.
		return exitUsage
	}
	in, err := load(ctx, &o, stderr)
	if err != nil {
		complain(stderr, "%v", err)
		return exitUsage
	}
	config := o.config
	config.Anchors, config.Pool, config.Revocation = in.anchors, in.pool, o.policy(in.sources...)
	// "Certificate users SHOULD be prepared to gracefully handle such certificates" (RFC 5280, 4.1.2.2)
	config.AcceptOddSerials = true
	validator, err := certpath.NewVerifier(config)
	if err != nil {
		complain(stderr, "%v", err)
		return exitUsage
	}
	result, failure := &certpath.Result{At: o.at}, in.leafError
	if failure == nil {
		result, failure = validator.Verify(ctx, in.leaf, certpath.At(o.at))
	}
	in.endBars()
	if failure != nil && ctx.Err() != nil {
		complain(stderr, "interrupted")
		return exitUsage
	}
	print := printText
	if o.json {
		print = printJSON
	}
	if err := print(stdout, newReport(result, failure), o.language); err != nil {
		complain(stderr, "%v", err)
		return exitUsage
	}
	if failure != nil {
		return exitNotValid
	}
	return exitValid
}

// complain says what went wrong, in one line.
func complain(stderr io.Writer, format string, a ...any) {
	_, _ = fmt.Fprintf(stderr, "certcheck: %s\n", printable(fmt.Sprintf(format, a...)))
}
