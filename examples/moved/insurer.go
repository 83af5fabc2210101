package main

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/kakunin-go/kakunin"
	"github.com/kakunin-go/kakunin/authn"
	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/consent"
	"github.com/kakunin-go/kakunin/sign/operator"
)

// customer is what the insurer has on file. In a database it is a row.
type customer struct {
	person  fourinfo.Person
	consent *consent.Consent // nil: none
	// what the operator calls the consent, the person, and the attributes that the insurer has
	id    string
	user  sign.UserID
	known string
	// what the last question brought
	asked   time.Time
	change  operator.Change
	matches []fourinfo.FieldMatch // of the address before with the new one
}

// insurer asks the operator, and keeps what it says.
type insurer struct {
	operator *operator.Attributes
	now      func() time.Time

	mu        sync.Mutex
	customers map[authn.Subject]*customer
	documents map[string][]byte // the operator's, by hash, until they are signed
}

func newInsurer(op *operator.Attributes, now func() time.Time) *insurer {
	return &insurer{
		operator: op, now: now, customers: map[authn.Subject]*customer{}, documents: map[string][]byte{},
	}
}

var errNoConsent = errors.New("moved: there is no consent")

// customerOf is who logged in. What the login says is taken over the first time only: from then on the operator says
// what changed.
func (in *insurer) customerOf(id *authn.Identity) customer {
	in.mu.Lock()
	defer in.mu.Unlock()
	c := in.customers[id.Subject]
	if c == nil {
		c = &customer{person: id.Person}
		in.customers[id.Subject] = c
	}
	return *c
}

func (in *insurer) update(of authn.Subject, change func(*customer)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if c := in.customers[of]; c != nil {
		change(c)
	}
}

// document gets what is to be signed from the operator. Its reference leads back to the very bytes.
func (in *insurer) document(ctx context.Context, p operator.Purpose) (document []byte, reference string, err error) {
	if document, err = in.operator.Document(ctx, p); err != nil {
		return nil, "", err
	}
	tx, err := consent.Prepare(ctx, document)
	if err != nil {
		return nil, "", err
	}
	reference = hex.EncodeToString(tx.Digest[:])
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.documents) > 1000 {
		clear(in.documents)
	}
	in.documents[reference] = document
	return document, reference, nil
}

func (in *insurer) takeDocument(reference string) []byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	document := in.documents[reference]
	delete(in.documents, reference)
	return document
}

// consented hands the signature in. The operator opens it, verifies it, and registers the consent.
func (in *insurer) consented(ctx context.Context, of authn.Subject, s operator.Signed) error {
	id, verdict, err := in.operator.Register(ctx, s)
	if err != nil {
		return err
	}
	given, err := terms().AcceptVerdict(consent.Judged{Transaction: s.Transaction, Verdict: verdict},
		consent.BaseReceived)
	if err != nil {
		return err
	}
	in.update(of, func(c *customer) {
		c.consent, c.id, c.user, c.known = given, id, verdict.UserID, ""
		c.asked, c.change, c.matches = time.Time{}, operator.ChangeUnknown, nil
	})
	return nil
}

// withdraw ends the consent, if it is the same person who signs.
func (in *insurer) withdraw(ctx context.Context, c customer, of authn.Subject, s operator.Signed) error {
	if c.consent == nil {
		return errNoConsent
	}
	verdict, err := in.operator.Withdraw(ctx, c.id, s)
	if err != nil {
		return err
	}
	ended := *c.consent
	if verdict.UserID != c.user {
		return &sign.Error{Reason: sign.ReasonPersonMismatch, Step: "withdraw"}
	}
	err = ended.WithdrawVerdict(consent.Judged{Transaction: s.Transaction, Verdict: verdict})
	if err == nil {
		in.update(of, func(c *customer) { c.consent = &ended })
	}
	return err
}

// ask is what an insurer's nightly run does for every customer whose consent counts.
func (in *insurer) ask(ctx context.Context, c customer, of authn.Subject) error {
	if c.consent == nil || c.consent.StateAt(in.now()) != consent.StateActive {
		return errNoConsent
	}
	latest, err := in.operator.Ask(ctx, c.id, c.known)
	if err != nil {
		return err
	}
	in.update(of, func(c *customer) {
		c.asked, c.change, c.known = latest.AsOf, latest.Change, latest.Known
		if latest.Change == operator.Changed {
			onFile := fourinfo.Person{Name: c.person.Name, Address: c.person.Address}
			c.matches = onFile.Compare(latest.Person)
			c.person = latest.Person
		}
	})
	return nil
}

// terms are what the customer reads before signing.
func terms() *consent.Terms {
	both := func(ja, en string) kakunin.Message { return kakunin.Message{JA: ja, EN: en} }
	return &consent.Terms{
		Service: "address", Version: "2026-04", DetailsURL: "https://insurance.example/consent/details",
		Business: both("架空保険", "Fictitious Insurance"),
		Title: both("最新の氏名・住所などの提供についての同意",
			"Consent to our receiving your latest name and address"),
		Summary: both(
			"お引っ越しなどの後に、お手続きなしで登録住所を更新できるよう、当社が地方公共団体情報システム機構（J‑LIS）から最新の情報の提供を受けることに、ご同意ください。",
			"So that your address with us is updated after a move without your doing anything, please consent to "+
				"our receiving your latest information from J-LIS."),
		Texts: map[consent.Item]kakunin.Message{
			consent.ProvisionByJLIS: both(
				"地方公共団体情報システム機構は、あなたの最新の氏名、住所、生年月日、性別を当社に提供します。",
				"J-LIS provides us with your latest name, address, birthdate and gender."),
			consent.ProvisionByOperator: both(
				"提供は、プラットフォーム事業者を通じて行われます。", "It reaches us through our platform operator."),
			consent.Purpose: both(
				"ご契約者の登録情報を最新に保ち、大切なお知らせを届けるために利用します。",
				"We use it to keep your contract's data up to date and to reach you with important notices."),
			consent.Disclosure: both(
				"提供を受けた情報の開示は、窓口でご請求いただけます。", "Ask our contact to see what was provided."),
			consent.Keeping: both(
				"同意の記録は、有効期間とその後の法定の期間、保存します。",
				"We keep the record of your consent while it counts, and as long after as the law asks."),
			consent.Obtaining: both(
				"電子証明書の失効を確認したときに照会します。電子証明書は保存しません。",
				"We ask when your certificate turns out to be revoked. We do not keep your certificate."),
			consent.BulkObtaining: both(
				"複数のご契約者の情報をまとめて照会することがあります。", "We may ask for many customers at once."),
			consent.Term: both(
				"同意の翌日から10年間です。", "Ten years from the day after your consent."),
			consent.Voluntary: both(
				"同意は任意です。同意されなくても、ご契約に影響はありません。",
				"You are free not to consent. Your contract does not depend on it."),
			consent.StoppingByWithdrawal: both(
				"同意を取り消されると、以後の提供は停止します。", "When you withdraw, nothing more is provided."),
			consent.Inquiries: both(
				"お問合せと取消しは、このサイトまたは窓口で承ります。", "Ask and withdraw on this site or at our contact."),
			consent.ClientSoftware: both(
				"マイナアプリと、署名用電子証明書のあるマイナンバーカードが必要です。",
				"You need the app of the service and a My Number Card with a signing certificate."),
			consent.Contact: both("架空保険 お客様窓口", "Fictitious Insurance, customer service"),
		},
	}
}
