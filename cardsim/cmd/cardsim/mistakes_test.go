package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// Each mistake of a file is said of the client, the card or the line that has it.
func TestMistakesAreNamed(t *testing.T) {
	client := func(c map[string]any, i int) map[string]any { return c["clients"].([]any)[i].(map[string]any) }
	one := func(name string, value any) func(map[string]any) {
		return func(c map[string]any) { client(c, 1)[name] = value }
	}
	for name, c := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"two files of one key": {func(c map[string]any) { client(c, 0)["pem_file"] = "client-key.pub.jwk" },
			`clients[0] ("RP00000001"): one of pem_file`},
		"an algorithm beside a set": {one("algorithm", "RS256"), `clients[1] ("RP00000002"): algorithm is for`},
		"no redirect URL": {one("redirect_urls", []string{}),
			`clients[1] ("RP00000002"): redirect_urls is missing`},
		"a wild redirect URL": {one("redirect_urls", []string{"https://*.example/"}),
			`("RP00000002"): redirect_urls must`},
		"a fragment": {one("redirect_urls", []string{"https://shop.example/cb#"}),
			`("RP00000002"): redirect_urls must`},
		"an id with a dash": {one("client_id", "RP-2"), `clients[1] ("RP-2"): client_id must`},
		"the same id twice": {one("client_id", "RP00000001"),
			`clients[1] ("RP00000001"): client_id is that of clients[0]`},
		"an address of keys": {one("jwks_url", "ftp://127.0.0.1/"), `("RP00000002"): jwks_url must`},
		"cards in two words": {one("cards", "card only"), `clients[1] ("RP00000002"): cards of a client must`},
		"another's algorithm": {func(c map[string]any) { client(c, 0)["algorithm"] = "HS256" },
			`("RP00000001"): algorithm must`},
		"a key that is none": {func(c map[string]any) { client(c, 0)["jwk_file"] = "service.json" },
			`clients[0] ("RP00000001"): client key: `},
		"a set that is none": {func(c map[string]any) {
			delete(client(c, 1), "jwks_url")
			client(c, 1)["jwks_file"] = "service.json"
		}, `clients[1] ("RP00000002"): jwks_file must`},
		"an operator's key": {func(c map[string]any) { client(c, 0)["operator_key_file"] = "client-key.pub.jwk" },
			`clients[0] ("RP00000001"): operator_key_file must`},
		"a card's person": {func(c map[string]any) {
			c["cards"] = []any{map[string]any{"person": "hanako"}, map[string]any{"person": "Taro"}}
		}, "cards[1]: person must"},
		"a card's kind": {func(c map[string]any) {
			c["cards"] = []any{map[string]any{"person": "hanako", "kind": "Plastic "}}
		}, "cards[0]: kind must"},
		"a host with a port":   {func(c map[string]any) { c["hosts"] = []string{"daa", "daa:9000"} }, "hosts[1]"},
		"a host with a scheme": {func(c map[string]any) { c["hosts"] = []string{"http://daa"} }, "hosts[0]"},
		"no host":              {func(c map[string]any) { c["hosts"] = []string{""} }, "hosts[0]"},
		"every host":           {func(c map[string]any) { c["hosts"] = []string{"*"} }, "hosts[0]"},
		"a word for a switch": {func(c map[string]any) { c["fresh_cards"] = "yes" },
			"fresh_cards has the wrong type: string"},
		"a text for a list": {one("redirect_urls", "http://127.0.0.1/"),
			"redirect_urls has the wrong type: string"},
		"a base with a path":  {func(c map[string]any) { c["base_url"] = "http://daa.example/x" }, "base_url must"},
		"a time without unit": {func(c map[string]any) { c["reset_cards_after"] = "10" }, "reset_cards_after"},
		"a knob's word": {func(c map[string]any) {
			c["knobs"] = map[string]any{"token": map[string]any{"assertion": map[string]any{"profile": "keycloak"}}}
		}, "keycloak-26.4"},
	} {
		_, file := exampleDir(t, c.change)
		if got := refusedWith(t, file); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A file that is no JSON, or not one object, says where; a byte order mark at its beginning is none of its mistakes.
func TestFilesThatAreNoJSON(t *testing.T) {
	_, file := exampleDir(t, func(map[string]any) {})
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":            {"", "line 1, column 1: the object does not end"},
		"cut off":          {"{\n\"listen\":", "line 2, column 10: the object does not end"},
		"trailing comma":   {"{\n  \"log\": true,\n}", "line 3, column"},
		"a comment":        {"{\n  // the port\n}", "line 2, column"},
		"single quotes":    {"{'log': true}", "line 1, column"},
		"a list":           {"[]", "the file has the wrong type: array"},
		"more":             {`{"log":true} {}`, "something follows"},
		"a bracket more":   {`{"log":true}}`, "something follows"},
		"twice":            {`{"log":true,"log":false}`, "duplicate member"},
		"twice, in a case": {`{"log":true,"Log":false}`, "duplicate member"},
		"twice, deep":      {`{"clients":[{"name":"a","name":"b"}]}`, "duplicate member"},
		"not in UTF-8":     {"{\"listen\":\"\xff\"}", "not UTF-8"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := refusedWith(t, file); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	var c serviceConfig
	if err := decodeConfig(good, &c); err != nil || len(c.Clients) == 0 {
		t.Error(err)
	}
	if err := os.WriteFile(file, append([]byte("\ufeff"), bytes.TrimSpace(good)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readConfig(file); err != nil {
		t.Error(err)
	}
}

// refusedWith is what the command says of a file that it refuses.
func refusedWith(t *testing.T, file string) string {
	t.Helper()
	var out strings.Builder
	code := run(t.Context(), []string{"service", "-config", file}, streams{strings.NewReader(""), &out, &out})
	if code == exitOK {
		t.Error("accepted")
	}
	return out.String()
}
