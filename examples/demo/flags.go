package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/cardsim/person"
	"github.com/kakunin-go/kakunin/sign"
)

// The two kinds of business.
const (
	certifiedVerifier = "verifier"
	private           = "private"
)

type options struct {
	business     string
	addr         string
	addrGiven    bool
	mode         sign.Mode
	once         bool
	holder       person.Persona // whose card the simulated phone holds
	showPersonal bool
	timestamp    bool // of what was signed

	// To use another service than the one in this process.
	issuer, clientID, clientKey, redirectURL string
	discover                                 bool
	operator, operatorToken                  string // where another service's platform operator is
}

// operatorTokenVariable is the environment variable with the credentials at the platform operator.
const operatorTokenVariable = "OPERATOR_TOKEN" //nolint:gosec // a name

// parseFlags reads the command line and says on stderr what is wrong with it.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	var mode string
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(
		&o.addr,
		"addr",
		"127.0.0.1:8080",
		"`host:port` to listen on (with a -redirect-url on loopback the default is its port)",
	)
	f.StringVar(&mode, "mode", sign.ModeBareHash.String(), "what the card signs: bare-hash or digest-info")
	f.StringVar(
		&o.business,
		"business",
		certifiedVerifier,
		"the relying party is a certified `verifier` of signatures, or private and has its platform operator verify",
	)
	f.StringVar(
		&o.operator,
		"operator",
		"",
		"with -issuer and -business private: the platform operator's `URL` for verifications; its token in "+
			operatorTokenVariable,
	)
	f.StringVar(
		(*string)(&o.holder),
		"person",
		string(person.Hanako),
		fmt.Sprintf("whose simulated `card` the phone holds, one of %v", person.Personas()),
	)
	f.BoolVar(&o.once, "once", false, "do one visit without a browser, print a JSON report and exit")
	f.BoolVar(&o.timestamp, "timestamp", false, "have what was signed stamped by a simulated timestamp authority")
	f.BoolVar(&o.showPersonal, "show-personal", false, "with -once: put the four attributes into the report")
	f.StringVar(&o.issuer, "issuer", "", "use the service with this issuer `URL` instead of starting a simulated one")
	f.StringVar(&o.clientID, "client-id", "", "with -issuer: the registered client id")
	f.StringVar(&o.clientKey, "client-key", "", "with -issuer: `file` with the registered private key, JWK or PEM")
	f.StringVar(
		&o.redirectURL,
		"redirect-url",
		"",
		"with -issuer: the registered redirect `URL` (default http://localhost:PORT/auth/callback)",
	)
	f.BoolVar(&o.discover, "discover", false, "with -issuer: read the endpoints from the issuer's metadata")
	f.Usage = func() {
		_, _ = fmt.Fprint(
			stderr,
			"usage: demo [flags]\n\nA relying party on loopback, with a simulated service and card unless -issuer is "+
				"given.\n\n",
		)
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	f.Visit(func(given *flag.Flag) { o.addrGiven = o.addrGiven || given.Name == "addr" })
	err := o.check(f, mode)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "demo: %v\nRun with -h for help.\n", err)
	}
	return o, err
}

func (o *options) check(f *flag.FlagSet, mode string) error {
	if f.NArg() > 0 {
		return errors.New("there are only flags, no arguments")
	}
	var err error
	if err = o.mode.UnmarshalText([]byte(mode)); err != nil {
		return errors.New("-mode must be bare-hash or digest-info")
	}
	if o.business != certifiedVerifier && o.business != private {
		return errors.New("-business must be verifier or private")
	}
	if o.operator != "" && (o.issuer == "" || o.business != private || !secureURL(o.operator)) {
		return errors.New("-operator must be an https URL, or http on loopback, and needs -issuer and -business " +
			"private")
	}
	if o.operator != "" {
		if o.operatorToken = os.Getenv(operatorTokenVariable); o.operatorToken == "" {
			return errors.New("-operator needs the operator's token in " + operatorTokenVariable)
		}
	}
	if !slices.Contains(person.Personas(), o.holder) {
		return fmt.Errorf("-person must be one of %v", person.Personas())
	}
	if o.showPersonal && !o.once {
		return errors.New("-show-personal needs -once; in the browser the attributes are shown to the person only")
	}
	host, port, err := net.SplitHostPort(o.addr)
	if err != nil {
		return errors.New("-addr must be host:port, e.g. 127.0.0.1:8080")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("-addr needs a port from 0 to 65535, where 0 takes a free one, e.g. 127.0.0.1:8080")
	}
	if o.issuer == "" {
		// A card whose PINs are printed is for this machine only.
		if !loopback(host) {
			return errors.New("-addr must be a loopback address, because the simulated service and card start with it")
		}
		for name, set := range map[string]bool{
			"client-id": o.clientID != "", "client-key": o.clientKey != "", "redirect-url": o.redirectURL != "",
			"discover": o.discover,
		} {
			if set {
				return fmt.Errorf("-%s needs -issuer", name)
			}
		}
		return nil
	}
	return o.checkService()
}

func (o *options) checkService() error {
	if !secureURL(o.issuer) {
		return errors.New("-issuer must be an https URL, or http on loopback")
	}
	if o.clientID == "" || o.clientKey == "" {
		return errors.New("-issuer needs -client-id and -client-key")
	}
	if _, ok := o.knownPaths(); !ok && !o.discover {
		return errors.New(
			"-issuer must end in " + realm +
				", without a slash after it; with -discover the endpoints are read from its metadata",
		)
	}
	if o.redirectURL == "" {
		return nil
	}
	u, err := url.Parse(o.redirectURL)
	if err != nil || !secureURL(o.redirectURL) || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("-redirect-url must be an https URL, or http on loopback, without a query")
	}
	if !callbackPath(u.Path) {
		return errors.New("-redirect-url needs a path of its own, e.g. https://shop.example/auth/callback")
	}
	if !o.addrGiven && u.Scheme == "http" && u.Port() != "" { // browsers are sent there, so listen there
		o.addr = net.JoinHostPort(strings.Replace(u.Hostname(), "localhost", "127.0.0.1", 1), u.Port())
	}
	return nil
}

// realm is where the documented issuers end.
const realm = "/api/realms/main"

// knownPaths returns the endpoints that follow from the issuer alone: they are at the documented paths beside it.
func (o *options) knownPaths() (authn.Environment, bool) {
	base, ok := strings.CutSuffix(o.issuer, realm)
	return authn.Custom(base), ok
}

// callbackPath reports whether the path can be the callback's: plain, and none of the demo's pages.
func callbackPath(p string) bool {
	return p != "" && path.Clean(p) == p && !strings.ContainsAny(p, "{}%") && !slices.Contains(pagePaths(), p)
}

func secureURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// hostOnly is the host of a Host header, without the port.
func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}
