package daa

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Programs in other languages set any knob, keep the others, and learn what they misspelt.
func TestKnobsInJSON(t *testing.T) {
	k := Knobs{SubjectGeneration: 3, Token: TokenKnobs{Refresh: RefreshKnobs{Mode: RefreshOn}}}
	const change = `{"lifetimes":{"code":"90s","qr_code":"1h"},"clock_skew":"-2m","token":{"id_token":{"fault":"nonce",` +
		`"set_claims":{"x":1}},"omit_scope":true},"sign":{"bare_jwe":true,"pending_results":2},` +
		`"authorization":{"scopes":{"grant_only":["name"]}},"network":{"endpoints":["token"],"fault":"reset"},"keys":{"omit_key_ids":true}}`
	if err := json.Unmarshal([]byte(change), &k); err != nil {
		t.Fatal(err)
	}
	if k.SubjectGeneration != 3 || k.Token.Refresh.Mode != RefreshOn || k.Lifetimes.Code != 90*time.Second ||
		k.Lifetimes.QRCode != time.Hour || k.ClockSkew != -2*time.Minute || k.Token.IDToken.Fault != FaultNonce ||
		!k.Token.OmitScope || !k.Sign.BareJWE || k.Sign.PendingResults != 2 ||
		k.Authorization.Scopes.GrantOnly[0] != "name" ||
		k.Network.Endpoints[0] != EndpointToken || k.Network.Fault != NetworkReset || !k.Keys.OmitKeyIDs {
		t.Errorf("%+v", k)
	}
	written, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	var again Knobs
	if err := json.Unmarshal(written, &again); err != nil {
		t.Fatalf("what was written is refused: %v", err)
	}
	if rewritten, _ := json.Marshal(again); string(rewritten) != string(written) {
		t.Errorf("wrote %s, then %s", written, rewritten)
	}
	before, _ := json.Marshal(k)
	for change, want := range map[string]string{
		`{"token":{"idtoken":{}}}`:                      "id_token",
		`{"token":{"id_token":{"fault":"x"}}}`:          "alg-none",
		`{"network":{"endpoints":["token","x"]}}`:       "userinfo",
		`{"lifetimes":{"code":90}}`:                     "knobs.lifetimes.code",
		`{"clock_skew":"soon"}`:                         "knobs.clock_skew",
		`{"sign":{"pending_results":"2"}}`:              "whole number",
		`{"sign":{"bare_jwe":1}}`:                       "true or false",
		`{"sign":null}`:                                 "knobs.sign",
		`{"sign":[]}`:                                   "an object",
		`{"network":{"wait":"1s"}}`:                     "knobs.network",
		`{"authorization":{"scopes":{"grant_only":1}}}`: "list of texts",
		`{"subject_generation":9,"discovery":"maybe"}`:  "wrong-issuer",
	} {
		err := json.Unmarshal([]byte(change), &k)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want it to say %q", change, err, want)
		}
	}
	if after, _ := json.Marshal(k); string(after) != string(before) {
		t.Error("a refused change left something behind")
	}
}

// Every word in knobs.go can be set from JSON: a constant that is missing in choices could be used from Go only.
func TestEveryChoiceIsListed(t *testing.T) {
	file, err := parser.ParseFile(gotoken.NewFileSet(), "knobs.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string][]string)
	for typ, list := range choices {
		listed[typ.Name()] = list
	}
	found := 0
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != gotoken.CONST {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			name := v.Type.(*ast.Ident).Name
			value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if value != "" && !slices.Contains(listed[name], value) {
				t.Errorf("%s %q is not among the choices", name, value)
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d constants found", found)
	}
}

func FuzzKnobs(f *testing.F) {
	f.Add([]byte(`{"lifetimes":{"code":"90s"},"network":{"endpoints":["token"]}}`))
	f.Add([]byte(`{"token":{"set_members":{"x":[1,{}]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var k Knobs
		if json.Unmarshal(b, &k) != nil {
			return
		}
		written, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, new(Knobs)); err != nil {
			t.Errorf("%s: %v", written, err)
		}
	})
}
