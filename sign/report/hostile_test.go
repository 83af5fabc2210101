package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/report"
)

// TestHostileJSON: what is no report, or says two things, is refused, and what is wrong with it is named.
func TestHostileJSON(t *testing.T) {
	t.Parallel()
	good, bad := marshalled(t, "good"), marshalled(t, "revoked")
	swap, swapBad, swapRevealed := swapper(t, good), swapper(t, bad), swapper(t, marshalled(t, "revealed"))
	add := func(members string) string { return swap("{", "{"+members+",") }
	value := func(member, now string) string {
		return regexp.MustCompile(`"`+member+`": ("[^"]*"|true|1)`).ReplaceAllString(good, `"`+member+`": `+now)
	}
	hash := regexp.MustCompile(`[0-9a-f]{64}`).FindString(good)
	const operator = `"operator":{"verification_id":"1"}`
	created := func(now string) string { return value("created_at", now) }
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for name, c := range map[string]struct{ text, part string }{
		"nothing":             {"", "report"},
		"null":                {"null", "report"},
		"a list":              {"[" + good + "]", "report"},
		"a text":              {`"report"`, "report"},
		"two reports":         {good + good, "report"},
		"cut":                 {good[:len(good)-3], "report"},
		"a byte order mark":   {"\ufeff" + good, "report"},
		"UTF-16":              {"{\x00\"\x00", "report"},
		"no UTF-8":            {swap("signing-card", "signing-card\xff"), "report"},
		"a NUL behind":        {good + "\x00", "report"},
		"a comment":           {add(`/* */"x":1`), "report"},
		"a comma at the end":  {strings.TrimSuffix(good, "}\n") + ",}", "report"},
		"too deep":            {add(`"x":` + deep), "report"},
		"too many members":    {add(strings.TrimSuffix(manyMembers(300), ",")), "report"},
		"larger than records": {good + strings.Repeat(" ", 2<<20), "size"},

		"of version 0":          {value("version", "0"), "version"},
		"of version 2":          {value("version", "2"), "version"},
		"of 2, with its member": {swap(`"version": 1`, `"version": 2, "more": {}`), "version"},
		"of version -1":         {value("version", "-1"), "version"},
		"of version 1.0":        {value("version", "1.0"), "report"},
		"of version 1e0":        {value("version", "1e0"), "report"},
		"of version 1.5":        {value("version", "1.5"), "report"},
		"of version 1e400":      {value("version", "1e400"), "report"},
		"of version 2^64+1":     {value("version", "18446744073709551617"), "report"},
		"a version as text":     {value("version", `"1"`), "report"},
		"a version as null":     {value("version", "null"), "version"},
		"without a version":     {removed(t, good, "version"), "version"},

		"an unknown member":        {add(`"more":1`), "report"},
		"an unknown member inside": {swap(`"kind"`, `"more": 1, "kind"`), "report"},
		"a member twice":           {add(`"valid":true`), "report"},
		"twice, in capitals":       {add(`"VALID":true`), "report"},
		"twice, escaped":           {add(`"\u0076alid":true`), "report"},
		"twice inside":             {swap(`"kind"`, `"kind": "signing-phone", "kind"`), "report"},
		"in capitals":              {swap(`"mode"`, `"Mode"`), "report"},
		"in capitals inside":       {swap(`"anchor_sha256"`, `"Anchor_SHA256"`), "report"},
		"by a like letter":         {swap(`"steps"`, `"ſteps"`), "report"},
		"by its Go name":           {swap(`"verified_at"`, `"VerifiedAt"`), "report"},

		"valid as text":            {value("valid", `"true"`), "report"},
		"valid as a number":        {value("valid", "1"), "report"},
		"not valid, and no why":    {value("valid", "false"), "valid"},
		"valid, and a why":         {swapBad(`"valid": false`, `"valid": true`), "valid"},
		"no word of valid":         {removed(t, good, "valid"), "valid"},
		"valid, of nothing":        {removed(t, good, "document"), "document"},
		"valid, by nobody":         {removed(t, good, "certificate"), "document"},
		"valid, by two":            {add(operator), "document"},
		"valid, in no mode":        {removed(t, good, "mode"), "mode"},
		"valid, and revoked":       {swap(`"status": "good"`, `"status": "revoked"`), "revocation"},
		"valid, and unknown":       {swap(`"status": "good"`, `"status": "unknown"`), "revocation"},
		"valid, and good and well": {swap(`"status": "good"`, `"status": "Good"`), "revocation"},

		"a failure as null":   {add(`"failure":null`), "report"},
		"a document as null":  {swapBad(`"failure"`, `"operator": null, "failure"`), "report"},
		"a document as text":  {with(t, good, "document", `"text"`), "report"},
		"steps as an object":  {with(t, good, "steps", `{"0":{}}`), "report"},
		"no steps, in a list": {swapBad(`"failure"`, `"steps": [], "failure"`), "report"},
		"a step that is null": {swap(`"steps": [`, `"steps": [null,`), "steps"},
		"a mode as number":    {value("mode", "2"), "report"},
		"a mode in capitals":  {value("mode", `"DigestInfo"`), "mode"},
		"an unknown mode":     {value("mode", `"unknown"`), "mode"},
		"the hash SHA-1":      {value("algorithm", `"SHA-1"`), "document"},
		"a hash in capitals":  {value("hash", `"`+strings.ToUpper(hash)+`"`), "document"},
		"a hash cut":          {value("hash", `"`+hash[:63]+`"`), "document"},
		"a hash and a blank":  {value("hash", `"`+hash+` "`), "document"},
		"a hash as a list":    {value("hash", `["`+hash+`"]`), "report"},
		"no hash":             {value("hash", `""`), "document"},
		"a media type of a page": {swap(`"algorithm"`, `"media_type": "`+strings.Repeat("x",
			128)+`", "algorithm"`), "document"},
		"a signature's other hash": {value("signature_sha256", `"00"`), "signature_sha256"},
		"attributes' other hash":   {add(`"attributes_sha256":"zz"`), "attributes_sha256"},
		"an environment between":   {value("environment", `"staging"`), "certificate"},
		"a certificate to log in":  {value("kind", `"authentication-card"`), "certificate"},
		"no anchor":                {value("anchor_sha256", `""`), "certificate"},
		"no method":                {value("method", `""`), "revocation"},
		"a method with a blank":    {value("method", `"C RL"`), "revocation"},
		"a list that is no hash":   {swap(`"lists": [`, `"lists": ["x",`), "revocation"},
		"ten thousand lists": {swap(`"lists": [`, `"lists": [`+strings.Repeat(`"`+hash+`",`, 10_000)),
			"revocation"},
		"an operator of no number": {strings.Replace(removed(t, good, "certificate"), "{",
			`{"operator":{"verification_id":""},`, 1), "operator"},
		"an operator's blank": {strings.Replace(removed(t, good, "certificate"), "{",
			`{"operator":{"verification_id":"1 2"},`, 1), "operator"},
		"a transaction of a page":  {add(`"transaction_id":"` + strings.Repeat("x", 256) + `"`), "transaction_id"},
		"a transaction's blank":    {add(`"transaction_id":"1 2"`), "transaction_id"},
		"a transaction in kanji":   {add(`"transaction_id":"取引"`), "transaction_id"},
		"an attribute of tomorrow": {value("attribute", `"telephone"`), "person"},
		"an attribute twice":       {swap(`"attribute": "address"`, `"attribute": "name"`), "person"},
		"a different name":         {swap(`"outcome": "same-after-normalisation"`, `"outcome": "different"`), "person"},
		"a policy of letters":      {value("policy", `"any"`), "timestamps"},
		"no policy":                {value("policy", `""`), "timestamps"},
		"a step of no name":        {value("name", `""`), "steps"},
		"a family of none":         {swapBad(`"family": "account"`, `"family": "good"`), "failure"},
		"a family in capitals":     {swapBad(`"family": "account"`, `"family": "Account"`), "failure"},
		"no words of the failure":  {swapBad(`"ja": "証明書が失効しています"`, `"ja": ""`), "failure"},
		"a failure without reason": {swapBad(`"reason": "certificate revoked"`, `"reason": ""`), "failure"},

		"created at no time":     {removed(t, good, "created_at"), "time"},
		"created at zero":        {created(`"0001-01-01T00:00:00Z"`), "time"},
		"in the year 0":          {created(`"0000-06-01T00:00:00Z"`), "time"},
		"in the year 10000":      {created(`"10000-01-01T00:00:00Z"`), "report"},
		"in a negative year":     {created(`"-001-01-01T00:00:00Z"`), "report"},
		"in a time zone":         {created(`"2026-11-21T12:00:00+09:00"`), "time"},
		"in a zone of no hours":  {created(`"2026-11-21T03:00:00+00:00"`), "time"},
		"in no zone":             {created(`"2026-11-21T03:00:00"`), "report"},
		"in part of a second":    {created(`"2026-11-21T03:00:00.5Z"`), "time"},
		"in no part of a second": {created(`"2026-11-21T03:00:00.000Z"`), "report"},
		"in second 60":           {created(`"2026-11-21T03:00:60Z"`), "report"},
		"on the 31st":            {created(`"2026-11-31T03:00:00Z"`), "report"},
		"with a small z":         {created(`"2026-11-21T03:00:00z"`), "report"},
		"as a number":            {created("1795230000"), "report"},
		"as null":                {created("null"), "time"},
		"verified at zero":       {value("verified_at", `"0001-01-01T00:00:00Z"`), "time"},
		"stamped at zero":        {value("time", `"0001-01-01T00:00:00Z"`), "time"},
		"the next before this":   {value("next_update", `"2000-01-01T00:00:00Z"`), "time"},

		"a text that turns round":  {swap(`"ja": "署名`, `"ja": "\u202e署名`), "steps"},
		"an isolated text":         {swap(`"ja": "署名`, `"ja": "\u2066署名`), "steps"},
		"a text of no width":       {swap(`"ja": "署名`, `"ja": "署\u200b名`), "steps"},
		"a text with a NUL":        {swap(`"ja": "署名`, `"ja": "\u0000署名`), "steps"},
		"a text with an escape":    {swap(`"ja": "署名`, `"ja": "\u001b[2J署名`), "steps"},
		"a text of two lines":      {swap(`"ja": "署名`, `"ja": "\n署名`), "steps"},
		"half a character":         {swap(`"ja": "署名`, `"ja": "\ud83d署名`), "steps"},
		"a text of tags":           {swap(`"ja": "署名`, `"ja": "\udb40\udc61署名`), "steps"},
		"a filler":                 {swap(`"ja": "署名`, `"ja": "\u3164署名`), "steps"},
		"a clause that turns":      {swap(`"clause": "`, `"clause": "\u202e`), "steps"},
		"a why that turns round":   {swapBad(`"step": "`, `"step": "\u202e`), "failure"},
		"a media type with a line": {swap(`"algorithm"`, `"media_type": "a\nb", "algorithm"`), "document"},

		"revealed, as a list":     {with(t, good, "revealed", `[]`), "report"},
		"revealed, and a number":  {swapRevealed(`"revealed": {`, `"revealed": {"individual_number": "1",`), "report"},
		"revealed, in no words":   {with(t, good, "revealed", `{"gender":"女"}`), "report"},
		"revealed, nothing":       {with(t, good, "revealed", `{}`), "revealed"},
		"revealed, half a text":   {with(t, good, "revealed", `{"gender":{"ja":"女","en":""}}`), "revealed"},
		"revealed, a text's half": {with(t, good, "revealed", `{"gender":{"ja":"","en":"female"}}`), "revealed"},
		"revealed, a name's list": {swapRevealed(`"name": "確認　花子"`, `"name": ["確認　花子"]`), "report"},
		"revealed, empty":         {swapRevealed(`"name": "確認　花子"`, `"name": ""`), "report"},
	} {
		r, err := report.Parse([]byte(c.text))
		if r != nil || !errors.Is(err, &report.Error{Reason: report.ReasonFormat, Step: c.part}) {
			t.Errorf("%s: got %v, want %s", name, err, c.part)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\u202e確") {
			t.Errorf("%s: the error quotes it", name)
		}
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		_, _ = fmt.Fprintf(&b, `"m%d":%d,`, i, i)
	}
	return b.String()
}

