package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asProgram is set where this test binary is to be the program itself.
const asProgram = "CARDSIM_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// BenchmarkStart is the service as a process of its own, from its start until /readyz answers. cpu-ms is what the
// processor spends on it, whatever else the machine does.
func BenchmarkStart(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "client.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		b.Fatal(err)
	}
	starts(b, "-addr", "127.0.0.1:0", "-client-id", "RP00000001", "-client-key", file,
		"-redirect-url", "http://127.0.0.1/callback")
}

// BenchmarkStartExample is the same with the configuration that "cardsim config -example" prints: two persons, and the
// phone of one.
func BenchmarkStartExample(b *testing.B) {
	_, file := exampleDir(b, nil)
	starts(b, "-config", file)
}

func starts(b *testing.B, flags ...string) {
	b.Helper()
	var spent time.Duration
	for b.Loop() {
		spent += startOnce(b, flags)
	}
	b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "cpu-ms")
}

// startOnce starts a service, ends it when it is ready, and returns the processor time that it took.
func startOnce(b *testing.B, flags []string) time.Duration {
	b.Helper()
	//nolint:gosec // ourselves
	program := exec.CommandContext(b.Context(), os.Args[0], append([]string{"service"}, flags...)...)
	program.Env = append(os.Environ(), asProgram+"=1")
	out, err := program.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := program.Start(); err != nil {
		b.Fatal(err)
	}
	address := ""
	lines := bufio.NewScanner(out)
	for address == "" && lines.Scan() {
		address, _ = strings.CutPrefix(lines.Text(), "listening on ")
		if !strings.HasPrefix(lines.Text(), "listening on ") {
			address = ""
		}
	}
	res, err := http.Get(address + "/readyz") //nolint:noctx // bounded by the benchmark's own time
	if err != nil {
		b.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		b.Fatalf("%v %d", err, res.StatusCode)
	}
	b.StopTimer()
	defer b.StartTimer()
	_ = program.Process.Signal(os.Interrupt)
	_ = program.Wait()
	return program.ProcessState.UserTime() + program.ProcessState.SystemTime()
}

// A service that ends is alive and takes nobody new.
func TestReadinessEnds(t *testing.T) {
	p := new(site)
	ask := func(path string) int {
		t.Helper()
		status := 0
		// Probes of containers and load balancers ask by an address, by a name of their own or by none.
		for _, host := range []string{"127.0.0.1:9000", "10.1.2.3:9000", "daa", "backend.example", ""} {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.Host = host
			p.ServeHTTP(w, r)
			if status != 0 && w.Code != status || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s under %q: %d, %v", path, host, w.Code, w.Header())
			}
			status = w.Code
		}
		return status
	}
	if got := ask("/readyz"); got != http.StatusOK {
		t.Errorf("ready: %d", got)
	}
	p.ending.Store(true)
	if got := ask("/readyz"); got != http.StatusServiceUnavailable {
		t.Errorf("ending: %d", got)
	}
	if got := ask("/healthz"); got != http.StatusOK {
		t.Errorf("alive: %d", got)
	}
}

// What makes a shared simulator bearable arrives at the service, from flags as from the file.
func TestSharedSimulatorOptions(t *testing.T) {
	public, _ := keyFile(t)
	c, err := parseServiceFlags([]string{
		"-client-id", "RP1", "-client-key", public, "-redirect-url", "http://127.0.0.1/cb", "-reset-after", "10m",
		"-fresh-cards",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.world(time.Now)
	if err != nil || w.ResetCardsAfter != 10*time.Minute || !w.FreshCards {
		t.Errorf("%v, %v, %v", w.ResetCardsAfter, w.FreshCards, err)
	}
	_, file := exampleDir(t, nil)
	if c, err = parseServiceFlags([]string{"-config", file}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if w, err = c.world(time.Now); err != nil || w.ResetCardsAfter != 10*time.Minute || len(w.Clients) != 2 {
		t.Errorf("%v, %d clients, %v", w.ResetCardsAfter, len(w.Clients), err)
	}
}
