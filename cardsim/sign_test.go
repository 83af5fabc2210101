package cardsim

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"testing"
)

func certificateKey(t testing.TB, der []byte) *rsa.PublicKey {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || key.Size() != 256 {
		t.Fatal("not an RSA-2048 certificate")
	}
	return key
}

// block recovers what was signed by the public operation alone and takes the padding of block type 1 off.
func block(t *testing.T, key *rsa.PublicKey, signature []byte) []byte {
	t.Helper()
	m := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(key.E)),
		key.N).FillBytes(make([]byte, key.Size()))
	if m[0] != 0 || m[1] != 1 {
		t.Fatalf("block starts %x", m[:2])
	}
	padding, content, ok := bytes.Cut(m[2:], []byte{0})
	if !ok || len(padding) < 8 || len(bytes.Trim(padding, "\xFF")) != 0 {
		t.Fatalf("padding %x", padding)
	}
	return content
}

func TestSignatureSchemes(t *testing.T) {
	message := []byte("確認の対象となる文書")
	digest := sha256.Sum256(message)
	digestInfo := append(unhex(t, "3031300D060960864801650304020105000420"), digest[:]...)
	pss := &rsa.PSSOptions{SaltLength: sha256.Size, Hash: crypto.SHA256}
	c := newCard(t)
	signing, authentication := c.Certificates()
	for _, app := range []struct {
		name, prepare string
		p2            []byte
		key           *rsa.PublicKey
	}{
		{"authentication", "{JPKI}=9000 \n {AUTH}=9000 \n 00A4020C020017=9000", []byte{0x97, 0x80, 0x00},
			certificateKey(t, authentication)},
		{"signing", "{JPKI}=9000 \n {SIGN}=9000 \n 00A4020C02001A=9000", []byte{0x9A, 0x80},
			certificateKey(t, signing)},
		{"internal", "{TEXT}=9000 \n 00A4020C020013=9000", []byte{0x93, 0x80, 0x00},
			&c.applications[2].files[textKey].key().PublicKey},
	} {
		for _, p2 := range app.p2 {
			t.Run(fmt.Sprintf("%s/%02X", app.name, p2), func(t *testing.T) {
				run(t, c, app.prepare)
				sign := func(p1 byte, input []byte) []byte {
					t.Helper()
					return data(t, c, fmt.Sprintf("802A%02X%02X%02X%X00", p1, p2, len(input), input))
				}
				for input, p1 := range map[string]byte{string(digestInfo): 0, string(digest[:]): 0,
					"any bytes at all": 0} {
					if got := block(t, app.key, sign(p1, []byte(input))); string(got) != input {
						t.Errorf("P1=00 signed %x", got)
					}
				}
				if got := block(t, app.key, sign(1, message)); !bytes.Equal(got, digest[:]) {
					t.Errorf("P1=01 signed %x", got)
				}
				for p1, input := range map[byte][]byte{2: digest[:], 3: message} {
					if got := block(t, app.key, sign(p1, input)); !bytes.Equal(got, digestInfo) {
						t.Errorf("P1=%02X signed %x", p1, got)
					}
				}
				for p1, input := range map[byte][]byte{4: digest[:], 5: message} {
					first, second := sign(p1, input), sign(p1, input)
					if err := rsa.VerifyPSS(app.key, crypto.SHA256, digest[:], first, pss); err != nil {
						t.Errorf("P1=%02X: %v", p1, err)
					}
					if bytes.Equal(first, second) {
						t.Errorf("P1=%02X: the salt is random, so two signatures differ", p1)
					}
				}
			})
		}
	}
}

// A relying party may run under GODEBUG=fips140=only, also in its tests with this card. The setting is read when a
// process starts, hence the second one.
func TestSignsInAProcessRestrictedToFIPS140(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self, "-test.run=^TestSignatureSchemes$", "-test.count=1")
	command.Env = append(os.Environ(), "GODEBUG=fips140=only")
	if out, err := command.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
		t.Errorf("%v\n%s", err, out)
	}
}
