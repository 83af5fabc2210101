package jpki

import (
	"encoding/asn1"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/revocation"
)

// What lies exactly on a boundary, found by internal/mutate.

func TestValuesBeyondTheTables(t *testing.T) {
	if Reason(len(reasons)).String() != "unknown" || Reason(-1).String() != "unknown" ||
		Hierarchy(len(hierarchyNames)).String() != "unknown" ||
		Hierarchy(-1).String() != "unknown" || Kind(len(kindNames)).String() != "unknown" ||
		Status(len(statusNames)).String() != "unknown" {
		t.Error("a value that is not in its table has a name")
	}
}

func TestLongestAttribute(t *testing.T) {
	a := signingAuthority(t, "ca")
	for length, ok := range map[int]bool{limits.Attribute: true, limits.Attribute + 1: false} {
		spec := a.SigningSpec(1)
		spec.Replace(oidSubjectAltName, sanExt(otherName(1, cbasn1.UTF8String, strings.Repeat("a", length))))
		if _, err := ParseCertificate(spec.Sign(a.Key)); (err == nil) != ok {
			t.Errorf("%d octets: %v", length, err)
		}
	}
}

func TestAnchorWithoutName(t *testing.T) {
	a := newAuthority(t, "ca", name())
	r := InsecureTestTrust(a.Cert).Report(now).Refused
	if len(r) != 1 || !errors.Is(r[0], &Error{Reason: ReasonTrust, Step: "anchor.self-issued"}) {
		t.Error(r)
	}
}

func TestSuccessorIsMissedOnItsDay(t *testing.T) {
	a := newAuthority(t, "ca", jpkiName("JPKI", unitSigning, unitLASDEC))
	trust := ProductionTrust(filesOf(a.Cert.Raw), pinFor("signca04", a))
	end := trust.Anchors()[0].NotAfter
	for at, want := range map[time.Time][]string{end.Add(-successor): nil,
		end.Add(-successor + time.Second): {"sign"}} {
		if r := trust.Report(at).NextGenerationMissing; !slices.Equal(r, want) {
			t.Errorf("%v before its end: %v", end.Sub(at), r)
		}
	}
}

func TestEmptyTrustSaysWhatIsWrong(t *testing.T) {
	none := revocation.InsecureNoRevocation()
	for step, c := range map[string]VerifierConfig{
		"trust.load":      {Hierarchy: Simulated, Trust: Trust{}, Revocation: none},
		"trust.hierarchy": {Hierarchy: Production, Trust: InsecureTestTrust(nil), Revocation: none},
	} {
		if e := configurationError(t, c); e.Step != step {
			t.Errorf("%v, want %s", e, step)
		}
	}
}

func TestPhonePolicyOfTheTable(t *testing.T) {
	own := asn1.ObjectIdentifier{1, 2, 392, 200149, 8, 5, 1, 1, 40}
	if _, ok := withPhones([]PhonePolicy{{Kind: SigningPhone, Policy: own}}, false); !ok {
		t.Error("a policy of its own is refused")
	}
	for _, phones := range [][]PhonePolicy{
		{{Kind: SigningPhone, Policy: oidPolicySigning}}, {{Kind: SigningPhone, Policy: own},
			{Kind: AuthenticationPhone, Policy: own}},
		{{Kind: SigningCard, Policy: own}}, {{Kind: SigningPhone, Policy: own[:2]}},
	} {
		if _, ok := withPhones(phones, false); ok {
			t.Errorf("%v is accepted", phones)
		}
	}
}

// Three arcs are the shortest policy that can be one of a registered body.
func TestShortestPhonePolicy(t *testing.T) {
	for n, want := range map[int]bool{0: false, 2: false, 3: true} {
		policy := asn1.ObjectIdentifier{1, 2, 3}[:n]
		if _, ok := withPhones([]PhonePolicy{{Kind: SigningPhone, Policy: policy}}, false); ok != want {
			t.Errorf("%d arcs: %v", n, ok)
		}
	}
}

func TestLargestAnchorFile(t *testing.T) {
	for size, want := range map[int]string{maxAnchorFile: "trust.form", maxAnchorFile + 1: "trust.size"} {
		refused := ProductionTrust(filesOf(make([]byte, size))).Report(now).Refused
		var e *Error
		if len(refused) != 1 || !errors.As(refused[0], &e) || e.Step != want {
			t.Errorf("%d octets: %v, want %s", size, refused, want)
		}
	}
}

// A result without an anchor has no fingerprint in JSON, and one with an anchor has it.
func TestResultWithoutAnchor(t *testing.T) {
	for _, r := range []Result{{}, {AnchorFingerprint: [32]byte{0xab}}} {
		encoded, err := json.Marshal(r)
		want := r.AnchorFingerprint != [32]byte{}
		if err != nil || strings.Contains(string(encoded), `"anchor_sha256":"`) != want {
			t.Errorf("%s: %v", encoded, err)
		}
	}
}
