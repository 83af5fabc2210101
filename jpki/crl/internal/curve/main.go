// Command curve measures how package crl reads lists of 10⁴ to 10⁷ entries, beside SHA-256 over the same file and
// crypto/x509.ParseRevocationList, and writes the table and the plot of docs/crl-index.md:
//
//	go run ./jpki/crl/internal/curve -docs docs
//
// Each measurement is a process of its own, so that one does not inherit the memory of another; each is repeated and
// the fastest counts, because a shared machine only ever adds time. The list of 10⁷ entries has 0.4 GB; crypto/x509
// needs several gigabytes of memory for it (-std 1000000 leaves that out).
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kakunin-go/kakunin/jpki/crl/internal/listgen"
)

func main() {
	sizes := flag.String("entries", "10000,100000,1000000,10000000", "numbers of entries, separated by commas")
	rounds := flag.Int("rounds", 3, "repetitions; the fastest counts")
	std := flag.Int("std", 10_000_000, "largest list that crypto/x509 reads, too")
	octets := flag.Int("serial", 8, "octets of a serial number, 4 to 20")
	docs := flag.String(
		"docs",
		"",
		"folder with crl-index.md, whose table is replaced, and crl-index.svg; empty: print only",
	)
	child := flag.String("measure", "", "used by the command itself")
	flag.Parse()
	var err error
	if *child != "" {
		err = measure(*child, flag.Args())
	} else {
		err = run(*sizes, *rounds, *std, *octets, *docs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "curve:", err)
		os.Exit(1)
	}
}

// point is what was measured for one size. Times are in seconds, memory in bytes.
type point struct {
	Entries int
	Size    int64
	Hash    float64 // SHA-256 over the file
	Load    result
	Std     *result
}

func run(sizes string, rounds, std, octets int, docs string) error {
	directory, err := os.MkdirTemp("", "curve")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	var points []point
	for text := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		p, err := onePoint(directory, key, n, rounds, n <= std, octets)
		if err != nil {
			return err
		}
		points = append(points, p)
		fmt.Println(tableRow(p))
	}
	if docs == "" {
		return nil
	}
	if err := os.WriteFile( //nolint:gosec // a picture for everybody
		filepath.Join(docs, "crl-index.svg"),
		plot(points),
		0o644,
	); err != nil {
		return err
	}
	return replaceTable(filepath.Join(docs, "crl-index.md"), points)
}

// onePoint writes a list and measures it.
func onePoint(directory string, key *rsa.PrivateKey, n, rounds int, std bool, octets int) (p point, err error) {
	name := filepath.Join(directory, "list.crl")
	f, err := os.Create(name) //nolint:gosec // in a folder of its own
	if err != nil {
		return p, err
	}
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	spec := &listgen.Spec{
		Issuer:       issuer(),
		Number:       1,
		ThisUpdate:   at,
		NextUpdate:   at.Add(24 * time.Hour),
		Entries:      n,
		SerialOctets: octets,
		Key:          key,
	}
	size, err := spec.WriteTo(f)
	if err != nil {
		return p, err
	}
	if err := f.Close(); err != nil {
		return p, err
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return p, err
	}
	if err := os.WriteFile(name+".key", spki, 0o600); err != nil {
		return p, err
	}
	p = point{Entries: n, Size: size}
	for range rounds {
		hash, err := inChild("sha256", name, n, octets)
		if err != nil {
			return p, err
		}
		load, err := inChild("load", name, n, octets)
		if err != nil {
			return p, err
		}
		p.Hash = least(p.Hash, hash.Seconds)
		p.Load = p.Load.least(load)
	}
	if std {
		r, err := inChild("x509", name, n, octets)
		if err != nil {
			return p, err
		}
		p.Std = &r
	}
	return p, nil
}

// issuer is the DER of C=JP.
func issuer() []byte {
	return []byte{0x30, 13, 0x31, 11, 0x30, 9, 6, 3, 0x55, 4, 6, 0x13, 2, 'J', 'P'}
}

func least(a, b float64) float64 {
	if a == 0 || b < a {
		return b
	}
	return a
}

// inChild runs one measurement in a new process.
func inChild(what, name string, n, octets int) (r result, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext( //nolint:gosec // this very program
		context.Background(),
		self,
		"-measure",
		what,
		"-serial",
		strconv.Itoa(octets),
		name,
		strconv.Itoa(n),
		strconv.Itoa(octets),
	) //nolint:gosec // itself
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("%s: %w", what, err)
	}
	return r, json.Unmarshal(out.Bytes(), &r)
}
