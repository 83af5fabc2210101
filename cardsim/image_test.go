package cardsim

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/cardsim/issuer"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tests/golden"
)

// The format of images is kept: programs in other languages read them, and images outlive releases.
func TestImageGolden(t *testing.T) {
	data, err := customCard(t, func(*Config) {}).Image()
	if err != nil {
		t.Fatal(err)
	}
	golden.File(t, "testdata/hanako.v2.card.json", data)
	c, err := FromImage(data, Config{Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Image(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("an image of the card of an image differs: %v", err)
	}
}

// Images that an earlier release has saved, with certificates in the form of then, give the same cards, and stay as
// they are.
func TestOldImagesAreRead(t *testing.T) {
	for name, tries := range map[string]string{"hanako.v1.card.json": "63C3", "hanako-android.v1.card.json": "63C2"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := FromImage(data, Config{Now: testNow})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		run(t, c, "{JPKI} = 9000 \n 00200098 = "+tries+" \n {AUTH} = 9000 \n 802A0097 01 AA 00 = #256 9000")
		if again, err := c.Image(); err != nil || !bytes.Equal(again, data) && tries == "63C3" {
			t.Errorf("%s became another image: %v", name, err)
		}
		_, der := c.Certificates()
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := certificate.CheckSignatureFrom(c.JPKI().AuthenticationCA().Certificate()); err != nil ||
			len(certificate.ExtKeyUsage) > 0 {
			t.Errorf("%s: %v, %v", name, certificate.ExtKeyUsage, err)
		}
		// Whoever revokes it finds it among what the CA has issued.
		if err := c.JPKI().AuthenticationCA().Revoke(certificate.SerialNumber,
			issuer.Revocation{Reason: issuer.Superseded, At: testTime}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.json")
	// Years later, and with the JPKI of that day.
	later := func() time.Time { return testTime.AddDate(3, 0, 0) }
	shared, err := sharedJPKI()
	if err != nil {
		t.Fatal(err)
	}
	then, err := shared.At(later())
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []Kind{Plastic, Child, Android, BlockedPINs, ExpiredCard, OlderCA, NewerCA} {
		first := customCard(t, func(c *Config) { c.Kind, c.ATR = kind, ATRs()[2].Bytes })
		changed := kind != BlockedPINs
		if changed {
			run(t, first, "{JPKI} = 9000\n{AUTH} = 9000\n00A4020C020018 = 9000\n0024018004 39383736 = 9000\n00200098 "+
				"04 00000000 = 63C2")
		}
		if err := first.Save(path); err != nil {
			t.Fatal(err)
		}
		second, err := Load(path, Config{Now: later, JPKI: then})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if second.Kind() != kind || !bytes.Equal(second.ATR(), first.ATR()) ||
			second.Person().Reveal() != first.Person().Reveal() {
			t.Errorf("%s: another card came back", kind)
		}
		a1, a2 := first.Certificates()
		b1, b2 := second.Certificates()
		if !bytes.Equal(a1, b1) || !bytes.Equal(a2, b2) {
			t.Errorf("%s: other certificates came back", kind)
		}
		if changed {
			run(t, second, "{JPKI} = 9000\n00200098 = 63C2\n{AUTH} = 63C1\n00200098 04 39383736 = 9000\n802A0097 01 "+
				"55 00 = #256 9000")
		} else {
			run(t, second, "{JPKI} = 9000\n00200098 = 63C0")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("an image holds PINs, and its mode is %v", info.Mode())
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
	if c, err := Load(path, Config{Now: testNow, JPKI: shared, ATR: defaultATR()}); err != nil ||
		!bytes.Equal(c.ATR(), defaultATR()) {
		t.Errorf("the configuration's ATR does not count: %v", err)
	}
	j, err := otherJPKI()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, Config{Now: testNow, JPKI: j}); reason(err) != ReasonInvalidImage {
		t.Errorf("an image of another JPKI: %v", err)
	}
}

func TestSaveTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "card.json")
	config := testConfig()
	config.SaveTo = path
	c, err := NewCard(config)
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, "{JPKI} = 9000\n00200098 04 30303030 = 63C2")
	if _, err := NewCard(config); reason(err) != ReasonInvalidConfig {
		t.Errorf("a new card would have all tries again: %v", err)
	}
	c, err = Load(path, config)
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, "{JPKI} = 9000\n00200098 = 63C2\n00200098 04 30303030 = 63C1\n00200098 04 30303030 = 63C0")
	if c, err = Load(path, config); err != nil {
		t.Fatal(err)
	}
	run(t, c, "{JPKI} = 9000\n{AUTH} = 6984")
}

// While the image cannot be written, a try is spent and nothing is verified or changed.
func TestFailingStorage(t *testing.T) {
	c := customCard(t, func(*Config) {})
	writes, failFrom := 0, 0
	c.persist = func(state) error {
		if writes++; writes > failFrom {
			return errors.New("disk full")
		}
		return nil
	}
	run(t, c, "{JPKI} = 9000\n{AUTH} = 6581\n00200098 = 63C2\n802A0097 01 55 00 = 6982")
	// The try was written, the success was not: what is on the disk counts.
	writes, failFrom = 0, 1
	run(t, c, "{AUTH} = 6581\n00200098 = 63C1\n802A0097 01 55 00 = 6982")
	writes, failFrom = 0, 2
	run(t, c, "{AUTH} = 9000\n00200098 = 63C3\n0024019804 39383736 = 6581\n00200098 = 63C3\n")
	writes, failFrom = 0, 2
	run(t, c, "{AUTH} = 9000")

	config := testConfig()
	config.SaveTo = filepath.Join(t.TempDir(), "no such directory", "card.json")
	if _, err := NewCard(config); reason(err) != ReasonStorageFailed || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a card that cannot be saved: %v", err)
	}
	if _, err := Load(config.SaveTo, Config{}); reason(err) != ReasonStorageFailed || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an image that is not there: %v", err)
	}
}