// fill puts a text into every member of a report that is a text.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		if v.IsNil() && v.Type() != reflect.TypeFor[*report.Revealed]() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() && v.Type() != reflect.TypeFor[*report.Revealed]() {
			fill(v.Elem(), text)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[time.Time]() {
				fill(v.Field(i), text)
			}
		}
	default:
	}
}

// TestHostileTexts: whatever stands in a member, the page has the same elements, and shows each character or its name.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	elements := func(text string) (tags []string, page string) {
		var r report.Report
		fill(reflect.ValueOf(&r).Elem(), text)
		name, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		revealed := marshalled(t, "revealed")
		for _, value := range []string{hanako.Name, hanako.Address} {
			revealed = swapper(t, revealed)(`"`+value+`"`, string(name))
		}
		parsed, err := report.Parse([]byte(revealed))
		if err != nil {
			t.Fatal(err)
		}
		r.Revealed = parsed.Revealed
		var out bytes.Buffer
		if err := r.Render(&out); err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`<[^>]*>`).FindAllString(out.String(), -1), out.String()
	}
	want, _ := elements("plain")
	for name, c := range map[string]struct{ text, shown string }{
		"a script":            {`<script>alert(1)</script>`, "&lt;script&gt;"},
		"the end of a member": {`</code></dd></dl></main>`, "&lt;/main&gt;"},
		"an attribute":        {`" onmouseover="alert(1)`, "&#34; onmouseover="},
		"the end of a style":  {`</style><style>*{display:none}`, "&lt;/style&gt;"},
		"a comment":           {`<!-- `, "&lt;!-- "},
		"an entity":           {`&lt;b&gt;`, "&amp;lt;b&amp;gt;"},
		"a template":          {`{{.Report}}`, "{{.Report}}"},
		"turned round":        {"a\u202eb", "a[U+202E]b"},
		"isolated":            {"a\u2067b", "a[U+2067]b"},
		"of no width":         {"a\u200bb\ufeff", "a[U+200B]b[U+FEFF]"},
		"tags":                {"a\U000E0061", "a[U+E0061]"},
		"control characters":  {"a\x00\x1b\x7f\u0085", "a[U+0000][U+001B][U+007F][U+0085]"},
		"no UTF-8":            {"a\xff", "a[U+FFFD]"},
		"lines":               {"a\u2028b", "a[U+2028]b"},
		"a filler":            {"a\u3164", "a[U+3164]"},
		"a selector":          {"葛\U000E0100", "葛\U000E0100"},
		"half width":          {"ｶｸﾆﾝ", "ｶｸﾆﾝ"},
	} {
		got, page := elements(c.text)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other elements", name)
		}
		if shown := strings.ReplaceAll(c.shown, "U+", "U&#43;"); strings.Count(page, shown) < 20 {
			t.Errorf("%s: %q is not shown", name, c.shown)
		}
	}
}

// TestModeThatIsNone: a transaction without a mode makes a report that can be read.
func TestModeThatIsNone(t *testing.T) {
	t.Parallel()
	r, err := report.Of(sign.Outcome{Err: failure(t)}, report.Options{Now: clock,
		Transaction: &sign.Transaction{ID: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := report.Parse(b); err != nil || validate(t, b) != nil {
		t.Errorf("%v, %v", err, validate(t, b))
	}
}
