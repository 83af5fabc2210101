package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl"
	"github.com/kakunin-go/kakunin/jpki/crl/internal/listgen"
)

// result is one measurement.
type result struct {
	Seconds float64 // of reading the list
	Memory  int64   // on the heap afterwards
	Peak    int64   // resident at most, above the start; 0 where the system does not say
	Lookup  float64 // of one look-up, in seconds
	Write   float64 // of the index file
	Open    float64 // of the index file
	Mapped  float64 // of one look-up in the mapped file
	Beside  int64   // on the heap beside the mapped file
}

func (r result) least(b result) result {
	if r.Seconds == 0 {
		return b
	}
	r.Seconds, r.Lookup, r.Mapped = least(r.Seconds, b.Seconds), least(r.Lookup, b.Lookup), least(r.Mapped, b.Mapped)
	r.Write, r.Open = least(r.Write, b.Write), least(r.Open, b.Open)
	r.Memory, r.Peak, r.Beside = max(r.Memory, b.Memory), max(r.Peak, b.Peak), max(r.Beside, b.Beside)
	return r
}

// measure does one measurement and prints it.
func measure(what string, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("arguments of -measure: list, entries, octets")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	octets, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	var r result
	before, base := heap(), resident("VmRSS")
	start := time.Now()
	switch what {
	case "sha256":
		err = hashFile(args[0])
		r.Seconds = time.Since(start).Seconds()
	case "load":
		err = load(&r, args[0], n, octets, before, base)
	case "x509":
		var list *x509.RevocationList
		var der []byte
		if der, err = os.ReadFile(args[0]); err == nil {
			list, err = x509.ParseRevocationList(der)
		}
		r.Seconds, r.Memory, r.Peak = time.Since(start).Seconds(), heap()-before, resident("VmHWM")-base
		runtime.KeepAlive(list)
	default:
		err = fmt.Errorf("nothing is called %q", what)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func hashFile(name string) error {
	f, err := os.Open(name) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	_, err = io.CopyBuffer(struct{ io.Writer }{sha256.New()}, struct{ io.Reader }{f}, make([]byte, 256<<10))
	return err
}

func load(r *result, name string, n, octets int, before, base int64) error {
	spki, err := os.ReadFile(name + ".key") //nolint:gosec // as above
	if err != nil {
		return err
	}
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return err
	}
	ctx := context.Background()
	start := time.Now()
	u, err := crl.ReadFile(ctx, name, crl.Options{})
	if err != nil {
		return err
	}
	list, err := u.Verify(ctx, key)
	if err != nil {
		return err
	}
	r.Seconds, r.Peak = time.Since(start).Seconds(), resident("VmHWM")-base
	r.Memory = heap() - before
	if list.Len() != n {
		return fmt.Errorf("%d entries instead of %d", list.Len(), n)
	}
	if r.Lookup, err = lookups(list, n, octets); err != nil {
		return err
	}
	file := name + ".index"
	start = time.Now()
	if err := list.WriteFile(file); err != nil {
		return err
	}
	r.Write = time.Since(start).Seconds()
	before = heap()
	start = time.Now()
	mapped, err := crl.OpenIndex(ctx, file, key)
	if err != nil {
		return err
	}
	r.Open = time.Since(start).Seconds()
	r.Beside = heap() - before
	r.Mapped, err = lookups(mapped, n, octets)
	return err
}

// lookups returns the time of one look-up, of serial numbers all over the list, the fastest of several rounds.
func lookups(list *crl.List, n, octets int) (float64, error) {
	spec := &listgen.Spec{SerialOctets: octets}
	const count = 1 << 15
	serials := make([]byte, 0, count*octets)
	for i := range count {
		serials = append(serials, spec.Serial(int(uint64(i)*2654435761%uint64(n)))...) //nolint:gosec // below n
	}
	name := issuer()
	best := 0.0
	for range 20 {
		start := time.Now()
		for i := range count {
			if _, found := list.Lookup(name, serials[i*octets:(i+1)*octets]); !found {
				return 0, fmt.Errorf("an entry is not found")
			}
		}
		best = least(best, time.Since(start).Seconds()/count)
	}
	return best, nil
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // a size
}

// resident reads a line of /proc/self/status, in bytes; 0 where there is none.
func resident(label string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, label+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