// crash is what the process dies of in these tests.
type crash struct{}

// Wherever a program dies in the middle of a VERIFY, the card that is loaded afterwards has no more tries than before;
// and when it dies before the answer to a right PIN was recorded, one try fewer.
func TestCrashInVerifyNeverGivesATryBack(t *testing.T) {
	for _, pin := range []string{"31323334", "30303030"} {
		for _, when := range []string{"before the first write", "after the first write", "before the second write",
			"after the second write"} {
			path := filepath.Join(t.TempDir(), "card.json")
			config := testConfig()
			config.SaveTo = path
			c, err := NewCard(config)
			if err != nil {
				t.Fatal(err)
			}
			run(t, c, "{JPKI} = 9000\n00200098 04 30303030 = 63C2")
			keep, writes := c.persist, 0
			c.persist = func(s state) error {
				writes++
				first := writes == 1
				if first && when == "before the first write" || !first && when == "before the second write" {
					panic(crash{})
				}
				err := keep(s)
				if first && when == "after the first write" || !first && when == "after the second write" {
					panic(crash{})
				}
				return err
			}
			died := func() (died bool) {
				defer func() { died = recover() == any(crash{}) }()
				transmit(t, c, "00200098 04"+pin)
				return
			}()
			wrong := pin == "30303030"
			if second := strings.Contains(when, "second"); died == (second && wrong) {
				t.Fatalf("%s: died %v", when, died)
			}
			left := 1
			switch {
			case when == "before the first write":
				left = 2 // nobody was told anything
			case when == "after the second write" && !wrong:
				left = 3
			}
			loaded, err := Load(path, Config{Now: testNow, JPKI: config.JPKI})
			if err != nil {
				t.Fatal(err)
			}
			run(t, loaded, fmt.Sprintf("{JPKI} = 9000\n00200098 = 63C%d", left))
		}
	}
}

