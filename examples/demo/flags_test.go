package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	const at = "-issuer https://service.example/api/realms/main -client-id RP1 -client-key k.pem"
	for line, want := range map[string]string{ // "" = accepted, otherwise what the message names
		"":                        "",
		"-mode digest-info":       "",
		"-addr localhost:0 -once": "",
		"-addr [::1]:8080":        "",
		"-once -show-personal":    "",
		at:                        "",
		at + " -discover":         "",
		"-issuer https://service.example -client-id RP1 -client-key k.pem -discover": "",
		at + " -addr 0.0.0.0:80":                                       "",
		at + " -redirect-url https://shop.example/a/callback":          "",
		at + " -redirect-url https://shop.example/back":                "",
		"-business private":                                            "",
		"-business government":                                         "-business",
		"-operator https://operator.example/v1":                        "-issuer",
		at + " -operator https://operator.example/v1":                  "-business private",
		at + " -business private -operator http://operator.example/v1": "https",
		"-mode sha1":            "-mode",
		"-mode":                 "needs an argument",
		"-show-personal":        "-once",
		"-addr 8080":            "-addr",
		"-addr 127.0.0.1:":      "-addr",
		"-addr 127.0.0.1:http":  "65535",
		"-addr 127.0.0.1:65536": "65535",
		"-issuer https://service.example -client-id RP1 -client-key k.pem":                  "-discover",
		"-issuer https://service.example/api/realms/main/ -client-id RP1 -client-key k.pem": "without a slash",
		"-addr 0.0.0.0:8080":                "loopback",
		"-addr :8080":                       "loopback",
		"-addr 192.0.2.1:8080":              "loopback",
		"-addr shop.example:8080":           "loopback",
		"-client-id RP1":                    "-issuer",
		"-client-key k.pem":                 "-issuer",
		"-redirect-url http://localhost/cb": "-issuer",
		"-discover":                         "-issuer",
		"-issuer https://service.example/api/realms/main":                                 "-client-id",
		"-issuer http://service.example/api/realms/main -client-id RP1 -client-key k.pem": "https",
		"-issuer service.example -client-id RP1 -client-key k.pem":                        "https",
		"-issuer https://user:pw@service.example -client-id RP1 -client-key k.pem":        "https",
		at + " -redirect-url http://shop.example/auth/callback":                           "-redirect-url",
		at + " -redirect-url https://shop.example/":                                       "-redirect-url",
		at + " -redirect-url https://shop.example":                                        "-redirect-url",
		at + " -redirect-url https://shop.example/auth/login":                             "-redirect-url",
		at + " -redirect-url https://shop.example/result":                                 "-redirect-url",
		at + " -redirect-url https://shop.example/a/../b":                                 "-redirect-url",
		at + " -redirect-url https://shop.example/auth/callback?a=b":                      "-redirect-url",
		"login":     "no arguments",
		"-nonsense": "nonsense",
	} {
		var said bytes.Buffer
		_, err := parseFlags(strings.Fields(line), &said)
		if (err == nil) != (want == "") || !strings.Contains(said.String(), want) {
			t.Errorf("%q: %v, %s", line, err, said.String())
		}
		if want != "" {
			var out, errs bytes.Buffer
			if code := run(t.Context(), strings.Fields(line), &out, &errs); code != exitUsage || out.Len() != 0 {
				t.Errorf("%q: exit %d, %s", line, code, out.String())
			}
		}
	}
	for line, want := range map[string]string{
		at: "127.0.0.1:8080",
		at + " -redirect-url http://localhost:7777/cb":                       "127.0.0.1:7777",
		at + " -redirect-url http://[::1]:7777/cb":                           "[::1]:7777",
		at + " -redirect-url https://shop.example:7777/cb":                   "127.0.0.1:8080",
		at + " -redirect-url http://localhost:7777/cb -addr 127.0.0.1:18080": "127.0.0.1:18080",
	} {
		if o, err := parseFlags(strings.Fields(line), io.Discard); err != nil || o.addr != want {
			t.Errorf("%q: listens on %s, %v", line, o.addr, err)
		}
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, &out, &errs); code != exitOK ||
		!strings.Contains(errs.String(), "usage: demo") {
		t.Errorf("-h: exit %d, %s", code, errs.String())
	}
}
