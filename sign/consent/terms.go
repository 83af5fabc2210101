package consent

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"net/url"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/fourinfo/mynumber"
	"github.com/kakunin-go/kakunin/internal/fault"
)

// Item is one of the fifteen items of the consent, by its number in the published document.
type Item int

// The items.
const (
	// ProvisionByJLIS: that J-LIS provides the attributes to the business (機構から当社への提供).
	ProvisionByJLIS Item = iota + 1
	// ProvisionByOperator: that the platform operator passes them on (PF事業者から当社への提供).
	ProvisionByOperator
	// Purpose: what they are used for (利用目的).
	Purpose
	// Disclosure: how the person learns what was provided (開示請求).
	Disclosure
	// Keeping: how the consent itself is kept (同意情報の保存・管理).
	Keeping
	// Obtaining: how the attributes are obtained, and that the certificate is not kept (取得方法).
	Obtaining
	// BulkObtaining: that they are obtained for many persons at once (一括取得).
	BulkObtaining
	// Term: for how long the consent counts (有効期間).
	Term
	// Voluntary: that nobody has to consent (任意性).
	Voluntary
	// StoppingByWithdrawal: that withdrawing stops the provision (取消による停止).
	StoppingByWithdrawal
	// StoppingOfService: what stops with the service (サービス停止).
	StoppingOfService
	// Inquiries: where to ask and to withdraw (問合せ・取消先).
	Inquiries
	// ClientSoftware: which software the person needs (利用者クライアントソフト).
	ClientSoftware
	// ConsentAnew: when the person is asked again (再同意).
	ConsentAnew
	// Contact: who the business is (連絡先).
	Contact
)

// itemRow says what an item is called and whether the terms must have it.
type itemRow struct {
	mandatory bool
	name      kakunin.Message
}

var items = [...]itemRow{
	ProvisionByJLIS: {true, kakunin.Message{JA: "機構から当社への提供", EN: "Provision by J-LIS to us"}},
	ProvisionByOperator: {
		false,
		kakunin.Message{JA: "プラットフォーム事業者から当社への提供", EN: "Provision by the platform operator to us"},
	},
	Purpose:              {true, kakunin.Message{JA: "利用目的", EN: "Purpose"}},
	Disclosure:           {true, kakunin.Message{JA: "開示請求", EN: "Disclosure to you"}},
	Keeping:              {true, kakunin.Message{JA: "同意情報の保存・管理", EN: "How your consent is kept"}},
	Obtaining:            {true, kakunin.Message{JA: "取得方法", EN: "How the information is obtained"}},
	BulkObtaining:        {false, kakunin.Message{JA: "一括取得", EN: "Obtaining for many persons at once"}},
	Term:                 {true, kakunin.Message{JA: "有効期間", EN: "How long the consent counts"}},
	Voluntary:            {true, kakunin.Message{JA: "任意性", EN: "Your free choice"}},
	StoppingByWithdrawal: {true, kakunin.Message{JA: "取消しによる停止", EN: "Stopping by withdrawal"}},
	StoppingOfService:    {false, kakunin.Message{JA: "サービスの停止", EN: "When the service stops"}},
	Inquiries:            {true, kakunin.Message{JA: "問合せ・取消しの窓口", EN: "Where to ask and to withdraw"}},
	ClientSoftware:       {true, kakunin.Message{JA: "利用者クライアントソフト", EN: "Software that you need"}},
	ConsentAnew:          {false, kakunin.Message{JA: "再同意", EN: "Consenting anew"}},
	Contact:              {true, kakunin.Message{JA: "連絡先", EN: "Contact"}},
}

// Items returns all fifteen in their order.
func Items() []Item {
	all := make([]Item, 0, len(items)-1)
	for i := ProvisionByJLIS; int(i) < len(items); i++ {
		all = append(all, i)
	}
	return all
}

func (i Item) valid() bool { return i >= ProvisionByJLIS && int(i) < len(items) }

// Mandatory reports whether the terms must have the item; the others are the business's choice.
func (i Item) Mandatory() bool { return i.valid() && items[i].mandatory }

// Name returns what the item is called, for headings.
func (i Item) Name() kakunin.Message {
	if !i.valid() {
		return kakunin.Message{}
	}
	return items[i].name
}

// Terms are what a person consents to. They belong to one service: a consent is given for each.
type Terms struct {
	// Service identifies the service, Version the wording: visible ASCII of at most 64 characters.
	Service, Version string
	// Business and Title name who asks, and for what, in both languages.
	Business, Title kakunin.Message
	// Summary is the short text above the items.
	Summary kakunin.Message
	// Texts are the business's own words for each item, in both languages. Every mandatory item needs them.
	Texts map[Item]kakunin.Message
	// DetailsURL is the page with details and supplements (同意事項の詳細・補足説明); https.
	DetailsURL string
}

// longest is the longest text, in characters.
const longest = 4000