// A new image replaces the old one as a whole or not at all.
func TestWriteFileIsAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "card.json")
	if err := writeFile(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	// The target is a directory that is not empty, so the last step fails.
	blocked := filepath.Join(dir, "blocked")
	if err := os.MkdirAll(filepath.Join(blocked, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(blocked, []byte("second")); reason(err) != ReasonStorageFailed {
		t.Errorf("%v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files, a temporary one is left behind", len(entries))
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "first" {
		t.Errorf("%q %v", got, err)
	}
}

// sealed is an image with a change, and with a digest that fits it: what remains to be found is that it makes no sense.
func sealed(t testing.TB, change func(*image)) []byte {
	t.Helper()
	i := goldenImage(t)
	change(&i)
	data, err := i.seal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func goldenImage(t testing.TB) image {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "hanako.v2.card.json"))
	if err != nil {
		t.Fatal(err)
	}
	i, err := parseImage(data)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestImageRefusals(t *testing.T) {
	good := sealed(t, func(*image) {})
	j, err := sharedJPKI()
	if err != nil {
		t.Fatal(err)
	}
	reference := func(i *image, file string) *imageReference {
		for k := range i.References {
			if i.References[k].Application == "JPKI" && i.References[k].File == file {
				return &i.References[k]
			}
		}
		t.Fatal("no such reference")
		return nil
	}
	for name, data := range map[string][]byte{
		"size":      append(bytes.Repeat([]byte(" "), limits.CardImage), good...),
		"form":      good[:len(good)-20],
		"form 2":    append(bytes.Clone(good), '{', '}'),
		"form 3":    bytes.Replace(good, []byte(`"tries"`), []byte(`"attempts"`), 1),
		"form 4":    []byte("null 5"),
		"version 2": sealed(t, func(i *image) { i.Version = 0 }),
		"format":    sealed(t, func(i *image) { i.Format = "card" }),
		"version":   sealed(t, func(i *image) { i.Version = imagePresent + 1 }),
		// Changed by hand:
		"digest":   bytes.Replace(good, []byte(`"tries": 3`), []byte(`"tries": 2`), 1),
		"digest 2": bytes.Replace(good, []byte(`  "format"`), []byte(` "format"`), 1),
		"digest 3": bytes.Replace(good, []byte("花子"), []byte("桃子"), 1),
		// Changed, and the digest made again:
		"kind":               sealed(t, func(i *image) { i.Kind = "gold" }),
		"kind 2":             sealed(t, func(i *image) { i.Kind = "default" }),
		"seed":               sealed(t, func(i *image) { i.Seed = "another" }),
		"atr":                sealed(t, func(i *image) { i.ATR = "00" }),
		"person":             sealed(t, func(i *image) { i.Person.AuthPIN = "12345" }),
		"person 2":           sealed(t, func(i *image) { i.Person.Birthdate = "1988" }),
		"certificates":       sealed(t, func(i *image) { i.Person.CertificateName = "確認　桃子" }),
		"certificates 2":     sealed(t, func(i *image) { i.Issued = i.Issued.Add(time.Second) }),
		"certificates 3":     sealed(t, func(i *image) { i.SigningCertificate = nil }),
		"certificates 4":     sealed(t, func(i *image) { i.AuthenticationCertificate[200] ^= 1 }),
		"certificates 5":     sealed(t, func(i *image) { i.Version = imageFirst }),
		"references.number":  sealed(t, func(i *image) { i.References = i.References[1:] }),
		"references.file":    sealed(t, func(i *image) { reference(i, "0018").File = "0019" }),
		"references.file 2":  sealed(t, func(i *image) { reference(i, "0018").File = "18" }),
		"references.file 3":  sealed(t, func(i *image) { *reference(i, "0018") = *reference(i, "001b") }),
		"references.tries":   sealed(t, func(i *image) { reference(i, "0018").Tries = 4 }),
		"references.tries 2": sealed(t, func(i *image) { reference(i, "0018").Tries = -1 }),
		"references.value":   sealed(t, func(i *image) { reference(i, "0018").Value = "12a4" }),
		"references.value 2": sealed(t, func(i *image) { reference(i, "001b").Value = "abc123" }),
		"references.value 3": sealed(t, func(i *image) { i.References[len(i.References)-1].Value = "" }),
	} {
		c, err := FromImage(data, Config{JPKI: j, Now: testNow})
		field, _, _ := strings.Cut(name, " ")
		var got *Error
		if c != nil || !errors.As(err, &got) || got.Reason != ReasonInvalidImage ||
			!strings.HasPrefix(got.Detail, field) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "花子") || strings.Contains(err.Error(), "1234")) {
			t.Errorf("%s: the error quotes the image: %v", name, err)
		}
	}
	if _, err := FromImage(good, Config{JPKI: j, Now: testNow}); err != nil {
		t.Fatal(err)
	}
}

// FuzzImage: whatever is in an image, it is refused with an error, or every counter and value is one that the card
// could have. A digest that fits is made for each input, because no fuzzer guesses one.
func FuzzImage(f *testing.F) {
	f.Add(sealed(f, func(*image) {}))
	f.Add(sealed(f, func(i *image) { i.References[0].Tries = math.MaxInt }))
	f.Add(sealed(f, func(i *image) { i.References[0].Value = "\x00" }))
	f.Add([]byte(`{"format":"kakunin card image","version":1}`))
	card := customCard(f, func(*Config) {})
	f.Fuzz(func(t *testing.T, data []byte) {
		if i, err := parseImage(data); err == nil {
			if again, err := i.encode(); err != nil || !bytes.Equal(again, data) {
				t.Error("an image has two spellings")
			}
		}
		var i image
		if json.Unmarshal(data, &i) != nil {
			return
		}
		data, err := i.seal()
		if err != nil {
			return
		}
		if i, err = parseImage(data); err != nil {
			return
		}
		s, err := i.state()
		if err != nil || card.resume(s) != nil {
			return
		}
		for _, a := range card.applications {
			for _, file := range a.order {
				if s := file.secret; s != nil && (s.tries < 0 || s.tries > s.max) {
					t.Errorf("%s %04X has %d tries", a.name, file.id, s.tries)
				}
			}
		}
	})
}
