package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/kakunin-go/kakunin/fourinfo"
	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/jpki/card"
)

// checked says whether the issuer's signature was verified. When it does not hold the card's methods give an error
// instead of data.
func (p *program) checked() {
	if p.roots == nil {
		p.talk.item("発行者の署名: 確認していません（-roots がありません）", "signature of the issuer: not checked (no -roots)")
		return
	}
	p.talk.item("発行者の署名とICチップの鍵: 確認しました", "signature of the issuer and key of the chip: verified")
}

// personal shows a personal value if the person at the terminal asked for it.
func (p *program) personal(ja, en, value string) {
	if !p.showPersonal {
		value = p.talk.pick("（表示しません）", "(not shown)")
	}
	p.talk.item(ja+": %s", en+": %s", value)
}

// gender is the word for a gender.
func (p *program) gender(g fourinfo.Gender) string {
	switch g.Reveal() {
	case fourinfo.Male:
		return p.talk.pick("男", "male")
	case fourinfo.Female:
		return p.talk.pick("女", "female")
	default:
		return p.talk.pick("不明", "unknown")
	}
}

func (p *program) readAttributes(ctx context.Context) error {
	pin, with, err := p.askSecret(ctx, card.TextPIN, "券面事項入力補助用の暗証番号", "PIN for the four attributes")
	if err != nil {
		return err
	}
	person, err := p.card.Attributes(ctx, card.TextPIN, pin, with...)
	if err != nil {
		return err
	}
	p.talk.say("基本4情報", "Four attributes")
	p.personal("氏名", "name", person.Name.Reveal())
	p.personal("住所", "address", person.Address.Reveal())
	p.personal("生年月日", "birthdate", person.Birthdate.Reveal().String())
	p.personal("性別", "gender", p.gender(person.Gender))
	p.checked()
	return nil
}

// readNumber reads the individual number. Who only wants to compare one uses ConfirmIndividualNumber instead.
func (p *program) readNumber(ctx context.Context) error {
	pin, with, err := p.askSecret(ctx, card.TextPIN, "券面事項入力補助用の暗証番号", "PIN for the four attributes")
	if err != nil {
		return err
	}
	purpose := purposes[p.number]
	number, err := p.card.IndividualNumber(ctx, pin, purpose, with...)
	if err != nil {
		return err
	}
	digits, err := number.Reveal(purpose)
	if err != nil {
		return err
	}
	p.talk.say("個人番号", "Individual number")
	p.personal("個人番号", "number", digits)
	p.checked()
	return nil
}

func (p *program) checkAge(ctx context.Context) error {
	text, with, err := p.askSecret(ctx, card.FaceBirthdate, "生年月日（西暦8桁、例 19800217）", "Birthdate (YYYYMMDD)")
	if err != nil {
		return err
	}
	day, err := parseDay(text)
	if err != nil {
		return err
	}
	typed, err := card.EraBirthdate(day)
	if err != nil {
		return err
	}
	birthdate, err := p.card.AgeCheck(ctx, typed, with...)
	if err != nil {
		return err
	}
	p.talk.say("年齢確認", "Age check")
	p.personal("生年月日", "birthdate", birthdate.Reveal().String())
	p.checked()
	return nil
}

func parseDay(text string) (fourinfo.Date, error) {
	birthdate, err := fourinfo.ParseBirthdate(text)
	if err == nil && len(text) == len("YYYYMMDD") {
		if day, ok := birthdate.Reveal().Complete(); ok {
			return day, nil
		}
	}
	return fourinfo.Date{}, problem("日付は西暦8桁で入力してください。", "Enter the date as YYYYMMDD.")
}

