package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/cardsim/daa"
	"github.com/kakunin-go/kakunin/cardsim/platform"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// once runs the command line and returns the exit code, the JSON object and everything that was printed.
func once(t *testing.T, args ...string) (code int, object map[string]any, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"-addr", "127.0.0.1:0", "-once"}, args...), &out, &errs)
	d := json.NewDecoder(strings.NewReader(out.String()))
	if err := d.Decode(&object); err != nil {
		t.Fatalf("not JSON: %v\n%s\n%s", err, out.String(), errs.String())
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // Token returns io.EOF itself
		t.Errorf("something behind the JSON object: %v", err)
	}
	return code, object, out.String(), errs.String()
}

func TestOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"bare-hash", "digest-info"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			code, report, stdout, stderr := once(t, "-mode", mode)
			if code != exitOK || stderr != "" {
				t.Fatalf("exit %d\n%s\n%s", code, stdout, stderr)
			}
			for name, want := range map[string][]string{
				"login": {"acr", "attributes", "subject"}, "signature": {"chain", "mode", "person", "revocation",
					"verified"},
			} {
				if got := members(t, report[name]); !slices.Equal(got, want) {
					t.Errorf("%s has %v", name, got)
				}
			}
			if got := members(t, report); !slices.Equal(got, []string{"evidence", "login", "signature"}) {
				t.Errorf("report has %v", got)
			}
			var typed report_
			if err := json.Unmarshal([]byte(stdout), &typed); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(typed.Login.Attributes, []string{"name", "address", "birthdate", "gender"}) ||
				typed.Login.Subject == "" {
				t.Errorf("login %+v", typed.Login)
			}
			if s := typed.Signature; s.Mode != mode || !s.Verified || s.Revocation != "good" ||
				s.Chain.Status != "good" || s.Chain.Kind != "signing-card" {
				t.Errorf("signature %+v", s)
			}
			for i, attribute := range []string{"name", "address", "birthdate", "gender"} {
				if c := typed.Signature.Person[i]; c.Attribute != attribute || c.Outcome != "same" || c.JA != "完全に一致" ||
					c.EN != "the same" {
					t.Errorf("comparison %+v", c)
				}
			}
			rec, err := evidence.Parse(typed.Evidence)
			if err != nil || rec.Mode.String() != mode || !rec.PersonCompared {
				t.Errorf("evidence: %v", err)
			}
			for _, s := range rec.Steps {
				if _, ok := stepTexts[s.Name]; !ok {
					t.Errorf("step %s has no text for people", s.Name)
				}
			}
			for _, personal := range []string{"花子", "千代田", "1988", "female"} {
				if strings.Contains(stdout, personal) {
					t.Errorf("the report holds %q", personal)
				}
			}
		})
	}
}

