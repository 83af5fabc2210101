package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/kakunin-go/kakunin/internal/limits"
)

func bothKeys() KeySet {
	k := testKeys()
	return KeySet{Keys: []PublicKey{
		{Key: &k.rsa.PublicKey, KeyID: "rsa"},
		{Key: &k.ec.PublicKey, KeyID: "ec"},
	}}
}

var anyAlg = VerifyOptions{Algorithms: []Algorithm{ES256, RS256, PS256}}

func TestSignedTokensVerify(t *testing.T) {
	k := testKeys()
	for _, alg := range []Algorithm{ES256, RS256, PS256} {
		var signer crypto.Signer = k.rsa
		if alg == ES256 {
			signer = k.ec
		}
		for name, s := range map[string]crypto.Signer{"software": signer, "kms": kms{signer}} {
			t.Run(string(alg)+"/"+name, func(t *testing.T) {
				key := SigningKey{Signer: s, KeyID: "the-key", Algorithm: alg}
				token, err := Sign(key, "JWT", []byte(testPayload))
				if err != nil {
					t.Fatal(err)
				}
				payload, h, err := Verify(token, KeySet{Keys: []PublicKey{key.Public()}}, anyAlg)
				if err != nil {
					t.Fatal(err)
				}
				if string(payload) != testPayload || h != (Header{Algorithm: string(alg), KeyID: "the-key",
					Type: "JWT"}) {
					t.Errorf("payload %s header %+v", payload, h)
				}
				// An independent implementation reads it too.
				if _, err := jws.Verify([]byte(token), jws.WithKey(jwa.SignatureAlgorithm(alg),
					signer.Public())); err != nil {
					t.Errorf("jwx: %v", err)
				}
			})
		}
	}
}

