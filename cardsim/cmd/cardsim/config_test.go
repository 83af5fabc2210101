package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kakunin-go/kakunin/internal/jose"
)

// exampleDir has the printed example, changed as the test needs, and the client's key beside it.
func exampleDir(t testing.TB, change func(map[string]any)) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	public, _ := keyFile(t)
	b, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	set, err := jose.MarshalKeySet(jose.PublicKey{Key: key, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	var keys struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(set, &keys); err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal([]byte(exampleConfig), &config); err != nil {
		t.Fatal(err)
	}
	config["listen"] = "127.0.0.1:0"
	if change != nil {
		change(config)
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "service.json")
	for name, content := range map[string][]byte{file: text, filepath.Join(dir, "client-key.pub.jwk"): keys.Keys[0]} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, file
}

// The example that is printed is a whole one: a service starts with it, over https, and is steered.
func TestServiceFromTheExample(t *testing.T) {
	dir, file := exampleDir(t, func(c map[string]any) { c["https"] = "tls" })
	p := start(t, "service", "-config", file)
	lines := p.until("listening on ")
	base := strings.TrimPrefix(lines[len(lines)-1], "listening on ")
	text := strings.Join(lines, "\n")
	for _, want := range []string{"client    RP00000002", "control   https://",
		"trust     " + filepath.Join(dir, "tls"), "person taro"} {
		if !strings.Contains(text, want) {
			t.Errorf("the introduction lacks %q: %s", want, text)
		}
	}
	ca, err := os.ReadFile(filepath.Join(dir, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust,
		MinVersion: tls.VersionTLS12}}}
	get := func(path, token string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	token, err := os.ReadFile(filepath.Join(dir, "control.token"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "control.token")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v, %v", info, err)
	}
	if status, body := get("/control/cards", strings.TrimSpace(string(token))); status != http.StatusOK ||
		!strings.Contains(body, `"hanako-2"`) {
		t.Errorf("control API: %d %s", status, body)
	}
	if status, _ := get("/control/cards", "another token of some length"); status != http.StatusUnauthorized {
		t.Errorf("control API with another token: %d", status)
	}
	if status, _ := get("/readyz", ""); status != http.StatusOK {
		t.Errorf("/readyz: %d", status)
	}
	p.stop()

	// The CA is kept: what trusts it trusts the next run.
	p = start(t, "service", "-config", file)
	lines = p.until("listening on ")
	base = strings.TrimPrefix(lines[len(lines)-1], "listening on ")
	if status, _ := get("/healthz", ""); status != http.StatusOK {
		t.Errorf("/healthz of the second run: %d", status)
	}
	p.stop()
}

func TestConfigFilesRefused(t *testing.T) {
	client := func(c map[string]any) map[string]any { return c["clients"].([]any)[0].(map[string]any) }
	for name, c := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"unknown member": {func(c map[string]any) { c["listn"] = "x" }, "listn"},
		"unknown client member": {func(c map[string]any) { client(c)["redirect_uris"] = []string{"x"} },
			"redirect_uris"},
		"unknown knob": {func(c map[string]any) { c["knobs"] = map[string]any{"signs": 1} }, "knows"},
		"no client":    {func(c map[string]any) { delete(c, "clients") }, "no client"},
		"everything at once": {func(c map[string]any) {
			delete(c,
				"clients")
			c["listen"] = ":0"
			c["reset_cards_after"] = "soon"
		}, "no client is registered; listening without"},
		"everybody reaches it": {func(c map[string]any) {
			c["listen"] = "0.0.0.0:0"
			c["base_url"] = "http://daa.example"
		}, "expose_unsafe"},
		"two keys": {func(c map[string]any) { client(c)["jwks_url"] = "http://127.0.0.1/jwks" },
			"one of pem_file"},
		"no key":        {func(c map[string]any) { delete(client(c), "jwk_file") }, "one of pem_file"},
		"key of nobody": {func(c map[string]any) { client(c)["jwk_file"] = "nothing.jwk" }, "client key"},
		"nobody's card": {func(c map[string]any) { c["cards"] = []any{map[string]any{"person": "nobody"}} },
			"hanako"},
		"no such kind": {func(c map[string]any) {
			c["cards"] = []any{
				map[string]any{"person": "taro", "kind": "gold"}}
		}, "iphone"},
		"wrong cards": {func(c map[string]any) { client(c)["cards"] = "gold" }, "cards of a client"},
	} {
		_, file := exampleDir(t, c.change)
		var out strings.Builder
		if code := run(t.Context(), []string{"service", "-config", file},
			streams{strings.NewReader(""), &out, &out}); code == exitOK || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: exit code %d, output %s", name, code, out.String())
		}
	}
}

