package main

import (
	"bufio"
	"bytes"
	"crypto/rsa"
	"encoding/hex"
	"io"
	"math/big"
	"os"
	"strings"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// readRoots reads the issuers' keys; nil without a file. They are not part of this project: whoever checks cards must have
// them from a source that is worth the trust.
func readRoots(name string) (*card.Roots, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name) //nolint:gosec // the file that the person named
	if err != nil {
		return nil, problem("-roots のファイルを読み取れません。", "The file of -roots cannot be read.")
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limits.KeyFile+1))
	if err != nil || len(data) > limits.KeyFile {
		return nil, problem("-roots のファイルを読み取れません。", "The file of -roots cannot be read.")
	}
	return parseRoots(data)
}

// parseRoots reads lines "5000033-001 HEX" of identifier and modulus; the exponent is 65537. Empty lines and those that
// begin with # are skipped.
func parseRoots(data []byte) (*card.Roots, error) {
	var keys []card.Root
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, limits.KeyFile+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		bad := problem("-roots の%d行目は「鍵ID 法（16進数）」ではありません。", "Line %d of -roots is not an identifier and a modulus in hexadecimal.", n)
		id, modulus, ok := strings.Cut(line, " ")
		if !ok {
			return nil, bad
		}
		key, err := card.ParseKeyID(id)
		if err != nil {
			return nil, bad
		}
		b, err := hex.DecodeString(strings.TrimSpace(modulus))
		if err != nil {
			return nil, bad
		}
		keys = append(keys, card.Root{ID: key, Key: &rsa.PublicKey{N: new(big.Int).SetBytes(b), E: 65537}})
	}
	return card.NewRoots(keys...)
}
