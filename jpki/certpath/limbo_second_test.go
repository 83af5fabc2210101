package certpath

import (
	"os"
	"strings"
	"testing"
)

// Why OpenSSL decides otherwise than x509-limbo expects.
const (
	osslStrict = "-x509_strict refuses it: OpenSSL looks at the form of certificates only when it is asked to"
	osslForm   = "OpenSSL does not look at this form, strict or not"
	osslPath   = "OpenSSL builds one path and tries no other after a certificate of it was refused"
	osslName   = "OpenSSL compares a dNSName as text, an asterisk included, and passes over one that is no host"
	osslSerial = "OpenSSL takes any serial number"
	osslSecond = "OpenSSL counts the second of notAfter as past"
)

// limboOpenSSL explains every case in which openssl verify, by default or strict, decides otherwise than expected.
var limboOpenSSL = map[string]string{
	"crl::crlnumber-missing":                       osslForm,
	"crl::issuer-no-keyusage-extension":            "-x509_strict wants keyUsage in every authority",
	"cve::cve-2025-61727":                          osslName,
	"pathlen::max-chain-depth-1-self-issued":       "-verify_depth counts self-issued certificates, too",
	"rfc5280::aki::leaf-missing-aki":               osslStrict,
	"rfc5280::aki::intermediate-missing-aki":       osslStrict,
	"rfc5280::aki::cross-signed-root-missing-aki":  osslForm,
	"rfc5280::eku::ee-eku-empty":                   osslForm,
	"rfc5280::nc::permitted-dns-match-noncritical": osslForm,
	"rfc5280::nc::invalid-dnsname-leading-period":  osslName,
	"rfc5280::nc::not-allowed-in-ee-noncritical":   osslForm,
	"rfc5280::nc::not-allowed-in-ee-critical":      osslForm,
	"rfc5280::nc::nc-permits-invalid-dns-san":      osslName,
	"rfc5280::nc::nc-permits-invalid-email-san":    "OpenSSL passes over an rfc822Name that is no mailbox",
	"rfc5280::nc::nc-forbids-alternate-chain-ica":  osslPath,
	"rfc5280::nc::nc-forbids-same-chain-ica":       osslPath,
	"rfc5280::nc::nc-forbids-dnsname-wildcard-san": osslName,
	"rfc5280::pc::ica-noncritical-pc":              osslForm,
	"rfc5280::san::noncritical-with-empty-subject": osslStrict,
	"rfc5280::san::underscore-dns":                 osslName,
	"rfc5280::san::ip-in-dns":                      osslName,
	"rfc5280::serial::too-long":                    osslSerial,
	"rfc5280::serial::zero":                        osslSerial,
	"rfc5280::serial::negative":                    osslSerial,
	"rfc5280::ski::root-missing-ski":               osslStrict,
	"rfc5280::ski::intermediate-missing-ski":       osslStrict,
	"rfc5280::validity::notafter-exact":            osslSecond,
	"rfc5280::validity::notafter-fractional":       osslSecond,
	"rfc5280::ca-empty-subject":                    osslStrict,
	"rfc5280::root-missing-basic-constraints":      osslStrict,
	"rfc5280::root-non-critical-basic-constraints": osslStrict,
	"rfc5280::leaf-ku-keycertsign":                 osslStrict,
	"rfc5280::ca-as-leaf-wrong-san":                byHost,
}

// opensslSays reads what TestOpenSSLLimbo recorded: each case by default and strict.
func opensslSays(t *testing.T) map[string][2]bool {
	t.Helper()
	recorded, err := os.ReadFile("testdata/limbo-openssl.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][2]bool{}
	for line := range strings.Lines(string(recorded)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] != "#" {
			out[f[0]] = [2]bool{f[1] == "valid", f[2] == "valid"}
		}
	}
	return out
}