func TestEmptyKeyIDAndTypeAreLeftOut(t *testing.T) {
	token, err := Sign(SigningKey{Signer: testKeys().ec, Algorithm: ES256}, "", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(token, ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || string(b) != `{"alg":"ES256"}` {
		t.Errorf("header %s, %v", b, err)
	}
}

// Each row is one fault that some JOSE library accepts; the signature is good wherever that is possible.
func TestRefusedTokens(t *testing.T) {
	k := testKeys()
	good := forge(t, k.rsa, `{"alg":"RS256","kid":"rsa"}`, testPayload)
	parts := strings.Split(good, ".")
	ecGood := forge(t, k.ec, `{"alg":"ES256","kid":"ec"}`, testPayload)
	rs := VerifyOptions{Algorithms: []Algorithm{RS256}}
	p384 := KeySet{Keys: []PublicKey{{Key: &k.p384.PublicKey, KeyID: "p384"}}}
	small := KeySet{Keys: []PublicKey{{Key: &k.smallRSA.PublicKey, KeyID: "small"}}}
	withKey := func(p PublicKey) KeySet {
		p.Key, p.KeyID = &k.rsa.PublicKey, "rsa"
		return KeySet{Keys: []PublicKey{p}}
	}

	for _, c := range []struct {
		name  string
		token string
		keys  KeySet
		opts  VerifyOptions
		want  Check
	}{
		{"unknown crit", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa","crit":["exp"],"exp":1}`, testPayload), bothKeys(),
			anyAlg, CheckCritical},
		{"crit in other case", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa","CRIT":["x"]}`, testPayload), bothKeys(),
			anyAlg, CheckCritical},
		{"b64", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa","b64":true}`, testPayload), bothKeys(), anyAlg,
			CheckCritical},
		{"zip", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa","zip":"DEF"}`, testPayload), bothKeys(), anyAlg,
			CheckCritical},
		{"alg HS256 over an RS256 signature", forge(t, k.rsa, `{"alg":"HS256","kid":"rsa"}`, testPayload), bothKeys(),
			anyAlg, CheckAlgorithm},
		{"alg none over an RS256 signature", forge(t, k.rsa, `{"alg":"none","kid":"rsa"}`, testPayload), bothKeys(),
			anyAlg, CheckAlgorithm},
		{"alg none without signature", enc(`{"alg":"none"}`) + "." + enc(testPayload) + ".", bothKeys(), anyAlg,
			CheckAlgorithm},
		{"alg absent", forge(t, k.rsa, `{"kid":"rsa"}`, testPayload), bothKeys(), anyAlg, CheckAlgorithm},
		{"alg not a string", forge(t, k.rsa, `{"alg":["RS256"],"kid":"rsa"}`, testPayload), bothKeys(), anyAlg,
			CheckHeader},
		{"alg PS256 over an RS256 signature", forge(t, k.rsa, `{"alg":"PS256","kid":"rsa"}`, testPayload), bothKeys(),
			anyAlg, CheckSignature},
		{"alg ES256 with the RSA key", forge(t, k.rsa, `{"alg":"ES256","kid":"rsa"}`, testPayload), bothKeys(), anyAlg,
			CheckKey},
		{"alg RS256 with the EC key", forge(t, k.ec, `{"alg":"RS256","kid":"ec"}`, testPayload), bothKeys(), anyAlg,
			CheckKey},
		{"alg not allowed by the caller", ecGood, bothKeys(), rs, CheckAlgorithm},
		{"no algorithm allowed", good, bothKeys(), VerifyOptions{}, CheckAlgorithm},
		{"duplicate alg", forge(t, k.rsa, `{"alg":"RS256","alg":"RS256","kid":"rsa"}`, testPayload), bothKeys(), anyAlg,
			CheckHeader},
		{"duplicate alg in other case", forge(t, k.rsa, `{"alg":"RS256","ALG":"none","kid":"rsa"}`, testPayload),
			bothKeys(), anyAlg, CheckHeader},
		{"duplicate alg by escape", forge(t, k.rsa, `{"alg":"RS256","\u0061lg":"none","kid":"rsa"}`, testPayload),
			bothKeys(), anyAlg, CheckHeader},
		{"duplicate kid by Kelvin sign", forge(t, k.rsa, "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"\u212aid\":\"ec\"}",
			testPayload), bothKeys(), anyAlg, CheckHeader},
		{"bytes after the header object", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa"}x`, testPayload), bothKeys(),
			anyAlg, CheckHeader},
		{"header is an array", forge(t, k.rsa, `["RS256"]`, testPayload), bothKeys(), anyAlg, CheckHeader},
		{"header says enc", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa","enc":"A256GCM"}`, testPayload), bothKeys(),
			anyAlg, CheckHeader},
		{"header too large", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa","x":"`+strings.Repeat("x", limits.JOSEHeader)+
			`"}`, testPayload), bothKeys(), anyAlg, CheckSize},
		{"token too large", good + strings.Repeat("A", limits.Token), bothKeys(), anyAlg, CheckSize},
		{"JSON serialization", `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] +
			`"}`, bothKeys(), anyAlg, CheckForm},
		{"two parts", parts[0] + "." + parts[1], bothKeys(), anyAlg, CheckForm},
		{"four parts", good + ".", bothKeys(), anyAlg, CheckForm},
		{"empty", "", bothKeys(), anyAlg, CheckForm},
		{"space before", " " + good, bothKeys(), anyAlg, CheckForm},
		{"newline after", good + "\n", bothKeys(), anyAlg, CheckForm},
		{"newline inside the signature", good[:len(good)-4] + "\n" + good[len(good)-4:], bothKeys(), anyAlg, CheckForm},
		{"newline inside the payload", forgeParts(t, k.rsa, parts[0], parts[1][:4]+"\n"+parts[1][4:]), bothKeys(),
			anyAlg, CheckForm},
		{"padding on the signature", good + "==", bothKeys(), anyAlg, CheckForm},
		{"standard alphabet", parts[0] + "." + parts[1] + ".+/+/", bothKeys(), anyAlg, CheckForm},
		{"stray bits at the end of the signature", ecGood[:len(ecGood)-1] + nextInAlphabet(ecGood[len(ecGood)-1]),
			bothKeys(), anyAlg, CheckForm},
		{"ES256 with a P-384 key", forge(t, k.p384, `{"alg":"ES256","kid":"p384"}`, testPayload), p384, anyAlg,
			CheckKey},
		{"RSA of 1024 bits", forge(t, k.smallRSA, `{"alg":"RS256","kid":"small"}`, testPayload), small, anyAlg,
			CheckKey},
		{"key is for encryption", good, withKey(PublicKey{Use: "enc"}), anyAlg, CheckKey},
		{"key is for PS256", good, withKey(PublicKey{Algorithm: "PS256"}), anyAlg, CheckKey},
		{"header jwk is not trusted", forge(t, k.otherRSA, headerWithJWK(t), testPayload), bothKeys(), anyAlg,
			CheckSignature},
		{"header jku is not fetched", forge(t, k.otherRSA, `{"alg":"RS256","kid":"x","jku":"http://127.0.0.1:1/"}`,
			testPayload), bothKeys(), anyAlg, CheckKey},
		{"foreign key", forge(t, k.otherRSA, `{"alg":"RS256","kid":"rsa"}`, testPayload), bothKeys(), anyAlg,
			CheckSignature},
		{"unknown kid", forge(t, k.rsa, `{"alg":"RS256","kid":"other"}`, testPayload), bothKeys(), anyAlg, CheckKey},
		{"kid too long", forge(t, k.rsa, `{"alg":"RS256","kid":"`+strings.Repeat("k", limits.KeyID+1)+`"}`,
			testPayload), bothKeys(), anyAlg, CheckSize},
		{"no kid and several keys that fit", forge(t, k.rsa, `{"alg":"RS256"}`, testPayload), KeySet{Keys: []PublicKey{
			{Key: &k.rsa.PublicKey, KeyID: "1"}, {Key: &k.otherRSA.PublicKey, KeyID: "2"}}}, anyAlg, CheckKey},
		{"one kid for two keys that fit", good, KeySet{Keys: []PublicKey{
			{Key: &k.rsa.PublicKey, KeyID: "rsa"}, {Key: &k.otherRSA.PublicKey, KeyID: "rsa"}}}, anyAlg, CheckKey},
		{"empty key set", good, KeySet{}, anyAlg, CheckKey},
		{"altered payload", parts[0] + "." + enc(`{"sub":"b"}`) + "." + parts[2], bothKeys(), anyAlg, CheckSignature},
		{"empty signature", parts[0] + "." + parts[1] + ".", bothKeys(), anyAlg, CheckSignature},
		{"typ at+jwt", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa","typ":"at+jwt"}`, testPayload), bothKeys(),
			VerifyOptions{Algorithms: rs.Algorithms, Types: []string{"", "JWT"}}, CheckType},
		{"typ logout+jwt", forge(t, k.rsa, `{"alg":"RS256","kid":"rsa","typ":"application/logout+jwt"}`, testPayload),
			bothKeys(), VerifyOptions{Algorithms: rs.Algorithms, Types: []string{"", "JWT"}}, CheckType},
		{"typ absent where one is required", good, bothKeys(),
			VerifyOptions{Algorithms: rs.Algorithms, Types: []string{"JWT"}}, CheckType},
	} {
		t.Run(c.name, func(t *testing.T) {
			payload, _, err := Verify(c.token, c.keys, c.opts)
			wantCheck(t, err, c.want)
			if payload != nil {
				t.Error("a payload came out")
			}
		})
	}
}

// nextInAlphabet differs from c only in the lowest bit, which the last character of 64 bytes does not use.
func nextInAlphabet(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)+1])
}

func headerWithJWK(tb testing.TB) string {
	tb.Helper()
	set, err := MarshalKeySet(PublicKey{Key: &testKeys().otherRSA.PublicKey})
	if err != nil {
		tb.Fatal(err)
	}
	var s struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(set, &s); err != nil {
		tb.Fatal(err)
	}
	return `{"alg":"RS256","kid":"rsa","jwk":` + string(s.Keys[0]) + `}`
}

func TestES256SignatureIsExactly64Bytes(t *testing.T) {
	k := testKeys()
	good := forge(t, k.ec, `{"alg":"ES256","kid":"ec"}`, testPayload)
	signed := good[:strings.LastIndexByte(good, '.')]
	raw, err := base64.RawURLEncoding.DecodeString(good[len(signed)+1:])
	if err != nil {
		t.Fatal(err)
	}
	padded := append([]byte{0}, append(raw[:32:32], append([]byte{0}, raw[32:]...)...)...)
	for name, sig := range map[string][]byte{
		"62 bytes": raw[1:63], "66 bytes": padded, "zero": make([]byte, 64), "empty": nil,
		"trailing byte": append(raw[:64:64], 0),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Verify(signed+"."+base64.RawURLEncoding.EncodeToString(sig), bothKeys(), anyAlg)
			wantCheck(t, err, CheckSignature)
		})
	}
}

