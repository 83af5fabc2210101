package certpath

import (
	"compress/gzip"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

type wycheproofFile struct {
	File   string `json:"file"`
	Groups []struct {
		Key   string `json:"key"`
		Tests []struct {
			ID                        int `json:"id"`
			Comment, Msg, Sig, Result string
		} `json:"tests"`
	} `json:"groups"`
}

// TestWycheproof goes through the function that verifies certificates. "acceptable" vectors lack the NULL in
// DigestInfo, which RFC 8017, 9.2 note 2 does not let a strict verifier accept.
func TestWycheproof(t *testing.T) {
	f, err := os.Open("testdata/wycheproof.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var files []wycheproofFile
	if err := json.NewDecoder(unzipped).Decode(&files); err != nil {
		t.Fatal(err)
	}
	identifiers := map[string][]byte{
		"rsa_signature_2048_sha256_test.json": seq(oidDER(1, 2, 840, 113549, 1, 1, 11), []byte{5, 0}),
		"rsa_signature_3072_sha256_test.json": seq(oidDER(1, 2, 840, 113549, 1, 1, 11), []byte{5, 0}),
		"rsa_signature_4096_sha256_test.json": seq(oidDER(1, 2, 840, 113549, 1, 1, 11), []byte{5, 0}),
		"ecdsa_secp256r1_sha256_test.json":    seq(oidDER(1, 2, 840, 10045, 4, 3, 2)),
		"ecdsa_secp384r1_sha384_test.json":    seq(oidDER(1, 2, 840, 10045, 4, 3, 3)),
	}
	counts := map[string]int{}
	for _, file := range files {
		t.Run(file.File, func(t *testing.T) {
			identifier := identifiers[file.File]
			if identifier == nil {
				t.Fatal("no algorithm for this file")
			}
			for _, group := range file.Groups {
				var key PublicKey
				if !key.read(unhexTest(t, group.Key)) || key.Key == nil {
					t.Fatal("key not read")
				}
				for _, test := range group.Tests {
					got := algorithms(nil).verify(identifier, key, unhexTest(t, test.Msg), unhexTest(t, test.Sig))
					want := test.Result == "valid" && !smallExponent(key)
					if got != want {
						t.Errorf("test %d (%s, %s): verifies = %v", test.ID, test.Comment, test.Result, got)
					}
					counts[test.Result]++
				}
			}
		})
	}
	if counts["valid"] < 300 || counts["invalid"] < 1000 {
		t.Errorf("vectors are missing: %v", counts)
	}
}

// smallExponent: keys with an exponent below 65537 are refused whatever the signature is.
func smallExponent(k PublicKey) bool {
	key, isRSA := k.Key.(*rsa.PublicKey)
	return isRSA && key.E < 65537
}

func unhexTest(t testing.TB, text string) []byte {
	t.Helper()
	out, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
