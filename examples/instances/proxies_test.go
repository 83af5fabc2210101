//go:build servers

package instances

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// proxy is a program in front of the instances that speaks TLS.
type proxy struct {
	program string
	// config is the text of its configuration: where it listens, the file with certificate and key, the instances.
	config func(listen, pemFile string, instances []string) string
	args   func(configFile, dir string) []string
}

// nginx hands a request on to the next instance when one dies in the middle of it, unless it is a POST.
var nginx = proxy{
	program: "nginx",
	config: func(listen, pemFile string, instances []string) string {
		servers := ""
		for _, i := range instances {
			servers += "server " + i + " max_fails=0;\n"
		}
		return `daemon off;
pid nginx.pid;
error_log error.log;
worker_processes 1;
events { worker_connections 512; }
http {
	access_log off;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	upstream instances {
		` + servers + `
		keepalive 16;
	}
	server {
		listen ` + listen + ` ssl;
		ssl_certificate ` + pemFile + `;
		ssl_certificate_key ` + pemFile + `;
		location / {
			proxy_pass http://instances;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $http_host;
		}
	}
}
`
	},
	args: func(configFile, dir string) []string { return []string{"-e", "stderr", "-p", dir, "-c", configFile} },
}

// haproxy answers 502, or hangs up, when an instance dies in the middle of a request, and finds out by asking who
// lives.
var haproxy = proxy{
	program: "haproxy",
	config: func(listen, pemFile string, instances []string) string {
		servers := ""
		for n, i := range instances {
			servers += fmt.Sprintf("\tserver s%d %s check\n", n, i)
		}
		return `global
	maxconn 512
	nbthread 1
defaults
	mode http
	timeout connect 5s
	timeout client 60s
	timeout server 60s
	retries 3
	option redispatch 1
	retry-on conn-failure
frontend front
	bind ` + listen + ` ssl crt ` + pemFile + `
	default_backend instances
backend instances
	balance roundrobin
	default-server inter 200ms fall 1 rise 1
` + servers
	},
	args: func(configFile, _ string) []string { return []string{"-db", "-f", configFile} },
}

// run begins the program and returns the authority that browsers trust.
func (p proxy) run(t testing.TB, listen string, instances []string) *x509.CertPool {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755)) // nginx's workers are another user
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	certificate, pool := selfSigned(t)
	pemFile, configFile := filepath.Join(dir, "front.pem"), filepath.Join(dir, "front.conf")
	must(t, os.WriteFile(pemFile, certificate, 0o600))
	must(t, os.WriteFile(configFile, []byte(p.config(listen, pemFile, instances)), 0o600))
	cmd := exec.CommandContext(t.Context(), p.program, p.args(configFile, dir)...)
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // ends the workers, too
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for { // until it listens, or has ended
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", listen)
		if err == nil {
			must(t, c.Close())
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("%s: %v\n%s", p.program, err, out)
		default:
		}
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	return pool
}

// selfSigned makes a certificate for 127.0.0.1 with its key, in one PEM as both programs read it.
func selfSigned(t testing.TB) ([]byte, *x509.CertPool) {
	t.Helper()
	key := newECKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "front of the instances"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	pool := x509.NewCertPool()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool.AppendCertsFromPEM(certificate)
	return append(certificate, keyPEM(t, key)...), pool
}

func newECKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func keyPEM(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// freePort is a loopback address that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