// What would be ignored beside a file is refused.
func TestFlagsBesideTheFile(t *testing.T) {
	_, file := exampleDir(t, func(c map[string]any) { c["listen"] = "nonsense" })
	for _, flags := range [][]string{
		{"-card", "pcsc"}, {"-https", "tls"}, {"-addr", "127.0.0.1:0"}, {"-expose-unsafe"}, {"-person", "taro"},
		{"-fresh-cards", "-reset-after", "10m"},
	} {
		var out strings.Builder
		code := run(t.Context(), append([]string{"service", "-config", file}, flags...),
			streams{strings.NewReader(""), &out, &out})
		if code != exitUsage || !strings.Contains(out.String(), flags[0]) ||
			!strings.Contains(out.String(), "belongs in the file") {
			t.Errorf("%v: exit code %d, output %s", flags, code, out.String())
		}
	}
	var out strings.Builder
	run(t.Context(), []string{"service", "-log", "-config", file}, streams{strings.NewReader(""), &out, &out})
	if strings.Contains(out.String(), "belongs in the file") {
		t.Errorf("-log is refused: %s", out.String())
	}
}

// The results of a client with operator_key_file are sealed to that key, and to no other.
func TestOperatorKeyFile(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	set, err := jose.MarshalKeySet(jose.PublicKey{Key: &key.PublicKey})
	if err != nil {
		t.Fatal(err)
	}
	jwk := strings.TrimSuffix(strings.TrimPrefix(string(set), `{"keys":[`), "]}")
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	public, _ := keyFile(t)
	ec, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content string
		refused string // "" = accepted
	}{
		"PEM":           {block("PUBLIC KEY", spki), ""},
		"JWK":           {jwk, ""},
		"EC":            {string(ec), "operator_key_file must have an RSA key"},
		"a private key": {block("PRIVATE KEY", pkcs8), "operator key: "},
		"no key":        {"hello", "operator key: "},
		"empty":         {"", "operator key: "},
		"much too long": {strings.Repeat(" ", 1<<20), "operator key: the file is too large"},
	} {
		dir, file := exampleDir(t, func(c map[string]any) {
			c["clients"].([]any)[0].(map[string]any)["operator_key_file"] = "operator.pub"
		})
		if err := os.WriteFile(filepath.Join(dir, "operator.pub"), []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		config, err := readConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := config.Clients[0].registration()
		switch {
		case c.refused == "" && (err != nil || !key.PublicKey.Equal(r.OperatorKey)):
			t.Errorf("%s: %v, %v", name, r.OperatorKey, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("%s: %v, want %q", name, err, c.refused)
		}
		other, err := config.Clients[1].registration()
		if err != nil || other.OperatorKey != nil {
			t.Errorf("%s: the key of another client: %v, %v", name, other.OperatorKey, err)
		}
	}
}

// Every member of the file is described.
func TestConfigIsDescribed(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[serviceConfig](), reflect.TypeFor[clientFile]()} {
		for f := range typ.Fields() {
			if name := f.Tag.Get("json"); !strings.Contains(configHelp, "  "+name) &&
				!strings.Contains(configHelp, name+",") && !strings.Contains(configHelp, ", "+name) {
				t.Errorf("cardsim config does not describe %s", name)
			}
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(exampleConfig))
	f.Add([]byte(`{"clients":[{}],"cards":[{"person":"","kind":"x"}],"knobs":{"lifetimes":{"code":"1s"}}}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(dir, "c.json")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := readConfig(file); err == nil {
			_ = c.check()
		}
	})
}