// TestOncePrivate: the whole way of a private business, which never has the operator's key: here and at a service in
// another process, whose card is not known.
func TestOncePrivate(t *testing.T) {
	t.Parallel()
	svc, args := elsewhere(t)
	for name, args := range map[string][]string{"here": nil, "another service": args} {
		code, report, stdout, stderr := once(t, append([]string{"-business", "private"}, args...)...)
		if code != exitOK || stderr != "" {
			t.Errorf("%s: exit %d\n%s\n%s", name, code, stdout, stderr)
			continue
		}
		want := []string{"chain", "mode", "operator", "revocation", "verified"}
		if got := members(t, report["signature"]); !slices.Equal(got, want) {
			t.Errorf("%s: signature has %v", name, got)
		}
		var typed report_
		if err := json.Unmarshal([]byte(stdout), &typed); err != nil {
			t.Fatal(err)
		}
		s := typed.Signature
		rec, err := evidence.Parse(typed.Evidence)
		if err != nil || s.Chain != nil || !s.Verified || s.Revocation != "good" || s.Operator.VerificationID == "" ||
			rec.Operator == nil || rec.Operator.VerificationID != s.Operator.VerificationID {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if n := len(svc.Verifications()); n != 1 {
		t.Errorf("the other service's operator verified %d times", n)
	}
}

// TestOperatorsAddress: an operator somewhere else, with a token from the environment.
func TestOperatorsAddress(t *testing.T) {
	svc, args := elsewhere(t)
	args = append(args, "-business", "private", "-operator", svc.OperatorURL())
	t.Setenv(operatorTokenVariable, "")
	if _, err := parseFlags(args, io.Discard); err == nil {
		t.Error("an operator without a token")
	}
	t.Setenv(operatorTokenVariable, svc.OperatorToken("RP00000042"))
	if code, _, stdout, stderr := once(t, args...); code != exitOK {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	t.Setenv(operatorTokenVariable, "another token")
	code, object, stdout, _ := once(t, args...)
	if failure, _ := object["error"].(map[string]any); code != exitFailed ||
		failure["family"] != kakunin.Configuration.String() {
		t.Errorf("a stranger: exit %d\n%s", code, stdout)
	}
}

// TestPrivateAndAWrongOperator: nothing is accepted, and nothing kept, when the operator answers something else.
func TestPrivateAndAWrongOperator(t *testing.T) {
	t.Parallel()
	d := bring(t, nil, "-business", "private")
	if d.app.verifier != nil {
		t.Error("a private business has the operator's key")
	}
	for how, want := range map[platform.Answer]kakunin.Family{
		platform.AnswerOtherTransaction: kakunin.Untrusted, platform.AnswerMismatch: kakunin.Untrusted,
		platform.AnswerRevoked: kakunin.Account, platform.AnswerUnavailable: kakunin.Unavailable,
	} {
		d.sim.SetKnobs(daa.Knobs{Operator: platform.Knobs{Answer: how}})
		b := browse(t, d)
		if err := b.logIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := b.signDocument(t.Context())
		//nolint:errorlint // open returns it as it is
		if page, ok := err.(*pageError); !ok || page.family != want.String() {
			t.Errorf("%s: %v", how, err)
		}
	}
	if state, err := d.app.verifyLog(t.Context()); err != nil || state.Records != 0 {
		t.Errorf("%+v, %v", state, err)
	}
}

// TestUnknownCard: of a service somewhere else this program knows no card, and shows no PIN.
func TestUnknownCard(t *testing.T) {
	_, args := elsewhere(t)
	d := bring(t, nil, args...)
	var said bytes.Buffer
	d.announce(&said)
	page, err := browse(t, d).open(t.Context(), http.MethodGet, d.base+"/", nil)
	if err != nil || !strings.Contains(page.body, "simulator") {
		t.Errorf("%v\n%s", err, page.body)
	}
	for _, secret := range []string{"1234", "ABC123"} {
		if strings.Contains(page.body, "<code>"+secret) || strings.Contains(said.String(), secret+"  ") {
			t.Errorf("the PIN of a card that is not known is shown: %s", secret)
		}
	}
	if strings.Contains(page.body, `id="pins"`) || strings.Contains(said.String(), "ABC123") {
		t.Error("PINs of a card that is not known")
	}
}

type report_ = report // the variable of that name shadows the type in TestOnce

func TestOnceShowsThePersonOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	code, rep, stdout, _ := once(t, "-show-personal")
	if code != exitOK {
		t.Fatal(stdout)
	}
	if got := members(t, rep["person"]); !slices.Equal(got, []string{"address", "age", "birthdate", "gender", "name"}) {
		t.Errorf("person has %v", got)
	}
	if !strings.Contains(stdout, "花子") || !strings.Contains(stdout, `"gender": "female"`) {
		t.Error("the person is not shown")
	}
}

func TestOnceWithAnotherSimulatedService(t *testing.T) {
	svc, args := elsewhere(t)
	for _, extra := range [][]string{nil, {"-discover"}} {
		code, _, stdout, stderr := once(t, append(args, extra...)...)
		if code != exitOK {
			t.Errorf("%v: exit %d\n%s\n%s", extra, code, stdout, stderr)
		}
	}
	svc.SetKnobs(daa.Knobs{Discovery: daa.DiscoveryWrongIssuer})
	code, rep, _, _ := once(t, append(args, "-discover")...)
	if code != exitFailed || rep["login"] != nil {
		t.Errorf("a metadata document of another issuer was believed: %v", rep)
	}
}

func TestOnceReportsFailures(t *testing.T) {
	_, args := elsewhere(t)
	gone, release := reserve(t)
	release()
	broken := filepath.Join(t.TempDir(), "broken.pem")
	if err := os.WriteFile(broken, []byte("SECRET-LOOKING"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, foreign := newKey(t)
	with := func(flag, value string) []string { return append(slices.Clone(args), "-"+flag, value) }
	for name, c := range map[string]struct {
		args         []string
		step, family string
		stderr       string
	}{
		"no service": {with("issuer", "http://"+gone+"/api/realms/main"), "start", "unavailable",
			"does not answer"},
		"no key file":    {with("client-key", broken+".missing"), "start", "configuration", "client key"},
		"broken key":     {with("client-key", broken), "start", "configuration", "client key"},
		"unknown client": {with("client-id", "RP00000099"), "login", "configuration", "Check the flags"},
		// the page says so, not an error
		"another key": {with("client-key", foreign), "login", "configuration", "Check the flags"},
	} {
		code, object, stdout, stderr := once(t, c.args...)
		failure, _ := object["error"].(map[string]any)
		if code != exitFailed || failure["step"] != c.step || (c.family != "" && failure["family"] != c.family) ||
			failure["message"] == "" {
			t.Errorf("%s: exit %d\n%s", name, code, stdout)
		}
		if !strings.Contains(stderr, c.stderr) || strings.Contains(stderr+stdout, "SECRET") ||
			strings.Contains(stdout, broken) {
			t.Errorf("%s: stderr %s", name, stderr)
		}
	}
}