// signIn shows how possession of the card and knowledge of the PIN are proved: the card signs a random challenge.
func (p *program) signIn(ctx context.Context) error {
	pin, with, err := p.askSecret(ctx, card.AuthPIN, "利用者証明用電子証明書の暗証番号", "PIN of the authentication certificate")
	if err != nil {
		return err
	}
	if err := p.card.Verify(ctx, card.AuthPIN, pin, with...); err != nil {
		return err
	}
	key, err := p.card.AuthKey(ctx)
	if err != nil {
		return err
	}
	challenge := make([]byte, 32)
	_, _ = rand.Read(challenge) // never fails, see crypto/rand
	if _, err := signature(ctx, key, sha256.Sum256(challenge)); err != nil {
		return err
	}
	p.talk.say("利用者証明: 成功しました", "Authentication: the card proved its key")
	return p.card.Release(ctx)
}

// signFile prints a signature over a file. The certificate, which a verifier needs too, holds the four attributes.
func (p *program) signFile(ctx context.Context) error {
	digest, err := digestOf(p.sign)
	if err != nil {
		return err
	}
	password, with, err := p.askSecret(ctx, card.SigningPIN, "署名用電子証明書の暗証番号", "Password of the signing certificate")
	if err != nil {
		return err
	}
	if err := p.card.Verify(ctx, card.SigningPIN, password, with...); err != nil {
		return err
	}
	key, err := p.card.SigningKey(ctx)
	if err != nil {
		return err
	}
	value, err := signature(ctx, key, digest)
	if err != nil {
		return err
	}
	p.talk.say("署名 (RSASSA-PKCS1-v1_5, SHA-256)", "Signature (RSASSA-PKCS1-v1_5, SHA-256)")
	p.talk.line(base64.StdEncoding.EncodeToString(value))
	return p.card.Release(ctx)
}

func digestOf(name string) (digest [sha256.Size]byte, err error) {
	unreadable := problem("ファイルを読み取れません。", "The file cannot be read.")
	f, err := os.Open(name) //nolint:gosec // the file that the person named
	if err != nil {
		return digest, unreadable
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if n, err := io.Copy(h, io.LimitReader(f, limits.Document+1)); err != nil || n > limits.Document {
		return digest, unreadable
	}
	h.Sum(digest[:0])
	return digest, nil
}

// signature signs a digest and verifies the result with the certificate's key.
func signature(ctx context.Context, key *card.Key, digest [sha256.Size]byte) ([]byte, error) {
	value, err := key.SignContext(ctx, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	if rsa.VerifyPKCS1v15(key.Public().(*rsa.PublicKey), crypto.SHA256, digest[:], value) != nil {
		return nil, problem("署名が証明書と一致しません。", "The signature does not fit the certificate.")
	}
	return value, nil
}

func (p *program) changePIN(ctx context.Context) error {
	pin := changeable[p.change]
	current, with, err := p.askSecret(ctx, pin, "今の暗証番号", "Current PIN")
	if err != nil {
		return err
	}
	replacement, err := p.talk.ask(ctx, true, "新しい暗証番号", "New PIN")
	if err != nil {
		return err
	}
	again, err := p.talk.ask(ctx, true, "新しい暗証番号（確認）", "New PIN, once more")
	if err != nil {
		return err
	}
	if !strings.EqualFold(replacement, again) {
		return problem("新しい暗証番号が一致しません。変更していません。", "The two new PINs differ. Nothing was changed.")
	}
	err = p.card.ChangePIN(ctx, pin, card.Replace(current, replacement), with...)
	if reasonOf(err) == card.ReasonGuessablePIN {
		p.talk.warn(err)
		answer, askErr := p.talk.ask(ctx, false, "それでも変更しますか (yes/no)", "Change it all the same (yes/no)")
		if askErr != nil || answer != "yes" {
			return errors.Join(askErr, err)
		}
		err = p.card.ChangePIN(ctx, pin, card.Replace(current, replacement), append(with, card.AllowGuessablePIN())...)
	}
	if err != nil {
		return err
	}
	p.talk.say("暗証番号を変更しました。", "The PIN was changed.")
	return nil
}