// Validate returns an [*Error] of [ReasonConfiguration] whose Detail lists every mistake at once, or nil.
func (t *Terms) Validate() error {
	var list fault.Mistakes
	list.Add(!identifier(t.Service), "Service must be 1 to 64 visible ASCII characters")
	list.Add(!identifier(t.Version), "Version must be 1 to 64 visible ASCII characters")
	list.Add(!text(t.Business), "Business needs readable words in both languages")
	list.Add(!text(t.Title), "Title needs readable words in both languages")
	list.Add(!text(t.Summary), "Summary needs readable words in both languages")
	u, err := url.Parse(t.DetailsURL)
	list.Add(err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil, "DetailsURL must be https")
	for _, i := range Items() {
		words, given := t.Texts[i]
		list.Add(i.Mandatory() && !given, "Texts lacks item "+strconv.Itoa(int(i)))
		list.Add(given && !text(words), "Texts needs readable words in both languages for item "+strconv.Itoa(int(i)))
	}
	for i := range t.Texts {
		if !i.valid() {
			list.Add(true, "Texts has an item that is none of the fifteen")
			break
		}
	}
	return misconfigured("terms", list)
}

func identifier(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// text accepts words in both languages. What looks like an individual number has no place in terms.
func text(m kakunin.Message) bool {
	for _, s := range []string{m.JA, m.EN} {
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > longest || !readable(s) || mynumber.MayHold(s) {
			return false
		}
	}
	return true
}

// readable reports whether a person sees what is written: something, and nothing that a screen shows otherwise or not
// at all (control characters but tab and line ends, and those that turn the direction of text round: Unicode Standard
// Annex 9, 2.1 to 2.5). The person consents to what is shown, and the hash is of what is written.
func readable(s string) bool {
	seen := false
	for _, r := range s {
		switch {
		case r == '\n', r == '\r', r == '\t':
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return false
		case unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			seen = true
		}
	}
	return seen
}

// Hash is the SHA-256 of the terms' JSON, members and items in a fixed order: the same words have the same hash.
func (t *Terms) Hash() (hash [sha256.Size]byte, err error) {
	if err := t.Validate(); err != nil {
		return hash, err
	}
	type words struct {
		Item int    `json:"item"`
		JA   string `json:"ja"`
		EN   string `json:"en"`
	}
	all := []words{}
	for _, i := range Items() {
		if m, given := t.Texts[i]; given {
			all = append(all, words{int(i), m.JA, m.EN})
		}
	}
	b, err := json.Marshal(struct {
		Service, Version         string
		Business, Title, Summary kakunin.Message
		Items                    []words
		DetailsURL               string
	}{t.Service, t.Version, t.Business, t.Title, t.Summary, all, t.DetailsURL})
	if err != nil {
		return hash, &Error{Reason: ReasonConfiguration, Step: "terms", Err: err}
	}
	return sha256.Sum256(b), nil
}

// Page says how the terms are shown.
type Page struct {
	// Language is the page's; anything but Japanese reads as English.
	Language kakunin.Language
	// Action is the path to which the form is posted, with "answer" = "agree" or "decline", and the hidden fields.
	Action string
	Hidden map[string]string
	// Style is the address of the business's style sheet; empty: the page's own, see [StyleSource]. The page has no
	// script and loads nothing else.
	Style string
}

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// StyleSource is what allows the page's own style sheet in a Content-Security-Policy: style-src 'sha256-…'.
func StyleSource() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// Render writes an HTML page with the terms: the items with their texts, the link to the details, and two buttons of
// equal weight, on a screen of its own. Errors are [*Error], or the writer's.
func (t *Terms) Render(w io.Writer, p Page) error {
	if err := t.Validate(); err != nil {
		return err
	}
	type entry struct{ Number, Name, Text string }
	ja := p.Language == kakunin.Japanese
	in := func(m kakunin.Message) string { return m.In(p.Language) }
	pick := func(j, e string) string {
		if ja {
			return j
		}
		return e
	}
	var entries []entry
	for _, i := range Items() {
		if m, given := t.Texts[i]; given {
			entries = append(entries, entry{strconv.Itoa(int(i)), in(i.Name()), in(m)})
		}
	}
	return pageTemplate.Execute(w, map[string]any{
		"Lang": pick(
			"ja",
			"en",
		),
		"Business":   in(t.Business),
		"Title":      in(t.Title),
		"Summary":    in(t.Summary),
		"Items":      entries,
		"DetailsURL": t.DetailsURL,
		"Details":    pick("同意事項の詳細・補足説明", "Details and supplements"),
		"Agree":      pick("同意する", "I agree"),
		"Decline":    pick("同意しない", "I do not agree"),
		"Terms":      pick("同意事項", "What you consent to"),
		"Action":     p.Action,
		"Hidden":     p.Hidden,
		"Style":      p.Style,
		"OwnStyle":   template.CSS(pageStyle), //nolint:gosec // a constant of this package
	})
}