func TestKeyChoice(t *testing.T) {
	k := testKeys()
	noKid := forge(t, k.rsa, `{"alg":"RS256"}`, testPayload)
	withKid := forge(t, k.rsa, `{"alg":"RS256","kid":"k"}`, testPayload)
	decoys := []PublicKey{ // as an issuer under test adds them: same id, another purpose
		{Key: &k.otherRSA.PublicKey, KeyID: "k", Use: "enc"},
		{Key: &k.otherRSA.PublicKey, KeyID: "k", Algorithm: "PS256"},
		{Key: &k.ec.PublicKey, KeyID: "k"},
		{Key: &k.smallRSA.PublicKey, KeyID: "k"},
	}
	set := KeySet{Keys: append(decoys, PublicKey{Key: &k.rsa.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"})}
	for name, token := range map[string]string{"kid among decoys": withKid, "no kid, one key fits": noKid} {
		if _, _, err := Verify(token, set, anyAlg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAcceptedTypes(t *testing.T) {
	opts := VerifyOptions{Algorithms: []Algorithm{RS256}, Types: []string{"", "JWT"}}
	for _, typ := range []string{`"typ":"JWT",`, `"typ":"jwt",`, `"typ":"application/JWT",`, ``} {
		token := forge(t, testKeys().rsa, `{`+typ+`"alg":"RS256","kid":"rsa"}`, testPayload)
		if _, _, err := Verify(token, bothKeys(), opts); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

func TestIsKeyMiss(t *testing.T) {
	for c, want := range map[Check]bool{CheckKey: true, CheckSignature: true, CheckAlgorithm: false, CheckForm: false,
		CheckType: false} {
		if IsKeyMiss(fail(c, "")) != want {
			t.Errorf("%s: %v", c, !want)
		}
	}
	if IsKeyMiss(nil) {
		t.Error("nil is no miss")
	}
}

// Signatures whose numbers are short, or have their first bit set, reach package ecdsa in the one valid form.
func TestRawAndASN1SignaturesAgree(t *testing.T) {
	for _, raw := range [][]byte{
		append(append(make([]byte, 31), 1), bytes.Repeat([]byte{0xff}, 32)...),
		append(append(make([]byte, 30), 0x80, 0), append(make([]byte, 31), 0x7f)...),
		bytes.Repeat([]byte{0x7f}, 64),
	} {
		back, err := rawSignature(derSignature(raw))
		if err != nil || !bytes.Equal(back, raw) {
			t.Errorf("%x became %x, %v", raw, back, err)
		}
	}
	k := testKeys().ec
	for range 300 { // about one number in 256 is short
		digest := sha256.Sum256([]byte(rand.Text()))
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, 64)
		r.FillBytes(raw[:32])
		s.FillBytes(raw[32:])
		if !verifyDigest(ES256, &k.PublicKey, digest[:], raw) {
			t.Fatalf("%x does not verify", raw)
		}
	}
}
